"""Who may do what with an objection."""

from listings.models import Listing
from parties.models import Department, Role

DECIDERS = (Department.Kind.ORGAN, Department.Kind.COURT, Department.Kind.SUPERVISOR)


def may_decide(department):
    """Whether it answers objections: banks, associations and the platform answer none."""
    return department.active and department.kind in DECIDERS


def may_handle(user, objection):
    return user.has_role(Role.CLERK, Role.REVIEWER) and user.works_for(objection.department_id)


def may_approve(user, objection):
    """Four eyes: a reviewer of the department other than who proposed the reply."""
    return (
        user.has_role(Role.REVIEWER)
        and user.works_for(objection.department_id)
        and objection.proposed_by_id not in user.speaks_for
    )


def may_extend(user, objection):
    return user.has_role(Role.REVIEWER) and user.works_for(objection.department_id)


def may_take_in(user):
    """Whether the user enters filings that came on paper."""
    return user.has_role(Role.CLERK, Role.REVIEWER)


def may_record(user, target, today):
    """A filing on paper is entered by the department whose entry it is about.

    The platform's window takes in those about any entry that is public; what is over is
    between its subject and its department.
    """
    if not may_take_in(user):
        return False
    public = isinstance(target, Listing) and target.is_public(today)
    return user.works_for(target.department_id) or (public and is_window(user))


def is_window(user):
    """Whether the user sits at the platform's window, which takes in filings for everybody."""
    return user.department is not None and user.department.kind == Department.Kind.PLATFORM


def recordable(entries, user, today):
    """Of entries, those about which the user may enter a filing on paper."""
    own = entries.filter(department=user.department_id)
    return own | entries.public(today) if is_window(user) else own
