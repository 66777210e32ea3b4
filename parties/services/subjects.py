"""Subjects are found by their number, never by their name alone."""

from datetime import timedelta
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from stdnum import numdb

from parties import identity, sealing
from parties.models import FormerName, Subject


def organisation(code, name, *, kind=Subject.Kind.ORGANIZATION, **fields):
    """The organisation or sole trader with this code, made if it is new.

    An earlier code leads to the record it was merged into. `fields` may hold region and
    legal_representative. Raises ValidationError where the code is missing or none of the unified
    kind, `former_name` where it bore this name once, or `name_differs` where it is known under
    another: a wrong code would put a stranger on a list.
    """
    code, name = identity.code_of_subject(code), identity.check_name(name)
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
    subject = subject.kept
    _refuse_other_name(subject, identity.normalise_name(name))
    return subject


def _refuse_other_name(subject, normalised):
    if subject.name_normalised == normalised:
        return
    if subject.former_names.filter(name_normalised=normalised).exists():
        message, code = _("这是它的曾用名，现在的名称是“%(name)s”，请改正。"), "former_name"
    else:
        message = _("这个代码登记的名称是“%(name)s”，与填写的不一致，请核对。")
        code = "name_differs"
    raise ValidationError(message % {"name": subject.name}, code=code)


def of_code(path, text):
    """The condition that the subject at `path` is the one that this code stands for."""
    return Q(**{path: Subject.objects.behind(code=identity.normalise_code(text))})


def called(text):
    """Organisations with this code or this in their name; persons are never found by name."""
    name = identity.normalise_name(text)
    found = Q(name_normalised__contains=name) if name else Q()
    return Subject.objects.organisations().filter(found | of_code("pk", text))


def formerly_called(text):
    """Organisations of which a former name holds the text."""
    name = identity.normalise_name(text)
    former = FormerName.objects.holding(name) if name else FormerName.objects.none()
    return Subject.objects.organisations().filter(pk__in=former.values("subject"))


def hold(subject):
    """The record that counts for `subject`, held until the transaction ends.

    Whoever hangs something on a subject holds it first, so that nothing is left behind on
    one that is being merged or renamed at the same moment.
    """
    rows = Subject.objects.select_for_update(of=("self",), no_key=True)
    held = rows.get(pk=Subject.objects.behind(pk=subject.pk))
    while held.merged_into_id:  # since a moment ago
        held = rows.get(pk=held.merged_into_id)
    return held


def rename(subject, name, *, until):
    """Give a subject another name; the one it bore until then, the day included, stays known.

    The caller holds the row.
    """
    _remember(subject, subject, until)
    subject.name, subject.name_normalised = name, identity.normalise_name(name)
    subject.save(update_fields=["name", "name_normalised"])


def merge(duplicate, into, *, today):
    """Make `duplicate` another number of `into`: found by it, with nothing of its own left.

    The caller holds both rows, and has moved what hangs on the duplicate.
    """
    known = into.former_names.filter(name=OuterRef("name"), until=OuterRef("until"))
    duplicate.former_names.filter(Exists(known)).delete()
    duplicate.former_names.update(subject=into)
    if duplicate.name_normalised != into.name_normalised:
        _remember(into, duplicate, today - timedelta(days=1))
    duplicate.merged.update(merged_into=into)  # so that one step always leads to the end
    duplicate.merged_into = into
    duplicate.save(update_fields=["merged_into"])


def _remember(subject, named, until):
    FormerName.objects.get_or_create(
        subject=subject,
        name=named.name,
        until=until,
        defaults={"name_normalised": named.name_normalised},
    )


def region_of(code):
    """The GB/T 2260 region that characters 3–8 of a code name."""
    return code[2:8] if code[2:8].isdigit() else ""


@lru_cache
def regions_within(city):
    """[(code, name)] of the city `city` and its present districts and counties, of GB/T 2260."""
    codes = [f"{city[:4]}{number:02}" for number in range(100)]
    named = ((code, numdb.get("cn/loc").info(code)[-1][1].get("county", "")) for code in codes)
    return [(code, name.rpartition("]")[2]) for code, name in named if _is_present(name)]


def _is_present(name):
    """The data says `[1985-]通化县` of what there is, `[1949-1985]通化县` of what there was."""
    span, _bracket, plain = name.rpartition("]")
    return bool(plain) and not span.rpartition("-")[2].isdigit()


def find_person(paper_type, number):
    """The person with this paper, or None; looked up by blind index under every key.

    Of a person known by two papers it is the record that counts.
    """
    found = _with_paper(paper_type, number)
    return found and found.kept


def _with_paper(paper_type, number):
    indexes = sealing.blind_indexes(f"{paper_type}:{number}")
    rows = Subject.objects.select_related("merged_into").filter(kind=Subject.Kind.PERSON)
    return rows.filter(paper_type=paper_type, paper_index__in=indexes).first()


def borne_by(person, name):
    """Whether a person's record, or the one it was merged into, is of this name.

    The same person may be written differently in two papers; each paper goes with its name.
    """
    return identity.normalise_name(name) in {
        person.name_normalised,
        person.kept.name_normalised,
    }


def person(name, paper_type, number):
    """The person with this paper, made if new; the number is kept sealed.

    Raises ValidationError where the number is not a valid one of its kind, or
    `name_does_not_match` where it belongs to somebody of another name, which is not told.
    """
    number = identity.check_paper(paper_type, number, timezone.localdate())
    name = identity.check_name(name)
    found = _with_paper(paper_type, number)
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
        return _of_that_name(_with_paper(paper_type, number), name)
    return subject


def _of_that_name(person, name):
    if borne_by(person, name):
        return person.kept
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
