"""Whom a step of an application is told: the department's inbox, and the applicant."""

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from casework import services as casework
from notices import services as notices
from parties.models import CLOCK
from repair import policies


def contact_of(repair, *, actor, purpose):
    """The applicant's {phone, email}, for one logged purpose. Raises PermissionDenied."""
    if not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    return casework.contact_of(repair, actor=actor, purpose=purpose)


def tell_applicant(repair, step, title, text, *, actor=CLOCK):
    """Leave the applicant a message: read on the tracking page, and e-mailed if it can be."""
    notices.tell_applicant(repair, step, title, text, link="/repair/track/", actor=actor)


def tell_department(repair, step, title, text=None, department=None):
    """Leave a department a message about an application; `title` may name its number."""
    department = department or repair.department
    notices.tell(
        key=f"repair-{step}:{repair.number}:{department.code}",
        department=department,
        title=title % {"number": repair.number},
        text=text or _("办理期限到 %(day)s。") % {"day": repair.due_on},
        link=f"/desk/repairs/{repair.public_id}/",
    )
