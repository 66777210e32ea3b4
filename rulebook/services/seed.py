"""The rules that come with the portal, from the tables under `rulebook/data/`."""

import tomllib
from datetime import date, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from casework.models import CalendarYear, SpecialDay
from casework.services import load_year
from parties.models import Actor, Department
from rulebook.models import (
    CategoryField,
    CategoryTerm,
    DegreeTerm,
    LegalBasis,
    ListCategory,
    Measure,
    Memorandum,
    MemorandumMeasure,
    Misconduct,
    Parameter,
)
from rulebook.services.category import field_in_use
from rulebook.services.versions import record_versions

DATA = Path(__file__).parents[1] / "data"
REGION = "220500"
SEED = Actor(label="seed_rules")


@transaction.atomic
def seed_rules(*, update=False, demo=False, today=None):
    """Make the rules that are missing; what an operator has changed stays as it is.

    With `update` the shipped tables win: rows are set to them; fields, terms, units and
    measures they lack go, but for a field of which an entry holds a value. What is made or
    changed gets a version, in force from `today`. A calendar year is replaced only by an
    official one. `demo` adds the bank and the association that only the demonstration has,
    with their measures in the memoranda. Run it as often as you like.
    """
    new_units = _seed_departments(update=update, demo=demo)
    changed = {}
    for model, key, table in (
        (LegalBasis, ("code",), "bases"),
        (Misconduct, ("code",), "misconducts"),
        (Measure, ("code",), "measures"),
        (DegreeTerm, ("degree",), "degrees"),
        (Parameter, ("code", "in_force_from"), "parameters"),
    ):
        made, others = _sync(model, key, _rows(table), update=update)
        changed[model] = {"@".join(map(str, k)) for k in made | others}
    changed[Measure] |= _seed_relevance(update=update)
    changed[ListCategory] = _seed_categories(update=update)
    changed[Memorandum] = _seed_memoranda(new_units, update=update)
    record_versions(
        {model: codes for model, codes in changed.items() if codes},
        actor=SEED,
        reason=_("随平台更新") if update else _("随平台提供"),
        today=today or timezone.localdate(),
    )
    _seed_calendar(update=update)


def seed_demo_units():
    """The bank and the association of the demonstration, with their measures."""
    seed_rules(demo=True)


def _load(table):
    with (DATA / f"{table}.toml").open("rb") as file:
        return tomllib.load(file)


# What a table row does not say, and what it says for another table.
DEFAULTS = {
    "departments": {"region": REGION, "document_prefix": ""},
    "bases": {"document_number": ""},
    "misconducts": {"needs_basis": False},
    "categories": {
        "basis_article": "",
        "needs_basis": False,
        "repairable": True,
        "repair_after_months": 0,
        "repair_evidence": [],
        "repair_conditions": "",
        "repair_conditions_en": "",
    },
    "terms": {"minimum_months": None, "maximum_months": None},
    "measures": {
        "advisory": False,
        "needs_end_date": False,
        "persons_only": False,
        "refusal_only": False,
        "needs_basis": False,
        "roles": [],
    },
}
NOT_COLUMNS = {"demo", "departments", "fields", "relevant_to", "terms"}


def _rows(table):
    """{key: columns} of a flat table; the key of a dated row has its first day."""
    rows = {}
    for code, given in _load(table).items():
        row = DEFAULTS.get(table, {}) | {k: v for k, v in given.items() if k not in NOT_COLUMNS}
        if table == "misconducts":
            row["domain"] = code[0]
        if table == "measures":
            row["group"] = code[:2]
        dated = (row.pop("in_force_from"),) if table == "parameters" else ()
        rows[code, *dated] = row
    return rows


