"""Lives of made-up black entries: drafted, notified, published, and what came of them."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from blacklist import services as blacklist
from casework.workdays import add_months
from listings import services as listings
from listings.models import ResponsiblePerson
from parties.models import Subject
from portal.services.demo import remedies, staff, texts
from rulebook.models import ListCategory, MemorandumMeasure

DAY = timedelta(days=1)
ALWAYS = {"PA07", "PA08", "PA14"}  # the finance bureau and the trading centre have something to do
NEED_END = {"PA09", "PA11"}
SCJG = ["H01", "M14", "M20", "M21"]  # listed by the market regulator, whose people sign in
SHORT = 24  # months; entries of a shorter term are over before repair may be asked for


@dataclass
class Entry:
    """What is known of an entry before it is drafted."""

    category: ListCategory
    unit: str
    published_on: date
    subject: Subject | None = None
    visible_until: date | None = None
    then: callable = None  # what comes after the publication
    notice: bool = True
    defence: str = ""  # "": none made; "open": not answered yet; "answered"


def plan(story, number):
    """Plan `number` entries: the fates of the table below, the rest plainly in force."""
    fates = [fate for fate, count in FATES.items() for _i in range(count)]
    fates += [_in_force] * (number - len(fates))
    story.rng.shuffle(fates)
    for fate in fates:
        fate(story)


# ── fates ─────────────────────────────────────────────────────────────────────────────────────


def _in_force(story):
    entry = _live(story)
    enter(story, entry)


def _draft(story):
    enter(story, _new(story, story.after(story.today, 8), notice=False))


def _defence_open(story, codes=()):
    day = story.after(story.today, story.rng.randint(6, 8))
    enter(story, _new(story, day, category=pick(story, codes=codes)))


def _ready(story, codes=()):
    enter(story, _new(story, story.after(story.today, 1), category=pick(story, codes=codes)))


def _defence_unanswered(story):
    enter(story, _new(story, story.after(story.today, 2), defence="open"))


def _defence_answered(story):
    enter(story, _new(story, story.after(story.today, 1), defence="answered"))


def _lapsed_yesterday(story):
    day = story.some_day(story.today - 330 * DAY, story.today - 200 * DAY)
    enter(story, _new(story, day, visible_until=story.today - DAY))


def _expired(story):
    while True:
        category = pick(story)
        last = add_months(story.today, -category.term_months) - 4 * DAY
        if last > story.first + 20 * DAY:
            break
    entry = _new(story, story.some_day(story.first + 20 * DAY, last), category=category)
    enter(story, entry)


def _withdrawn(story, reason):
    entry = _live(story, settled=80)
    entry.then = partial(_propose_withdrawal, story, reason)
    enter(story, entry)


def _corrected(story):
    entry = _live(story, settled=80, having="amount")
    entry.then = partial(_propose_correction, story)
    enter(story, entry)


def _proposed(story):
    """A withdrawal that waits for its second officer."""
    entry = _live(story, settled=80)
    entry.then = lambda listing, _day: story.on(
        story.after(story.today, -1), _withdrawal, story, "error", listing, None
    )
    enter(story, entry)


def _objected(story, outcome, *, late=False):
    entry = _live(story, settled=90, having="amount" if "corrected" in outcome else "")
    entry.then = partial(remedies.contest_later, story, outcome, late)
    enter(story, entry)


def _objection_open(story, days_ago, stop, codes=()):
    entry = _live(story, settled=40, codes=codes)
    received = story.after(story.today, -days_ago)
    entry.then = lambda listing, _day: remedies.contest(story, listing, received, stop=stop)
    enter(story, entry)


def _repaired(story, outcome):
    entry = _long(story)
    entry.then = partial(remedies.repair_later, story, outcome)
    enter(story, entry)


def _repair_open(story, days_ago, stop, codes=()):
    entry = _long(story, codes=codes)
    received = story.after(story.today, -days_ago)
    entry.then = lambda listing, _day: remedies.repair(story, listing, received, stop=stop)
    enter(story, entry)


FATES = {
    _draft: 5,
    _defence_open: 4,
    partial(_defence_open, codes=["M05"]): 1,
    partial(_defence_open, codes=["J01"]): 1,
    partial(_defence_open, codes=SCJG): 1,
    _defence_unanswered: 2,
    _defence_answered: 2,
    _ready: 3,
    partial(_ready, codes=["M05"]): 2,
    partial(_ready, codes=["J01"]): 1,
    partial(_ready, codes=SCJG): 1,
    _lapsed_yesterday: 3,
    _expired: 42,
    partial(_withdrawn, reason="error"): 4,
    partial(_withdrawn, reason="document_quashed"): 6,
    _corrected: 8,
    _proposed: 2,
    partial(_objected, outcome="rejected"): 12,
    partial(_objected, outcome="rejected", late=True): 1,
    partial(_objected, outcome="upheld_corrected"): 6,
    partial(_objected, outcome="upheld_withdrawn"): 5,
    partial(_objection_open, days_ago=1, stop="received"): 3,
    partial(_objection_open, days_ago=4, stop="investigating"): 2,
    partial(_objection_open, days_ago=5, stop="awaiting"): 1,
    partial(_objection_open, days_ago=9, stop="investigating", codes=SCJG): 2,
    partial(_objection_open, days_ago=12, stop="reply_proposed", codes=["M05"]): 1,
    partial(_objection_open, days_ago=14, stop="reply_proposed"): 1,
    partial(_objection_open, days_ago=18, stop="investigating", codes=["M05"]): 1,  # overdue
    partial(_repaired, outcome="granted"): 18,
    partial(_repaired, outcome="refused"): 4,
    partial(_repaired, outcome="not_accepted"): 3,
    partial(_repair_open, days_ago=1, stop="received", codes=SCJG): 2,
    partial(_repair_open, days_ago=2, stop="awaiting"): 1,
    partial(_repair_open, days_ago=6, stop="accepted"): 2,
    partial(_repair_open, days_ago=10, stop="accepted"): 1,
    partial(_repair_open, days_ago=8, stop="decision_proposed", codes=SCJG): 2,
    partial(_repair_open, days_ago=15, stop="accepted", codes=["J01"]): 1,  # overdue
}


def _live(story, *, settled=5, having="", codes=()):
    """An entry whose term still runs, published `settled` days ago at the latest."""
    category = pick(story, having=having, codes=codes)
    since = max(story.first, add_months(story.today, -category.term_months)) + 30 * DAY
    day = story.some_day(since, story.today - settled * DAY)
    return _new(story, day, category=category)


def _long(story, codes=()):
    """An entry still on its list whose repair may be asked for already."""
    category = pick(story, least_term=SHORT, codes=codes)
    since = max(story.first, add_months(story.today, -category.term_months)) + 40 * DAY
    return _new(story, story.some_day(since, add_months(story.today, -14)), category=category)


def pick(story, *, having="", least_term=0, codes=()):
    """A category by its weight: of `codes`, with a field `having`, of a longer term."""
    kinds = texts.table("black")
    codes = codes or kinds.keys()
    fitting = [
        category
        for category in story.categories
        if category.code in codes
        and category.term_months >= least_term
        and having in {"", *kinds[category.code].get("details", {})}
        and (not least_term or category.repairable)
    ]
    weights = [kinds[category.code]["weight"] for category in fitting]
    return story.rng.choices(fitting, weights)[0]


def _new(story, published_on, *, category=None, **given):
    category = category or pick(story)
    unit = story.rng.choice(list(texts.table("black")[category.code]["sign"]))
    return Entry(category, unit, published_on, **given)


# ── acts ──────────────────────────────────────────────────────────────────────────────────────


def enter(story, entry):
    """Plan an entry's way to the list: drafted, notified, heard, published, and onwards."""
    drafted = story.after(entry.published_on, -10)
    story.on(drafted, _write, story, entry, hour=9)


