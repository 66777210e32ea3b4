"""Drafts: what a department writes before an entry is anything to anybody else."""

from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, move, record
from casework.services import clean_columns, storable
from casework.workdays import add_months
from listings import policies
from listings.models import Listing
from listings.services.foreign import refuse_foreign
from parties import identity
from parties import services as parties
from rulebook.models import CategoryField, ListKind, Measure, Misconduct
from rulebook.services import rule_of

# What the author of a draft may write, by column.
WRITABLE = frozenset(
    {
        "degree",
        "reference",
        "document_number",
        "document_kind",
        "document_organ",
        "document_date",
        "ground",
        "basis",
        "basis_article",
        "details",
        "measure_codes",
        "measure_until",
        "term_months",
        "visible_until",
    }
)


@transaction.atomic
def draft(*, actor, subject, category, today, **fields):
    """Write a new draft, or, under a `reference` already used, change that draft.

    Returns (listing, made). Raises PermissionDenied where the department may not list
    under the category, ValidationError naming each bad field, IllegalMove where the
    reference belongs to an entry that is published already.
    """
    if not policies.may_draft(actor.user, category):
        raise PermissionDenied
    subject = parties.hold(subject)
    known = _known(actor.department, fields.get("reference"))
    if known:
        return edit(
            known, actor=actor, today=today, subject=subject, category=category, **fields
        ), False
    listing = Listing(
        kind=category.kind,
        origin=settings.REGION,
        subject=subject,
        category=category,
        department=actor.department,
    )
    _write(listing, fields)
    _settle(listing, today)
    listing.full_clean(validate_unique=False, validate_constraints=False)
    refuse_duplicate(listing)
    with one_of_two():
        listing.save(force_insert=True)
    record(listing, "create", actor=actor)
    return listing, True


@transaction.atomic
def edit(listing, *, actor, today, expected_version=None, **fields):
    """Change a draft. Raises PermissionDenied, IllegalMove, StaleVersion, ValidationError."""
    refuse_foreign(listing)
    if not policies.may_edit(actor.user, listing):
        raise PermissionDenied
    links = _links(fields)
    listing = lock(listing)
    if not listing.can("edit"):
        raise IllegalMove(listing, "edit")
    old = {name: getattr(listing, name) for name in fields.keys() & WRITABLE}
    by_rule = rule_of(listing.category).term_for(listing.degree)
    if links.get("category", listing.category) != listing.category:
        _leave_category(listing, links["category"], actor)
    for name, value in links.items():
        setattr(listing, name, value)
    if listing.term_months == by_rule:
        listing.term_months = None  # it was the rule's and not the author's: settled anew
    _write(listing, fields)
    _settle(listing, today)
    refuse_duplicate(listing)
    settled = (
        "misconduct", "basis", "basis_article", "term_months", "measure_until", "bigrams",
        "rule_version",
    )  # fmt: skip
    new = {name: getattr(listing, name) for name in {*links, *fields, *settled}}
    changes = {
        name: [_plain(old[name]), _plain(new[name])] for name in fields if old[name] != new[name]
    }
    with one_of_two():
        return move(
            listing, "edit", actor=actor, changes=changes, expected_version=expected_version, **new
        )


def _links(fields):
    """Subject and category, taken out of `fields`; the subject is held before any entry is."""
    links = {name: fields.pop(name) for name in ("subject", "category") if name in fields}
    if "subject" in links:
        links["subject"] = parties.hold(links["subject"])
    return links


def _known(department, reference):
    if not reference:
        return None
    found = Listing.objects.filter(department=department, reference=reference).first()
    if found and not found.can("edit"):
        raise IllegalMove(found, "edit")
    return found


def _leave_category(listing, category, actor):
    """A draft goes over to another category of its list; what came from the old one goes."""
    if not policies.may_draft(actor.user, category):
        raise PermissionDenied
    if category.kind != listing.kind:
        raise ValidationError({"category": _("这件草稿在另一个名单上，请另起草。")})
    if listing.basis == listing.category.basis:
        listing.basis, listing.basis_article = None, ""


