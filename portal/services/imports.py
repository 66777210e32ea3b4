"""Files of both lists: the columns that each list's own steps have, and where they are kept."""

from functools import cache, partial

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from blacklist import services as blacklist
from blacklist.models import PriorNotice
from casework.workdays import add_working_days
from listings.services import imports
from listings.services.imports.cells import Column, Problem, day, one_of, text
from redlist import services as redlist
from redlist.models import Nomination, Source
from rulebook.models import ListKind, parameter

NOTICE = (
    Column("served_on", ("告知送达日期", "served_on", "告知书送达日期", "送达日期"), day),
    Column("means", ("送达方式", "means"), one_of(PriorNotice.Means)),
    Column("defence_until", ("陈述申辩截止", "defence_until", "陈述申辩截止日期"), day),
    Column(
        "defence_received_on",
        ("收到陈述申辩日期", "defence_received_on", "收到陈述申辩"),
        day,
    ),
    Column("defence_text", ("陈述申辩意见", "defence_text", "defence"), text()),
    Column("opinion", ("陈述申辩答复", "opinion", "对陈述申辩的答复", "答复意见"), text()),
)
NOMINATION = (
    Column("source", ("推荐来源", "source"), one_of(Source)),
    Column("nominator", ("推荐单位", "nominator"), text(200)),
    Column("evidence", ("推荐材料", "evidence"), text()),
    Column("notice_from", ("公示开始", "notice_from", "公示开始日期"), day),
    Column("notice_until", ("公示截止", "notice_until", "公示截止日期"), day),
)
NOTICE_NEEDED = ("served_on", "means", "defence_until")
TITLE = {column.name: column.title for column in (*NOTICE, *NOMINATION)}


def import_listings(path, *, kind, category, department, actor, approver=None, **options):
    """Take a file of red or black entries into drafts, and publish what `approver` may.

    Returns the summary and the problems. Raises what `imports.import_listings` raises.
    """
    if category.kind != kind:
        raise ValidationError(_("类别 %(code)s 不是这个名单的。") % {"code": category.code})
    today = timezone.localdate()
    make = _black if kind == ListKind.BLACK else _red
    task = imports.Task(
        category=category,
        department=department,
        actor=actor,
        today=today,
        steps=make(category, department, today),
    )
    return imports.import_listings(path, task, approver=approver, **options)


def _black(_category, _department, today):
    days = parameter("defence", on=today)
    earliest = cache(partial(_nth_working_day, n=days))
    return imports.Steps(
        columns=NOTICE,
        staged={
            "served_on": "date",
            "means": "text",
            "defence_until": "date",
            "defence_received_on": "date",
            "defence_text": "text",
            "opinion": "text",
        },
        stage=partial(_notice, today=today, earliest=earliest),
        table=PriorNotice._meta.db_table,
        given="s.served_on IS NOT NULL",
        publish=blacklist.publish_many,
    )


def _red(category, department, today):
    days = parameter("public_notice", on=today)
    earliest = cache(partial(_nth_working_day, n=days))
    return imports.Steps(
        columns=NOMINATION,
        staged={
            "source": "text",
            "nominator": "text",
            "evidence": "text",
            "notice_from": "date",
            "notice_until": "date",
        },
        stage=partial(_nomination, category=category, department=department, earliest=earliest),
        table=Nomination._meta.db_table,
        given="true",
        publish=redlist.publish_many,
    )


def _nth_working_day(start, n):
    return add_working_days(start, n)


def _notice(values, problems, *, today, earliest):
    """The prior notice and the defence; without its three dates and means there is none yet."""
    served, until = values.get("served_on"), values.get("defence_until")
    received = values.get("defence_received_on")
    for name in ("served_on", "defence_received_on"):
        if values.get(name) and values[name] > today:
            _refuse(problems, name, "future_date", _("不能晚于今天"))
    if served and received and received < served:
        _refuse(problems, "defence_received_on", "bad_date", _("不能早于送达日期"))
    if served and until and until < earliest(served):
        message = _("陈述申辩期太短，最早到 %(day)s") % {"day": earliest(served)}
        _refuse(problems, "defence_until", "defence_too_short", message)
    if not (served and until and values.get("means")):
        _remark_incomplete(values, problems)
        return {}
    return {
        "served_on": served,
        "means": values["means"],
        "defence_until": until,
        "defence_received_on": received,
        "defence_text": values.get("defence_text") or "",
        "opinion": values.get("opinion") or "",
    }


def _remark_incomplete(values, problems):
    if not any(values.get(column.name) for column in NOTICE):
        return
    absent = next(name for name in NOTICE_NEEDED if not values.get(name))
    message = _("告知不完整，没有记入；记录只作草稿")
    problems.append(Problem(TITLE[absent], "notice_incomplete", message, fatal=False))


def _nomination(values, problems, *, category, department, earliest):
    """Who nominated the subject, and the public notice; the department itself by default."""
    start, end = values.get("notice_from"), values.get("notice_until")
    if bool(start) != bool(end):
        name = "notice_until" if start else "notice_from"
        _refuse(problems, name, "required", _("没有填写"))
    elif start and end < earliest(start):
        message = _("公示期太短，最早到 %(day)s") % {"day": earliest(start)}
        _refuse(problems, "notice_until", "notice_too_short", message)
    return {
        "source": values.get("source") or category.code,
        "nominator": values.get("nominator") or department.name,
        "evidence": values.get("evidence") or "",
        "notice_from": start,
        "notice_until": end,
    }


def _refuse(problems, name, code, message):
    problems.append(Problem(TITLE[name], code, message))
