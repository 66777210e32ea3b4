"""Refusals by name: what is wrong with each field, in words."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _


def refuse(reasons):
    """Raise ValidationError with those of {field: message, or something falsy} that hold."""
    errors = {field: message for field, message in reasons.items() if message}
    if errors:
        raise ValidationError(errors)


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(value):
    """Whether PostgreSQL can keep every text in a value: no NUL, no half of a surrogate pair."""
    if isinstance(value, dict):
        return all(storable(part) for pair in value.items() for part in pair)
    if isinstance(value, (list, tuple)):
        return all(map(storable, value))
    return not (isinstance(value, str) and _UNSTORABLE.search(value))


def clean_columns(row, values):
    """`values` as the columns of `row` keep them, and {column: ValidationError} of bad ones."""
    cleaned, errors = {}, {}
    for name, value in values.items():
        try:
            cleaned[name] = _clean_column(row, row._meta.get_field(name), value)
        except ValidationError as error:
            errors[name] = error
        except (TypeError, ValueError, ArithmeticError):
            errors[name] = ValidationError(_("格式不对。"), code="bad_format")
    return cleaned, errors


def refuse_bad_columns(row, names, email):
    """Raise ValidationError where a filing's text or its applicant's address can't be kept."""
    _cleaned, errors = clean_columns(row, {name: getattr(row, name) for name in names})
    if "applicant_name" in errors:
        errors["applicant.name"] = errors.pop("applicant_name")
    try:
        models.EmailField().run_validators(email)
    except ValidationError as error:
        errors["applicant.email"] = error
    refuse(errors)


def _clean_column(row, column, value):
    if column.is_relation:
        return value
    if value in (None, "") and column.blank:
        return None if column.null else column.get_default()
    if not storable(value):
        raise ValidationError(_("含有不能保存的字符。"), code="bad_format")
    if isinstance(column, (models.CharField, models.TextField)) and not isinstance(value, str):
        raise ValidationError(_("应为文字。"), code="bad_format")
    return column.clean(value, row)
