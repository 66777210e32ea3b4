"""Who may do what in joint action."""

from parties.models import Role


def may_answer(user, push):
    """The liaison or a clerk of the unit that was asked."""
    return user.has_role(Role.LIAISON, Role.CLERK) and user.works_for(push.unit_id)


def may_check(user):
    return user.has_role(Role.LIAISON, Role.CLERK, Role.REVIEWER) and bool(user.department_id)


def may_see_answers(user, listing):
    """The department that listed, the supervisor and the auditor see each unit's answers."""
    return user.sees_all or user.works_for(listing.department_id)


def may_reveal(user, push):
    """Who must act on a push may know whom it is about, while it is open and binds."""
    return may_answer(user, push) and push.status in push.OPEN and not push.advisory_only


def may_order(user):
    """Only the supervisor orders a unit to answer; the auditor reads and changes nothing."""
    return user.has_role(Role.SUPERVISOR) and user.department_id is not None
