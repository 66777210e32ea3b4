"""Subjects are found by their number, never by their name alone."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from parties import identity, sealing
from parties.models import ApiKey, Subject


def organisation(code, name, *, kind=Subject.Kind.ORGANIZATION, **fields):
    """The organisation or sole trader with this code, made if it is new.

    `fields` may hold region and legal_representative. Raises ValidationError where the code
    is not a unified social credit code, or `name_differs` where it is known under another
    name: a wrong code would put a stranger on a list.
    """
    code, name = identity.check_code(code), identity.check_name(name)
    subject, _made = Subject.objects.get_or_create(
        code=code,
        defaults={
            "kind": kind,
            "name": name,
            "name_normalised": identity.normalise_name(name),
            "region": fields.get("region") or region_of(code),
            "legal_representative": fields.get("legal_representative", ""),
        },
    )
    if subject.name_normalised != identity.normalise_name(name):
        message = _("这个代码登记的名称是“%(name)s”，与填写的不一致，请核对。")
        raise ValidationError(message % {"name": subject.name}, code="name_differs")
    return subject


def called(text):
    """Organisations with this code or this in their name; persons are never found by name."""
    name, code = identity.normalise_name(text), identity.normalise_code(text)
    found = Q(name_normalised__contains=name) if name else Q()
    return Subject.objects.organisations().filter(found | Q(code=code))


def region_of(code):
    """The GB/T 2260 region that characters 3–8 of a code name."""
    return code[2:8] if code[2:8].isdigit() else ""


def find_person(paper_type, number):
    """The person with this paper, or None; looked up by blind index under every key."""
    indexes = sealing.blind_indexes(f"{paper_type}:{number}")
    return Subject.objects.filter(
        kind=Subject.Kind.PERSON, paper_type=paper_type, paper_index__in=indexes
    ).first()


def person(name, paper_type, number):
    """The person with this paper, made if new; the number is kept sealed.

    Raises ValidationError where the number is not a valid one of its kind, or
    `name_does_not_match` where it belongs to somebody of another name, which is not told.
    """
    number = identity.check_paper(paper_type, number, timezone.localdate())
    name = identity.check_name(name)
    found = find_person(paper_type, number)
    if found:
        return _of_that_name(found, name)
    subject = Subject(
        kind=Subject.Kind.PERSON,
        name=name,
        name_normalised=identity.normalise_name(name),
        paper_type=paper_type,
    )
    subject.paper_key_id, subject.paper_sealed = sealing.seal(
        number, table="parties_subject", row=subject.public_id, field="paper"
    )
    subject.paper_index_key_id, subject.paper_index = sealing.blind_index(f"{paper_type}:{number}")
    try:
        with transaction.atomic():
            subject.save(force_insert=True)
    except IntegrityError:  # somebody entered the same person at the same moment
        return _of_that_name(find_person(paper_type, number), name)
    return subject


def _of_that_name(person, name):
    if person.name_normalised == identity.normalise_name(name):
        return person
    message = _("姓名和证件号码对不上，请核对。")
    raise ValidationError(message, code="name_does_not_match")


def paper_number(subject, *, actor, purpose):
    """A person's paper number in clear, for one logged purpose."""
    return sealing.unseal(
        subject.paper_sealed,
        subject.paper_key_id,
        table="parties_subject",
        row=subject.public_id,
        field="paper",
        actor=actor,
        purpose=purpose,
    )


def make_key(officer, *, scopes, name):
    """A new key that acts for `officer`. Returns (key, the secret itself, told only here)."""
    return ApiKey.objects.create_key(
        officer=officer, scopes=list(dict.fromkeys(scopes)), name=name[:50]
    )


def give_second_factor(user):
    """A new one-time-code device in the place of any the user had; its key is told only here."""
    TOTPDevice.objects.filter(user=user).delete()
    return TOTPDevice.objects.create(user=user, name=user.username, confirmed=True)
