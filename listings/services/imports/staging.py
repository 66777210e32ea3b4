"""A file's rows on their way in: read once, checked one by one, copied to a temporary table.

What happens to them then is decided for all at once, in the same transaction; a crash
at any moment leaves nothing behind. Memory holds a chunk of rows, never the file.
"""

import csv
import hashlib
import io
import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from listings.models import ImportBatch
from listings.services.imports.cells import NO_TEXT, Column, Problem, Refused
from listings.services.imports.files import UnreadableFile, plain, read, write_rejected

CHUNK = 5_000
SHOWN_ERRORS = 1_000
HEADER_WITHIN = 5  # rows; titles and remarks may stand above the header
# Columns that many tables have and that mean nothing here.
IDLE = {plain(title) for title in ("序号", "原行号", "退回原因", "编号序号", "no")}


@dataclass(frozen=True)
class Layout:
    """The columns of a kind of file, which must be there, and how a row becomes a staged row.

    `stage(values, problems)` returns {staged column: value}; `staged` gives their SQL types.
    The statements `each_chunk` are carried out after each chunk, of the lines `first` to `last`.
    `writes` are the tables that the rows go to in the end.
    """

    columns: tuple[Column, ...]
    one_of: tuple[tuple[str, ...], ...]  # of each group one column at least must be there
    staged: dict[str, str]
    stage: callable
    writes: tuple[str, ...]
    each_chunk: tuple[str, ...] = ()
    fewest: int = 2  # so many known titles make a row the header


