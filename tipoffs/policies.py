"""Who may do what with a report: handlers never learn who reported, the vault handles nothing."""

from parties.models import Department, Role
from tipoffs.models import HANDLERS, Report

INVESTIGATORS = (Department.Kind.ORGAN, Department.Kind.COURT, Department.Kind.SUPERVISOR)


def may_investigate(department):
    """Whether reports are handed to it: banks, associations and the platform look into none."""
    return department.active and department.kind in INVESTIGATORS


def may_handle(user, report):
    return user.has_role(*HANDLERS) and user.works_for(report.department_id)


def may_triage(user, report):
    """A new report is handed out by the lead unit, which holds it, or by the platform operator."""
    operator = user.has_role(Role.OPERATOR) and report.status == Report.Status.RECEIVED
    return operator or may_handle(user, report)


def may_see_handling(user):
    """Whether the user has a desk of reports at all."""
    return user.sees_all or user.has_role(*HANDLERS, Role.OPERATOR)


def may_keep_vault(user):
    """A vault officer, but never one who watches over the vault."""
    return user.has_role(Role.VAULT) and not user.sees_all


def may_open(user, report):
    """A vault officer, but never one who could handle the report too."""
    return may_keep_vault(user) and not may_handle(user, report)


def may_tell(user, report):
    """Who tells the reporter the outcome: the department on the tracking page, the vault by phone.

    The vault officer does so for named reporters alone.
    """
    return may_handle(user, report) or (report.named and may_open(user, report))


def may_watch_vault(user):
    """Who sees each opening: supervisor and auditor."""
    return user.sees_all
