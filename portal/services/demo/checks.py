"""Checks of the demonstration: units ask before they decide, and mostly say what came of it."""

from datetime import timedelta

from jointaction import services as jointaction
from jointaction.models import Hit
from portal.services.demo import staff, subjects, texts

DAY = timedelta(days=1)
NUMBER = 90


def plan(story):
    """Plan checks over the last two years, a dozen of them in the last days."""
    units = list(texts.table("names")["checks"])
    for number in range(NUMBER):
        span = 8 if number % 6 == 0 else 700
        day = story.some_day(story.today - span * DAY, story.today - DAY)
        story.on(day, _ask, story, units[number % len(units)])


def _ask(story, unit, *, today):
    rng = story.rng
    known = rng.sample(story.firms[-60:], min(len(story.firms[-60:]), rng.randint(1, 3)))
    asked = [{"code": firm.code, "name": firm.name} for firm in known]
    if rng.random() < 0.4:  # a firm that the portal has never heard of
        asked.append({"code": subjects.code_of("91220501", "MH", next(story.references))})
    reference = f"{unit.upper()}-{today.year}-{next(story.references):04}"
    check, _results = jointaction.check(
        asked,
        actor=staff.liaison(unit),
        purpose=texts.some(rng, "checks", unit),
        reference=reference,
        today=today,
    )
    for hit in Hit.objects.filter(check_public_id=check.public_id):
        if rng.random() < 0.85:
            story.on(story.after(today, rng.randint(1, 6)), _feed_back, hit, unit)


def _feed_back(hit, unit, *, today):
    codes = [measure["code"] for measure in hit.measures]
    jointaction.answer_hit(
        hit,
        actor=staff.liaison(unit),
        measures=codes,
        handling="applied" if codes else "other",
        result="已按备忘录执行，业务系统已标注。" if codes else "本单位没有相应措施，仅作参考。",
        today=today,
    )
