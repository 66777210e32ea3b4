"""Files of 100,000 rows: into drafts, onto the list, and off it when their term is over."""

import csv
import time
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from bench.data import code_of
from bench.frame import Measure, figure, timed
from casework.workdays import add_months, add_working_days
from listings import services as listings
from listings.models import Listing
from parties.models import Actor, Department, Role, Subject, User
from portal.services.imports import import_listings
from rulebook.models import ListCategory

ROWS = 100_000


def titles(text):
    return text.split(",")


HEADER = titles(
    "主体名称,统一社会信用代码,法定代表人,文书文号,文书种类,作出机关,文书日期,失信程度,认定理由,"
    "告知送达日期,送达方式,陈述申辩截止,陈述申辩意见,陈述申辩答复"
)
FLAWED = 50  # one row of so many has a wrong check symbol


def rows_of(count, *, today):
    """Rows of a file that no earlier run has imported."""
    first = Subject.objects.order_by("-id").values_list("id", flat=True).first() or 0
    served = today - timedelta(days=30)
    until = add_working_days(served, 5)
    for number in range(first * 2, first * 2 + count):
        code = code_of(number, "91220501M")
        if number % FLAWED == 0:
            code = code[:-1] + ("A" if code[-1] != "A" else "B")
        yield (
            f"通化示例{number:08d}建筑工程有限公司",
            code,
            "示例",
            f"通人社监罚字〔2026〕{number}号",
            "行政处罚决定书",
            "通化市人力资源和社会保障局",
            (today - timedelta(days=40 + number % 300)).isoformat(),
            "严重",
            f"拖欠 {number % 90 + 1} 名农民工工资共 {number % 900} 万元，经责令仍不支付。",
            served.isoformat(),
            "直接送达",
            until.isoformat(),
            *(("资金周转困难，请求宽限。", "理由不成立。") if number % 10 == 0 else ("", "")),
        )


def write_file(bench):
    path = bench.folder / "listings.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows_of(bench.scaled(ROWS), today=timezone.localdate()))
    return path


def officer(username, role):
    department = Department.objects.get(code="rsj")
    user, _made = User.objects.get_or_create(
        username=username, defaults={"department": department, "roles": [role]}
    )
    return Actor.of(user)


def import_file(path, **options):
    return import_listings(
        path,
        kind="black",
        category=ListCategory.objects.get(code="M05"),
        department=Department.objects.get(code="rsj"),
        actor=officer("bench-clerk", Role.CLERK),
        **options,
    )


@figure(
    "CSV import of 100,000 list rows, one in 50 flawed, into drafts",
    beside=(
        "bare INSERT … SELECT of the same rows into the same indexed tables",
        "bare COPY of the file into a plain table, committed",
    ),
    aim=(4, 60),
)
def csv_import(bench):
    path, count = write_file(bench), bench.scaled(ROWS)
    copied, inserted = _copied(path, count), _inserted(path, count)
    _vacuum()
    ours = timed(count, import_file, path)
    _vacuum()
    return ours, inserted, copied


@figure("xlsx import of 100,000 rows into drafts", beside="bare calamine read of the sheet")
def xlsx_import(bench):
    path, count = bench.folder / "listings.xlsx", bench.scaled(ROWS)
    with Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([HEADER, *rows_of(count, today=timezone.localdate())]):
            sheet.write_row(number, 0, row)
    bare = timed(count, _read_sheet, path)
    ours = timed(count, import_file, path)
    _vacuum()
    return ours, bare


def _read_sheet(path):
    with CalamineWorkbook.from_path(str(path)) as workbook:
        return sum(1 for _row in workbook.get_sheet_by_index(0).iter_rows())


