"""How the units answer what is put before them: most in time, some late, a few not at all."""

from datetime import timedelta

from casework.moves import IllegalMove
from jointaction import services as jointaction
from jointaction.models import Push
from portal.services.demo import staff, texts

RECENT = timedelta(days=60)  # only pushes this young may still be without an answer
STANDS = timedelta(days=180)  # how long an own decision outlives the entry
SLOW = {"zjj", "xh-demo", "jtj"}


def plan_answer(story, push, today):
    """Plan what the unit does about a new push."""
    rng = story.rng
    recent = story.today - today < RECENT
    chance = rng.random() / (2.5 if push.unit.code in SLOW else 1)
    if not push.measures or (push.advisory_only and chance > 0.9):
        story.aside(story.after(today, rng.randint(1, 6)), _acknowledge, push)
    elif recent and (chance < 0.15 or _keeps_waiting(push)):
        _leave(story, push, today, chance)
    elif chance < 0.14:
        _answer_late(story, push, today)
    else:
        _answer_in_time(story, push, today)


def _keeps_waiting(push):
    """Every third push of the finance bureau, so that its desk always has something half done."""
    return push.unit.code == "czj" and push.change_id % 3 == 0


def _leave(story, push, today, chance):
    """Answer in part at most: the portal reminds, then tells the supervisor."""
    day = story.after(today, 1)
    if len(push.measures) > 1:
        story.aside(day, _answer, push, push.measures[:1])
    elif chance < 0.1:
        story.aside(day, _acknowledge, push)
    _chased(story, push)
    if push.feedback_due and push.unit.code in SLOW:
        day = story.after(push.feedback_due, 8)
        story.aside(day, _order, push, story.after(day, 5))


def _answer_late(story, push, today):
    due = push.feedback_due or story.after(today, 10)
    _chased(story, push)
    story.aside(story.after(due, story.rng.randint(2, 9)), _answer, push, push.measures)


def _chased(story, push):
    if push.feedback_due:
        story.chase_units(story.after(push.feedback_due, 1), story.after(push.feedback_due, 7))


def _answer_in_time(story, push, today):
    rng = story.rng
    day = story.after(today, rng.choice((0, 1, 1, 2)))
    if rng.random() < 0.3:
        story.aside(day, _acknowledge, push, hour=16)
    later = story.after(day, rng.randint(1, 6))
    if len(push.measures) > 1 and rng.random() < 0.25:
        story.aside(later, _answer, push, push.measures[:1])
        story.aside(story.after(later, rng.randint(1, 3)), _answer, push, push.measures[1:])
    else:
        story.aside(later, _answer, push, push.measures)


def _acknowledge(push, *, today):
    _unless_superseded(jointaction.acknowledge, push, actor=staff.liaison(push.unit.code))


def _answer(push, measures, *, today):
    answers = [_said(push, measure, today) for measure in measures]
    actor = staff.liaison(push.unit.code)
    _unless_superseded(jointaction.answer, push, answers, actor=actor, today=today)


def _order(push, by, *, today):
    """The supervisor orders what was escalated and is still not answered."""
    notes = texts.words("answers", "order")
    note = notes[push.change_id % len(notes)]
    acting = {"actor": staff.supervisor(), "note": note, "by": by, "today": today}
    _unless_superseded(jointaction.order, push, **acting)


def _unless_superseded(act, push, *arguments, **named):
    """An entry that ended or changed meanwhile took this push away."""
    try:
        act(push, *arguments, **named)
    except IllegalMove:
        return


def _said(push, measure, today):
    """What the unit says of one measure; the same push is always answered alike."""
    draw = (push.change_id * 7 + len(measure["name"])) % 40
    usual, odd = ("applied", ("not_applicable", "declined"))
    if push.kind == Push.Kind.LIFT:
        usual, odd = "lifted", ("not_applicable", "stands")
    outcome = odd[draw % 2] if draw < 4 else usual
    remarks = texts.words("answers", outcome)
    return {
        "code": measure["code"],
        "outcome": outcome,
        "applied_on": today if outcome == "applied" else None,
        "until": today + STANDS if outcome == "stands" else None,
        "remark": remarks[push.change_id % len(remarks)],
    }
