"""Who is meant: codes of organisations, papers of persons, and names in one form.

The check of a code follows GB 32100-2015 and that of a resident number GB 11643-1999.
python-stdnum knows both, but its code asks for eight leading digits (rural collectives
begin with N) and its resident number for a region that was never abolished.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from operator import mul

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum import numdb
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from parties.models import PaperType

CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, Z, S, V
CODE_VALUES = {symbol: value for value, symbol in enumerate(CODE_ALPHABET)}
CODE_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# 1 机构编制 2 外交 3 司法行政 4 文化 5 民政 6 旅游 7 宗教 8 工会 9 工商 A 军队编制 N 农业 Y 其他
CODE_REGISTRARS = frozenset("123456789ANY")
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
NATIONAL_REGION = "100000"  # registered with a national organ

_BRACKETS = str.maketrans("[{<〔【〖「『《〈]}>〕】〗」』》〉", "((((((((((" + "))))))))))")
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})  # categories of Unicode
_UNPRINTABLE = frozenset({"Cc", "Cs"})
LONGEST_NAME = 200
_DASHES = frozenset("-‐‑‒–—―−﹣")
_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・᛫", "·"))


def _compact(text):
    """`text` in NFKC and upper case, without blanks, dashes and invisible characters."""
    return "".join(symbol for symbol in _fold(text) if symbol not in _DASHES)


def _fold(text):
    """Width, case and composed signs folded; blanks and invisible characters dropped."""
    upper = text.upper()
    if upper.isalnum() and all(unicodedata.is_normalized("NFKC", form) for form in (text, upper)):
        return upper  # the common case: nothing to fold or to drop
    text = unicodedata.normalize("NFKC", text).upper()
    kept = (symbol for symbol in text if unicodedata.category(symbol) not in _INVISIBLE)
    return unicodedata.normalize("NFKC", "".join(kept))


def normalise_code(text):
    """The form in which codes are compared and stored: NFKC, upper case, no blanks or hyphens."""
    text = text or ""
    return text if text.isascii() and text.isalnum() and text.isupper() else _compact(text)


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


def code_warnings(code):
    """What is odd about a code that passed `check_code`: real codes with these oddities exist."""
    found = []
    if code[0] not in CODE_REGISTRARS:
        found.append(_("登记管理部门代码不在国家标准之列"))
    if not _known_region(code[2:8]):
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
def _known_region(region):
    if region == NATIONAL_REGION:
        return True
    return any(properties for _part, properties in numdb.get("cn/loc").info(region))


PERMITS = {
    PaperType.PASSPORT: re.compile(r"[A-Z0-9]{5,17}", re.ASCII),
    # the letter and eight digits, and on the older booklet the number of its renewal
    PaperType.HK_MACAU: re.compile(r"[HM]\d{8}(\d{2})?", re.ASCII),
    PaperType.TAIWAN: re.compile(r"\d{8}(\d{2}[A-Z0-9]?)?", re.ASCII),
    # the card of before 2017; the later one is checked like a resident number
    PaperType.FOREIGN_RESIDENT: re.compile(r"[A-Z]{3}\d{12}", re.ASCII),
    PaperType.OTHER: re.compile(r"[A-Z0-9\u4e00-\u9fff()./]{2,40}"),
}


def check_paper(paper_type, number, today):
    """The normalised number of a person's paper.

    A resident number (also of the residence permits 81, 82, 83 of people from Hong Kong,
    Macau and Taiwan) must have the right check symbol and a real birth date no later than
    `today`. Raises ValidationError: `bad_paper_type`, `bad_format`, `bad_check_symbol` or
    `bad_date`.
    """
    number = _compact(number or "")
    if paper_type == PaperType.RESIDENT_ID:
        if number.startswith("9"):
            raise ValidationError(
                _("9 开头的是外国人永久居留身份证，请选择相应的证件类型"), code="bad_format"
            )
        return _check_resident(number, today)
    if paper_type == PaperType.FOREIGN_RESIDENT and number.startswith("9"):
        return _check_resident(number, today)
    if paper_type not in PERMITS:
        raise ValidationError(_("没有这种证件类型"), code="bad_paper_type")
    if not PERMITS[paper_type].fullmatch(number):
        raise ValidationError(_("证件号码的格式不正确"), code="bad_format")
    return number


def _check_resident(number, today):
    if len(number) != 18 or not (number.isascii() and number[:17].isdigit()):
        raise ValidationError(_("身份证号码应为18位"), code="bad_format")
    if number[17] not in "0123456789X":
        raise ValidationError(_("身份证号码末位应为数字或 X"), code="bad_format")
    if number[17] != ric.calc_check_digit(number):
        raise ValidationError(_("身份证号码的校验位不正确"), code="bad_check_symbol")
    if not _born(number) <= today:
        raise ValidationError(_("身份证号码中的出生日期晚于今天"), code="bad_date")
    return number


def _born(number):
    try:
        return ric.get_birth_date(number)
    except InvalidComponent:
        raise ValidationError(_("身份证号码中的出生日期不存在"), code="bad_date") from None


def paper_warnings(number):
    """What is odd about a resident number that passed `check_paper`."""
    if number[:2] in {"81", "82", "83"} or number[0] == "9" or _known_region(number[:6]):
        return []
    return [_("行政区划代码不在现行或曾用的区划之列")]


def birth_date(number) -> date:
    """The birth date in a resident number that passed `check_paper`."""
    return ric.get_birth_date(number)


def normalise_name(name):
    """An organisation's name as it is compared and searched: width, case, brackets and dots
    folded, blanks and invisible characters dropped.

    Homophones and other cities stay different; the code decides who is meant, never the name.
    """
    return _fold(name or "").translate(_BRACKETS).translate(_DOTS)[:200]


def check_name(name):
    """The name without blanks around it, if there is one that can be kept.

    Raises ValidationError.
    """
    name = name.strip() if isinstance(name, str) else ""
    if not normalise_name(name) or len(name) > LONGEST_NAME:
        raise ValidationError(_("请填写名称，最多 200 个字。"), code="bad_name")
    if any(unicodedata.category(symbol) in _UNPRINTABLE for symbol in name):
        raise ValidationError(_("名称含有不能保存的字符。"), code="bad_name")
    return name


def bigrams(name):
    """The pairs of neighbouring characters of the normalised name, sorted, each once."""
    return pairs(normalise_name(name))


def pairs(normalised):
    """The bigrams of a name that is normalised already."""
    return sorted({normalised[i : i + 2] for i in range(len(normalised) - 1)})
