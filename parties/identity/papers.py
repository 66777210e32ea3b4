"""Papers of persons; the resident number follows GB 11643-1999.

python-stdnum knows it, but raises on regions that were abolished.
"""

import re
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from parties.identity.codes import known_region
from parties.identity.folding import compact
from parties.models import PaperType

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
    number = compact(number or "")
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
    if number[:2] in {"81", "82", "83"} or number[0] == "9" or known_region(number[:6]):
        return []
    return [_("行政区划代码不在现行或曾用的区划之列")]


def birth_date(number) -> date:
    """The birth date in a resident number that passed `check_paper`."""
    return ric.get_birth_date(number)
