"""What an entry said at each of its versions: read back from the journal, never kept twice."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from listings.models import Listing
from listings.services.change import plain
from rulebook.models import Degree

# What authors write and corrections change, in the order of the page.
COMPARED = (
    "subject", "degree", "ground", "document_number", "document_kind", "document_organ",
    "document_date", "basis", "basis_article", "details", "term_months", "visible_until",
    "measure_codes", "measure_until", "reference",
)  # fmt: skip
OLD, NEW = 0, 1
UNTOLD, SETTLED = object(), object()
PUBLICATION_SETS = {"visible_until", "measure_until"}  # whatever the draft said of them


@dataclass(frozen=True)
class Version:
    """One version: who made it when and how, what was changed in it, and all that it said."""

    number: int
    at: datetime
    by: str
    action: str
    changed: tuple
    values: dict = field(compare=False)


@dataclass(frozen=True)
class Difference:
    """One thing that an entry says, in two versions, in words."""

    title: str
    old: str
    new: str

    @property
    def is_changed(self):
        return self.old != self.new

    @property
    def words(self):
        """What was done to it."""
        if not self.is_changed:
            return _("没有变")
        if not self.old:
            return _("新填")
        return _("改了") if self.new else _("删去")


def versions_of(listing):
    """Every version of an entry that somebody made, the newest first; two queries.

    For its own department, the supervisor and the auditor: it tells old values of every
    class. A value that was neither written nor corrected is the present one.
    """
    lines = [line for line in listing.journal.all() if _is_version(line)]
    present = {name: plain(getattr(listing, name)) for name in COMPARED}
    present["subject"] = listing.subject.display_name
    found = [
        Version(
            number=line.version,
            at=line.at,
            by=line.by_label,
            action=line.action,
            changed=tuple(line.changes),
            values={name: _value(name, lines, place, present) for name in COMPARED},
        )
        for place, line in enumerate(lines)
    ]
    return found[::-1]


def differences(listing, old, new):
    """What two versions say, side by side: [Difference], fields of the category one by one."""
    pairs = {name: (old.values[name], new.values[name]) for name in COMPARED}
    return [row for row in compared(listing, pairs) if row.old or row.new]


def compared(listing, pairs):
    """{column: (old, new)} of an entry as Difference rows, in the order of the page."""
    rows = []
    for name in sorted(pairs, key=COMPARED.index):
        old, new = pairs[name]
        if name == "details":
            rows += _details(listing, old or {}, new or {})
        else:
            title = str(Listing._meta.get_field(name).verbose_name)
            rows.append(Difference(title, _shown(name, old), _shown(name, new)))
    return rows


def changed_titles(version):
    """In words which fields a version changed."""
    titles = {"responsible_persons": _("责任人员")}
    for name in version.changed:
        if name in COMPARED:
            titles[name] = str(Listing._meta.get_field(name).verbose_name)
    return [titles[name] for name in version.changed if name in titles]


def _is_version(line):
    changes = line.action != "erase" and bool(line.changes)
    return changes or line.action in {"create", "publish"}


def _value(name, lines, place, present):
    """The last word before, else what the next change says it was, else what it is."""
    before = _first(name, lines[place::-1], NEW)
    if before is not UNTOLD and before is not SETTLED:
        return before
    after = _first(name, lines[place + 1 :], OLD)
    if after is SETTLED:
        return None
    return present[name] if after is UNTOLD else after


def _first(name, lines, side):
    """What the first line that speaks of a column says of it; SETTLED where that publishes it."""
    for line in lines:
        if name in line.changes:
            return line.changes[name][side]
        if line.action == "publish" and name in PUBLICATION_SETS:
            return SETTLED
    return UNTOLD


def _shown(name, value):
    if name == "measure_codes":
        return _("备忘录规定的全部措施") if value is None else _("、").join(value)
    if name == "measure_until":
        return _("、").join(f"{code} {day}" for code, day in sorted((value or {}).items()))
    if name == "degree":
        return str(dict(Degree.choices).get(value, value))
    return "" if value is None else str(value)


def _details(listing, old, new):
    fields = {row.code: row for row in listing.category.fields.all()}
    codes = [*fields, *sorted((old.keys() | new.keys()) - fields.keys())]
    return [
        Difference(
            str(fields.get(code, code)),
            *(_with_unit(fields.get(code), values.get(code) or "") for values in (old, new)),
        )
        for code in codes
    ]


def _with_unit(field, value):
    return str(field.with_unit(value)) if field and value else str(value)
