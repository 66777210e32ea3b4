"""The rules in force: categories, legal bases, measures, memoranda."""

from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from casework.api import Door, choice, like, maybe, page, page_of, shape
from casework.api.pages import PAGE_PARAMETERS
from rulebook.models import (
    CategoryField,
    Degree,
    LegalBasis,
    ListCategory,
    ListKind,
    Measure,
    Memorandum,
    ResponsibleRole,
)
from rulebook.services import rules_of

CATEGORY = shape(
    "Category",
    {
        "code": "M05",
        "name": "恶意欠薪",
        "list": choice(ListKind.values),
        "misconduct": maybe("M05"),
        "basis": maybe("nongmingong-gongzi-tiaoli"),
        "basis_article": "第四十八条",
        "needs_basis": False,
        "departments": ["rsj"],
        "term_months": 12,
        "terms": [
            {
                "degree": choice(Degree.values),
                "term_months": 12,
                "minimum_months": 12,
                "maximum_months": 36,
            }
        ],
        "repairable": True,
        "repair_after_months": 6,
        "repair_evidence": ["工资足额支付凭证"],
        "repair_conditions": "拖欠的工资已经足额支付给劳动者本人。",
        "machine_publication": False,
        "fields": [
            {
                "code": "amount",
                "title": "金额（万元）",
                "type": choice(CategoryField.Type.values),
                "required": False,
                "disclosure": choice(CategoryField.Disclosure.values),
                "masked": False,
            }
        ],
        "version": 1,
    },
)
BASIS = shape(
    "Basis",
    {
        "code": "shipin-anquan-fa",
        "title": "中华人民共和国食品安全法",
        "document_number": "",
        "level": 1,
        "level_name": "法律",
        "source": "国家法律法规数据库",
        "in_force_from": "2021-04-29",
        "in_force_to": maybe("2030-01-01"),
    },
)
MEASURE = shape(
    "Measure",
    {
        "code": "PA07",
        "name": "限制财政性资金项目",
        "group": choice(Measure.Group.values),
        "advisory": False,
        "needs_end_date": False,
        "persons_only": False,
        "refusal_only": False,
        "needs_basis": False,
        "relevant_to": ["M05"],
        "roles": [choice(ResponsibleRole.values)],
    },
)
MEMORANDUM = shape(
    "Memorandum",
    {
        "id": "0b0f6c0e-6f0f-4a59-9c7e-0d9f5a0f3b57",
        "code": "mou-m",
        "name": "联合惩戒合作备忘录",
        "list": choice(ListKind.values),
        "lead": {"code": "fgw", "name": "通化市发展和改革委员会"},
        "signatories": [{"code": "czj", "name": "通化市财政局"}],
        "signed_on": "2018-06-20",
        "in_force_from": "2018-06-20",
        "in_force_to": maybe("2030-01-01"),
        "in_force": True,
        "categories": ["M05"],
    },
)
MEMORANDUM_MEASURE = {
    "unit": {"code": "czj", "name": "通化市财政局"},
    "code": "PA07",
    "name": "限制财政性资金项目",
    "article": "第五条",
    "advisory": False,
}
MEMORANDUM_IN_FULL = shape("MemorandumInFull", {**MEMORANDUM, "measures": [MEMORANDUM_MEASURE]})


class Rules(Door):
    scopes = {"GET": "read"}
    parameters = PAGE_PARAMETERS


class Categories(Rules):
    @extend_schema(summary="名单类别", responses={200: page_of(CATEGORY)})
    def get(self, request):
        rows = ListCategory.objects.filter(active=True).select_related("misconduct", "basis")
        rows = rows.prefetch_related("departments", "fields", "terms")
        return page(self, rows, self._show, ordering="code")

    def _show(self, found):
        rules = rules_of(found)
        return [_category(row, rules[row.pk]) for row in found]


class Bases(Rules):
    @extend_schema(summary="施行中的法律依据", responses={200: page_of(BASIS)})
    def get(self, request):
        rows = LegalBasis.objects.in_force(self.today)
        return page(self, rows, lambda found: [_basis(row) for row in found], ordering="code")


class Measures(Rules):
    @extend_schema(summary="奖惩措施", responses={200: page_of(MEASURE)})
    def get(self, request):
        rows = Measure.objects.prefetch_related("relevant_to")
        return page(self, rows, lambda found: [_measure(row) for row in found], ordering="code")


