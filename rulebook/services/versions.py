"""The versions of the rules: what each said from which day on, who changed it, and why."""

from datetime import date

from django.db import models, transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from rulebook.models import (
    Degree,
    DegreeTerm,
    LegalBasis,
    ListCategory,
    Measure,
    Memorandum,
    MemorandumMeasure,
    Misconduct,
    Parameter,
    RuleVersion,
    rule_code,
)

# Keys and numbers of rows say nothing about a rule; a part need not name the whole it is in.
NOT_CONTENT = {"id", "public_id", "version", "category", "memorandum"}


@transaction.atomic
def record_version(rule, *, actor, reason, today):
    """Keep what a changed rule says now as its next version; returns its last one.

    A rule that says what its last version says gets none. The row stays locked until the
    transaction ends, so that of two changes at once each has its own number. Raises
    ValidationError where no reason is given.
    """
    model = type(rule)
    rule = model._default_manager.select_for_update(of=("self",)).get(pk=rule.pk)
    last = RuleVersion.objects.of(rule).last()
    [(code, content)] = contents_of(model, model._default_manager.filter(pk=rule.pk)).items()
    if last is None or last.content != content:
        number = last.version + 1 if last else 1
        last = _version(model, code, number, content, actor=actor, reason=reason, today=today)
        last.full_clean(exclude=["by_user", "by_key"])
        last.save(force_insert=True)
    if model is ListCategory and rule.version != last.version:
        ListCategory.objects.filter(pk=rule.pk).update(version=last.version)
    return last


def record_versions(changed, *, actor, reason, today):
    """The same for many rules, set-based: `changed` is {model: codes of those that changed}.

    Each gets a version, also one that says again what its last version said: it said
    something else in between.
    """
    lasts = _last_numbers(changed)
    made = []
    for model, codes in changed.items():
        for code, content in contents_of(model, _called(model, codes)).items():
            number = lasts.get((model._meta.model_name, code), 0) + 1
            made.append(
                _version(model, code, number, content, actor=actor, reason=reason, today=today)
            )
    RuleVersion.objects.bulk_create(made)
    numbers = {row.code: row.version for row in made if row.rule == _CATEGORY}
    categories = list(ListCategory.objects.filter(code__in=numbers))
    for category in categories:
        category.version = numbers[category.code]
    ListCategory.objects.bulk_update(categories, ["version"])


_CATEGORY = ListCategory._meta.model_name


def _version(model, code, number, content, *, actor, reason, today):
    return RuleVersion(
        rule=model._meta.model_name,
        code=code,
        version=number,
        in_force_from=today,
        content=content,
        reason=reason,
        **actor.columns,
    )


def _last_numbers(changed):
    """{(rule, code): number of the last version}."""
    rules = [model._meta.model_name for model in changed]
    found = RuleVersion.objects.filter(rule__in=rules).order_by().values_list("rule", "code")
    return {(rule, code): last for rule, code, last in found.annotate(models.Max("version"))}


def _called(model, codes):
    """The rows of `model` that their versions know by these codes."""
    rows = model._default_manager.all()
    if model is Parameter:
        return rows.filter(pk__in=[row.pk for row in rows if rule_code(row) in codes])
    return rows.filter(**{f"{'degree' if model is DegreeTerm else 'code'}__in": codes})


# ── what a rule says ──────────────────────────────────────────────────────────────────────────


def contents_of(model, rows):
    """{code: what the rule says, with its parts, as plain JSON values} of a queryset's rules."""
    parts, content = VERSIONED[model]
    return {rule_code(row): content(row) for row in parts(rows)}


def _columns(row, *, but=()):
    """The row's own columns; another row is named by its code."""
    return {
        column.name: _plain(getattr(row, column.name))
        for column in row._meta.concrete_fields
        if column.name not in NOT_CONTENT and column.name not in but
    }


def _plain(value):
    if isinstance(value, models.Model):
        return value.code
    return value.isoformat() if isinstance(value, date) else value


def _codes(rows):
    return sorted(row.code for row in rows.all())


def _measure(row):
    return {**_columns(row), "relevant_to": _codes(row.relevant_to)}


def _category(row):
    return {
        **_columns(row),
        "departments": _codes(row.departments),
        "fields": {field.code: _columns(field, but=["code"]) for field in row.fields.all()},
        "terms": {term.degree: _columns(term, but=["degree"]) for term in row.terms.all()},
    }


def _memorandum(row):
    return {
        **_columns(row),
        "signatories": _codes(row.signatories),
        "categories": _codes(row.categories),
        "measures": {
            f"{part.unit.code} {part.measure.code}": {"article": part.article}
            for part in row.measures.all()
        },
    }


def _category_parts(rows):
    rows = rows.select_related("misconduct", "basis")
    return rows.prefetch_related("departments", "fields", "terms")


def _memorandum_parts(rows):
    measures = MemorandumMeasure.objects.select_related("unit", "measure")
    return rows.select_related("lead").prefetch_related(
        "signatories", "categories", Prefetch("measures", measures)
    )


def _measure_parts(rows):
    return rows.prefetch_related("relevant_to")


def _no_parts(rows):
    return rows


# {model: (what to load with its rows, what a row says)}
VERSIONED = {
    LegalBasis: (_no_parts, _columns),
    Misconduct: (_no_parts, _columns),
    Measure: (_measure_parts, _measure),
    DegreeTerm: (_no_parts, _columns),
    Parameter: (_no_parts, _columns),
    ListCategory: (_category_parts, _category),
    Memorandum: (_memorandum_parts, _memorandum),
}


# ── what changed, in words ────────────────────────────────────────────────────────────────────


def differences(model, old, new):
    """[(what, old, new)] of two contents of a rule, in the words of its forms."""
    before, after = dict(_flat(old)), dict(_flat(new))
    return [
        (_name(model, path), _words(model, path, before), _words(model, path, after))
        for path in dict.fromkeys([*before, *after])
        if before.get(path) != after.get(path)
    ]


def _flat(content, path=()):
    """The values of a content with the way to each: ("fields", "licence", "required")."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, (*path, key))
        else:
            yield (*path, key), value


def _column(model, path):
    """The column that holds the value: the rule's own, or that of a part of it."""
    column = model._meta.get_field(path[0])
    return column if len(path) == 1 else column.related_model._meta.get_field(path[-1])


def _name(model, path):
    name = str(_column(model, path).verbose_name)
    if len(path) == 1:
        return name
    part = model._meta.get_field(path[0]).related_model._meta.verbose_name
    which = Degree(path[1]).label if path[1] in Degree.values else path[1]
    return f"{part} {which} {name}"


def _words(model, path, content):
    value = content.get(path)
    if value is None or value in ("", []):
        return _("无")
    if isinstance(value, bool):
        return _("是") if value else _("否")
    column = _column(model, path)
    labels = dict(getattr(column, "base_field", column).flatchoices or ())
    if isinstance(value, list):
        return _("、").join(str(labels.get(part, part)) for part in value)
    return str(labels.get(value, value))
