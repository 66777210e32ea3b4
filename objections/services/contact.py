"""How the applicant is reached: by e-mail where one was given; the tracking page tells the rest."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from casework import services as casework
from notices.services import tell
from objections import policies
from parties.models import CLOCK


def contact_of(objection, *, actor, purpose):
    """The applicant's {phone, email}, for one logged purpose. Raises PermissionDenied."""
    if not policies.may_handle(actor.user, objection):
        raise PermissionDenied
    return casework.contact_of(objection, actor=actor, purpose=purpose)


def tell_applicant(objection, step, title, text, *, actor=CLOCK):
    """Leave the applicant a message: read on the tracking page, and e-mailed if it can be."""
    contact = casework.contact_of(objection, actor=actor, purpose=_("通知申请人：%s") % title)
    link = f"{settings.BASE_URL}/objections/track/"
    tell(
        key=f"objection-{step}:{objection.number}:applicant",
        matter=objection.number,
        email=contact["email"],
        title=title,
        text=text,
        link=link,
    )
