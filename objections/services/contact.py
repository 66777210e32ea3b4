"""How the applicant is reached: by e-mail where one was given; the tracking page tells the rest."""

from django.core.exceptions import PermissionDenied

from casework import services as casework
from notices import services as notices
from objections import policies
from parties.models import CLOCK


def contact_of(objection, *, actor, purpose):
    """The applicant's {phone, email}, for one logged purpose. Raises PermissionDenied."""
    if not policies.may_handle(actor.user, objection):
        raise PermissionDenied
    return casework.contact_of(objection, actor=actor, purpose=purpose)


def tell_applicant(objection, step, title, text, *, actor=CLOCK):
    """Leave the applicant a message: read on the tracking page, and e-mailed if it can be."""
    notices.tell_applicant(objection, step, title, text, link="/objections/track/", actor=actor)
