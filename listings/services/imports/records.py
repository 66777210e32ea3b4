"""Penalties in the national 双公示 layout, into the credit file. They put nobody on a list."""

import hashlib
import json
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from listings.models import ImportBatch
from listings.services.imports import subjects
from listings.services.imports.cells import Column, Problem, amount, code, day, text
from listings.services.imports.staging import Layout, Staging, default_rejected, one_at_a_time

SUBJECT = subjects.columns(
    kind=("行政相对人类别", "cf_xdr_lb", "主体类别"),
    name=("行政相对人名称", "cf_xdr_mc", "主体名称"),
    code_titles=("统一社会信用代码", "cf_xdr_shxym", "行政相对人代码_1(统一社会信用代码)"),
    representative=("法定代表人", "cf_frdb", "法定代表人(负责人)姓名", "法定代表人姓名"),
    paper_type=("证件类型", "cf_xdr_zjlx", "自然人证件类型"),
    paper_number=("证件号码", "cf_xdr_zjhm", "自然人证件号码", "居民身份证号"),
)
OTHER_NUMBERS = (
    Column("registration", ("工商注册号", "cf_xdr_gszc", "行政相对人代码_2(工商注册号)"), text(60)),
    Column(
        "organisation", ("组织机构代码", "cf_xdr_zzjg", "行政相对人代码_3(组织机构代码)"), text(60)
    ),
    Column("tax", ("税务登记号", "cf_xdr_swdj", "行政相对人代码_4(税务登记号)"), text(60)),
    Column(
        "institution",
        ("事业单位证书号", "cf_xdr_sydw", "行政相对人代码_5(事业单位证书号)"),
        text(60),
    ),
    Column(
        "association",
        ("社会组织登记证号", "cf_xdr_shzz", "行政相对人代码_6(社会组织登记证号)"),
        text(60),
    ),
)
RECORD = (
    Column(
        "document_number", ("行政处罚决定书文号", "cf_wsh", "决定书文号"), text(128), needed=True
    ),
    Column("misconduct_text", ("违法行为类型", "cf_wfxw"), text()),
    Column("facts", ("违法事实", "cf_sy", "处罚事由"), text()),
    Column("basis_text", ("处罚依据", "cf_yj"), text()),
    Column("penalty_kind", ("处罚类别", "cf_cflb"), text(200)),
    Column("content", ("处罚内容", "cf_nr"), text()),
    Column("fine", ("罚款金额(万元)", "cf_nr_fk", "罚款金额", "罚款(万元)"), amount),
    Column(
        "confiscated",
        (
            "没收违法所得、没收非法财物的金额(万元)",
            "cf_nr_wfff",
            "没收金额(万元)",
            "没收违法所得、没收非法财物的金额",
        ),
        amount,
    ),
    Column("licence", ("暂扣或吊销证照名称及编号", "cf_nr_zkdx", "暂扣或吊销证照"), text(200)),
    Column("decided_on", ("处罚决定日期", "cf_jdrq"), day, needed=True),
    Column("valid_until", ("处罚有效期", "cf_yxq", "有效期"), day),
    Column("public_until", ("公示截止期", "cf_gsjzq"), day),
    Column("organ_name", ("处罚机关", "cf_cfjg"), text(200)),
    Column("organ_code", ("处罚机关统一社会信用代码", "cf_cfjgdm", "处罚机关代码"), code),
    Column("source_name", ("数据来源单位", "cf_sjly"), text(200)),
    Column("source_code", ("数据来源单位统一社会信用代码", "cf_sjlydm"), code),
    Column("remark", ("备注", "bz"), text()),
)
# A representative's own paper is in the layout; the portal has no use for it and drops it unread.
UNREAD = (
    Column("fr_paper_type", ("法定代表人证件类型", "cf_fr_zjlx"), lambda _value: None),
    Column("fr_paper_number", ("法定代表人证件号码", "cf_fr_zjhm"), lambda _value: None),
)
COLUMNS = (*SUBJECT, *OTHER_NUMBERS, *RECORD, *UNREAD)
TITLE = subjects.titles(COLUMNS)
NULLABLE = {"fine", "confiscated", "valid_until", "public_until"}
TYPES = {"fine": "numeric", "confiscated": "numeric"} | dict.fromkeys(
    ("decided_on", "valid_until", "public_until"), "date"
)
STORED = [column.name for column in RECORD] + ["other_numbers"]
STAGED = {
    **subjects.STAGED,
    **{name: TYPES.get(name, "text") for name in STORED},
    "other_numbers": "jsonb",
    "content_digest": "bytea",
}


