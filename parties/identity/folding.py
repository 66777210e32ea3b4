"""One form for whatever people type: width, case, brackets, dots and traditional characters."""

import unicodedata
from functools import cache, partial

from opencc import OpenCC

INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})  # categories of Unicode
UNPRINTABLE = frozenset({"Cc", "Cs"})
_BRACKETS = str.maketrans("[{<〔【〖「『《〈]}>〕】〗」』》〉", "((((((((((" + "))))))))))")
_DASHES = frozenset("-‐‑‒–—―−﹣")
_DOTS = dict.fromkeys(map(ord, "•‧∙⋅・᛫"), "·")


def fold(text):
    """Width, case and composed signs folded; blanks and invisible characters dropped."""
    upper = text.upper()
    if upper.isalnum() and _is_composed(upper) and (upper == text or _is_composed(text)):
        return upper  # the common case: nothing to fold or to drop
    text = unicodedata.normalize("NFKC", text).upper()
    kept = (symbol for symbol in text if unicodedata.category(symbol) not in INVISIBLE)
    return unicodedata.normalize("NFKC", "".join(kept))


_is_composed = partial(unicodedata.is_normalized, "NFKC")


def compact(text):
    """`text` folded and without dashes, as codes and numbers are compared."""
    return "".join(symbol for symbol in fold(text) if symbol not in _DASHES)


def fold_name(text):
    """`text` folded, with one kind of brackets and dots, and in simplified characters."""
    folded, (signs, found) = fold(text), _name_signs()
    return folded if found.isdisjoint(folded) else folded.translate(signs)


@cache
def _name_signs():
    """The table of signs that are replaced, and those signs: most names have none."""
    signs = {**_simplified(), **_BRACKETS, **_DOTS}
    return signs, frozenset(map(chr, signs))


# Variants that are signs of their own in names since 《通用规范汉字表》 (2013): 东昇 is not 东升.
_OWN_SIGNS = frozenset("昇甦邨氾堃喆迺澂龢犇淼")


def _simplified():
    """{traditional sign: simplified}. What GB 2312 has is a simplified sign already (乾, 著)."""
    convert = OpenCC("t2s").convert
    signs = (chr(point) for point in range(0x3400, 0xA000))
    pairs = ((sign, convert(sign)) for sign in signs if _is_traditional(sign))
    return {ord(sign): simple for sign, simple in pairs if len(simple) == 1 and _in_gb2312(simple)}


def _is_traditional(sign):
    return sign not in _OWN_SIGNS and not _in_gb2312(sign)


def _in_gb2312(sign):
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
