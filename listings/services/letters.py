"""The letter that tells a subject that its entry is off the list; written when it is asked for."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from casework.models import Letter
from casework.moves import IllegalMove, lock, record
from casework.services import issue, take_serial
from listings import policies
from listings.models import Listing


@transaction.atomic
def issue_lifting(listing, *, actor, today):
    """The notice of removal (移出名单通知书) of an ended entry; the one there is, if there is one.

    Raises PermissionDenied, IllegalMove where the entry is on its list or a draft.
    """
    if not policies.may_edit(actor.user, listing):
        raise PermissionDenied
    locked = Listing.objects.with_parts().get(pk=lock(Listing(pk=listing.pk)).pk)
    if locked.status_on(today) in {Listing.Status.DRAFT, Listing.Status.PUBLISHED}:
        raise IllegalMove(locked, "lift")
    if written := locked.letters.filter(kind=Letter.Kind.LIFTING).first():
        return written
    with override("zh-hans"):  # a letter is Chinese whatever the language of the page
        content, why = _lifting(locked, today), str(_reason(locked, today))
    letter = issue(
        locked,
        Letter.Kind.LIFTING,
        serial=take_serial(Letter.Kind.LIFTING, listing.department, today),
        department=locked.department,
        content=content,
        summary=why,
        actor=actor,
        today=today,
    )
    record(locked, "issue_letter", actor=actor, note=letter.number)
    return letter


def _reason(listing, today):
    return Listing.EndReason(listing.end_reason_as_of(today)).label


def _lifting(listing, today):
    told = {
        "day": _day(listing.published_on),
        "list": listing.get_kind_display(),
        "category": listing.category,
        "ended": _day(listing.ended_on_as_of(today)),
        "why": _reason(listing, today),
        "document": listing.document_number,
    }
    opening = _("你（单位）%(day)s列入的%(list)s记录（%(category)s，%(document)s），已移出名单。")
    if not listing.document_number:
        opening = _("你（单位）%(day)s列入的%(list)s记录（%(category)s），已移出名单。")
    after = _(
        "平台自移出之日起不再公布这条记录，并已通知收到过它的单位停止使用、解除相应措施。"
        "有单位仍在使用的，可以向我单位或者信用平台反映。"
    )
    return {
        "addressee": listing.subject.name,
        "opening": opening % told,
        "sections": [
            {
                "label": _("一、移出。"),
                "lines": [_("自%(ended)s起移出，原因：%(why)s。") % told],
            },
            {"label": _("二、后续。"), "lines": [after]},
        ],
        "date": _day(today),
        "number_label": _("记录编号"),
        "number": str(listing.public_id),
        "clock": "",
    }


def _day(day):
    return date_format(day, "Y年n月j日")
