"""Who may do what in joint action."""

from parties.models import Role


def may_answer(user, push):
    """The liaison or a clerk of the unit that was asked."""
    return user.has_role(Role.LIAISON, Role.CLERK) and user.works_for(push.unit_id)


def may_check(user):
    return user.has_role(Role.LIAISON, Role.CLERK, Role.REVIEWER) and bool(user.department_id)


def may_read_sheet(user, sheet):
    """Who may check, of the unit that asked."""
    return may_check(user) and user.works_for(sheet.unit_id)


def may_see_answers(user, listing):
    """The department that listed, the supervisor and the auditor see each unit's answers."""
    return user.sees_all or user.works_for(listing.department_id)


def may_reveal(user, push):
    """Who must act on a push may know whom it is about, while it is open and binds."""
    return may_answer(user, push) and push.status in push.OPEN and not push.advisory_only


def may_manage_endpoints(user, department_id):
    """Staff of the department that works with its systems: they alone get to know a secret."""
    roles = (Role.CLERK, Role.REVIEWER, Role.LIAISON, Role.OPERATOR)
    return user.has_role(*roles) and user.works_for(department_id)


def may_run_endpoint(user, endpoint):
    """Try, stop, start and send again: its department, and the platform operator for all."""
    return user.has_role(Role.OPERATOR) or may_manage_endpoints(user, endpoint.department_id)


def may_order(user):
    """Only the supervisor orders a unit to answer; the auditor reads and changes nothing."""
    return user.has_role(Role.SUPERVISOR) and user.department_id is not None
