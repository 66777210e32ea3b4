"""Who may do what with an application for repair."""

from parties.models import Role


def may_handle(user, repair):
    return user.has_role(Role.CLERK, Role.REVIEWER) and user.works_for(repair.department_id)


def may_approve(user, repair):
    """Two people for each removal: a reviewer other than who proposed the decision."""
    return (
        user.has_role(Role.REVIEWER)
        and user.works_for(repair.department_id)
        and repair.proposed_by_id not in user.speaks_for
    )


def may_extend(user, repair):
    return user.has_role(Role.REVIEWER) and user.works_for(repair.department_id)


def may_record(user, department):
    return user.has_role(Role.CLERK, Role.REVIEWER) and user.works_for(department.pk)
