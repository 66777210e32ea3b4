"""Who may do what with an objection."""

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
        and user.pk != objection.proposed_by_id
    )


def may_extend(user, objection):
    return user.has_role(Role.REVIEWER) and user.works_for(objection.department_id)


def may_record(user, department):
    """A paper filing is entered by the department that decides it."""
    return user.has_role(Role.CLERK, Role.REVIEWER) and user.works_for(department.pk)
