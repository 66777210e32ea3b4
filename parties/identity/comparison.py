"""How near two names of organisations are, and why, in words. A name alone is never a hit.

A registered name is region + brand (字号) + trade + legal form, perhaps with a branch
(企业名称登记管理规定). The brand tells firms apart: homophones (宏达, 鸿达) and other cities
are other firms. Regions are those of GB/T 2260 as python-stdnum ships them.
"""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from django.utils.translation import gettext as _
from stdnum import numdb

from parties.identity.names import normalise_name

_WORDS = tomllib.loads((Path(__file__).parent.parent / "data" / "names.toml").read_text())
TRADES = tuple(_WORDS["trades"].split())
# {spelling: the legal form as it is usually spelled}
FORMS = {
    **{form: form for form in _WORDS["forms"].split()},
    **{spelling: form for form, others in _WORDS["spellings"].items() for spelling in others},
}
COMPANY = re.compile("公司|合作社|联合社|银行|合伙企业|厂|事务所")
BRANCH = re.compile(
    r".{0,20}?(分公司|分店|分厂|分行|支行|分社|分院|分所|分部|办事处|营业部|营业厅|门市部|项目部|"
    r"分中心|加油站|经营部|第?[一二三四五六七八九十百\d]+[店厂部])"
)
LOOKED_AT = 120  # signs of a name; whatever follows is no name


@dataclass(frozen=True)
class ParsedName:
    """The parts of a name, each as it stands in it; `form` in its usual spelling."""

    regions: tuple = ()
    brand: str = ""
    trade: str = ""
    form: str = ""
    branch: str = ""
    spelling: str = ""  # of the form


@dataclass(frozen=True)
class Comparison:
    """`verdict` is same, candidate or different; `reasons` are codes, `words` says them."""

    verdict: str
    reasons: tuple = field(default=())

    @property
    def words(self):
        """Why, in the reader's language."""
        told = _reasons()
        return _("；").join(str(told[reason]) for reason in self.reasons)


def _reasons():
    return {
        "codes_differ": _("代码不同，是两家单位"),
        "codes_agree": _("代码相同，是同一家单位"),
        "name_differs": _("代码相同，名称的写法不同"),
        "same_name": _("名称相同，是不是同一家以代码为准"),
        "region_missing": _("行政区划多写或少写了"),
        "trade_longer": _("行业多写或少写了"),
        "form_spelling": _("组织形式的写法不同"),
        "form_differs": _("组织形式不同"),
        "form_missing": _("没有写全组织形式"),
        "branch": _("其中一个是分支机构"),
        "order": _("各部分的次序或括号不同"),
        "other_brand": _("字号不同"),
        "other_region": _("所在地不同"),
        "other_trade": _("行业不同"),
        "other_branch": _("是不同的分支机构"),
        "too_far": _("不同的地方太多"),
        "no_name": _("没有可以比较的名称"),
    }


# What makes names near, and what makes them names of two firms.
NEAR = (
    "region_missing", "trade_longer", "form_spelling", "form_differs", "form_missing", "branch",
    "order",
)  # fmt: skip
MOST_NEAR = 2  # differences; with more nobody would take one for the other


def compare_names(one, other, *, codes_agree=None):
    """Compare two names of organisations; returns a Comparison, the same either way round.

    The identifier comes first: with `codes_agree` known the names only say how they differ.
    Without codes, equal names are `same` as names and no more; a near name is a `candidate`
    with its reasons; homophones and other places are `different`.
    """
    if codes_agree is not None:
        return _by_codes(one, other, codes_agree=codes_agree)
    one, other = normalise_name(one), normalise_name(other)
    if not (one and other):
        return Comparison("different", ("no_name",))
    if one == other:
        return Comparison("same", ("same_name",))
    return _by_parts(parse_name(one), parse_name(other))


def _by_codes(one, other, *, codes_agree):
    if not codes_agree:
        return Comparison("different", ("codes_differ",))
    equal = normalise_name(one) == normalise_name(other)
    return Comparison("same", ("codes_agree" if equal else "name_differs",))


def _by_parts(a, b):
    found = [reason for asked in _QUESTIONS for reason in [asked(a, b)] if reason]
    apart = [reason for reason in found if reason not in NEAR]
    if apart:
        return Comparison("different", tuple(apart[:1]))
    if len(found) > MOST_NEAR:
        return Comparison("different", ("too_far",))
    return Comparison("candidate", tuple(found) or ("order",))


def _brands(a, b):
    return "" if a.brand == b.brand and a.brand else "other_brand"


def _regions(a, b):
    if a.regions == b.regions:
        return ""
    if any(_contradict(one, other) for one in a.regions for other in b.regions):
        return "other_region"
    known = [{_bare(region) for region in name.regions} for name in (a, b)]
    return "region_missing" if known[0] <= known[1] or known[1] <= known[0] else "other_region"


def _contradict(one, other):
    """通化市 and 通化县: one name, two places."""
    return one != other and _bare(one) == _bare(other) and {one, other} <= _levelled()


