"""The portal's figures. What counts entries counts those in force today, sweep or no sweep."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, F, Q
from django.db.models.functions import TruncDate
from django.utils.translation import get_language, gettext

from jointaction.models import Push
from listings import ledger
from listings.filters import in_force
from listings.models import Listing
from objections.models import Objection
from parties import services
from repair.models import Repair
from rulebook.models import ListCategory, ListKind


@dataclass(frozen=True)
class Share:
    """So many of so many; without any there is no rate, rather than a perfect one."""

    part: int
    whole: int

    @property
    def percent(self):
        return f"{self.part / self.whole:.1%}" if self.whole else None

    @property
    def value(self):
        return round(self.part / self.whole * 100, 1) if self.whole else None


def replies_in_time(rows, today):
    """Of the objections answered or past their day, how many were answered in time."""
    counts = rows.aggregate(
        part=Count("id", filter=Q(replied_on__lte=F("due_on"))),
        whole=Count("id", filter=Q(replied_on__isnull=False) | Q(due_on__lt=today)),
    )
    return Share(**counts)


def feedback_in_time(rows, today):
    """Of the pushes that had to be answered and were, or are past their day: how many in time."""
    bound = rows.filter(advisory_only=False, feedback_due__isnull=False)
    bound = bound.exclude(status=Push.Status.SUPERSEDED)
    day = TruncDate("answered_at")
    counts = bound.annotate(day=day).aggregate(
        part=Count("id", filter=Q(day__lte=F("feedback_due"))),
        whole=Count("id", filter=Q(day__isnull=False) | Q(feedback_due__lt=today)),
    )
    return Share(**counts)


def overturned(rows):
    """Of the objections answered, how many led to a correction or a withdrawal."""
    upheld = [Objection.Outcome.UPHELD_CORRECTED, Objection.Outcome.UPHELD_WITHDRAWN]
    answered = Q(status=Objection.Status.REPLIED)
    return Share(
        **rows.aggregate(
            part=Count("id", filter=answered & Q(outcome__in=upheld)),
            whole=Count("id", filter=answered),
        )
    )


def home_figures(today):
    """The four figures of the home page; the lists count whole, other cities' entries too."""
    counts = in_force(today)
    this_year = Q(received_on__year=today.year)
    return {
        "red": counts["red"],
        "black": counts["black"],
        "replies": replies_in_time(Objection.objects.filter(this_year), today),
        "repaired": Repair.objects.filter(
            status=Repair.Status.GRANTED, decided_on__year=today.year
        ).count(),
    }


def statistics(today):
    """Everything the statistics page shows, in a fixed number of queries; of our own entries."""
    counts = in_force(today, own=True)
    objections = Objection.objects.filter(received_on__year=today.year)
    months, misconducts = _by_month(today), _by_misconduct(today)
    return {
        "red": counts["red"],
        "black": counts["black"],
        "feedback": feedback_in_time(Push.objects.all(), today),
        "overturned": overturned(objections),
        "replies": replies_in_time(objections, today),
        "red_months": months["red"],
        "black_months": months["black"],
        "red_total": sum(months["red"]),
        "black_total": sum(months["black"]),
        "misconducts": misconducts,
        "domains": _by_domain(misconducts),
        "regions": _by_region(today),
        "quarters": _by_quarter(today),
        "departments": _by_department(today),
        "seq": ledger.head().seq,
    }


def _own(today):
    """What our departments have on the lists: their figures are not those of other cities."""
    return Listing.objects.ours().public(today)


def _by_month(today):
    """This year's entries still in force by month of publication: {kind: [number, …]}."""
    rows = _own(today).filter(published_on__year=today.year)
    counts = rows.values_list("kind", "published_on__month").annotate(n=Count("id")).order_by()
    months = {kind: [0] * today.month for kind in ListKind.values}
    for kind, month, n in counts:
        months[kind][month - 1] = n
    return months


