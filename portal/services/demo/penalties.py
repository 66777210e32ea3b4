"""Penalties in the credit files of the demonstration, sent in as files like real ones."""

import csv
import tempfile
from datetime import timedelta
from pathlib import Path

from casework.workdays import add_months
from listings.services.imports import import_records
from portal.services.demo import staff, texts

DAY = timedelta(days=1)
PER_FILE = 8
HEADER = (
    "行政相对人名称",
    "行政相对人类别",
    "统一社会信用代码",
    "行政处罚决定书文号",
    "违法行为类型",
    "违法事实",
    "处罚依据",
    "处罚类别",
    "处罚内容",
    "罚款金额(万元)",
    "处罚决定日期",
    "公示截止期",
    "处罚机关",
)


def plan(story):
    """Plan a file per department and half-year; some firms stay without any record."""
    for unit in texts.table("names")["penalties"]:
        day = story.first + 170 * DAY
        while day < story.today:
            story.on(story.next_working(day), _send, story, unit)
            day += 182 * DAY


def _send(story, unit, *, today):
    actor = staff.clerk(unit)
    firms = story.rng.sample(story.firms, min(PER_FILE, len(story.firms)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"行政处罚信息_{unit}_{today:%Y%m%d}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            for number, firm in enumerate(firms, start=1):
                writer.writerow(_row(story, unit, actor.department, firm, number, today))
        import_records(path, department=actor.department, actor=actor)


def _row(story, unit, department, firm, number, today):
    decided_on = today - story.rng.randint(5, 160) * DAY
    misconduct = texts.some(story.rng, "penalties", unit)
    fine = story.rng.choice(("0.2", "0.5", "1", "2", "3"))
    return (
        firm.name,
        firm.get_kind_display(),
        firm.code,
        f"吉通示{unit.upper()}罚〔{today:%Y%m}〕{number:03}号",
        misconduct,
        f"检查中发现该单位{misconduct}，责令改正后已改正。",
        "《中华人民共和国行政处罚法》及有关法律法规",
        "罚款",
        f"罚款 {fine} 万元",
        fine,
        decided_on.isoformat(),
        add_months(decided_on, 12).isoformat(),
        department.name,
    )
