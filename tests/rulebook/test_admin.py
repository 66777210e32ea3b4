import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from casework.models import CalendarYear, Event, SpecialDay
from parties.models import AccessLog, ApiKey, Department, Subject, User
from rulebook import services
from rulebook.models import (
    CategoryTerm,
    DegreeTerm,
    LegalBasis,
    ListCategory,
    Measure,
    Memorandum,
    Misconduct,
    Parameter,
    RuleVersion,
)
from tests import builders

pytestmark = pytest.mark.django_db
OURS = [
    model
    for model in admin.site._registry
    if model._meta.app_label in {"parties", "casework", "rulebook"}
]


@pytest.fixture
def operator(client):
    services.seed_rules()
    user = User.objects.create_superuser("operator", password=None, full_name="示例管理员")
    return builders.signed_in(client, user)


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_list_and_form_of_the_back_office_opens(operator, model):
    assert operator.get(address(model, "changelist"), {"q": "示例"}).status_code == 200
    row = model.objects.order_by("pk").last()
    if row:
        assert operator.get(address(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", [Event, Subject, AccessLog, RuleVersion])
def test_what_services_write_is_only_read_here(operator, model):
    assert operator.get(address(model, "add")).status_code == 403


@pytest.mark.parametrize("model", [User, ApiKey])
def test_accounts_and_keys_are_made_here(operator, model):
    assert operator.get(address(model, "add")).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_staff_without_a_permission_see_nothing(client, model):
    user = User.objects.create_user("clerk", full_name="示例经办", is_staff=True)
    builders.signed_in(client, user)
    assert client.get(address(model, "changelist")).status_code == 403


@pytest.mark.parametrize("model", [Department, Measure, Memorandum, ListCategory, Misconduct])
def test_what_published_entries_name_by_its_code_keeps_it_and_stays(operator, model):
    row = model.objects.order_by("pk").last()
    form = operator.get(address(model, "change", row.pk)).context["adminform"].form
    assert "code" not in form.fields
    assert operator.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def form_values(response):
    """What a browser would send back: the form's and its inlines' present values."""
    forms = [response.context["adminform"].form]
    for part in response.context["inline_admin_formsets"]:
        forms += [part.formset.management_form, *part.formset.forms]
    values = {}
    for form in forms:
        for name in form.fields:
            value = form[name].value()
            if value is None or value is False:
                continue
            values[form.add_prefix(name)] = value
    return values


def test_changing_a_category_raises_its_version_and_saving_it_unchanged_does_not(operator):
    category = ListCategory.objects.get(code="M05")
    page = address(ListCategory, "change", category.pk)
    values = form_values(operator.get(page))
    values["repair_evidence"] = ",".join(category.repair_evidence)
    values["initial-repair_evidence"] = values["repair_evidence"]
    values["reason"] = "示例：按新文件调整"
    assert operator.post(page, values).status_code == 302
    category.refresh_from_db()
    assert category.version == 1
    assert operator.post(page, values | {"term_months": 18}).status_code == 302
    category.refresh_from_db()
    assert (category.version, category.term_months) == (2, 18)
    assert operator.post(page, values | {"fields-0-required": "on"}).status_code == 302
    category.refresh_from_db()
    assert category.version == 3


RULES = (LegalBasis, Misconduct, Measure, DegreeTerm, Parameter, ListCategory, Memorandum)
REASON = {"reason": "示例：按新文件调整"}


@pytest.fixture
def wages(operator):
    """The form of a category as a browser would send it back, and where to."""
    category = ListCategory.objects.get(code="M05")
    page = address(ListCategory, "change", category.pk)
    values = form_values(operator.get(page))
    values["repair_evidence"] = ",".join(category.repair_evidence)
    values["initial-repair_evidence"] = values["repair_evidence"]
    return category, page, values


def errors(response):
    """What the form and its inlines refuse, in words."""
    told = [str(response.context["adminform"].form.errors)]
    for part in response.context["inline_admin_formsets"]:
        told += [str(part.formset.non_form_errors()), str(part.formset.errors)]
    return "".join(told)


@pytest.mark.parametrize("model", RULES, ids=lambda model: model._meta.label)
def test_no_rule_is_saved_without_a_reason(operator, model):
    row = model.objects.order_by("pk").last()
    page = address(model, "change", row.pk)
    form = operator.get(page)
    assert form.context["adminform"].form["reason"].value() is None
    answer = operator.post(page, form_values(form))
    assert answer.status_code == 200
    assert "reason" in answer.context["adminform"].form.errors
    assert RuleVersion.objects.of(row).count() == 1


@pytest.mark.parametrize("model", RULES, ids=lambda model: model._meta.label)
def test_no_rule_is_deleted(operator, model):
    row = model.objects.order_by("pk").last()
    assert operator.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    listed = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    operator.post(address(model, "changelist"), listed)
    assert model.objects.filter(pk=row.pk).exists()


def test_a_saved_change_is_a_version_of_the_user_with_the_reason_and_shows_on_the_page(
    operator, wages
):
    category, page, values = wages
    assert operator.post(page, values | REASON | {"term_months": 18}).status_code == 302
    version = RuleVersion.objects.of(category).last()
    assert (version.version, version.by_user.username) == (2, "operator")
    assert version.reason == REASON["reason"]
    assert version.in_force_from == timezone.localdate()
    shown = operator.get(page).content.decode()
    assert REASON["reason"] in shown
    assert "期限（月）：12 → 18" in shown
    told = operator.get(address(RuleVersion, "change", version.pk)).content.decode()
    assert "期限（月）：12 → 18" in told
    listed = operator.get(address(RuleVersion, "changelist"), {"rule": "listcategory", "q": "M05"})
    assert {row.pk for row in listed.context["cl"].result_list} == set(
        RuleVersion.objects.of(category).values_list("pk", flat=True)
    )


def test_a_new_rule_has_its_first_version_without_a_reason_asked(operator):
    values = {
        "code": "defence",
        "name": "示例期限",
        "name_en": "Example",
        "value": 7,
        "extendable_by": 0,
        "unit": "working_days",
        "source": "示例文件",
        "in_force_from": "2030-01-01",
    }
    assert operator.post(address(Parameter, "add"), values).status_code == 302
    row = Parameter.objects.get(code="defence", in_force_from="2030-01-01")
    version = RuleVersion.objects.of(row).get()
    assert (version.version, version.reason) == (1, "新增")
    other = values | {"in_force_from": "2031-01-01", "unit": "days"}
    assert "单位要一致" in errors(operator.post(address(Parameter, "add"), other))


def test_what_a_rule_is_known_by_is_given_once(operator):
    for model, fixed in {
        Parameter: {"code", "in_force_from", "unit"},
        DegreeTerm: {"degree"},
        ListCategory: {"code", "kind", "misconduct", "version"},
    }.items():
        row = model.objects.order_by("pk").last()
        form = operator.get(address(model, "change", row.pk)).context["adminform"].form
        assert not fixed & form.fields.keys()


def test_a_field_that_an_entry_uses_is_neither_deleted_nor_renamed_nor_given_another_type(
    operator, wages
):
    category, page, values = wages
    builders.black_draft(details={"project": "示例工程"})
    number = next(n for n in range(4) if values[f"fields-{n}-code"] == "project")
    for touched in (
        {f"fields-{number}-DELETE": "on"},
        {f"fields-{number}-code": "site"},
        {f"fields-{number}-type": "date"},
    ):
        answer = operator.post(page, values | REASON | touched)
        assert answer.status_code == 200
        assert "已有记录填了 project" in errors(answer)
    title = {f"fields-{number}-title": "示例工程名称"}
    assert operator.post(page, values | REASON | title).status_code == 302
    unused = next(n for n in range(4) if values[f"fields-{n}-code"] == "people")
    assert (
        operator.post(page, values | REASON | {f"fields-{unused}-DELETE": "on"}).status_code == 302
    )
    assert set(category.fields.values_list("code", flat=True)) == {"amount", "project", "period"}


def test_a_term_by_degree_is_given_within_the_law(operator, wages):
    category, page, values = wages
    term = {
        "terms-TOTAL_FORMS": 1,
        "terms-0-degree": "serious",
        "terms-0-term_months": 18,
        "terms-0-minimum_months": "",
        "terms-0-maximum_months": 48,
    }
    answer = operator.post(page, values | REASON | term)
    assert answer.status_code == 200
    assert "最长公示 36 个月" in errors(answer)
    assert not CategoryTerm.objects.filter(category=category).exists()
    term["terms-0-maximum_months"] = 24
    assert operator.post(page, values | REASON | term).status_code == 302
    kept = RuleVersion.objects.of(category).last().content["terms"]
    assert kept == {"serious": {"term_months": 18, "minimum_months": None, "maximum_months": 24}}


def test_a_rule_that_ends_before_it_begins_is_refused(operator):
    row = LegalBasis.objects.first()
    page = address(LegalBasis, "change", row.pk)
    values = form_values(operator.get(page)) | REASON | {"in_force_to": "1999-01-01"}
    assert "失效日期不能早于施行日期" in errors(operator.post(page, values))


def test_changing_a_day_raises_the_version_of_its_year(operator):
    day = SpecialDay.objects.filter(year_id=2027).first()
    values = {"kind": "off", "name": day.name, "name_en": day.name_en, **REASON}
    assert operator.post(address(SpecialDay, "change", day.pk), values).status_code == 302
    assert CalendarYear.objects.get(year=2027).version == 2
    assert operator.post(address(SpecialDay, "delete", day.pk), {"post": "yes"}).status_code == 302
    assert CalendarYear.objects.get(year=2027).version == 3


def test_roles_and_departments_are_given_in_the_form(operator):
    values = {
        "username": "rsj-new",
        "full_name": "示例新人",
        "department": Department.objects.get(code="rsj").pk,
        "roles": ["clerk", "liaison"],
        "password1": "a-Long-pass-phrase-7",
        "password2": "a-Long-pass-phrase-7",
        "usable_password": "true",
        "reason": "新录用，示例〔2026〕1号",
    }
    told = operator.post(address(User, "add"), values)
    assert "开通码" in told.content.decode()
    assert User.objects.get(username="rsj-new").roles == ["clerk", "liaison"]
