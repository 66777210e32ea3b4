"""The Listing object: what of an entry is told to whom on which day."""

from casework.api import choice, each, instant, maybe, shape, sometimes
from listings.models import Audience, Listing, Proposal, own_fields
from listings.policies import may_read
from listings.services import measures_of, planned_measures_of, told
from listings.services.told import ended
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
        self.persons = told.persons_of(black, today) if black else {}
        self.pending = _pending(inside) if inside else {}
        self.fields = own_fields(detailed) if detailed else {}

    def ask_measures(self, listings):
        drafts = [row for row in listings if row.status == Listing.Status.DRAFT]
        self.measures = measures_of(row for row in listings if row.status != Listing.Status.DRAFT)
        self.measures |= planned_measures_of(drafts, self.today)

    def __contains__(self, listing):
        return listing.pk in self.audience

    def whole(self, listing):
        return told.whole(
            listing,
            self.today,
            audience=self.audience[listing.pk],
            fields=self.fields,
            measures=self.measures.get(listing.pk, ()),
            persons=self.persons.get(listing.pk, 0),
            pending=self.pending.get(listing.pk),
        )


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
