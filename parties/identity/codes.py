"""The unified social credit code (GB 32100-2015).

python-stdnum knows it, but asks for eight leading digits; rural collectives begin with N.
"""

from functools import lru_cache
from operator import mul

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum import numdb

from parties.identity.folding import compact

CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, Z, S, V
CODE_VALUES = {symbol: value for value, symbol in enumerate(CODE_ALPHABET)}
CODE_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# 1 机构编制 2 外交 3 司法行政 4 文化 5 民政 6 旅游 7 宗教 8 工会 9 工商 A 军队编制 N 农业 Y 其他
CODE_REGISTRARS = frozenset("123456789ANY")
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
NATIONAL_REGION = "100000"  # registered with a national organ


def normalise_code(text):
    """The form in which codes are compared and stored: NFKC, upper case, no blanks or hyphens."""
    text = text or ""
    return text if text.isascii() and text.isalnum() and text.isupper() else compact(text)


def check_code(text):
    """The normalised unified social credit code, if its form and check symbol are right.

    Raises ValidationError with code `bad_format` or `bad_check_symbol`.
    """
    code = normalise_code(text)
    try:
        values = [CODE_VALUES[symbol] for symbol in code]
    except KeyError:
        values = []
    if len(values) != 18:
        raise ValidationError(
            _("统一社会信用代码应为18位数字或大写字母（不含 I、O、Z、S、V）"), code="bad_format"
        )
    if (sum(map(mul, values, CODE_WEIGHTS)) + values[17]) % 31:
        raise ValidationError(_("统一社会信用代码的校验位不正确"), code="bad_check_symbol")
    return code


def code_of_subject(text):
    """What `check_code` says, but where there is no code at all: a name alone is nobody.

    Raises ValidationError, then with code `name_is_not_identity`.
    """
    if not normalise_code(text):
        message = _("只有名称不能确定是谁，请填写统一社会信用代码。")
        raise ValidationError(message, code="name_is_not_identity")
    return check_code(text)


def code_warnings(code):
    """What is odd about a code that passed `check_code`: real codes with these oddities exist."""
    found = []
    if code[0] not in CODE_REGISTRARS:
        found.append(_("登记管理部门代码不在国家标准之列"))
    if not known_region(code[2:8]):
        found.append(_("行政区划代码不在现行或曾用的区划之列"))
    if code[16] != _organisation_symbol(code[8:16]):
        found.append(_("组织机构代码的校验位不正确"))
    return found


def _organisation_symbol(body):
    total = sum(
        int(symbol, 36) * weight for symbol, weight in zip(body, ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X0"[11 - total % 11]


@lru_cache(maxsize=8192)
def known_region(region):
    if region == NATIONAL_REGION:
        return True
    return any(properties for _part, properties in numdb.get("cn/loc").info(region))
