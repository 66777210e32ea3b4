"""Who may do what with accounts, keys and standing in."""

from parties.models import Role


def may_run_accounts(user):
    """The platform operator, or who set the portal up."""
    return user.has_role(Role.OPERATOR) or (user.is_active and user.is_superuser)


def may_delegate(user, from_user):
    """Only the person itself says who stands in, or the platform operator for one who can't."""
    return user.is_active and (user.pk == from_user.pk or may_run_accounts(user))


def may_manage_keys(user, department_id):
    """A reviewer of the department, in person."""
    return user.has_role(Role.REVIEWER) and user.works_for(department_id)
