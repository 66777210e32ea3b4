"""Lives of made-up red entries: nominated, in public notice, recognised, and what came of them."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from casework.workdays import add_months
from listings import services as listings
from listings.models import Listing
from parties.models import Subject
from portal.services.demo import black, staff, texts
from redlist import services as redlist
from rulebook.models import LegalBasis, ListCategory, ListKind, MemorandumMeasure

DAY = timedelta(days=1)
SUSPENDED = 4
ALWAYS = {"IM04.3", "IM01"}  # the finance bureau, the trading centre and the bank take part


@dataclass
class Entry:
    """What is known of an entry before it is nominated."""

    source: str
    recognised_on: date
    announced: bool = True
    visible_until: date | None = None
    then: callable = None
    firm: bool = False
    blocked: bool = False


def plan(story, number):
    """Plan `number` entries: the fates of the table below, the rest plainly in force."""
    fates = [fate for fate, count in FATES.items() for _i in range(count)]
    fates += [_in_force] * (number - len(fates))
    story.rng.shuffle(fates)
    for fate in fates:
        fate(story)


# ── fates ─────────────────────────────────────────────────────────────────────────────────────


def _in_force(story):
    since = max(story.first, add_months(story.today, -36)) + 40 * DAY
    enter(story, _new(story, story.some_day(since, story.today - 4 * DAY)))


def _nominated(story):
    enter(story, _new(story, story.after(story.today, 8), announced=False))


def _in_notice(story):
    enter(story, _new(story, story.after(story.today, story.rng.randint(3, 6))))


def _ready(story):
    enter(story, _new(story, story.after(story.today, 1)))


def _blocked(story):
    """Its public notice is over, but its subject is on the black list."""
    enter(story, _new(story, story.after(story.today, 1), firm=True, blocked=True))


def _lapsed_yesterday(story):
    day = story.some_day(story.today - 400 * DAY, story.today - 300 * DAY)
    enter(story, _new(story, day, visible_until=story.today - DAY))


def _expired(story):
    day = story.some_day(story.first + 30 * DAY, story.today - 500 * DAY)
    last = min(add_months(day, 24), story.today - 5 * DAY)
    enter(story, _new(story, day, visible_until=last))


def _suspended(story):
    """Recognised, and listed black later: the benefits pause."""
    day = story.some_day(story.today - 600 * DAY, story.today - 200 * DAY)
    entry = _new(story, day, firm=True)
    entry.then = partial(_list_black, story)
    enter(story, entry)


def _list_black(story, listing, recognised_on):
    day = story.some_day(recognised_on + 60 * DAY, story.today - 20 * DAY)
    category = ListCategory.objects.get(code=story.rng.choice(("M02", "M14", "H03")))
    unit = next(iter(texts.table("black")[category.code]["sign"]))
    black.enter(story, black.Entry(category, unit, day, subject=listing.subject))


def _withdrawn(story):
    entry = _new(story, story.some_day(story.today - 700 * DAY, story.today - 120 * DAY))
    entry.then = lambda listing, day: story.on(
        story.after(day, story.rng.randint(20, 70)), _withdraw, story, listing
    )
    enter(story, entry)


FATES = {
    _nominated: 6,
    _in_notice: 9,
    _ready: 5,
    _blocked: 1,
    _lapsed_yesterday: 1,
    _expired: 38,
    _suspended: SUSPENDED,
    _withdrawn: 4,
}


def _new(story, recognised_on, *, firm=False, **given):
    kinds = texts.table("red")
    codes = [code for code in kinds if not (firm and kinds[code].get("person"))]
    weights = [kinds[code]["weight"] for code in codes]
    source = story.rng.choices(codes, weights)[0]
    return Entry(source, recognised_on, firm=firm, **given)


# ── acts ──────────────────────────────────────────────────────────────────────────────────────


def enter(story, entry):
    """Plan an entry's way to the list: nominated, announced, recognised, and onwards."""
    nominated = story.after(entry.recognised_on, -10)
    story.on(nominated, _nominate, story, entry, hour=9)


def _nominate(story, entry, *, today):
    kind = texts.table("red")[entry.source]
    unit = story.rng.choice(kind["units"])
    actor = staff.clerk(unit)
    values = texts.values(story.rng, today) | {"unit": actor.department.name}
    ground = kind.get("ground_of", {}).get(unit) or story.rng.choice(kind["ground"])
    category = ListCategory.objects.get(code=entry.source, kind=ListKind.RED)
    details = {key: texts.fill(text, values) for key, text in kind.get("details", {}).items()}
    listing, _made = redlist.draft(
        actor=actor,
        subject=_black_listed(today) if entry.blocked else black.subject_for(story, kind, known=0),
        category=category,
        today=today,
        nominator=texts.fill(story.rng.choice(kind["nominator"]), values),
        evidence="推荐表、信用核查结果和事迹材料各一份。",
        ground=texts.fill(ground, values),
        details=details,
        measure_codes=_measures(story, category),
        **_basis(kind),
        **({"visible_until": entry.visible_until} if entry.visible_until else {}),
    )
    if entry.announced:
        story.on(story.after(today, 1), _announce, story, entry, listing, unit)


def _black_listed(today):
    entries = Listing.objects.public(today).black().select_related("subject")
    return entries.exclude(subject__kind=Subject.Kind.PERSON).latest("pk").subject


def _basis(kind):
    if "basis" not in kind:
        return {}
    return {"basis": LegalBasis.objects.get(code=kind["basis"]), "basis_article": "第（三）项"}


def _measures(story, category):
    rows = MemorandumMeasure.objects.in_force_for(category, story.today)
    codes = {row.measure.code for row in rows if not row.measure.persons_only}
    return sorted(ALWAYS | set(story.rng.sample(sorted(codes - ALWAYS), 1)))


def _announce(story, entry, listing, unit, *, today):
    until = story.after(today, 7)
    redlist.announce(
        listing, actor=staff.clerk(unit), today=today, notice_from=today, notice_until=until
    )
    story.on(entry.recognised_on, _recognise, story, entry, listing, unit)


def _recognise(story, entry, listing, unit, *, today):
    if Listing.objects.public(today).black().filter(subject=listing.subject).exists():
        return  # stays a nomination: its subject is on the black list
    published = redlist.publish(listing, actor=staff.reviewer(unit), today=today)
    story.lapses(published.visible_until)
    if entry.then:
        entry.then(published, today)


def _withdraw(story, listing, *, today):
    unit, reason = listing.department.code, "recognition_withdrawn"
    note = texts.some(story.rng, "withdrawal", reason)
    proposal = listings.propose_withdrawal(
        listing, reason=reason, actor=staff.clerk(unit), note=note
    )
    story.on(story.after(today, 1), black.approve, proposal, unit)
