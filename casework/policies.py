"""Who may read an official letter, and who may record its service."""

from parties.models import Role


def may_read_letter(user, letter):
    """Who issued it, who handles its matter now, supervisor and auditor."""
    beside = (letter.department_id, letter.matter.department_id)
    return user.sees_all or any(map(user.works_for, beside))


def may_serve_letter(user, letter):
    return user.has_role(Role.CLERK, Role.REVIEWER) and user.works_for(letter.department_id)
