"""The prior notice (列入前告知书) in writing, to the subject or to a responsible person alone."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from blacklist import policies
from blacklist.services.notice import draft_of
from casework.models import Letter
from casework.moves import record
from casework.services import issue, refuse, take_serial
from listings.models import Listing
from listings.services import measures_for_role, planned_measures
from rulebook.models import parameter_row


@transaction.atomic
def issue_notice(listing, *, actor, today, person=None):
    """Write the notice of a draft as it stands: facts, document, basis, term, measures, rights.

    With `person`, a responsible person of the draft, the notice is to that person alone. A
    draft that changed since has a new notice; the old letter stays on file. Raises
    PermissionDenied, IllegalMove, ValidationError naming what a notice can't do without.
    """
    if not policies.may_serve_notice(actor.user, listing):
        raise PermissionDenied
    draft_of(listing)
    listing = Listing.objects.with_parts().get(pk=listing.pk)
    _refuse_unready(listing, person)
    with override("zh-hans"):  # a letter is Chinese whatever the language of the page
        content = _notice(listing, person, today)
    letter = issue(
        listing,
        Letter.Kind.PRIOR_NOTICE,
        serial=take_serial(Letter.Kind.PRIOR_NOTICE, listing.department, today),
        department=listing.department,
        content=content,
        actor=actor,
        today=today,
    )
    record(listing, "issue_letter", actor=actor, note=letter.number)
    return letter


def _refuse_unready(listing, person):
    refuse(
        {
            "ground": not listing.ground and _("先写明事实和理由，再出具告知书。"),
            "document_number": not listing.document_number and _("先填写文书文号，再出具告知书。"),
            "basis": not listing.basis and _("先选择法律依据，再出具告知书。"),
            "person": person
            and person.listing_id != listing.pk
            and _("这条记录没有这名责任人员。"),
        }
    )


def _notice(listing, person, today):
    rule = parameter_row("defence", on=today)
    told = {
        "list": listing.get_kind_display(),
        "category": listing.category,
        "subject": listing.subject.display_name,
        "days": rule.value,
        "unit": rule.get_unit_display(),
        "organ": listing.department.name,
        "months": listing.term_months,
    }
    if person:
        opening = _("我单位拟将%(subject)s列入%(list)s（%(category)s），并将你登记为责任人员。")
    else:
        opening = _("我单位拟将你（单位）列入%(list)s（%(category)s）。")
    rights = _(
        "你（单位）自收到本告知书之日起 %(days)s %(unit)s内，可以向%(organ)s提出陈述和申辩，"
        "口头、书面均可；逾期未提出的，视为放弃。"
    )
    measures = _measures(listing, person, today)
    last = _("五、陈述申辩。") if measures else _("四、陈述申辩。")
    return {
        "addressee": (person.person if person else listing.subject).name,
        "opening": f"{opening % told}{_('列入以前，告知如下：')}",
        "sections": [
            {"label": _("一、事实。"), "lines": _facts(listing, person)},
            {"label": _("二、依据。"), "lines": _bases(listing)},
            {
                "label": _("三、期限。"),
                "lines": [_("列入后公布和实施措施 %(months)s 个月。") % told],
            },
            *measures,
            {"label": last, "lines": [rights % told]},
        ],
        "date": _day(today),
        "number_label": "",
        "number": "",
        "clock": "",
    }


def _facts(listing, person):
    own = [_("你的责任：%(fact)s") % {"fact": person.fact}] if person else []
    return [*listing.ground.splitlines(), *own]


def _bases(listing):
    document = " ".join(filter(None, [listing.document_organ, listing.document_kind]))
    told = {
        "document": document,
        "number": listing.document_number,
        "day": _day(listing.document_date) if listing.document_date else "",
    }
    basis = f"《{listing.basis.name}》{listing.basis_article}"
    return [_("文书：%(document)s %(number)s，%(day)s。") % told, _("法律依据：%s。") % basis]


def _measures(listing, person, today):
    rows = planned_measures(listing, today)
    rows = measures_for_role(rows, person.role) if person else rows
    if not rows:
        return []
    header = [_("措施"), _("实施单位"), _("依据")]
    table = [[str(row["name"]), str(row["unit_name"]), row["article"]] for row in rows]
    label = _("四、拟由下列单位采取的措施：")
    return [{"label": label, "lines": [""]}, {"header": header, "rows": table}]


def _day(day):
    return date_format(day, "Y年n月j日")
