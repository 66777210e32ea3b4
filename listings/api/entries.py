"""The Listing object: what of an entry is told to whom on which day."""

from django.conf import settings
from django.db.models import Count

from casework.api import choice, each, instant, maybe, shape, sometimes
from listings.models import (
    Audience,
    Listing,
    Proposal,
    ResponsiblePerson,
    own_fields,
    shown_details,
)
from listings.policies import may_read
from listings.services import measures_of, planned_measures_of
from parties.models import Subject
from rulebook.models import Degree, ListKind

ENDED = {  # all that is told once an entry has ended
    "id": "3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e",
    "list": choice(ListKind.values),
    "status": choice(Listing.Status.values),
    "ended_on": maybe("2027-04-02"),
    "end_reason": maybe(choice(Listing.EndReason.values)),
}
SUBJECT = {
    "kind": choice(Subject.Kind.values),
    "name": "通化示例商贸有限公司",
    "code": maybe("91220501MA0ABC1215"),
    "region": "220501",
}
MEASURE = {
    "code": "PA07",
    "name": "限制财政性资金项目",
    "article": "第五条",
    "memorandum": "联合惩戒合作备忘录",
    "unit": "czj",
    "advisory": False,
    "until": maybe("2027-04-01"),
}
PENDING = {
    "action": choice(Proposal.Action.values),
    "reason": maybe("error"),
    "fields": each(None),
    "note": "文书日期有误",
    "proposed_by": "示例经办",
    "proposed_at": "2026-04-01T09:00:00+08:00",
    "due_on": maybe("2026-04-07"),
}
WHOLE = {
    "origin": "220600",  # of another city's entries only
    "subject": SUBJECT,
    "category": {"code": "M05", "name": "恶意欠薪"},
    "misconduct": maybe("M05"),
    "degree": maybe(choice(Degree.values)),
    "department": {"code": "rsj", "name": "通化市人力资源和社会保障局"},
    "document": maybe(
        {
            "number": maybe("吉通示人社决字〔2026〕第1号"),
            "kind": maybe("行政处理决定书"),
            "organ": maybe("通化市人力资源和社会保障局"),
            "date": maybe("2026-03-01"),
        }
    ),
    "ground": "拖欠工资，经责令限期支付，逾期未付。",
    "basis": maybe("保障农民工工资支付条例"),
    "details": [{"code": "amount", "title": "金额（万元）", "value": "86.4"}],
    "measures": [MEASURE],
    "published_on": maybe("2026-04-01"),
    "visible_until": maybe("2027-04-01"),
    "disputed": False,
    "responsible_persons": 0,
    "version": 2,
    "pending": maybe(PENDING),
    "url": "https://credit.example.cn/black/3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e/",
}
LISTING = shape("Listing", ENDED | {name: sometimes(example) for name, example in WHOLE.items()})


def shown(listings, user, today, *, as_public=False, otherwise=Audience.PUBLIC, with_measures=True):
    """Entries as Listing objects for `user` today, in the order given.

    The number of queries does not grow with the entries, but for one per category of drafts.
    What has ended is told in five words, except to its own department, the supervisor and
    the auditor. As whom others look is said by `otherwise`; `as_public` has everybody look
    as the public does. A caller that tells some of the measures itself asks for none here.
    """
    listings = list(listings)
    open_ = [listing for listing in listings if may_read(user, listing, today)]
    parts = _Parts(open_, user, today, as_public=as_public, otherwise=otherwise)
    if with_measures:
        parts.ask_measures(open_)
    return [
        parts.whole(listing) if listing in parts else ended(listing, today) for listing in listings
    ]


def ended(listing, today):
    """All that is told of an entry that has ended."""
    return {
        "id": str(listing.public_id),
        "list": listing.kind,
        "status": listing.status_on(today).value,
        "ended_on": listing.ended_on_as_of(today),
        "end_reason": listing.end_reason_as_of(today) or None,
    }


class _Parts:
    """What belongs to many entries at once, read set by set."""

    def __init__(self, listings, user, today, *, as_public, otherwise):
        self.today = today
        self.audience = {
            row.pk: Audience.PUBLIC if as_public else Audience.of(user, row, otherwise=otherwise)
            for row in listings
        }
        inside = {pk for pk, audience in self.audience.items() if audience is Audience.OWN}
        black = {row.pk for row in listings if row.kind == ListKind.BLACK}
        detailed = {row.category_id for row in listings if row.details}
        self.measures = {}
        self.persons = _persons(black, today) if black else {}
        self.pending = _pending(inside) if inside else {}
        self.fields = own_fields(detailed) if detailed else {}

    def ask_measures(self, listings):
        drafts = [row for row in listings if row.status == Listing.Status.DRAFT]
        self.measures = measures_of(row for row in listings if row.status != Listing.Status.DRAFT)
        self.measures |= planned_measures_of(drafts, self.today)

    def __contains__(self, listing):
        return listing.pk in self.audience

    def whole(self, listing):
        subject, category, department = listing.subject, listing.category, listing.department
        return {
            **ended(listing, self.today),
            **({"origin": listing.origin} if listing.is_foreign else {}),
            "subject": {
                "kind": subject.kind,
                "name": subject.display_name,
                "code": subject.code,
                "region": subject.region,
            },
            "category": {"code": category.code, "name": str(category)},
            "misconduct": listing.misconduct.code if listing.misconduct else None,
            "degree": listing.degree or None,
            "department": {"code": department.code, "name": department.name},
            "document": _document(listing),
            "ground": listing.ground,
            "basis": str(listing.basis) if listing.basis else None,
            "details": self._details(listing),
            "measures": [measure_shown(row) for row in self.measures.get(listing.pk, ())],
            "published_on": listing.published_on,
            "visible_until": listing.visible_until,
            "disputed": listing.disputed,
            "responsible_persons": self.persons.get(listing.pk, 0),
            "version": listing.version,
            "pending": self.pending.get(listing.pk),
            "url": f"{settings.BASE_URL}/{listing.kind}/{listing.public_id}/",
        }

    def _details(self, listing):
        found = shown_details(listing, self.audience[listing.pk], self.fields)
        return [{"code": field.code, "title": str(field), "value": value} for field, value in found]


def measure_shown(row):
    """A measure as `measures_of` tells it, with the contract's names alone."""
    names = ("code", "name", "article", "memorandum", "unit", "advisory", "until")
    return {name: row[name] for name in names}


def _document(listing):
    if listing.kind == "red":
        return None
    return {
        "number": listing.document_number or None,
        "kind": listing.document_kind or None,
        "organ": listing.document_organ or None,
        "date": listing.document_date,
    }


def _persons(pks, today):
    """{entry's key: how many persons answer for it today}; the persons themselves are not told."""
    rows = ResponsiblePerson.objects.answerable(today).filter(listing__in=pks).values("listing")
    return dict(rows.annotate(n=Count("pk")).values_list("listing", "n"))


def _pending(pks):
    rows = Proposal.objects.open().filter(listing__in=pks).select_related("proposed_by")
    return {row.listing_id: _proposal(row) for row in rows}


def _proposal(row):
    return {
        "action": row.action,
        "reason": row.reason or None,
        "fields": row.fields,
        "note": row.note,
        "proposed_by": str(row.proposed_by),
        "proposed_at": instant(row.created_at),
        "due_on": row.due_on,
    }
