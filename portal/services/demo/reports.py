"""Reports of misconduct of the demonstration, and the vault in which two reporters are locked."""

import secrets

from django.conf import settings

from parties.models import Department
from portal.services.demo import staff
from tipoffs import services as tipoffs

LEAD = {"lead_unit": settings.LEAD_UNIT}
PERSON = {"name": "示例举报人", "phone": "0435-0000000", "email": ""}
WAGES = (
    "2026年以来，示例路工地拖欠我们班组 12 名工人工资，多次催要没有结果，"
    "老板说没有钱，却把设备运到了别的工地。"
)
SCALES = "柜台的电子秤少称，买两斤实际只有一斤七两。同去的几位邻居也遇到过，店家不认。"
WASTE = "夜里两点前后把没有处理的废水排进门前的水沟，水有颜色和气味，已经一个多月。"


def plan(story):
    """Plan the vault's key and three reports; returns the vault officer's passphrase."""
    passphrase, state = secrets.token_urlsafe(12), story.rng.getstate()
    opened = story.after(story.today, -70)
    story.aside(opened, _make_key, passphrase)
    told = {"facts": WAGES, "about": "通化示例路桥劳务有限公司"}
    _report(story, -60, told, "rsj", reporter=PERSON, until="informed")
    told = {"facts": SCALES, "about": "通化示例路便民超市"}
    _report(story, -9, told, "scjg", reporter=PERSON, until="investigating")
    told = {"facts": WASTE, "about": "通化示例河边的加工厂，没有挂牌子"}
    _report(story, -2, told, "hbj", until="received")
    story.rng.setstate(state)  # what befalls everybody else does not hang on the reports
    return passphrase


def _make_key(passphrase, *, today):
    tipoffs.make_key(passphrase=passphrase, actor=staff.vault(), **LEAD)


def _report(story, days, told, unit, *, until, reporter=None):
    """Plan a report so many working days from today, handled by the unit up to a status."""
    matter = {"told": told, "reporter": reporter, "unit": unit}
    steps = {
        "received": (0, _file),
        "assigned": (1, _assign),
        "investigating": (3, _investigate),
        "concluded": (16, _conclude),
        "informed": (18, _inform),
    }
    filed = story.after(story.today, days)
    for status, (later, act) in steps.items():
        story.aside(story.after(filed, later), act, matter)
        if status == until:
            break


def _file(matter, *, today):
    matter["report"], _code = tipoffs.file(
        **matter["told"], reporter=matter["reporter"], today=today, **LEAD
    )


def _assign(matter, *, today):
    matter["report"] = tipoffs.assign(
        matter["report"],
        department=Department.objects.get(code=matter["unit"]),
        text="请依法核查，按期结束。",
        actor=staff.clerk(settings.LEAD_UNIT),
        today=today,
    )


def _investigate(matter, *, today):
    actor = staff.clerk(matter["unit"])
    matter["report"] = tipoffs.investigate(matter["report"], actor=actor)
    tipoffs.write(matter["report"], text="请补充大概的日期，有照片的一并补充。", actor=actor)


def _conclude(matter, *, today):
    matter["report"] = tipoffs.conclude(
        matter["report"],
        outcome="confirmed",
        findings="现场核查并询问双方，拖欠 12 人工资属实，已下达限期支付决定，现已付清。",
        actor=staff.clerk(matter["unit"]),
        today=today,
    )


def _inform(matter, *, today):
    tipoffs.inform(
        matter["report"],
        text="您举报的拖欠工资属实，已责令限期支付，12 人的工资现已付清。",
        actor=staff.clerk(matter["unit"]),
        today=today,
    )
