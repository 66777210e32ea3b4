"""The platform operator opens, changes and closes accounts, each time for a reason."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from parties import services
from parties.models import AccountEvent, Actor, ApiKey, Role, User
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
CODE = re.compile(r"(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}")
PASSWORD = "示例-correct-horse"  # noqa: S105


@pytest.fixture
def root():
    return User.objects.create_superuser(
        "root",
        password=PASSWORD,
        full_name="示例管理员",
        department=builders.department("platform"),
    )


@pytest.fixture
def office(root):
    return builders.signed_in(Client(), root)


def lines(account):
    return list(AccountEvent.objects.filter(account=account).values_list("action", flat=True))


def test_a_new_account_gets_a_code_and_a_password_that_is_changed_first(office):
    page = reverse("admin:parties_user_add")
    given = {
        "username": "rsj-new",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "full_name": "示例新人",
        "department": builders.department("rsj").pk,
        "roles": ["clerk"],
    }
    assert office.post(page, given).status_code == 200
    assert not User.objects.filter(username="rsj-new").exists()  # no reason was given
    answer = office.post(page, given | {"reason": "调入，示例通知1号"})
    account = User.objects.get(username="rsj-new")
    assert CODE.search(answer.content.decode())
    assert account.must_change_password
    assert lines(account) == ["create"]
    assert account.spare_codes.get().kind == "enrolment"


def test_a_change_of_an_account_names_what_and_why(office):
    clerk = builders.clerk()
    page = reverse("admin:parties_user_change", args=[clerk.pk])
    given = {
        "username": clerk.username,
        "full_name": clerk.full_name,
        "department": clerk.department_id,
        "roles": ["clerk", "reviewer"],
        "is_active": "on",
        "date_joined_0": "2026-01-05",
        "date_joined_1": "00:00:00",
    }
    office.post(page, given)
    clerk.refresh_from_db()
    assert clerk.roles == ["clerk"]
    assert office.post(page, given | {"reason": "任命示例2号"}).status_code == 302
    clerk.refresh_from_db()
    assert clerk.roles == ["clerk", "reviewer"]
    line = AccountEvent.objects.get(account=clerk)
    assert "reviewer" in line.note
    assert line.note.endswith("任命示例2号")


def test_a_password_set_by_the_operator_ends_the_sessions_and_must_be_changed(office):
    clerk = builders.clerk()
    page = reverse("admin:auth_user_password_change", args=[clerk.pk])
    given = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert office.post(page, given).status_code == 302
    clerk.refresh_from_db()
    assert clerk.must_change_password
    assert lines(clerk) == ["password_given"]


def test_a_reset_takes_the_device_and_the_codes_away(office):
    clerk = builders.clerk()
    services.give_second_factor(clerk)
    services.make_recovery_codes(clerk, actor=Actor.of(clerk))
    page = reverse("admin:parties_user_factor", args=[clerk.pk])
    assert office.get(page).status_code == 200
    assert office.post(page, {"reason": ""}).status_code == 400
    answer = office.post(page, {"reason": "手机丢失"})
    assert CODE.search(answer.content.decode())
    assert not TOTPDevice.objects.filter(user=clerk).exists()
    assert services.spare_codes_left(clerk) == 0
    assert lines(clerk) == ["recovery_codes", "reset_factor"]


def test_an_officer_who_leaves_is_handed_over(office, root):
    clerk, reviewer = builders.clerk(), builders.reviewer()
    draft = builders.black_draft()
    key, _raw = services.make_key(clerk, scopes=["read"], name="审批系统")
    today = timezone.localdate()
    services.delegate(
        clerk,
        reviewer,
        starts=today,
        ends=today + timedelta(days=5),
        why="休假",
        actor=Actor.of(clerk),
    )
    page = reverse("admin:parties_user_leave", args=[clerk.pk])
    told = office.get(page).content.decode()
    for words in (key.prefix, str(draft.subject), draft.document_number):
        assert words in told
    assert office.post(page, {"reason": ""}).status_code == 400
    answer = office.post(page, {"reason": "调离", "heir": reviewer.pk})
    assert key.prefix in answer.content.decode()
    clerk.refresh_from_db()
    key.refresh_from_db()
    assert not clerk.is_active
    assert (key.officer, key.revoked) == (reviewer, False)
    assert not clerk.delegations.get().is_open(today)
    assert lines(clerk)[-1] == "leave"
    assert lines(reviewer)[-1] == "key_move"
    again = office.post(page, {"reason": "调离"})
    assert again.status_code == 400
    assert "已经停用" in again.content.decode()


def test_without_an_heir_the_keys_are_revoked_and_a_stranger_inherits_none():
    clerk, actor = builders.clerk(), Actor.of(builders.operator())
    services.make_key(clerk, scopes=["read"], name="示例")
    with pytest.raises(ValidationError) as refusal:
        services.leave(clerk, actor=actor, reason="调离", heir=builders.clerk("hbj"))
    assert "heir" in refusal.value.error_dict
    left = services.leave(clerk, actor=actor, reason="调离")
    assert len(left.keys) == 1
    assert ApiKey.objects.get().revoked
    with pytest.raises(ValidationError):
        services.leave(actor.user, actor=actor, reason="自己")


def test_nobody_but_the_operator_does_any_of_it(rules):
    clerk = builders.clerk()
    for who in (builders.reviewer(), builders.supervisor(), builders.auditor()):
        actor = Actor.of(who)
        for act in (
            lambda actor: services.leave(clerk, actor=actor, reason="x"),
            lambda actor: services.reset_second_factor(clerk, actor=actor, reason="x"),
            lambda actor: services.open_account(clerk, actor=actor, reason="x"),
            lambda actor: services.password_given(clerk, actor=actor, reason="x"),
        ):
            with pytest.raises(PermissionDenied):
                act(actor)
    assert not AccountEvent.objects.exists()
    helper = builders.officer("platform", Role.CLERK.value)
    User.objects.filter(pk=helper.pk).update(is_staff=True)
    browser = builders.signed_in(Client(), helper)
    for name in ("factor", "absence", "leave"):
        page = reverse(f"admin:parties_user_{name}", args=[clerk.pk])
        assert browser.post(page, {"reason": "x"}).status_code == 403


def test_the_operator_says_who_stands_in_for_somebody_who_cannot(office):
    clerk, today = builders.clerk(), timezone.localdate()
    page = reverse("admin:parties_user_absence", args=[clerk.pk])
    assert office.get(page).status_code == 200
    given = {"to_user": builders.reviewer().pk, "starts": today, "ends": today, "why": "住院"}
    assert office.post(page, given).status_code == 302
    assert office.post(page, given).status_code == 400
    made = clerk.delegations.get()
    act = {"action": "end_now", "_selected_action": [made.pk]}
    for _twice in range(2):
        answer = office.post(reverse("admin:parties_delegation_changelist"), act)
        assert answer.status_code == 302
    made.refresh_from_db()
    assert not made.is_open(today)
    assert lines(clerk) == ["delegate", "end_delegation"]


def test_the_journal_of_accounts_is_rewritten_by_nobody():
    clerk = builders.clerk()
    services.note(clerk, AccountEvent.Action.CHANGE, actor=Actor.of(clerk))
    for change in (
        lambda: AccountEvent.objects.update(note="x"),
        lambda: AccountEvent.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_key_made_or_revoked_in_the_office_leaves_a_line(office):
    clerk = builders.clerk()
    page = reverse("admin:parties_apikey_add")
    given = {"name": "示例", "officer": clerk.pk, "scopes": ["read"], "reason": "联调"}
    assert office.post(page, given).status_code == 302
    key = ApiKey.objects.get()
    change = reverse("admin:parties_apikey_change", args=[key.pk])
    given |= {"revoked": "on", "reason": "联调结束"}
    assert office.post(change, given).status_code == 302
    assert lines(clerk) == ["key_create", "key_revoke"]
    remove = reverse("admin:parties_apikey_delete", args=[key.pk])
    assert office.post(remove, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("name", ["accountevent", "delegation", "signinrecord"])
def test_what_is_kept_of_accounts_is_looked_at_here(office, name):
    assert office.get(reverse(f"admin:parties_{name}_changelist")).status_code == 200
    assert office.get(reverse(f"admin:parties_{name}_add")).status_code == 403
