"""What a cell says: its text as a date, an amount, a code, one of several words."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _

from parties import identity

LONGEST_TEXT = 20_000
NO_TEXT = frozenset(("", "=", "@"))  # what a cell that is no plain text begins with
SMALLEST = Decimal("0.000001")
SERIAL_ZERO = date(1899, 12, 30)  # day 0 of a spreadsheet's calendar
DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]\d{2}:\d{2}(?::[\d.]+)?)?")


class Refused(ValueError):  # noqa: N818 - a refusal, not a fault
    """A value that can't be taken. The message never repeats it: it may be a person's number."""

    def __init__(self, code, message):
        self.code, self.message = code, message
        super().__init__(code)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row and where; `fatal` problems send the row back."""

    column: str
    code: str
    message: str
    fatal: bool = True


@dataclass(frozen=True)
class Column:
    """A column of a layout under the titles it goes by, the Chinese one first."""

    name: str
    titles: tuple[str, ...]
    read: Callable
    needed: bool = False

    @property
    def title(self):
        return self.titles[0]

    def value(self, text):
        """What the cell says, None if blank. Raises Refused."""
        if not text:
            if self.needed:
                raise Refused("required", _("没有填写"))
            return None
        if text[0] in NO_TEXT:
            raise Refused("formula", _("不能是公式"))
        return self.read(text)


def text(longest=LONGEST_TEXT):
    def read(value):
        if len(value) > longest:
            raise Refused("too_long", _("最多 %(count)s 字") % {"count": longest})
        return value

    return read


@lru_cache(maxsize=4096)
def day(value):
    """A date: 2026-03-01, 2026/3/1, 2026.3.1, 20260301, 2026年3月1日 or a spreadsheet's number."""
    found = DAY.fullmatch(value)
    if found:
        parts = found.groups()
    elif re.fullmatch(r"\d{8}", value, re.ASCII):
        parts = value[:4], value[4:6], value[6:]
    elif re.fullmatch(r"\d{5}", value, re.ASCII):
        return SERIAL_ZERO + timedelta(days=int(value))
    else:
        raise Refused("bad_date", _("不是日期，请写成 2026-03-01"))
    try:
        return date(*map(int, parts))
    except ValueError:
        raise Refused("bad_date", _("没有这一天")) from None


def amount(value):
    """An amount in 万元 with at most six decimals."""
    value = value.replace(",", "").replace("，", "").removesuffix("元").removesuffix("万")
    try:
        found = Decimal(value.strip())
    except InvalidOperation:
        raise Refused("bad_amount", _("不是金额（万元）")) from None
    if not found.is_finite() or found.as_tuple().exponent < -6 or found >= 10**12:
        raise Refused("bad_amount", _("不是金额（万元，最多六位小数）"))
    if found < 0:
        raise Refused("negative_amount", _("金额不能是负数"))
    return found.quantize(SMALLEST)


def code(value):
    """A unified social credit code with the right check symbol."""
    try:
        return identity.check_code(value)
    except ValidationError as error:
        raise Refused(error.code, error.messages[0]) from None


def one_of(choices, **others):
    """The value of a TextChoices by its value, its Chinese label or another word for it."""

    @lru_cache(maxsize=1)
    def words():
        with translation.override(None):  # the msgid of a label is its Chinese word
            labels = {str(choice.label): choice.value for choice in choices}
        return labels, {**labels, **{choice.value: choice.value for choice in choices}, **others}

    def read(value):
        labels, known = words()
        if value not in known:
            message = _("只能是：%(words)s") % {"words": "、".join(labels)}
            raise Refused("bad_choice", message)
        return known[value]

    return read