class Memoranda(Rules):
    @extend_schema(
        summary="施行中的合作备忘录",
        operation_id="memoranda_list",
        responses={200: page_of(MEMORANDUM)},
    )
    def get(self, request):
        rows = _memoranda().filter(pk__in=Memorandum.objects.in_force(self.today))
        return page(self, rows, self._show, ordering="code")

    def _show(self, found):
        return [_memorandum(row, self.today) for row in found]


class MemorandumDetail(Rules):
    parameters = frozenset()

    @extend_schema(
        summary="一件备忘录：各单位的措施和条款",
        responses={200: like(MEMORANDUM_IN_FULL)},
    )
    def get(self, request, public_id):
        row = get_object_or_404(_memoranda(), public_id=public_id)
        measures = row.measures.select_related("unit", "measure").order_by(
            "unit__code", "measure__code"
        )
        shown = [_memorandum_measure(measure) for measure in measures]
        return Response({**_memorandum(row, self.today), "measures": shown})


def basis_called(text, today):
    """The base in force with this code or exact title, or None."""
    rows = LegalBasis.objects.in_force(today)
    named = Q(name=text) | Q(name_en=text)
    return rows.filter(code=text).first() or rows.filter(named).first()


def _memoranda():
    rows = Memorandum.objects.select_related("lead")
    return rows.prefetch_related("signatories", "categories")


def _category(row, rule):
    return {
        "code": row.code,
        "name": str(row),
        "list": row.kind,
        "misconduct": row.misconduct.code if row.misconduct else None,
        "basis": row.basis.code if row.basis else None,
        "basis_article": row.basis_article,
        "needs_basis": row.needs_basis,
        "departments": sorted(unit.code for unit in row.departments.all()),
        "term_months": row.term_months,
        "terms": [_term(rule, degree) for degree in Degree] if row.kind == ListKind.BLACK else [],
        "repairable": row.repairable,
        "repair_after_months": row.repair_after_months,
        "repair_evidence": row.repair_evidence,
        "repair_conditions": rule.conditions,
        "machine_publication": row.machine_publication,
        "fields": [
            {
                "code": field.code,
                "title": str(field),
                "type": field.type,
                "required": field.required,
                "disclosure": field.disclosure,
                "masked": field.masked,
            }
            for field in rule.fields
        ],
        "version": row.version,
    }


def _term(rule, degree):
    """How long an entry of the degree lasts, and may last at least and at most, in months."""
    most = rule.maximum_for(degree)
    return {
        "degree": degree.value,
        "term_months": min(rule.term_for(degree), most),
        "minimum_months": rule.minimum_for(degree),
        "maximum_months": most,
    }


def _basis(row):
    return {
        "code": row.code,
        "title": str(row),
        "document_number": row.document_number,
        "level": row.level,
        "level_name": row.get_level_display(),
        "source": row.source,
        "in_force_from": row.in_force_from,
        "in_force_to": row.in_force_to,
    }


def _measure(row):
    return {
        "code": row.code,
        "name": str(row),
        "group": row.group,
        "advisory": row.advisory,
        "needs_end_date": row.needs_end_date,
        "persons_only": row.persons_only,
        "refusal_only": row.refusal_only,
        "needs_basis": row.needs_basis,
        "relevant_to": [misconduct.code for misconduct in row.relevant_to.all()],
        "roles": row.roles,
    }


def _memorandum(row, today):
    ended = row.in_force_to is not None and row.in_force_to < today
    return {
        "id": str(row.public_id),
        "code": row.code,
        "name": str(row),
        "list": row.kind,
        "lead": {"code": row.lead.code, "name": row.lead.name},
        "signatories": [{"code": unit.code, "name": unit.name} for unit in row.signatories.all()],
        "signed_on": row.signed_on,
        "in_force_from": row.in_force_from,
        "in_force_to": row.in_force_to,
        "in_force": row.in_force_from <= today and not ended,
        "categories": [category.code for category in row.categories.all()],
    }


def _memorandum_measure(row):
    return {
        "unit": {"code": row.unit.code, "name": row.unit.name},
        "code": row.measure.code,
        "name": str(row.measure),
        "article": row.article,
        "advisory": row.advisory,
    }