@dataclass
class Staging:
    """The rows of one file between reading and the end of the transaction."""

    path: Path | bytes
    layout: Layout
    progress: callable = None
    batch: ImportBatch | None = None  # that was previewed, where there is one
    present: set = field(default_factory=set)  # names of the layout's columns in the file
    unknown: list = field(default_factory=list)  # titles of columns that mean nothing here
    header: list = field(default_factory=list)
    rows: int = 0

    def __post_init__(self):
        # The public ids of a file's rows share their first eight signs and are random beyond: side
        # by side in their index they touch few of its pages, and nobody can guess one.
        self.together = secrets.token_hex(4)
        kinds = enumerate(self.layout.staged.values(), start=1)  # after the line's number
        self.written = [
            (place, WRITTEN.get(kind, str))
            for place, kind in kinds
            if not kind.startswith("text") or kind in WRITTEN
        ]

    @property
    def name(self):
        """What the sender calls the file."""
        return self.batch.file_name if self.batch else self.path.name

    def load(self):
        """Copy the good rows to the table `staged`, and what is wrong with bad ones to `refused`.

        Raises UnreadableFile where the file as a whole can't be taken.
        """
        _keep_statistics(self.layout.writes)
        types = ", ".join(f"{name} {kind}" for name, kind in self.layout.staged.items())
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS staged, refused, sent_back, fates")
            cursor.execute("SET LOCAL work_mem = '64MB'")  # the whole file is sorted and joined
            cursor.execute(f"CREATE TEMP TABLE staged (line int, {types}) ON COMMIT DROP")
            cursor.execute(
                "CREATE TEMP TABLE refused (line int, title text, code text, message text,"
                " fatal boolean) ON COMMIT DROP"
            )
            cursor.execute("CREATE TEMP TABLE sent_back (line int, cells jsonb) ON COMMIT DROP")
            cursor.execute("CREATE INDEX ON staged (line)")
            self._load_rows()
            keys = ", ".join(name for name in KEYS if name in self.layout.staged)
            cursor.execute(f"ANALYZE staged (line, {keys})")
        self.count_young()

    def count_young(self):
        """Count the rows of those tables that the file more than doubles, as they are now.

        What was known of them before says nothing of this file's rows, and after an import
        that was killed it says that their many pages hold none.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE oid = ANY(%s::regclass[]) AND reltuples < %s",
                [list(self.layout.writes), self.rows],
            )
            if young := [name for (name,) in cursor.fetchall()]:
                cursor.execute(f"ANALYZE (SKIP_LOCKED) {', '.join(young)}")

    def _load_rows(self):
        """Read and check the rows; the server takes in one chunk while the next one is read."""
        rows, sent = self.body(), None
        with ThreadPoolExecutor(max_workers=1) as server:
            while chunk := list(islice(rows, CHUNK)):
                tables = self._checked(chunk)
                if sent:
                    sent.result()
                # below Django's own cursor, which belongs to one thread
                lines = {"first": chunk[0][0], "last": chunk[-1][0]}
                sent = server.submit(self._send, connection.connection, tables, lines)
                self.rows += len(chunk)
                if self.progress:
                    self.progress(self.rows)
            if sent:
                sent.result()

    def _send(self, server, tables, lines):
        with server.cursor() as cursor:
            for table, (lines_of, never_null) in tables.items():
                _copy_in(cursor, table, lines_of, never_null)
            for statement in self.layout.each_chunk:
                cursor.execute(
                    statement, {"now": timezone.now(), "together": self.together, **lines}
                )

    def body(self):
        """Yield (row number, cells) of the rows beneath the header, for `take` to read.

        Raises UnreadableFile where the file as a whole can't be taken.
        """
        rows = read(self.path)
        passed, columns = self._find_header(rows)
        self.header = passed[-1][1]
        self.places = [(place, column.name, column.read, column) for place, column in columns]
        self.width = columns[-1][0] + 1
        self.blank = dict.fromkeys(column.name for _place, column in columns)
        self.present = set(self.blank)
        first = next(rows, None)
        if first and self._is_header(first[1]):
            first = None  # the template's second line, with the codes
        return chain([first] if first else [], rows)

    def _find_header(self, rows):
        """Take rows up to the header; returns them and its [(place, Column)]."""
        known = {plain(t): column for column in self.layout.columns for t in column.titles}
        passed = []
        for row in islice(rows, HEADER_WITHIN):
            passed.append(row)
            found = [(place, known.get(plain(t))) for place, t in enumerate(row[1])]
            columns = [(place, column) for place, column in found if column]
            if len(columns) >= self.layout.fewest:
                self._check_header(columns)
                self.unknown = [
                    row[1][place]
                    for place, column in found
                    if not column and row[1][place] and plain(row[1][place]) not in IDLE
                ]
                return passed, columns
        titles = "、".join(column.title for column in self.layout.columns[:4])
        raise UnreadableFile(_("没有找到表头，第一行应有“%(titles)s”等列名。") % {"titles": titles})

    def _check_header(self, columns):
        names = [column.name for _place, column in columns]
        titles = {column.name: column.title for column in self.layout.columns}
        for name in names:
            if names.count(name) > 1:
                raise UnreadableFile(_("“%(title)s”这一列出现了两次。") % {"title": titles[name]})
        missing = [
            _("或").join(titles[name] for name in group)
            for group in self.layout.one_of
            if not set(group) & set(names)
        ]
        if missing:
            raise UnreadableFile(_("缺少这些列：%(titles)s。") % {"titles": "、".join(missing)})

    def _is_header(self, cells):
        titles = {plain(t) for column in self.layout.columns for t in column.titles}
        filled = [cell for cell in cells if cell]
        return sum(plain(cell) in titles for cell in filled) > len(filled) / 2

    def _checked(self, chunk):
        """The rows of a chunk as they go into each table: {table: (lines, texts never null)}."""
        staged, refused, back = [], [], []
        for number, cells in chunk:
            line, problems = self.take(cells)
            for problem in problems:
                what = (problem.column, problem.code, str(problem.message), str(problem.fatal))
                refused.append(_line([str(number), *what]))
            if any(problem.fatal for problem in problems):
                kept = json.dumps([cell.replace("\0", "") for cell in cells])
                back.append(_line([str(number), kept]))
            else:
                staged.append(self._staged_line(number, line))
        return {
            "staged": (staged, _never_null(self.layout.staged)),
            "refused": (refused, ("title", "code", "message")),
            "sent_back": (back, ("cells",)),
        }

    def _staged_line(self, number, line):
        row = [str(number), *map(line.get, self.layout.staged)]
        for place, written in self.written:
            if row[place] is not None:
                row[place] = written(row[place])
        return _line(["" if text is None else text for text in row])

    def take(self, cells):
        """One row: ({staged column: value}, [Problem])."""
        values, problems = self.blank.copy(), []
        if "\0" in "".join(cells):
            return {}, [Problem("", "bad_character", _("含有不能保存的字符"))]
        if len(cells) < self.width:
            cells = cells + [""] * (self.width - len(cells))
        for place, name, read_text, column in self.places:
            text = cells[place]
            if not text and not column.needed:
                continue
            try:  # what may be taken as it stands is read at once
                values[name] = read_text(text) if text[:1] not in NO_TEXT else column.value(text)
            except Refused as refusal:
                problems.append(Problem(column.title, refusal.code, refusal.message))
        return self.layout.stage(values, problems), problems

    def refuse(self, fate, title, message):
        """Send back the rows that the table `fates` gives this fate."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO refused SELECT line, %s, %s, %s, true FROM fates WHERE fate = %s",
                [title, fate, str(message), fate],
            )

    def hold(self, listings, title, message, code):
        """Remark on the rows of these entries that they stay drafts."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO refused SELECT line, %s, %s, %s, false FROM fates"
                " WHERE listing_id = ANY(%s) AND fate <> 'repeated'",
                [title, code, str(message), list(listings)],
            )

    def errors(self, limit=SHOWN_ERRORS):
        """The first problems as {row, column, code, message, rejected}."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT line, title, code, message, fatal FROM refused ORDER BY line LIMIT %s",
                [limit],
            )
            names = ("row", "column", "code", "message", "rejected")
            found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        unknown = {
            "code": "unknown_column",
            "message": _("不认识这一列，没有读取"),
            "rejected": False,
        }
        return [{"row": 0, "column": title, **unknown} for title in self.unknown] + found

    def finish(self, kind, *, department, actor, rejected_to, category=None):
        """Count the fates, write the rejected rows' file, keep the batch; (summary, batch)."""
        counts = self._counts()
        rejected_file = None
        if counts["rejected"]:
            rejected_file = str(write_rejected(rejected_to, self.header, self._rejected()))
        found = {"errors": self.errors(), **counts}
        if self.batch:
            ImportBatch.objects.filter(pk=self.batch.pk).update(**found)
            self.batch.refresh_from_db()
            return {**counts, "rejected_file": rejected_file}, self.batch
        batch = ImportBatch.objects.create(
            kind=kind,
            category=category,
            department=department,
            file_name=self.name[-200:],
            sha256=_sha256(self.path),
            **found,
            **actor.columns,
        )
        return {**counts, "rejected_file": rejected_file}, batch

    def _counts(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT fate, count(*) FROM fates GROUP BY fate")
            fates = dict(cursor.fetchall())
            cursor.execute("SELECT count(DISTINCT line) FROM refused WHERE fatal")
            rejected = cursor.fetchone()[0]
        return {
            "rows": self.rows,
            "created": fates.get("created", 0),
            "updated": fates.get("updated", 0),
            "unchanged": fates.get("unchanged", 0) + fates.get("repeated", 0),
            "rejected": rejected,
        }

    def _rejected(self):
        """The file's rejected rows in their order, with their reasons.

        Of those that only the tables could tell, the file is read again.
        """
        with connection.chunked_cursor() as cursor:
            cursor.execute(
                "SELECT line, string_agg(nullif(title, '') || '：' || message, '；'), b.cells::text"
                " FROM refused LEFT JOIN sent_back b USING (line)"
                " WHERE fatal GROUP BY line, b.cells ORDER BY line"
            )
            rows = read(self.path)
            for number, reasons, kept in cursor:
                cells = json.loads(kept) if kept else _cells_at(rows, number)
                yield number, cells, reasons or _("含有不能保存的字符")


def _cells_at(rows, number):
    return next(cells for found, cells in rows if found == number)


KEYS = ("code", "document_number", "reference")  # what rows are found by
NULLABLE = {"code"}  # a text that is absent for persons; every other text is a text


def _never_null(staged):
    """The staged columns whose empty text is a text and no absence."""
    return [
        name
        for name, kind in staged.items()
        if kind.startswith("text") and "[" not in kind and name not in NULLABLE
    ]


def _line(texts):
    """One line for COPY: texts between tabs, quoted where one of them asks for it."""
    line = "\t".join(texts)
    if line.count("\t") < len(texts) and not ('"' in line or "\n" in line or "\r" in line):
        return line
    quoted = io.StringIO()
    csv.writer(quoted, delimiter="\t", lineterminator="\r\n").writerow(texts)  # quotes both
    return quoted.getvalue().removesuffix("\r\n")


def _copy_in(cursor, table, lines, never_null):
    if lines:
        names = ", ".join(never_null)
        options = rf"FORMAT csv, DELIMITER E'\t', FORCE_NOT_NULL ({names})"
        text = io.BytesIO("\n".join(lines).encode())
        cursor.copy_expert(f"COPY {table} FROM STDIN ({options})", text, BLOCK)


BLOCK = 1 << 20  # read at once: between two reads the thread waits for the interpreter


def _bytes(value):
    return rf"\x{value.hex()}"


def _bytes_array(items):
    return "{" + ",".join(rf'"\\x{item.hex()}"' for item in items) + "}"


def _array(items):
    if "".join(items).isalnum():  # the common case: nothing to quote
        return "{" + ",".join(items) + "}"
    quoted = (item.replace("\\", r"\\").replace('"', r"\"") for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"


# How values that are no plain text are written, by the type of their column.
WRITTEN = {"bytea": _bytes, "bytea[]": _bytes_array, "text[]": _array}


def _keep_statistics(tables):
    """Keep the server from counting these tables' rows until the transaction ends.

    It sees none of what is not committed. A table that was young before a large file would
    pass for empty, and statements planned for that would read it whole for each row. Where
    another import keeps them already, or the server is just counting, that is left alone.
    """
    names = ", ".join(tables)
    with suppress(OperationalError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {names} IN SHARE UPDATE EXCLUSIVE MODE NOWAIT")


def default_rejected(path):
    """Beside the file itself: the rows go back to where they came from."""
    path = Path(path)
    return path.with_name(f"{path.stem}.rejected.xlsx")


def one_at_a_time(department):
    """Two imports of one department wait for each other, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7305, %s)", [department.pk])


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