def _write(listing, fields):
    """Set what the author wrote, in the columns' own types."""
    unknown = fields.keys() - WRITABLE
    if unknown:
        raise ValidationError({name: _("不能填写这一项。") for name in unknown})
    cleaned, errors = clean_columns(listing, fields)
    if errors:
        raise ValidationError(errors)
    for name, value in cleaned.items():
        setattr(listing, name, value)


def _settle(listing, today):
    """Fill what the category decides, and check the draft against its rules."""
    category = listing.category
    listing.kind = category.kind
    listing.misconduct = category.misconduct
    listing.rule_version = category.version
    if not listing.basis and not category.needs_basis:
        listing.basis, listing.basis_article = category.basis, category.basis_article
    if not listing.term_months:
        listing.term_months = rule_of(category).term_for(listing.degree)
    listing.bigrams = [] if listing.subject.is_person else identity.bigrams(listing.subject.name)
    listing.details, errors = checked_details(listing, listing.details)
    errors.update(_settle_measures(listing, today))
    errors.update(_date_errors(listing, today))
    if not category.active:
        errors["category"] = _("这个类别已停用。")
    if errors:
        raise ValidationError(errors)


def refuse_duplicate(listing):
    """The same department, subject, category and document make one entry, for ever."""
    if listing.document_number and Listing.objects.duplicates_of(listing).exists():
        raise _duplicate()


def _duplicate():
    message = _("同一部门、主体、类别和文书已有一条记录。")
    return ValidationError({"document_number": ValidationError(message, code="duplicate")})


@contextmanager
def one_of_two():
    """Turn the database's refusal of a second writer into the refusal a person can read."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "listing_once_per_document" in str(error):
            raise _duplicate() from error
        if "listing_reference" in str(error):
            message = _("这个部门编号刚刚用过，请刷新后再看。")
            raise ValidationError(
                {"reference": ValidationError(message, code="duplicate")}
            ) from error
        raise


LONGEST = 1_200  # months: whatever lies further ahead is a slip of the pen


def _date_errors(listing, today):
    errors = {}
    if listing.document_date and listing.document_date > today:
        errors["document_date"] = _("文书日期不能晚于今天。")
    if listing.visible_until and listing.visible_until > add_months(today, LONGEST):
        errors["visible_until"] = _("日期太远了，请核对。")
    if listing.term_months and listing.term_months > LONGEST:
        errors["term_months"] = _("期限太长了，请核对。")
    return errors


def checked_details(listing, details):
    """The category's own fields in their stored form, and {"details.code": error} for bad ones."""
    if not isinstance(details, dict):
        return {}, {"details": _("类别字段应是“代码：值”。")}
    fields = {field.code: field for field in listing.category.fields.all()}
    errors = {
        f"details.{code}": _("这个类别没有这一项。") for code in details.keys() - fields.keys()
    }
    needed = required_details(listing)
    stored = {}
    for code, field in fields.items():
        try:
            value = _detail(details.get(code), field, required=code in needed)
        except ValidationError as error:
            errors[f"details.{code}"] = error
        else:
            stored.update({} if value is None else {code: value})
    return stored, errors


def required_details(listing):
    """The codes of the fields that must be filled: in a draft by the rule of today.

    In an entry those that its own rule asked for as well: a field made compulsory since then
    does not stand in the way of correcting another.
    """
    fields = listing.category.fields.all()
    codes = {field.code for field in fields if field.required}
    if codes and listing.status != Listing.Status.DRAFT:
        own = rule_of(listing.category, listing.rule_version)
        codes &= {field.code for field in own.fields if field.required}
    return codes


def _detail(value, field, *, required):
    if value not in (None, ""):
        return _typed(value, field)
    if required:
        raise ValidationError(_("请填写“%(title)s”。") % {"title": field.title}, code="required")
    return None


