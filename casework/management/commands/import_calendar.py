import csv
import json
import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from casework import services
from casework.models import CalendarYear, SpecialDay
from parties.models import Actor

KINDS = {"off": "off", "休": "off", "放假": "off", "work": "work", "班": "work", "上班": "work"}
HEADERS = {"日期": "date", "休班": "kind", "名称": "name", "英文名称": "name_en", "day": "date"}
PROPERTY = r"^([A-Z]+)(?:;[^:\r\n]*)?:([^\r\n]*)"
SWAP = r"substituted from (\d\d)/(\d\d)/(\d{4})"
DAY = timedelta(days=1)


class Command(BaseCommand):
    help = (
        "Load the public holidays of a year from the State Council's notice: a CSV file (date, "
        "kind off|work or 休|班, name, name_en), an ICS file, or a year that the package "
        "`holidays` knows with its make-up days. Loading the same again changes nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument("source", metavar="FILE|YEAR")
        parser.add_argument("--notice", help="title and number of the notice, shown as the source")

    def handle(self, *, source, notice, **options):
        if re.fullmatch(r"\d{4}", source):
            days, default = (
                _published(int(source)),
                f"国务院办公厅关于{source}年部分节假日安排的通知",
            )
        else:
            days, default = _read(Path(source)), Path(source).name
        counts, changed = Counter(), []
        notices = _by_notice(days)
        _refuse_stray_days(notices)
        with transaction.atomic():
            for year, rows in sorted(notices.items()):
                before = CalendarYear.objects.filter(year=year, version__gt=0).first()
                counts += services.load_year(
                    year,
                    rows,
                    status=CalendarYear.Status.OFFICIAL,
                    source=notice or default,
                    actor=Actor(label="import_calendar"),
                )
                after = CalendarYear.objects.get(year=year)
                if before is None or before.version != after.version:
                    changed.append(year)
        self._report(len(days), counts, changed)

    def _report(self, rows, counts, changed):
        for year in changed:
            self.stdout.write(f"{year}: official")
        if not changed:
            self.stdout.write("nothing changed")
        figures = {name: counts[name] for name in ("created", "updated", "unchanged", "removed")}
        answer = {"rows": rows, **figures, "rejected": 0, "rejected_file": None, "years": changed}
        self.stdout.write(json.dumps(answer))


def _by_notice(days):
    """The days by the year whose notice sets them: late December belongs to the next year's,
    where the file has that year."""
    years = {day.day.year for day in days if (day.day.month, day.day.day) < (12, 29)}
    notices = defaultdict(list)
    for day in days:
        late = (day.day.month, day.day.day) >= (12, 29) and day.day.year + 1 in years
        day.year_id = day.day.year + late
        notices[day.year_id].append(day)
    return notices


def _refuse_stray_days(notices):
    """A notice replaces its whole year: a day or two of another year would empty that one."""
    for year, days in notices.items():
        if len(notices) > 1 and date(year, 1, 1) not in {day.day for day in days}:
            raise CommandError(
                f"{days[0].day} belongs to {year}, whose notice is not in the file:"
                " load one year at a time."
            )


def _published(year):
    """The days of a published year. A swapped day and its make-up day bear the name of the
    nearest holiday: the package calls them only a day off, with the date they came from."""
    # imported here: the package takes a while to load
    from holidays.countries.china import China

    chinese, english = (China(years=year, language=language) for language in ("zh_CN", "en_US"))
    swapped = {day: found for day, name in english.items() if (found := re.search(SWAP, name))}
    makeups = {date(*map(int, found.group(3, 1, 2))): day for day, found in swapped.items()}
    if not makeups or set(makeups) != {day for day in chinese.weekend_workdays if day.year == year}:
        raise CommandError(f"{year}: the package `holidays` does not know the notice; give a file.")
    named = [day for day in english if day not in swapped]

    def row(day, kind, beside):
        holiday = min(named, key=lambda other: abs(other - beside))
        names = {"name": chinese[holiday], "name_en": english[holiday]}
        return SpecialDay(day=day, kind=kind, **{k: _bare(v) for k, v in names.items()})

    return [row(day, "off", day) for day in english] + [
        row(day, "work", beside) for day, beside in makeups.items()
    ]


def _bare(name):
    """The holiday's name without what the package adds in brackets."""
    return re.sub(r"\s*[（(].*", "", name)[:40]


def _read(path):
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {error}") from error
    days = _from_ics(text) if "BEGIN:VCALENDAR" in text[:200] else _from_csv(text)
    if not days:
        raise CommandError(f"{path}: no days in it.")
    repeated = [day for day, times in Counter(row.day for row in days).items() if times > 1]
    if repeated:
        raise CommandError(f"{path}: {repeated[0]} is there more than once.")
    return days


def _from_csv(text):
    rows = csv.reader(text.splitlines())
    header = [HEADERS.get(name.strip(), name.strip()) for name in next(rows, [])]
    if not {"date", "kind", "name"} <= set(header):
        raise CommandError("The columns date, kind and name are needed.")
    days = []
    for number, values in enumerate(rows, start=2):
        row = dict(zip(header, (value.strip() for value in values), strict=False))
        if any(row.values()):
            days.append(_day(row, f"row {number}"))
    return days


def _day(row, where):
    try:
        day, kind = date.fromisoformat(row["date"]), KINDS[row["kind"]]
    except (KeyError, ValueError) as error:
        raise CommandError(f"{where}: a date (YYYY-MM-DD) and 休 or 班 are needed.") from error
    name = row.get("name") or row["kind"]
    return SpecialDay(day=day, kind=kind, name=name[:40], name_en=(row.get("name_en") or name)[:60])


def _from_ics(text):
    """All-day events whose summary says 休 (放假) or 班 (上班, 补班, 调休)."""
    days = []
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    for event in re.findall(r"BEGIN:VEVENT(.*?)END:VEVENT", unfolded, re.DOTALL):
        days += _event(
            dict(re.findall(r"^([A-Z]+)(?:;[^:\r\n]*)?:([^\r\n]*)", event, re.MULTILINE))
        )
    return days


def _event(fields):
    summary = fields.get("SUMMARY", "")
    kind = "班" if "班" in summary else "休"
    name = re.sub(r"[\s（()）·]*(放假|假期|休|班|补|上|调)+[\s（()）·]*.*$", "", summary) or summary
    try:
        first = date.fromisoformat(fields["DTSTART"][:8])
        last = date.fromisoformat(fields["DTEND"][:8]) if "DTEND" in fields else first + DAY
    except (KeyError, ValueError) as error:
        raise CommandError(f"event {summary!r}: DTSTART and DTEND are not dates.") from error
    return [
        _day({"date": (first + DAY * i).isoformat(), "kind": kind, "name": name}, summary)
        for i in range(max((last - first).days, 1))
    ]
