import pytest
from django.contrib import admin
from django.urls import reverse

from casework.models import CalendarYear, Event, SpecialDay
from parties.models import AccessLog, ApiKey, Department, Subject, User
from rulebook import services
from rulebook.models import ListCategory, Measure, Memorandum, Misconduct
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


@pytest.mark.parametrize("model", [Event, Subject, AccessLog])
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


def test_changing_a_day_raises_the_version_of_its_year(operator):
    day = SpecialDay.objects.filter(year_id=2027).first()
    values = {"kind": "off", "name": day.name, "name_en": day.name_en}
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
    }
    assert operator.post(address(User, "add"), values).status_code == 302
    assert User.objects.get(username="rsj-new").roles == ["clerk", "liaison"]