def _typed(value, field):
    """The stored form of a category field's value: text, ISO date, or a plain number as text."""
    text = _text(value, field)
    try:
        if field.type == CategoryField.Type.DATE:
            return date.fromisoformat(text).isoformat()
        if field.type == CategoryField.Type.NUMBER:
            return str(int(text))
        if field.type == CategoryField.Type.AMOUNT:
            return _amount(text)
    except (ValueError, InvalidOperation) as error:
        raise ValidationError(
            _("“%(title)s”的格式不对：%(value)s") % {"title": field.title, "value": text[:40]}
        ) from error
    return text


def _text(value, field):
    text = str(value).strip()
    if isinstance(value, (dict, list)) or not storable(text):
        raise ValidationError(_("“%(title)s”应为文字。") % {"title": field.title})
    if len(text) > 2_000:
        raise ValidationError(_("“%(title)s”最多 2000 字。") % {"title": field.title})
    return text


def _amount(text):
    amount = Decimal(text)
    if not amount.is_finite() or amount < 0 or amount >= 10**12:
        raise InvalidOperation
    if amount.as_tuple().exponent < -6:
        raise InvalidOperation
    return format(amount, "f")


def _settle_measures(listing, today):
    """Chosen measures must exist, fit the list and the misconduct, and end on a real day.

    Returns {"measures": [ValidationError]}; the days are kept without those that say nothing.
    """
    chosen, until = listing.measure_codes, listing.measure_until
    codes = [] if chosen is None else chosen
    if not (isinstance(until, dict) and all(isinstance(code, str) for code in [*codes, *until])):
        return {"measures": _("措施应是代码的列表。")}
    found = Measure.objects.filter(code__in=[*codes, *until]).prefetch_related("relevant_to")
    measures = {measure.code: measure for measure in found}
    errors = [
        error
        for code in dict.fromkeys([*codes, *until])
        if (error := _unfit(code, measures.get(code), listing))
    ]
    errors += [
        error
        for code, day in until.items()
        if code in measures and (error := _bad_end(measures[code], day, today))
    ]
    listing.measure_until = {code: day for code, day in until.items() if day}
    return {"measures": errors} if errors else {}


def _unfit(code, measure, listing):
    """Why a measure can't be chosen for this entry, or None."""
    if measure is None:
        words, reason = _("没有措施 %(code)s。"), "unknown_measure"
    elif measure.persons_only and not listing.subject.is_person:
        words, reason = _("措施 %(code)s 只适用于自然人。"), "persons_only"
    elif not _relevant(measure, listing):
        words, reason = _("措施 %(code)s 与这个类别无关，不能选。"), "not_relevant"
    else:
        return None
    return ValidationError(words % {"code": code}, code=reason)


def _relevant(measure, listing):
    """Rewards for the red list; a sanction only where the matrix relates it to the misconduct.

    Exit, flight and luxury limits are for those who could pay and would not, and no other.
    """
    misconduct = listing.misconduct
    if misconduct is None or measure.is_reward:
        return measure.is_reward == (listing.kind == ListKind.RED)
    refused = misconduct.domain == Misconduct.Domain.JUDICIAL
    return misconduct in measure.relevant_to.all() and (refused or not measure.refusal_only)


def _bad_end(measure, text, today):
    """What is wrong with the last day written for a measure, or None.

    Nothing written means the entry's last day; a ban must not be given an empty one.
    """
    if not text:
        if not measure.needs_end_date:
            return None
        words = _("措施 %(code)s 须写明截止日。") % {"code": measure.code}
        return ValidationError(words, code="no_end_date")
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        return ValidationError(_("措施截止日的格式不对。"), code="bad_format")
    if not today <= day <= add_months(today, LONGEST):
        return ValidationError(_("措施截止日不能早于今天，也不能太远。"), code="bad_end_date")
    return None


def _plain(value):
    return value if isinstance(value, (str, int, dict, list, type(None))) else str(value)