def _write(story, entry, *, today):
    kind = texts.table("black")[entry.category.code]
    subject = entry.subject or subject_for(story, kind)
    values = texts.values(story.rng, today)
    document_date = story.after(today, -story.rng.randint(3, 20))
    actor = staff.clerk(entry.unit)
    details = {key: texts.fill(text, values) for key, text in kind.get("details", {}).items()}
    listing, _made = blacklist.draft(
        actor=actor,
        subject=subject,
        category=entry.category,
        today=today,
        degree="serious",
        ground=texts.fill(story.rng.choice(kind["ground"]), values),
        document_number=number_of(story, kind["sign"][entry.unit], document_date.year),
        document_kind=kind["document"],
        document_organ=actor.department.name,
        document_date=document_date,
        details=details,
        measure_codes=measures(story, entry.category),
        responsible_persons=_responsible(story, subject, values),
        **({"visible_until": entry.visible_until} if entry.visible_until else {}),
    )
    if entry.notice:
        _notify(story, entry, listing, today)


def number_of(story, sign, year):
    """The next number of a made-up series, as 吉通示人社监决字〔2026〕第21号."""
    story.numbers[sign, year] += 1
    return f"吉通示{sign}字〔{year}〕第{story.numbers[sign, year] + 20}号"


def subject_for(story, kind, known=0.05):
    """Mostly somebody new; with the probability `known` a firm that is known already."""
    rng = story.rng
    if rng.random() < kind.get("person", 0):
        return story.people.person()
    if rng.random() < known and (found := _of_trade(story.firms, kind["trades"])):
        return rng.choice(found)
    subject = story.people.firm(kind["trades"], trader=kind.get("trader", 0))
    story.firms.append(subject)
    return subject