def _by_misconduct(today):
    """Our own black entries in force by category, most frequent first: [{label, n, domain}]."""
    rows = _own(today).black()
    counts = rows.values_list("category").annotate(n=Count("id")).order_by("-n", "category")
    categories = ListCategory.objects.select_related("misconduct").in_bulk()
    return [
        {"label": str(categories[pk]), "n": n, "domain": _domain_of(categories[pk])}
        for pk, n in counts
    ]


def _domain_of(category):
    return category.misconduct.get_domain_display() if category.misconduct else str(category)


def _by_domain(misconducts):
    """The same by domain of misconduct, most frequent first: [{label, n}]."""
    counts = {}
    for row in misconducts:
        counts[row["domain"]] = counts.get(row["domain"], 0) + row["n"]
    return [
        {"label": label, "n": n} for label, n in sorted(counts.items(), key=lambda row: -row[1])
    ]


def _by_region(today):
    """Our own entries in force by where the organisation is registered: [{name, red, black}].

    First the city's own districts and counties, then all other places together; of persons
    no place is told.
    """
    names = dict(services.regions_within(settings.REGION))
    rows = _own(today).exclude(subject__code=None)
    counts = rows.values_list("subject__region", "kind").annotate(n=Count("id")).order_by()
    found = {name: dict.fromkeys(ListKind.values, 0) for name in (*names, None)}
    for region, kind, n in counts:
        found[region if region in names else None][kind] += n
    return [
        {"name": names.get(region) or gettext("其他地区"), **row} for region, row in found.items()
    ]


def _by_quarter(today):
    """Punctuality of replies over the last seven quarters by the day they were due."""
    quarter = (today.year, (today.month - 1) // 3)
    quarters = []
    for _n in range(7):
        quarters.append(quarter)
        year, q = quarter
        quarter = (year, q - 1) if q else (year - 1, 3)
    rows = Objection.objects.filter(due_on__year__gte=quarters[-1][0])
    counts = rows.values_list("due_on__year", "due_on__quarter").annotate(
        part=Count("id", filter=Q(replied_on__lte=F("due_on"))),
        whole=Count("id", filter=Q(replied_on__isnull=False) | Q(due_on__lt=today)),
    )
    found = {(year, q - 1): Share(part, whole) for year, q, part, whole in counts.order_by()}
    return [
        {"year": year, "quarter": q + 1, "share": found.get((year, q), Share(0, 0))}
        for year, q in reversed(quarters)
    ]


def _by_department(today):
    """Each department's closed loop: published, pushed, fed back in time, objected, overturned."""
    upheld = [Objection.Outcome.UPHELD_CORRECTED, Objection.Outcome.UPHELD_WITHDRAWN]
    day = TruncDate("answered_at")
    published = _per(_own(today), "department", n=Count("id"))
    pushed = _per(
        Push.objects.exclude(status=Push.Status.SUPERSEDED).annotate(day=day),
        "listing__department",
        n=Count("id"),
        part=Count("id", filter=Q(advisory_only=False, day__lte=F("feedback_due"))),
        whole=Count(
            "id",
            filter=Q(advisory_only=False) & (Q(day__isnull=False) | Q(feedback_due__lt=today)),
        ),
    )
    objected = _per(
        Objection.objects.filter(received_on__year=today.year),
        "department",
        n=Count("id"),
        upheld=Count("id", filter=Q(outcome__in=upheld, status=Objection.Status.REPLIED)),
    )
    rows = []
    for name, row in sorted(published.items(), key=lambda item: -item[1]["n"]):
        push, objection = pushed.get(name, {}), objected.get(name, {})
        rows.append(
            {
                "name": name,
                "published": row["n"],
                "pushed": push.get("n", 0),
                "in_time": Share(push.get("part", 0), push.get("whole", 0)),
                "objections": objection.get("n", 0),
                "upheld": objection.get("upheld", 0),
            }
        )
    return rows


def _per(rows, department, **figures):
    """{name of the department in the language of the page: its figures}."""
    english = (get_language() or "").startswith("en")
    name = f"{department}__{'name_en' if english else 'name'}"
    return {row[name]: row for row in rows.order_by().values(name).annotate(**figures)}