def _sync(model, key, rows, *, update, fresh=None, owners=()):
    """Bring the table of `model` to `rows` ({key values: columns}) in at most four queries.

    Without `update` only missing rows are made. `fresh` marks rows that come with an owner:
    they are made only where it says so (a new owner), and `update` also takes away those of
    the `owners` that `rows` lacks; what an operator made besides the tables stays. Returns
    the keys made, and the keys changed or taken away.
    """
    known = {tuple(getattr(row, name) for name in key): row for row in model.objects.all()}
    made = [k for k in rows if k not in known and (update or fresh is None or fresh(k))]
    model.objects.bulk_create(model(**dict(zip(key, k, strict=True)), **rows[k]) for k in made)
    if not update:
        return set(made), set()
    changed = {k for k in rows.keys() & known.keys() if _assign(known[k], rows[k])}
    if changed:
        columns = {column for k in changed for column in rows[k]}
        model.objects.bulk_update([known[k] for k in changed], columns)
    gone = {k for k in known.keys() - rows.keys() if k[0] in owners}
    if gone:
        model.objects.filter(pk__in=[known[k].pk for k in gone]).delete()
    return set(made), changed | gone


def _assign(row, columns):
    """Set the columns of `row`; true if any was different."""
    different = {name: value for name, value in columns.items() if getattr(row, name) != value}
    for name, value in different.items():
        setattr(row, name, value)
    return bool(different)


def _ids(model):
    return dict(model.objects.values_list("code", "pk"))


def _codes(ids, keys):
    """The codes of the rules whose numbers are the first of `keys`; `ids` from `_ids`."""
    touched = {k[0] for k in keys}
    return {code for code, pk in ids.items() if pk in touched}


def _seed_departments(*, update, demo):
    shipped = _load("departments")
    rows = {k: v for k, v in _rows("departments").items() if demo or not shipped[k[0]].get("demo")}
    made, _changed = _sync(Department, ("code",), rows, update=update)
    return {code for (code,) in made}


def _seed_relevance(*, update):
    """The relevance matrix. A measure of which no row is known is taken as new.

    Returns the codes of the measures whose row of the matrix changed.
    """
    shipped, measures, misconducts = _load("measures"), _ids(Measure), _ids(Misconduct)
    through = Measure.relevant_to.through
    settled = set(through.objects.values_list("measure_id", flat=True))
    rows = {
        (measures[code], pk): {}
        for code, measure in shipped.items()
        for misconduct, pk in misconducts.items()
        if misconduct.startswith(tuple(measure.get("relevant_to", ["-"])))
    }
    key = ("measure_id", "misconduct_id")
    made, changed = _sync(
        through,
        key,
        rows,
        update=update,
        fresh=lambda k: k[0] not in settled,
        owners={measures[code] for code in shipped},
    )
    return _codes(measures, made | changed)


def _seed_categories(*, update):
    """The categories with their fields, terms and departments; returns the codes of the changed."""
    shipped = _load("categories")
    defaults = shipped.pop("defaults")
    made, changed = _sync(ListCategory, ("code",), _category_rows(shipped, defaults), update=update)

    ids, units = _ids(ListCategory), _ids(Department)
    new = {ids[code] for (code,) in made}
    fields = {
        (ids[code], field["code"]): _field(field, position)
        for code, given in shipped.items()
        for position, field in enumerate(given.get("fields", []))
    }
    terms = {
        (ids[code], degree): DEFAULTS["terms"] | term
        for code, given in shipped.items()
        for degree, term in given.get("terms", {}).items()
    }
    departments = {
        (ids[code], units[unit]): {}
        for code, given in shipped.items()
        for unit in given["departments"]
    }
    if update:
        fields |= _fields_in_use(fields)
    touched = {code for (code,) in made | changed}
    owners = {ids[code] for code in shipped}
    through = ListCategory.departments.through
    for model, key, rows in (
        (CategoryField, ("category_id", "code"), fields),
        (CategoryTerm, ("category_id", "degree"), terms),
        (through, ("listcategory_id", "department_id"), departments),
    ):
        for keys in _sync(
            model, key, rows, update=update, fresh=lambda k: k[0] in new, owners=owners
        ):
            touched |= _codes(ids, keys)
    return touched


def _fields_in_use(shipped):
    """Fields that the tables lack and an entry has a value of: they stay as they are."""
    rows = CategoryField.objects.select_related("category")
    return {
        (row.category_id, row.code): {}
        for row in rows
        if (row.category_id, row.code) not in shipped and field_in_use(row.category, row.code)
    }