def _of_trade(firms, trades):
    return [firm for firm in firms if any(trade in firm.name for trade in trades)]


def measures(story, category):
    """Some of the measures that the memoranda have for the category."""
    rows = MemorandumMeasure.objects.in_force_for(category, story.today)
    codes = sorted({row.measure.code for row in rows} - NEED_END)
    fixed = sorted(ALWAYS.intersection(codes))
    free = [code for code in codes if code not in ALWAYS]
    return fixed + sorted(story.rng.sample(free, min(len(free), story.rng.randint(1, 3))))


def _responsible(story, subject, values):
    if subject.is_person or story.rng.random() > 0.25:
        return None
    role = story.rng.choice((ResponsiblePerson.Role.LEGAL_REPRESENTATIVE, "person_in_charge"))
    fact = texts.fill("任职期间主持经营，对该行为负直接责任（{month}）。", values)
    return [story.people.responsible(str(role), fact, "《行政处罚法》有关规定")]


def _notify(story, entry, listing, today):
    until = story.after(today, story.rng.randint(5, 7))
    story.on(today, _serve, story, entry, listing, until, hour=10)
    if entry.defence or story.rng.random() < 0.12:
        answered = entry.defence != "open"
        day = story.after(today, 3)
        story.on(day, _hear, story, entry, listing, answered)
    story.on(entry.published_on, _publish, story, entry, listing)


def _serve(story, entry, listing, until, *, today):
    blacklist.serve_notice(
        listing,
        actor=staff.clerk(entry.unit),
        today=today,
        served_on=today,
        means=story.rng.choice(("direct", "direct", "post", "electronic")),
        defence_until=until,
    )


def _hear(story, entry, listing, answered, *, today):
    blacklist.record_defence(
        listing,
        actor=staff.clerk(entry.unit),
        received_on=today,
        text=texts.some(story.rng, "defence", "text"),
        opinion=texts.some(story.rng, "defence", "opinion") if answered else "",
    )


def _publish(story, entry, listing, *, today):
    actor, attested = staff.reviewer(entry.unit), listings.needs_attestation(listing)
    published = blacklist.publish(listing, actor=actor, today=today, attested=attested)
    story.lapses(published.visible_until)
    if entry.then:
        entry.then(published, today)


def _propose_withdrawal(story, reason, listing, published_on):
    day = story.after(published_on, story.rng.randint(8, 45))
    story.on(day, _withdrawal, story, reason, listing, story.after(day, 1))


def _withdrawal(story, reason, listing, approve_on, *, today):
    unit = listing.department.code
    proposal = listings.propose_withdrawal(
        listing,
        reason=reason,
        actor=staff.clerk(unit),
        note=texts.some(story.rng, "withdrawal", reason),
        today=today,
    )
    if approve_on:
        story.on(approve_on, approve, proposal, unit)


def _propose_correction(story, listing, published_on):
    day = story.after(published_on, story.rng.randint(8, 45))
    story.on(day, _correction, story, listing, story.after(day, 1))


def _correction(story, listing, approve_on, *, today):
    unit = listing.department.code
    proposal = listings.propose_correction(
        listing,
        remedies.corrected(listing),
        actor=staff.clerk(unit),
        note="内部复核发现金额计算有误，予以更正。",
        today=today,
    )
    story.on(approve_on, approve, proposal, unit)


def approve(proposal, unit, *, today):
    listings.approve(proposal, actor=staff.reviewer(unit), today=today)
