"""The uploaded table: kept sealed until its turn, then read row by row."""

import base64
import hashlib
import re
from dataclasses import dataclass
from itertools import islice

from cryptography.exceptions import InvalidTag
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from casework import documents
from casework.moves import record
from casework.services import refuse, storable
from jointaction import policies
from jointaction.models import Sheet
from listings.services.imports.cells import Column, one_of, text
from listings.services.imports.files import UnreadableFile
from listings.services.imports.staging import Layout, Staging
from listings.services.imports.subjects import PAPER_WORDS
from parties import sealing
from parties.models import CLOCK, PaperType

MOST_ROWS = 20_000
MOST_WAITING = 5  # of one unit: a queue that it fills is its own
LOCKS = 7306  # advisory locks of tables: of a unit's uploads its key, of the sweep 0
TABLE, FIELD = "jointaction_sheet", "upload"  # what the sealed upload is bound to
RESIDENT = re.compile(r"\d{15,}[Xx]?")  # a resident number that somebody called a file by


def _asked(values, _problems):
    """A row as the question that `check` takes; a number without its kind is a resident's."""
    asked = {name: value for name, value in values.items() if value}
    if "id_number" in asked:
        asked.setdefault("id_type", PaperType.RESIDENT_ID.value)
    return asked


COLUMNS = (
    Column("code", ("统一社会信用代码", "code", "社会信用代码", "信用代码", "uscc"), text(100)),
    Column("name", ("名称", "name", "姓名", "姓名或名称", "主体名称", "企业名称"), text(200)),
    Column("id_type", ("证件类型", "id_type", "paper_type"), one_of(PaperType, **PAPER_WORDS)),
    Column("id_number", ("证件号码", "id_number", "证件号", "身份证号码", "身份证号"), text(60)),
)
LAYOUT = Layout(
    columns=COLUMNS,
    one_of=(("code", "id_number"),),
    staged={},
    stage=_asked,
    writes=(),
    fewest=1,
)


@transaction.atomic
def receive_sheet(file, *, actor, purpose, reference):
    """Keep an uploaded table, sealed, until its turn comes; returns the sheet.

    `file` is what `casework.services.check_table` gave. The same file for the same business
    that still waits is not taken twice: its sheet is returned. Raises PermissionDenied,
    and ValidationError where too many of the unit's wait already.
    """
    if not policies.may_check(actor.user):
        raise PermissionDenied
    refuse(
        {
            name: not (1 <= len(value.strip()) <= 200 and storable(value))
            and _("请填写 1 到 200 个字。")
            for name, value in (("purpose", purpose), ("reference", reference))
        }
    )
    unit = actor.department
    _one_upload_at_a_time(unit)
    content_digest = hashlib.sha256(file.content).hexdigest()
    waiting = Sheet.objects.of_unit(unit.pk).open()
    digests = sealing.blind_indexes(content_digest, purpose="sheet")
    if same := waiting.filter(reference=reference, digest__in=digests).first():
        return same
    if waiting.count() >= MOST_WAITING:
        words = _("本单位还有 %(n)s 份表格没有查完，请等查完再传。") % {"n": MOST_WAITING}
        raise ValidationError({"file": ValidationError(words, code="too_many")})
    sheet = Sheet(
        unit=unit,
        purpose=purpose,
        reference=reference,
        file_name=RESIDENT.sub("*", file.name)[-200:],
        digest=sealing.blind_index(content_digest, purpose="sheet")[1],
        **actor.columns,
    )
    _seal_upload(sheet, file, actor)
    sheet.save(force_insert=True)
    record(sheet, "receive", actor=actor, note=sheet.file_name)
    return sheet


def _one_upload_at_a_time(unit):
    """Of two clicks at once the second sees what the first one made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS, unit.pk])


def _seal_upload(sheet, file, actor):
    sheet.upload_key_id, sealed = sealing.seal(
        base64.b64encode(file.content).decode(), table=TABLE, row=sheet.public_id, field=FIELD
    )
    sheet.upload = documents.keep(
        sealed, name=sheet.file_name, media_type="application/octet-stream", actor=actor
    )


def content_of(sheet):
    """The uploaded bytes; their reading is logged."""
    purpose = _("批量查询 %(number)s") % {"number": sheet.number}
    bound = {"table": TABLE, "row": sheet.public_id, "field": FIELD}
    try:
        sealed = documents.read(sheet.upload)
        text = sealing.unseal(sealed, sheet.upload_key_id, **bound, actor=CLOCK, purpose=purpose)
    except (OSError, InvalidTag, KeyError) as error:
        raise UnreadableFile(_("保存的文件打不开，请重新上传。")) from error
    return base64.b64decode(text)


def count_rows(content):
    """How many rows there are to check, all read once, so that no file is refused halfway."""
    rows = sum(1 for _row in islice(Staging(content, LAYOUT).body(), MOST_ROWS + 1))
    if rows > MOST_ROWS:
        words = _("超过 %(most)s 行，请分成几份。") % {"most": f"{MOST_ROWS:,}"}
        raise UnreadableFile(words)
    if not rows:
        raise UnreadableFile(_("表头下面没有要查的行。"))
    return rows


@dataclass
class Row:
    """A row of the upload: what is asked, or why it can't be."""

    number: int
    given: dict
    refused: str = ""  # in words
    same_as: int = 0  # the number of an earlier row that says the same


def rows_of(content):
    """The rows of the upload; one that repeats another is asked about once."""
    table, seen = Staging(content, LAYOUT), {}
    for number, cells in table.body():
        given, problems = table.take(cells)
        row = Row(number, given, "；".join(map(_in_words, problems)))
        if given and not problems:
            first = seen.setdefault(tuple(sorted(given.items())), number)
            row.same_as = first if first != number else 0
        yield row


def _in_words(problem):
    return f"{problem.column}：{problem.message}" if problem.column else str(problem.message)