DUPLICATE_IN_FILE = gettext_lazy("文件里同一主体、同一文号出现多次，内容不同")


@transaction.atomic
def import_records(
    path, *, department, actor, rejected_to=None, dry_run=False, progress=None, batch=None
):
    """Take a file of penalties into the credit file; returns its summary and its problems.

    Known by department, document number and subject, so the same file again changes
    nothing. A `batch` that was previewed is filled in instead of a new one. Raises
    UnreadableFile where the file as a whole can't be taken.
    """
    today = timezone.localdate()
    layout = Layout(
        columns=COLUMNS,
        one_of=(("name",), ("code", "paper_number"), ("document_number",), ("decided_on",)),
        staged=STAGED,
        stage=partial(_stage, today=today, department=department),
        writes=("parties_subject", "listings_adverserecord", "casework_event"),
        each_chunk=subjects.MAKE_MISSING,
    )
    staging = Staging(Path(path), layout, progress, batch)
    one_at_a_time(department)
    staging.load()
    subjects.hold_all()
    _decide(department)
    staging.refuse("name_differs", TITLE("name"), subjects.NAME_DIFFERS)
    staging.refuse("duplicate_in_file", TITLE("document_number"), DUPLICATE_IN_FILE)
    summary, batch = staging.finish(
        ImportBatch.Kind.RECORDS,
        department=department,
        actor=actor,
        rejected_to=rejected_to or default_rejected(path),
    )
    _write(department, batch)
    problems = staging.errors()
    if dry_run:
        transaction.set_rollback(True)
    return summary, problems


def _stage(values, problems, *, today, department):
    staged = subjects.stage(values, problems, today=today, title=TITLE)
    decided = values.get("decided_on")
    if decided and decided > today:
        problems.append(Problem(TITLE("decided_on"), "future_date", _("不能晚于今天")))
    if problems:
        return {}
    record = {
        name: values.get(name) if name in NULLABLE else values.get(name) or ""
        for name in STORED[:-1]
    }
    record["organ_name"] = record["organ_name"] or department.name
    numbers = {c.name: values[c.name] for c in OTHER_NUMBERS if values.get(c.name)}
    record["other_numbers"] = json.dumps(numbers, ensure_ascii=False)
    told = "\x1f".join(map(str, record.values()))
    return {**staged, **record, "content_digest": hashlib.sha256(told.encode()).digest()}


def _decide(department):
    """Give every staged row its fate."""
    with connection.cursor() as cursor:
        cursor.execute(_FATES, [department.pk])
        cursor.execute("ANALYZE fates")


_FATES = f"""
CREATE TEMP TABLE fates ON COMMIT DROP AS
WITH known AS ({subjects.KNOWN}), counted AS (
    SELECT k.*, s.document_number, s.content_digest, row_number() OVER w AS nth,
           first_value(s.content_digest) OVER w AS first_digest
    FROM known k JOIN staged s USING (line)
    WINDOW w AS (PARTITION BY subject_id, document_number, name_differs ORDER BY line)
)
SELECT c.line, c.subject_id, r.id AS record_id, CASE
    WHEN name_differs THEN 'name_differs'
    WHEN nth > 1 AND c.content_digest <> first_digest THEN 'duplicate_in_file'
    WHEN nth > 1 THEN 'repeated'
    WHEN r.id IS NULL THEN 'created'
    WHEN r.content_digest = c.content_digest THEN 'unchanged'
    ELSE 'updated' END AS fate
FROM counted c LEFT JOIN listings_adverserecord r ON r.subject_id = c.subject_id
     AND r.document_number = c.document_number AND r.department_id = %s
"""  # noqa: S608 - constant text


def _write(department, batch):
    columns = [*STORED, "content_digest"]
    listed = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO listings_adverserecord (public_id, origin, subject_id, department_id,
                batch_id, state, created_at, {listed})
            SELECT gen_random_uuid(), %s, f.subject_id, %s,
                %s, 'valid', %s, {listed}
            FROM fates f JOIN staged s USING (line) WHERE f.fate = 'created' ORDER BY f.line
            """,  # noqa: S608 - column names of our own
            [settings.REGION, department.pk, batch.pk, timezone.now()],
        )
        changed = ", ".join(f"{name} = s.{name}" for name in columns)
        cursor.execute(
            f"""
            UPDATE listings_adverserecord r SET {changed}
            FROM fates f JOIN staged s USING (line)
            WHERE f.fate = 'updated' AND r.id = f.record_id
            """  # noqa: S608 - column names of our own
        )