@figure("publication of those drafts with measures, journal and ledger", beside="one bare UPDATE")
def csv_publication(bench):
    drafts = Listing.objects.filter(status="draft", department__code="rsj")
    if not drafts.exists():
        import_file(write_file(bench))
    today, path = timezone.localdate(), bench.folder / "listings.csv"
    fields = {"status": "published", "published_on": today, "visible_until": add_months(today, 12)}
    bare = _bare_update(drafts, **fields)
    approver = officer("bench-reviewer", Role.REVIEWER)
    began = time.perf_counter()
    summary, _problems = import_file(path, approver=approver)
    ours = Measure(summary["published"], time.perf_counter() - began)
    _vacuum()
    return ours, bare


@figure("expiry of 100,000 entries with journal and ledger", beside="one bare UPDATE", aim=6)
def expiry(bench):
    later = timezone.localdate() + timedelta(days=2000)
    lapsed = Listing.objects.lapsed(later)
    if not lapsed.exists():
        csv_publication(bench)
    count = lapsed.count()
    bare = _bare_update(
        lapsed, status="expired", ended_on=later, end_reason="expired", disputed=False
    )
    ours = timed(count, listings.expire_lapsed, today=later)
    _vacuum()
    return ours, bare


def _bare_update(rows, **fields):
    """One UPDATE of the same columns, undone."""
    count = rows.count()
    with transaction.atomic():
        measure = timed(count, rows.update, **fields)
        transaction.set_rollback(True)
    _vacuum()
    return measure


def _vacuum():
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


COLUMNS = ", ".join(f"c{place} text" for place in range(len(HEADER)))


def _copy(cursor, path):
    with path.open() as file:
        cursor.copy_expert("COPY bare FROM STDIN (FORMAT csv, HEADER)", file)


def _copied(path, count):
    """A COPY of the file into a table that is kept, as drafts are; the best of three."""
    found = []
    for _run in range(3):
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE bare ({COLUMNS})")
            found.append(timed(count, _copy, cursor, path))
            cursor.execute("DROP TABLE bare")
    return min(found, key=lambda measure: measure.seconds)


def _inserted(path, count):
    """An INSERT … SELECT of the file's rows, undone."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE bare ({COLUMNS}) ON COMMIT DROP")
        _copy(cursor, path)
        cursor.execute("ANALYZE bare")
        measure = timed(count, _insert, cursor)
        transaction.set_rollback(True)
    return measure


def _insert(cursor):
    cursor.execute(
        """
        INSERT INTO parties_subject (public_id, kind, code, name, name_normalised, region,
            legal_representative, paper_type, paper_key_id, paper_index_key_id, created_at)
        SELECT gen_random_uuid(), 'organization', c1, c0, c0, substr(c1, 3, 6), c2, '', '',
            '', now()
        FROM bare
        """
    )
    cursor.execute(
        """
        INSERT INTO listings_listing (public_id, status, version, created_at, kind, origin,
            subject_id, category_id, misconduct_id, degree, department_id, reference,
            document_number, document_kind, document_organ, document_date, ground, basis_id,
            basis_article, details, measure_until, term_months, end_reason, disputed, rule_version,
            bigrams)
        SELECT gen_random_uuid(), 'draft', 1, now(), 'black', '220500', s.id, c.id, c.misconduct_id,
            'serious', d.id, '', c3, c4, c5, c6::date, c8, c.basis_id, c.basis_article, '{}', '{}',
            c.term_months, '', false, c.version, string_to_array(c0, NULL)
        FROM bare JOIN parties_subject s ON s.code = c1, rulebook_listcategory c,
             parties_department d
        WHERE c.code = 'M05' AND d.code = 'rsj'
        """
    )
    cursor.execute(
        """
        INSERT INTO blacklist_priornotice (listing_id, served_on, means, defence_until,
            defence_text, opinion)
        SELECT l.id, c9::date, 'direct', c11::date, coalesce(c12, ''), coalesce(c13, '')
        FROM bare JOIN parties_subject s ON s.code = c1
             JOIN listings_listing l ON l.subject_id = s.id AND l.document_number = c3
        """
    )
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would check
