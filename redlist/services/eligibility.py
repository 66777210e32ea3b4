"""Who may use the green channel (绿色通道): the honest, and those with three clean years."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from casework.workdays import add_months
from listings.models import AdverseRecord, Listing
from rulebook.models import parameter


@dataclass(frozen=True)
class Eligibility:
    """Whether a subject may use the green channel on a day, and why or why not.

    `reasons` are codes: red_listed, clean; or black_listed, adverse_record.
    """

    eligible: bool
    as_of: object
    reasons: tuple

    @property
    def words(self):
        """The reasons in the reader's language, a sentence each."""
        told = {
            "red_listed": _("在红名单上"),
            "clean": _("近三年没有不良信息记录"),
            "black_listed": _("在黑名单上"),
            "adverse_record": _("近三年有不良信息记录"),
        }
        return [str(told[reason]) for reason in self.reasons]


def eligibility(subject, *, as_of):
    """Whether one subject may use the green channel on the day `as_of`, as known today."""
    return eligible_many([subject], as_of=as_of)[subject.pk]


def eligible_many(subjects, *, as_of):
    """{subject's key: Eligibility} on the day `as_of`, as known today; three queries.

    Eligible is who has a red entry of this city in force, or no adverse record decided later
    than three years before `as_of` (the plan's R4; a record of the very day three years ago
    does not count, 民法典 202). Repaired and wrong records do not count, nor does the record of
    a document whose black entry was repaired. Nobody is while a black entry is in force,
    whichever city's.
    """
    pks = [subject.pk for subject in subjects]
    listed = Listing.objects.in_force_on(as_of).filter(subject__in=pks)
    red, black = (
        set(rows.values_list("subject", flat=True))
        for rows in (listed.ours().red(), listed.black())
    )
    since = add_months(as_of, -parameter("green_channel_clean", on=as_of))
    records = AdverseRecord.objects.filter(
        subject__in=pks,
        state=AdverseRecord.State.VALID,
        decided_on__gt=since,
        decided_on__lte=as_of,
    ).exclude(Exists(_repaired()))
    adverse = set(records.values_list("subject", flat=True))
    return {pk: _decided(as_of, pk in red, pk in black, pk in adverse) for pk in pks}


def _repaired():
    """The repaired entries that rest on the document of a record."""
    return Listing.objects.filter(
        status=Listing.Status.REPAIRED,
        subject=OuterRef("subject"),
        document_number=OuterRef("document_number"),
    )


def _decided(as_of, red, black, adverse):
    if black:
        return Eligibility(eligible=False, as_of=as_of, reasons=("black_listed",))
    reasons = (("red_listed",) if red else ()) + (() if adverse else ("clean",))
    return Eligibility(bool(reasons), as_of, reasons or ("adverse_record",))
