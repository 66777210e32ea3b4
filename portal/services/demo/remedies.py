"""Objections and repairs of the demonstration, at every stage and with every outcome."""

from casework.workdays import add_months
from objections import services as objections
from parties.models import PUBLIC
from portal.services.demo import staff, texts
from repair import services as repairs

FEW_MONTHS = 5


# ── objections ────────────────────────────────────────────────────────────────────────────────


def contest_later(story, outcome, late, listing, published_on):
    """An objection some weeks after publication that is answered with `outcome`."""
    received = story.after(published_on, story.rng.randint(3, 30))
    contest(story, listing, received, outcome=outcome, late=late)


def contest(story, listing, received_on, *, outcome="rejected", stop="", late=False, **given):
    """Plan an objection and its handling, up to the status `stop`, `late` perhaps."""
    rng = story.rng
    steps = {"received": (received_on, _file)}
    looked = story.after(received_on, rng.randint(1, 2))
    steps["investigating"] = (looked, _investigate)
    proposed = story.after(received_on, rng.randint(17, 19) if late else rng.randint(6, 11))
    steps["reply_proposed"] = (proposed, _propose_reply)
    steps["replied"] = (story.after(proposed, rng.randint(1, 3)), _approve_reply)
    matter = {"listing": listing, "outcome": outcome, "fields": ["ground"], **given}
    if stop == "awaiting":
        steps = {"received": steps["received"], "awaiting": (looked, _ask)}
    for status, (day, act) in steps.items():
        story.on(day, act, story, matter)
        if status == stop:
            break
    story.chase_remedies(*(story.after(received_on, days) for days in (10, 12, 14, 16)))


def _file(story, matter, *, today):
    listing = matter["listing"]
    on_paper = story.rng.random() < 0.3
    matter["objection"], _query_code = objections.file(
        listing,
        door="department" if on_paper else "platform",
        applicant=applicant(listing),
        fields=matter["fields"],
        grounds=matter.get("grounds") or _grounds(listing),
        received_on=today,
        actor=staff.clerk(listing.department.code) if on_paper else PUBLIC,
        today=today,
        evidence=matter.get("evidence", ()),
    )


def _grounds(listing):
    return texts.table("black")[listing.category.code]["objection"]


def applicant(listing):
    return {"name": listing.subject.name, "phone": "0435-0000000", "email": ""}


def _investigate(story, matter, *, today):
    objections.investigate(
        matter["objection"],
        actor=staff.clerk(matter["listing"].department.code),
        note=texts.some(story.rng, "reply", "investigate"),
    )


def _ask(story, matter, *, today):
    objections.ask(
        matter["objection"],
        actor=staff.clerk(matter["listing"].department.code),
        text=texts.some(story.rng, "reply", "ask"),
        by=story.after(today, 10),
        today=today,
    )


def _propose_reply(story, matter, *, today):
    listing, outcome = matter["listing"], matter["outcome"]
    listing.refresh_from_db()
    objections.propose_reply(
        matter["objection"],
        actor=staff.clerk(listing.department.code),
        outcome=outcome,
        reasons=texts.some(story.rng, "reply", outcome),
        today=today,
        corrections=corrected(listing) if outcome == "upheld_corrected" else None,
    )


def _approve_reply(story, matter, *, today):
    reviewer = staff.reviewer(matter["listing"].department.code)
    objections.approve_reply(matter["objection"], actor=reviewer, today=today)


def corrected(listing):
    """The values of a correction: four fifths of the amount, in the facts as in its field."""
    amount = listing.details["amount"]
    lower = f"{float(amount) * 0.8:.1f}"
    details = {
        code: value.replace(f"{amount} 万元", f"{lower} 万元") if code != "amount" else lower
        for code, value in listing.details.items()
    }
    ground = listing.ground.replace(f"{amount} 万元", f"{lower} 万元")
    return {"ground": ground, "details": details}


# ── repairs ───────────────────────────────────────────────────────────────────────────────────


def repair_later(story, outcome, listing, published_on):
    """An application once it is possible, decided with `outcome`."""
    first = add_months(published_on, 12)
    last = min(add_months(first, FEW_MONTHS), story.after(story.today, -20))
    received = story.some_day(first, last) if first < last else story.after(first, 1)
    repair(story, listing, received, outcome=outcome)


def repair(story, listing, received_on, *, outcome="granted", stop=""):
    """Plan an application for repair and its handling, which halts at the status `stop`."""
    rng = story.rng
    accepted = story.after(received_on, rng.randint(1, 2))
    matter = {"listing": listing, "outcome": outcome}
    steps = {"received": (received_on, _apply)}
    if stop == "awaiting":
        steps["awaiting"] = (accepted, _ask_papers)
    elif outcome == "not_accepted":
        steps["not_accepted"] = (accepted, _not_accept)
    else:
        proposed = story.after(accepted, rng.randint(3, 6))
        steps["accepted"] = (accepted, _accept)
        steps["decision_proposed"] = (proposed, _propose_decision)
        steps["decided"] = (story.after(proposed, rng.randint(1, 2)), _approve_decision)
    for status, (day, act) in steps.items():
        story.on(day, act, story, matter)
        if status == stop:
            break
    story.chase_remedies(story.after(received_on, 5), story.after(accepted, 11))


def _apply(story, matter, *, today):
    listing = matter["listing"]
    matter["repair"], _query_code = repairs.apply(
        listing,
        applicant=applicant(listing),
        statement=texts.table("black")[listing.category.code]["repair"],
        commitment="承诺所提交的材料真实有效，今后依法经营、诚实守信，如有违背自愿接受处理。",
        papers=[(kind, None) for kind in listing.category.repair_evidence],
        received_on=today,
        actor=PUBLIC,
        today=today,
    )


def _ask_papers(story, matter, *, today):
    repairs.ask(
        matter["repair"],
        actor=staff.clerk(matter["listing"].department.code),
        text=texts.some(story.rng, "repair_refused", "ask"),
        by=story.after(today, 10),
        today=today,
    )


def _not_accept(story, matter, *, today):
    reasons = texts.some(story.rng, "repair_refused", "not_accepted")
    clerk = staff.clerk(matter["listing"].department.code)
    repairs.not_accept(matter["repair"], actor=clerk, today=today, reasons=reasons)


def _accept(story, matter, *, today):
    clerk = staff.clerk(matter["listing"].department.code)
    repairs.accept(matter["repair"], actor=clerk, today=today, note="材料齐全，予以受理。")


def _propose_decision(story, matter, *, today):
    key = "granted" if matter["outcome"] == "granted" else "reasons"
    repairs.propose_decision(
        matter["repair"],
        actor=staff.clerk(matter["listing"].department.code),
        outcome=matter["outcome"],
        reasons=texts.some(story.rng, "repair_refused", key),
        verification=texts.some(story.rng, "repair_refused", "verification"),
        today=today,
    )


def _approve_decision(story, matter, *, today):
    reviewer = staff.reviewer(matter["listing"].department.code)
    repairs.approve_decision(matter["repair"], actor=reviewer, today=today)
