"""What may be done with each table of the back office, from its own registry.

A table that is registered there and has no rule here fails, and so does a matter that can't be
looked at there.
"""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils import timezone

from casework.models import CalendarYear, Case, Event, SpecialDay
from parties.models import Department, User
from rulebook.services import VERSIONED
from tests import builders

READ = "looked at, never touched"
RULE = "changed for a reason, each change a version; never deleted"
REASON = "changed for a reason that its history tells; never deleted"
DAY = "changed for a reason; when it goes, the journal of its year says so"
ACCOUNT = "made and changed here; switched off or revoked, never deleted"
STOCK = "the library's own, of no matter"

RULES = {
    "auth.Group": STOCK,
    "axes.AccessAttempt": STOCK,
    "axes.AccessLog": STOCK,
    "axes.AccessFailureLog": STOCK,
    "parties.Department": REASON,
    "parties.User": ACCOUNT,
    "parties.ApiKey": ACCOUNT,
    "parties.Subject": READ,
    "parties.AccessLog": READ,
    "parties.AccountEvent": READ,
    "parties.Delegation": READ,
    "parties.SignInRecord": READ,
    "parties.SigningKey": READ,
    "casework.CalendarYear": REASON,
    "casework.SpecialDay": DAY,
    "casework.Event": READ,
    "casework.Letter": READ,
    "rulebook.RuleVersion": READ,
    **{model._meta.label: RULE for model in VERSIONED},
    "notices.Notice": READ,
    "listings.Listing": READ,
    "listings.Proposal": READ,
    "listings.SubjectChange": READ,
    "listings.Change": READ,
    "listings.AdverseRecord": READ,
    "listings.ImportBatch": READ,
    "listings.PartnerCity": READ,
    "listings.ExchangeFile": READ,
    "jointaction.Push": READ,
    "jointaction.Feedback": READ,
    "jointaction.Check": READ,
    "jointaction.Hit": READ,
    "jointaction.Sheet": READ,
    "jointaction.Endpoint": READ,
    "jointaction.Delivery": READ,
    "redlist.Nomination": READ,
    "redlist.Screening": READ,
    "redlist.Review": READ,
    "blacklist.PriorNotice": READ,
    "objections.Objection": READ,
    "repair.Repair": READ,
    "portal.CreditReport": READ,
    "portal.BoardExport": READ,
}
CONFIDENTIAL = {"tipoffs.Report", "tipoffs.VaultKey"}  # shown to who handles them, nowhere else
MAY = {  # rule: (add, change, delete)
    READ: (False, False, False),
    RULE: (True, True, False),
    REASON: (True, True, False),
    DAY: (True, True, True),
    ACCOUNT: (True, True, False),
}
REGISTERED = {model._meta.label: one for model, one in admin.site._registry.items()}
OURS = sorted(label for label in REGISTERED if RULES.get(label) != STOCK)


def test_every_table_of_the_back_office_has_a_rule_here():
    assert REGISTERED.keys() == RULES.keys()


def test_every_kind_of_matter_can_be_looked_at_there():
    matters = {
        m._meta.label for m in apps.get_models() if issubclass(m, Case) and not m._meta.proxy
    }
    assert matters - CONFIDENTIAL <= REGISTERED.keys()
    assert not CONFIDENTIAL & REGISTERED.keys()


@pytest.fixture
def root(rf, db):
    user = User(username="root", full_name="示例管理员", is_staff=True, is_superuser=True)
    user.save()
    request = rf.get("/admin/")
    request.user = user
    return request


@pytest.mark.parametrize("label", OURS)
def test_who_may_everything_may_no_more_than_the_rule(root, label):
    one = REGISTERED[label]
    may = (
        one.has_add_permission(root),
        one.has_change_permission(root),
        one.has_delete_permission(root),
    )
    assert may == MAY[RULES[label]]
    assert ("delete_selected" in one.get_actions(root)) is may[2]


@pytest.mark.parametrize("label", [label for label in OURS if RULES[label] in {RULE, REASON, DAY}])
def test_what_others_rest_on_asks_why_it_is_changed_and_not_why_it_is_new(root, label):
    one = REGISTERED[label]
    row = one.model.objects.first()
    new, changed = one.get_form(root)(), one.get_form(root, row)(instance=row)
    assert changed.fields["reason"].required
    assert not new.fields["reason"].required


@pytest.fixture
def office(client, rules):
    root = User.objects.create_superuser("root", password=None, full_name="示例管理员")
    return builders.signed_in(client, root)


def _address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def _values(page):
    form = page.context["adminform"].form
    return {name: form[name].value() for name in form.fields if form[name].value() is not None}


def test_a_department_is_changed_for_a_reason_that_its_history_tells(office):
    row = Department.objects.get(code="rsj")
    address = _address(Department, "change", row.pk)
    values = _values(office.get(address)) | {"short_name": "示例简称", "active": "on"}
    assert office.post(address, values).status_code == 200
    row.refresh_from_db()
    assert row.short_name != "示例简称"
    assert office.post(address, values | {"reason": "机构改革"}).status_code == 302
    row.refresh_from_db()
    assert row.short_name == "示例简称"
    assert LogEntry.objects.get().get_change_message() == "修改：简称。原因：机构改革"
    assert "机构改革" in office.get(_address(Department, "history", row.pk)).content.decode()


def test_a_year_of_the_calendar_says_in_its_journal_who_changed_it_and_why(office):
    year = CalendarYear.objects.get(year=2027)
    address = _address(CalendarYear, "change", year.pk)
    values = _values(office.get(address)) | {"source": "示例通知", "reason": "通知已印发"}
    assert office.post(address, values).status_code == 302
    year.refresh_from_db()
    assert (year.source, year.version) == ("示例通知", 2)
    assert _journal(year) == [("edit", "通知已印发", "示例管理员")]
    office.post(address, values)  # saved again unchanged
    year.refresh_from_db()
    assert year.version == 2


def test_a_day_that_goes_is_told_in_the_journal_of_its_year(office):
    first, second = SpecialDay.objects.filter(year_id=2027)[:2]
    office.post(_address(SpecialDay, "delete", first.pk), {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [second.pk], "post": "yes"}
    office.post(_address(SpecialDay, "changelist"), chosen)
    told = [note for _action, note, _by in _journal(CalendarYear.objects.get(year=2027))]
    assert len(told) == 2
    assert all(str(day.pk) in note for day, note in zip((first, second), told, strict=True))


def _journal(year):
    kind = ContentType.objects.get_for_model(CalendarYear)
    rows = Event.objects.filter(content_type=kind, object_id=year.pk, at__date=timezone.localdate())
    return list(rows.filter(action="edit").values_list("action", "note", "by_label"))
