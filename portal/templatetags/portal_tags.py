"""What the pages' partials need: dates in words, names that break well, form controls, drawings."""

import json
import re
from datetime import timedelta
from itertools import groupby

from django import forms, template
from django.urls import NoReverseMatch, reverse
from django.utils import formats, timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, gettext, ngettext

from listings.models import PartnerCity

register = template.Library()

SATURDAY = 5

# --- dates -----------------------------------------------------------------


def in_chinese():
    return (get_language() or "zh").startswith("zh")


@register.filter
def cn_date(day):
    """A day in full: 2026年4月1日; on English pages 1 April 2026."""
    if not day:
        return ""
    if in_chinese():
        return f"{day.year}年{day.month}月{day.day}日"
    return formats.date_format(day, "j F Y")


@register.filter
def cn_day(day):
    """A day of the year at hand: 4月1日; on English pages 1 April."""
    if not day:
        return ""
    if in_chinese():
        return f"{day.month}月{day.day}日"
    return formats.date_format(day, "j F")


@register.filter
def cn_moment(at):
    """An instant in Shanghai, to the minute; a date stays a date."""
    if not at:
        return ""
    if not hasattr(at, "hour"):
        return cn_date(at)
    local = timezone.localtime(at)
    return f"{cn_date(local)} {local:%H:%M}"


@register.filter
def machine_time(at):
    return timezone.localtime(at).isoformat("T", "seconds") if hasattr(at, "hour") else at


@register.filter
def on(day):
    """The same date as a <time> that stays on one line."""
    if not day:
        return ""
    return format_html('<time datetime="{}">{}</time>', machine_time(day), cn_date(day))


# --- names -----------------------------------------------------------------

LEGAL_FORMS = (
    "股份有限公司|有限责任公司|集团有限公司|有限公司|专业合作社联合社|专业合作社|合作社|"
    "个人独资企业|合伙企业|事务所|分公司|经营部|工作室|研究院|中心|商行|工厂|药店|饭店|厂|店|部"
)
TRADES = (
    "建筑工程|建筑劳务|装饰工程|市政工程|房地产开发|运输服务|物流运输|道路运输|劳务派遣|人力资源|"
    "物业服务|信息技术|网络科技|生物科技|环保科技|食品加工|餐饮管理|农业开发|农产品|葡萄酒|"
    "建筑|建安|建材|装饰|置业|房产|物业|运输|物流|客运|货运|商贸|贸易|科技|食品|米业|粮油|餐饮|"
    "酒业|药业|医药|参茸|农业|畜牧|种植|养殖|林业|矿业|石材|机械|化工|纺织|服装|洗涤|家政|旅游|"
    "印务|传媒|广告|教育|能源|环保|电力|汽车|劳务|保安|供热|燃气"
)
PLACES = r"(?:.{2,5}?(?:省|自治州|自治县|市(?![政场])|县|区)){1,3}"
REGION = rf"(?:{PLACES}|吉林|通化|集安|梅河口|辉南|柳河)"
NAME = re.compile(
    rf"^(?P<region>{REGION})?(?P<brand>.{{2,}}?)(?P<trade>{TRADES})?(?P<form>{LEGAL_FORMS})$"
)
BREAK = mark_safe("<wbr>")
IN_SCRIPT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}


@register.filter
def breakable(name):
    """A firm's name that breaks only between region, brand, trade and legal form."""
    found = NAME.match(name or "")
    parts = [part for part in found.groups() if part] if found else [name or ""]
    broken = format_html_join(BREAK, "{}", ((part,) for part in parts))
    return format_html('<span class="name">{}</span>', broken)


@register.filter
def unit(department, form="name"):
    """A department's name, or its `short_name`, in the language of the page."""
    return getattr(department, form if in_chinese() else "name_en")


@register.filter
def highlight(text, query):
    """The text with what was asked for marked; nothing is marked for an empty query."""
    if not query:
        return conditional_escape(text)
    parts = re.split(f"({re.escape(query)})", str(text), flags=re.IGNORECASE)
    marked = (
        format_html("<mark>{}</mark>", part) if index % 2 else part
        for index, part in enumerate(parts)
    )
    return format_html_join("", "{}", ((part,) for part in marked))


@register.simple_tag
def ld_json(structured):
    """What a page says to search engines (JSON-LD): data, which no browser runs."""
    data = json.dumps(structured, ensure_ascii=False).translate(IN_SCRIPT)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(data))  # noqa: S308 - escaped for a script element above


# --- menus -----------------------------------------------------------------


def _stem(name):
    return name.removesuffix("-list").removesuffix("-new").rstrip("s")


