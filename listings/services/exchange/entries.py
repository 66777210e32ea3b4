"""One entry of another city's file as the row it becomes here."""

import hashlib
import re
import uuid
from contextlib import suppress
from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from listings.models import Listing
from listings.services.imports.cells import LONGEST_TEXT
from parties import identity
from parties.models import Department, PaperType, Subject, mask_name
from rulebook.models import Degree, LegalBasis, ListCategory

# The types of what `Reader.row` gives, as SQL reads them back.
STAGED = {
    "public_id": "uuid",
    "list": "text",
    "status": "text",
    "ended_on": "date",
    "end_reason": "text",
    "subject_kind": "text",
    "code": 'text COLLATE "C"',
    "name": "text",
    "name_normalised": 'text COLLATE "C"',
    "region": "text",
    "subject_public_id": "uuid",
    "bigrams": "text[]",
    "category_id": "bigint",
    "category": "text",
    "misconduct_id": "bigint",
    "department_id": "bigint",
    "department": "text",
    "degree": "text",
    "document_number": "text",
    "document_kind": "text",
    "document_organ": "text",
    "document_date": "date",
    "ground": "text",
    "basis_id": "bigint",
    "basis": "text",
    "details": "jsonb",
    "published_on": "date",
    "visible_until": "date",
    "disputed": "boolean",
    "rule_version": "int",
}
Status, EndReason = Listing.Status, Listing.EndReason
ENDS = {  # how an entry can have ended, and why then
    Status.WITHDRAWN: {
        EndReason.ERROR,
        EndReason.DOCUMENT_QUASHED,
        EndReason.RECOGNITION_WITHDRAWN,
    },
    Status.REPAIRED: {EndReason.REPAIRED},
    Status.EXPIRED: {EndReason.EXPIRED},
}
DOCUMENT = {"number": 128, "kind": 60, "organ": 200}  # the longest of each
NEVER = date(1, 1, 1)
NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")


class Unfit(ValueError):  # noqa: N818 - a refusal, told with the line by the caller
    """What is wrong with an entry; never repeats its content."""


class Reader:
    """Turns entries of one city's file into rows, with what they name looked up or made once."""

    def __init__(self, city, departments):
        self.city = city
        self.departments = _departments(city, departments)
        categories = ListCategory.objects.select_related("misconduct")
        self.categories = {row.code: row for row in categories}
        self.bases = {row.name: row.pk for row in LegalBasis.objects.order_by("-pk")}

    def row(self, told):
        """The row of one entry, plain JSON values by the names of STAGED. Raises Unfit."""
        if not isinstance(told, dict):
            raise Unfit(_("listing 不是对象"))
        row = dict.fromkeys(STAGED)
        row["public_id"] = _uuid(told)
        row["list"] = _one_of(told, "list", ("red", "black"))
        row["status"] = _one_of(told, "status", {Status.PUBLISHED, *ENDS})
        if row["status"] != Status.PUBLISHED:
            row["ended_on"] = _day(told, "ended_on")
            row["end_reason"] = _one_of(told, "end_reason", ENDS[row["status"]])
            return row
        if told.get("origin", self.city.code) != self.city.code:
            raise Unfit(_("不是这个城市自己的记录"))
        self._read_rules(told, row)
        _read_subject(_part(told, "subject"), row)
        _read_content(told, row)
        return row

    def _read_rules(self, told, row):
        """Category, misconduct, department and basis: ours of the same code or title."""
        code = _text(_part(told, "category"), "code", 10)
        category = self.categories.get(code)
        if category is None or category.kind != row["list"]:
            raise Unfit(_("本市的规则里没有这个类别：%(code)s") % {"code": code[:10]})
        misconduct = category.misconduct
        if told.get("misconduct") != (misconduct.code if misconduct else None):
            raise Unfit(_("失信行为和类别不一致"))
        unit = _text(_part(told, "department"), "code", 40)
        if unit not in self.departments:
            raise Unfit(_("首行没有列出这个单位：%(code)s") % {"code": unit[:40]})
        row["category_id"], row["category"] = category.pk, code
        row["misconduct_id"] = category.misconduct_id
        row["rule_version"] = category.version
        row["department_id"], row["department"] = self.departments[unit]
        row["basis"] = _text(told, "basis", 200, none=True)
        row["basis_id"] = row["basis"] and self._basis(row["basis"])

    def _basis(self, title):
        """Our law of this title, or a row that tells the title and is in force here on no day."""
        if title not in self.bases:
            digest = hashlib.sha256(title.encode()).hexdigest()[:16]
            basis, _made = LegalBasis.objects.get_or_create(
                code=f"{self.city.code}-{digest}",
                defaults={
                    "name": title,
                    "name_en": title,
                    "level": LegalBasis.Level.NOTICE,
                    "source": _("%(city)s的名单") % {"city": self.city.name},
                    "in_force_from": NEVER,
                    "in_force_to": NEVER,
                },
            )
            self.bases[title] = basis.pk
        return self.bases[title]