def _category_rows(shipped, defaults):
    bases, misconducts, names = _ids(LegalBasis), _ids(Misconduct), _load("misconducts")
    rows = {}
    for code, given in shipped.items():
        kind = "red" if code.startswith("RS") else "black"
        row = DEFAULTS["categories"] | defaults[kind] | given | {"kind": kind}
        named = names.get(code, row)
        row |= {"name": named["name"], "name_en": named["name_en"]}
        row["misconduct_id"] = misconducts.get(code)
        row["basis_id"] = bases.get(row.pop("basis", None))
        rows[(code,)] = {k: v for k, v in row.items() if k not in NOT_COLUMNS}
    return rows


def _field(field, position):
    row = {"type": "text", "required": False, "disclosure": "public", "masked": False}
    row["position"] = position
    return row | {k: v for k, v in field.items() if k != "code"}


def _seed_memoranda(new_units, *, update):
    """The memoranda with categories, signatories and measures; returns the codes of the changed.

    Signed by the lead and by every unit that they ask for something.
    """
    shipped, units = _load("memoranda"), _ids(Department)
    rows = {
        (code,): {
            "name": given["name"],
            "name_en": given["name_en"],
            "kind": given["kind"],
            "lead_id": units[given["lead"]],
            "signed_on": given["signed_on"],
            "in_force_from": given["signed_on"],
        }
        for code, given in shipped.items()
    }
    made, changed = _sync(Memorandum, ("code",), rows, update=update)
    touched = {code for (code,) in made | changed}

    ids, measures, categories = _ids(Memorandum), _ids(Measure), _ids(ListCategory)
    new, owners = {ids[code] for (code,) in made}, {ids[code] for code in shipped}
    covered = {
        (ids[code], pk): {}
        for code, given in shipped.items()
        for category, pk in categories.items()
        if category.startswith(tuple(given["domains"]))
    }
    key = ("memorandum_id", "listcategory_id")
    through = Memorandum.categories.through
    for keys in _sync(
        through, key, covered, update=update, fresh=lambda k: k[0] in new, owners=owners
    ):
        touched |= _codes(ids, keys)

    fresh_units = {units[code] for code in new_units}
    asked = {
        (ids[code], units[row["unit"]], measures[measure]): {"article": row["article"]}
        for code, given in shipped.items()
        for row in given["measures"]
        if row["unit"] in units
        for measure in row["measures"]
    }
    signed = {(ids[code], units[given["lead"]]): {} for code, given in shipped.items()}
    signed |= {(memorandum, unit): {} for memorandum, unit, _measure in asked}

    def fresh(k):
        return k[0] in new or k[1] in fresh_units

    for model, key, rows in (
        (MemorandumMeasure, ("memorandum_id", "unit_id", "measure_id"), asked),
        (Memorandum.signatories.through, ("memorandum_id", "department_id"), signed),
    ):
        for keys in _sync(model, key, rows, update=update, fresh=fresh, owners=owners):
            touched |= _codes(ids, keys)
    return touched


def _seed_calendar(*, update):
    shipped = _load("calendar")
    known = dict(CalendarYear.objects.values_list("year", "status"))
    for text, given in shipped["years"].items():
        year, official = int(text), given["status"] == CalendarYear.Status.OFFICIAL
        if year not in known or (update and official):
            days = [
                day
                for holiday in given["holidays"]
                for day in _days(year, holiday, shipped["names"][holiday["name"]])
            ]
            load_year(year, days, status=given["status"], source=given["source"], actor=SEED)


def _days(year, holiday, name_en):
    first, last = (date.fromisoformat(f"{year}-{day}") for day in holiday["off"])
    off = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    work = [date.fromisoformat(f"{year}-{day}") for day in holiday.get("work", [])]
    return [
        SpecialDay(day=day, year_id=year, kind=kind, name=holiday["name"], name_en=name_en)
        for kind, days in (("off", off), ("work", work))
        for day in days
    ]
