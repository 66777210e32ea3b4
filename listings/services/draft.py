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
from parties import identity
from rulebook.models import CategoryField, Measure, Misconduct

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
    if not policies.may_edit(actor.user, listing):
        raise PermissionDenied
    listing = lock(listing)
    if not listing.can("edit"):
        raise IllegalMove(listing, "edit")
    links = {name: fields.pop(name) for name in ("subject", "category") if name in fields}
    old = {name: getattr(listing, name) for name in fields.keys() & WRITABLE}
    if links.get("category", listing.category) != listing.category:
        _leave_category(listing, links["category"], actor)
    for name, value in links.items():
        setattr(listing, name, value)
    _write(listing, fields)
    _settle(listing, today)
    refuse_duplicate(listing)
    settled = ("misconduct", "basis", "basis_article", "term_months", "bigrams", "rule_version")
    new = {name: getattr(listing, name) for name in {*links, *fields, *settled}}
    changes = {
        name: [_plain(old[name]), _plain(new[name])] for name in fields if old[name] != new[name]
    }
    with one_of_two():
        return move(
            listing, "edit", actor=actor, changes=changes, expected_version=expected_version, **new
        )


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
    if listing.term_months == listing.category.term_months:
        listing.term_months = None


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
        listing.term_months = category.term_months
    listing.bigrams = [] if listing.subject.is_person else identity.bigrams(listing.subject.name)
    listing.details, errors = checked_details(listing, listing.details)
    errors.update(_measure_errors(listing, today))
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
    stored = {}
    for code, field in fields.items():
        try:
            value = _detail(details.get(code), field)
        except ValidationError as error:
            errors[f"details.{code}"] = error
        else:
            stored.update({} if value is None else {code: value})
    return stored, errors


def _detail(value, field):
    if value not in (None, ""):
        return _typed(value, field)
    if field.required:
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


def _measure_errors(listing, today):
    """Chosen measures must exist, fit the list and the misconduct, and end on a real day."""
    late = _until_errors(listing.measure_until, today)
    if late or listing.measure_codes is None:
        return late
    if not all(isinstance(code, str) for code in listing.measure_codes):
        return {"measures": _("措施应是代码的列表。")}
    found = Measure.objects.filter(code__in=listing.measure_codes).prefetch_related("relevant_to")
    measures = {measure.code: measure for measure in found}
    errors = [
        _("没有措施 %(code)s。") % {"code": code}
        for code in listing.measure_codes
        if code not in measures
    ]
    errors += [
        _("措施 %(code)s 与这个类别无关，不能选。") % {"code": code}
        for code, measure in measures.items()
        if not _fits(measure, listing)
    ]
    return {"measures": errors} if errors else {}


def _until_errors(given, today):
    """`given` is {code of a measure: its last day in ISO form}."""
    try:
        days = {code: date.fromisoformat(text) for code, text in given.items()}
    except (AttributeError, TypeError, ValueError):
        return {"measures": _("措施截止日的格式不对。")}
    if any(not today <= day <= add_months(today, LONGEST) for day in days.values()):
        return {"measures": _("措施截止日不能早于今天，也不能太远。")}
    if Measure.objects.filter(code__in=days).count() < len(days):
        return {"measures": _("截止日所说的措施不存在。")}
    return {}


def _fits(measure, listing):
    if measure.is_reward != (listing.kind == "red"):
        return False
    if measure.persons_only and not listing.subject.is_person:
        return False
    return listing.misconduct is None or _relevant(measure, listing.misconduct)


def _relevant(measure, misconduct):
    """Exit, flight and luxury limits are for those who could pay and would not, and no other."""
    refused = misconduct.domain == Misconduct.Domain.JUDICIAL
    return misconduct in measure.relevant_to.all() and (refused or not measure.refusal_only)


def _plain(value):
    return value if isinstance(value, (str, int, dict, list, type(None))) else str(value)