def _anchor(context, name, words, also):
    """The link, or nothing where this installation does not serve that page."""
    try:
        url = reverse(name)
    except NoReverseMatch:
        return ""
    match = getattr(context.get("request"), "resolver_match", None)
    here = (match and match.url_name) or ""
    stems = (_stem(name), *also.split())
    if here == name:
        return format_html('<a href="{}" aria-current="page">{}</a>', url, words)
    if here.startswith(stems):
        return format_html('<a href="{}" aria-current="true">{}</a>', url, words)
    return format_html('<a href="{}">{}</a>', url, words)


@register.simple_tag(takes_context=True)
def nav_link(context, name, words, also=""):
    """A link of a menu; it is current on its own page and on the pages beneath it.

    `also` names further beginnings of URL names that belong to the section.
    """
    return _anchor(context, name, words, also)


@register.simple_tag(takes_context=True)
def nav_item(context, name, words, also=""):
    """The same as an item of a list."""
    link = _anchor(context, name, words, also)
    return format_html("<li>{}</li>", link) if link else ""


@register.filter
def entry_url(entry):
    return reverse(f"{entry.kind}-entry", args=[entry.public_id])


@register.simple_tag(takes_context=True)
def city_of(context, entry):
    """The partner city that an entry comes from, None for our own; read once for a page."""
    if not entry.is_foreign:
        return None
    request = context["request"]
    if not hasattr(request, "partner_cities"):
        request.partner_cities = {city.code: city for city in PartnerCity.objects.all()}
    return request.partner_cities.get(entry.origin)


@register.filter
def original(city, entry):
    """The entry's page on the portal of its own city."""
    return city.address_of(entry)


@register.filter
def desk_entry_url(entry):
    """The entry's page for its own department."""
    return reverse(f"desk-listing-{entry.kind}", args=[entry.public_id])


# --- forms -----------------------------------------------------------------


@register.filter
def widget_kind(field):
    """hidden | options (a group of ticks or choices) | tick (a single one) | input."""
    widget = field.field.widget
    if field.is_hidden:
        return "hidden"
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "options"
    return "tick" if isinstance(widget, forms.CheckboxInput) else "input"


@register.filter
def anchor(field):
    """The id an error leads to: of the control, or of the group of options."""
    return field.auto_id if widget_kind(field) == "options" else field.id_for_label


@register.filter
def described_by(field, hint):
    ids = [f"{field.auto_id}_hint"] if hint else []
    if field.errors:
        ids.append(f"{field.auto_id}_error")
    return " ".join(ids)


@register.simple_tag
def control(field, width="", hint=""):
    """The control in the portal's dress, tied to its hint and its errors."""
    attrs = {"aria-describedby": described_by(field, hint) or None}
    if widget_kind(field) == "input":
        attrs["class"] = " ".join(["in", *width.split()])
    if field.errors:
        attrs["aria-invalid"] = "true"
    return field.as_widget(attrs={name: value for name, value in attrs.items() if value})


@register.filter
def error_count(form):
    return sum(len(errors) for errors in form.errors.values())


# --- drawings --------------------------------------------------------------

LABEL = 23  # the part of a ruler, in percent, that one label needs at 125 % text
LAST_DAY = 34  # the same for the last label where it also says how many days are left


@register.inclusion_tag("_term.html")
def term(entry, today, repair_from=None):
    """The term of an entry as a ruler: elapsed part, today, first day repair may be asked for."""
    start, end = entry.published_on, entry.visible_until
    whole = max((end - start).days, 1)

    def share(day):
        return round(min(max((day - start).days / whole, 0), 1) * 100, 1)

    left = (end - today).days
    remaining = ngettext("还有 %(n)d 天", "还有 %(n)d 天", left) % {"n": left}
    now = {"at": share(today), "date": gettext("今天"), "words": remaining}
    began = gettext("认定") if entry.kind == "red" else gettext("公布")
    first = {"x": 0, "date": cn_date(start), "words": began}
    last = {"x": 100, "end": True, "date": cn_date(end), "words": gettext("最后公布日")}
    between = []
    if repair_from and start < repair_from < end:
        words = gettext("最早可申请修复")
        between = [{"at": share(repair_from), "date": cn_date(repair_from), "words": words}]
    ticks = [mark["at"] for mark in (now, *between)]
    if LABEL <= now["at"] <= 100 - 2 * LABEL:
        between = sorted([now, *between], key=lambda mark: mark["at"])
        _place(between, 100 - LABEL)
    else:  # today's own label would cover an end: the last one says how many days are left
        last["words"] = gettext("最后一天，%(left)s") % {"left": remaining}
        _place(between, 100 - LAST_DAY)
    return {"used": share(today), "ticks": ticks, "marks": [first, *between, last]}


