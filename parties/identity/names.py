"""Names in the one form in which they are kept and searched."""

import unicodedata
from operator import add

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from parties.identity.folding import UNPRINTABLE, fold_name

LONGEST_NAME = 200


def normalise_name(name):
    """A name as it is compared and searched: width, case, brackets, dots and traditional
    characters folded, blanks and invisible characters dropped.

    Homophones and other cities stay different; the code decides who is meant, never the name.
    """
    return fold_name(name or "")[:LONGEST_NAME]


def check_name(name):
    """The name without blanks around it, if there is one that can be kept.

    Raises ValidationError.
    """
    name = name.strip() if isinstance(name, str) else ""
    if not normalise_name(name) or len(name) > LONGEST_NAME:
        raise ValidationError(_("请填写名称，最多 200 个字。"), code="bad_name")
    if any(unicodedata.category(symbol) in UNPRINTABLE for symbol in name):
        raise ValidationError(_("名称含有不能保存的字符。"), code="bad_name")
    return name


def bigrams(name):
    """The pairs of neighbouring characters of the normalised name, sorted, each once."""
    return pairs(normalise_name(name))


def pairs(normalised):
    """The bigrams of a name that is normalised already."""
    return sorted(set(map(add, normalised, normalised[1:])))