def _departments(city, told):
    """{their code: (key, code here)}; a unit that is new is made, out of use: nobody works in it.

    Raises Unfit.
    """
    found = {}
    for row in told:
        code = f"{city.code}-{row['code']}"
        values = {
            "name": _text(row, "name", 100),
            "short_name": _text(row, "short_name", 40),
            "name_en": _text(row, "name_en", 150),
            "kind": _one_of(row, "kind", Department.Kind.values),
            "region": city.code,
            "active": False,
        }
        if not re.fullmatch(r"[-a-zA-Z0-9_]{1,33}", row["code"]):
            raise Unfit(_("单位代码不对"))
        unit, _made = Department.objects.update_or_create(code=code, defaults=values)
        found[row["code"]] = unit.pk, code
    return found


def _read_subject(told, row):
    kind = row["subject_kind"] = _one_of(told, "kind", Subject.Kind.values)
    try:
        name = identity.check_name(told.get("name"))
    except ValidationError as error:
        raise Unfit(error.messages[0]) from None
    row["region"] = _text(told, "region", 6, none=True, empty=True) or ""
    if kind == Subject.Kind.PERSON:
        if told.get("code") is not None:
            raise Unfit(_("自然人不能有统一社会信用代码"))
        name, row["bigrams"] = mask_name(name), []
        row["subject_public_id"], row["region"] = str(uuid.uuid4()), ""
    else:
        row["code"], row["bigrams"] = _code(told), identity.bigrams(name)
    row["name"], row["name_normalised"] = name, identity.normalise_name(name)


def _code(told):
    try:
        return identity.check_code(_text(told, "code", 18))
    except ValidationError as error:
        raise Unfit(error.messages[0]) from None


def _read_content(told, row):
    row["degree"] = _one_of(told, "degree", (None, *Degree.values)) or ""
    document = told.get("document") or {}
    if not isinstance(document, dict):
        raise Unfit(_("document 不是对象"))
    for name, longest in DOCUMENT.items():
        row[f"document_{name}"] = _text(document, name, longest, none=True) or ""
    row["document_date"] = _day(document, "date") if document.get("date") else None
    row["ground"] = _text(told, "ground", LONGEST_TEXT, empty=True)
    row["details"] = _details(told)
    row["published_on"] = _day(told, "published_on")
    row["visible_until"] = _day(told, "visible_until")
    if row["visible_until"] < row["published_on"]:
        raise Unfit(_("visible_until 早于 published_on"))
    if type(told.get("disputed")) is not bool:
        raise Unfit(_("disputed 应是 true 或 false"))
    row["disputed"] = told["disputed"]
    if any(map(_names_a_number, (row["ground"], *row["details"].values()))):
        raise Unfit(_("含有公民身份号码"))


def _names_a_number(text):
    """Whether a text holds the number of somebody's identity card."""
    for number in NUMBER.findall(text):
        with suppress(ValidationError):
            identity.check_paper(PaperType.RESIDENT_ID, number, timezone.localdate())
            return True
    return False


def _details(told):
    """{field's code: value} of the category's own fields that the other city makes public."""
    rows, found = told.get("details"), {}
    if not isinstance(rows, list) or len(rows) > 100:
        raise Unfit(_("details 应是数组"))
    for detail in rows:
        if not isinstance(detail, dict):
            raise Unfit(_("details 的每一项应是对象"))
        found[_text(detail, "code", 40)] = _text(detail, "value", 2_000, empty=True)
    return found


def _part(told, name):
    part = told.get(name)
    if not isinstance(part, dict):
        raise Unfit(_("%(name)s 不是对象") % {"name": name})
    return part


def _text(told, name, longest, *, none=False, empty=False):
    value = told.get(name)
    if value is None and none:
        return None
    if not isinstance(value, str) or len(value) > longest or not (value or empty):
        words = _("%(name)s 应是文字，最多 %(most)s 字") % {"name": name, "most": longest}
        raise Unfit(words)
    return value


def _one_of(told, name, allowed):
    value = told.get(name)
    if not (value is None or isinstance(value, str)) or value not in allowed:
        raise Unfit(_("%(name)s 的值不认识") % {"name": name})
    return value


def _day(told, name):
    value = told.get(name)
    if isinstance(value, str) and len(value) == len("2026-01-05"):
        with suppress(ValueError):
            return date.fromisoformat(value).isoformat()
    raise Unfit(_("%(name)s 应是日期，例如 2026-01-05") % {"name": name})


def _uuid(told):
    value = told.get("id")
    if isinstance(value, str):
        with suppress(ValueError):
            if str(uuid.UUID(value)) == value:
                return value
    raise Unfit(_("id 应是 UUID"))