def _trades(a, b):
    if a.trade == b.trade:
        return ""
    short, long = sorted((a.trade, b.trade), key=len)
    signs = iter(long)
    return "trade_longer" if all(sign in signs for sign in short) else "other_trade"


def _forms(a, b):
    if a.form != b.form:
        return "form_differs" if a.form and b.form else "form_missing"
    return "" if a.spelling == b.spelling else "form_spelling"


def _branches(a, b):
    if a.branch == b.branch:
        return ""
    return "other_branch" if a.branch and b.branch else "branch"


_QUESTIONS = (_brands, _regions, _trades, _branches, _forms)


def rank_near(text, names, *, limit=10):
    """[(place in `names`, Comparison)] of those that are candidates of `text`, nearest first."""
    text = normalise_name(text)
    found = []
    for place, name in enumerate(names):
        result = compare_names(text, name)
        if result.verdict == "candidate":
            far = (len(result.reasons), abs(len(normalise_name(name)) - len(text)), place)
            found.append((far, place, result))
    return [(place, result) for _far, place, result in sorted(found, key=lambda row: row[0])][
        :limit
    ]


# ── the parts of a name ───────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=4096)
def parse_name(name):
    """The parts of an organisation's name; a part that isn't there is empty."""
    text, regions = _brackets(normalise_name(name)[:LOOKED_AT])
    text, branch = _split_branch(text)
    text, spelling = _split_form(text)
    leading, core = _split_regions(text)
    brand, trade = _split_brand(core)
    return ParsedName(
        regions=tuple(dict.fromkeys([*leading, *regions])),
        brand=brand,
        trade=trade,
        form=FORMS.get(spelling, ""),
        branch=branch,
        spelling=spelling,
    )


_IN_BRACKETS = re.compile(r"\(([^()]*)\)")


def _brackets(text):
    """The name with what stands in brackets put in its place: a region apart, the rest inline."""
    regions = []

    def put(found):
        inside = found[1]
        if inside in places():
            regions.append(inside)
            return ""
        return inside if inside in {"集团"} else ""

    return _IN_BRACKETS.sub(put, text).replace("(", "").replace(")", ""), regions


def _split_branch(text):
    """(name, branch): what follows the form of a company is a branch of it."""
    ends = [form.end() for form in COMPANY.finditer(text) if BRANCH.fullmatch(text, form.end())]
    return (text[: ends[-1]], text[ends[-1] :]) if ends else (text, "")


def _split_form(text):
    for length in range(min(len(text) - 1, _LONGEST_FORM), 0, -1):
        if text[-length:] in FORMS:
            return text[:-length], text[-length:]
    return text, ""


_LONGEST_FORM = max(map(len, FORMS))


def _split_regions(text):
    """(regions at the beginning, the rest); a rest that begins with a trade keeps its brand."""
    regions, rest = [], text
    while region := _leading_region(rest):
        regions.append(region)
        rest = rest[len(region) :]
    if regions and (not rest or _trade_at(rest) == 0):
        rest = regions.pop() + rest
    return regions, rest


def _leading_region(text):
    for length in range(min(len(text), _longest_place()), 1, -1):
        if text[:length] in places():
            return text[:length]
    return ""


def _split_brand(core):
    place = _trade_at(core, after=2)
    return core[:place], core[place:]


def _trade_at(core, *, after=0):
    """Where the first trade begins, no sooner than `after`; the end where there is none."""
    places_ = [core.find(trade, after) for trade in TRADES]
    return min((place for place in places_ if place >= 0), default=len(core))


# ── places ────────────────────────────────────────────────────────────────────────────────────

_YEARS = re.compile(r"\[[^\]]*\]")
_PEOPLES = "壮族|回族|维吾尔|藏族|蒙古族|满族|朝鲜族|苗族|彝族|土家族"
_LEVELS = re.compile(rf"({_PEOPLES})*(自治)?[省市区县州盟旗]$")
_NO_PLACES = {"市辖区", "县", "郊区", "城区", "矿区", "省直辖县级行政区划"}


@cache
def _levelled():
    """Every province, city, county and district of GB/T 2260, former ones too, by full name."""
    found = set()
    for _length, _low, _high, about, below in numdb.get("cn/loc").prefixes:
        named = [about.get("province", ""), *(row[3].get("county", "") for row in below)]
        for names in named:
            found.update(_YEARS.sub("", name).strip() for name in names.split(","))
    return frozenset(found - _NO_PLACES - {""})


@cache
def places():
    """The full names, and the bare ones of provinces, cities and counties (通化, 梅河口)."""
    bare = {_bare(name) for name in _levelled() if not name.endswith("区")}
    bare |= {"内蒙古", "广西", "西藏", "宁夏", "新疆"}
    return frozenset(_levelled() | {name for name in bare if len(name) > 1})


@cache
def _longest_place():
    return max(map(len, places()))


@lru_cache(maxsize=4096)
def _bare(region):
    bare = _LEVELS.sub("", region)
    return bare if len(bare) > 1 else region
