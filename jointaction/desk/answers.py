"""What became of an entry at the units, for the desk page of the department that listed."""

from jointaction.policies import may_see_answers
from jointaction.services import recalls_of


def answers_of(user, listing):
    """The context of the entry's page: `pushes` as the units answered, `recalls` and how many."""
    if not may_see_answers(user, listing):
        return {}
    pushes = list(listing.pushes.answers())
    recalls = recalls_of(pushes) if pushes else []
    confirmed = sum(call.confirmed_at is not None for call in recalls)
    return {"pushes": pushes, "recalls": recalls, "confirmed": confirmed}