def _place(marks, free_to):
    """Set each label right of its tick, else left of it; one that would cover another stays off."""
    free_from = LABEL
    for mark in marks:
        at = mark["at"]
        if free_from <= at <= free_to - LABEL:
            mark["x"], free_from = at, at + LABEL
        elif free_from + LABEL <= at <= free_to:
            mark["x"], mark["end"], free_from = at, True, at


@register.inclusion_tag("_due.html")
def due(day, left, today, provisional=None):
    """When something is due and how many working days are left, or how many it is late."""
    return {
        "day": day,
        "days": abs(left or 0),
        "late": bool(day) and day < today,
        "is_today": day == today,
        "this_year": bool(day) and day.year == today.year,
        "provisional": provisional,
    }


@register.inclusion_tag("_meter.html")
def meter(used, total, day):
    """One box per working day: `used` have passed, any beyond all are late.

    Today is the `day`-th; on a day that does not count it is no box.
    """
    boxes = ["used" if n < used else "today" if used == n < day else "" for n in range(total)]
    boxes += ["over"] * max(used - total, 0)
    words = gettext("%(total)d 个工作日，已用 %(used)d 个") % {"total": total, "used": used}
    return {"boxes": boxes, "words": words}


@register.inclusion_tag("_calendar.html")
def day_calendar(explanation, today):
    """The count of a period, week by week; `explanation` is what `casework.workdays.explain` gives.

    Its first day is the day of receipt, its last the day the period ends.
    """
    lines = {line["date"]: line for line in explanation}
    first, last = min(lines), max(lines)
    monday = first - timedelta(days=first.weekday())
    count = ((last - monday).days // 7 + 1) * 7
    days = [_cell(monday + timedelta(days=n), lines, today) for n in range(count)]
    days[0]["shows_month"] = True
    return {
        "weekdays": weekdays(),
        "weeks": [days[n : n + 7] for n in range(0, count, 7)],
        "days": [{**line, "weekday": _weekday(line["date"])} for line in explanation],
        "exceptions": list(_exceptions(explanation[1:])),
        "provisional": any(line["provisional"] for line in explanation),
    }


def weekdays():
    return [gettext(day) for day in ("一", "二", "三", "四", "五", "六", "日")]


def _weekday(day):
    return gettext("周%(day)s") % {"day": weekdays()[day.weekday()]}


def _cell(day, lines, today):
    line = lines.get(day)
    cell = {"date": day, "state": "out", "shows_month": day.day == 1}
    if line is None:
        return cell
    cell |= {"today": day == today, "provisional": line["provisional"], "number": line["number"]}
    cell["state"], words = _state(line, lines, today)
    cell["words"] = gettext("今天") if day == today and line["number"] else words
    cell["corner"] = _corner(line)
    return cell


def _state(line, lines, today):
    """The cell's fill, and the word that says the same without colour."""
    day = line["date"]
    if day == min(lines):
        return "received", gettext("收到")
    if _is_pause(line):
        return "off", gettext("停计")
    if not line["counts"]:
        return "off", gettext("不计") if _is_weekend(line) else line["why"].removesuffix("放假")
    if day == max(lines):
        return "due", gettext("届满")
    return ("past" if day < today else "to-count"), ""


def _is_weekend(line):
    return line["why"] == gettext("周末")


def _is_pause(line):
    """Whether the clock stood still on that day, waiting for what the applicant adds."""
    return line["why"] == gettext("等候补正，不计入")


def _is_exception(line):
    return line["counts"] == (line["date"].weekday() >= SATURDAY) or not (
        line["counts"] or _is_weekend(line)
    )


def _corner(line):
    if not _is_exception(line) or _is_pause(line) or line["why"] == gettext("收到当日不计入"):
        return ""
    return gettext("班") if line["counts"] else gettext("休")


def _exceptions(lines):
    """The days that break the week's pattern, runs of one holiday together, in sentences."""
    found = [line for line in lines if _is_exception(line)]
    for _why, run in groupby(found, key=lambda line: (line["why"], line["number"])):
        same_days = list(run)
        first, last = same_days[0]["date"], same_days[-1]["date"]
        if first == last:
            days = f"{cn_day(first)}（{_weekday(first)}）"
        else:
            same = first.month == last.month and in_chinese()
            end = f"{last.day}日" if same else cn_day(last)
            days = gettext("%(first)s至 %(last)s") % {"first": cn_day(first), "last": end}
        counted = gettext("%(why)s，计入，是第 %(number)s 天")
        words = counted if same_days[0]["counts"] else gettext("%(why)s，不计")
        words = "%(why)s" if _is_pause(same_days[0]) else words
        yield {"days": days, "words": words % same_days[0]}
