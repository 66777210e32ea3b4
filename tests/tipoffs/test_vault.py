"""The vault: what the portal holds opens nothing; a passphrase opens one identity, and is seen."""

import hashlib
import io
import itertools
import json
import logging

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from casework.models import Event
from notices.models import Notice
from parties import sealing as portal_sealing
from parties.models import AccessLog, Actor, Role, User
from tests import builders
from tests.builders import PASSPHRASE, REPORTER
from tipoffs import sealing, services
from tipoffs.models import Report, VaultKey, Wrap

pytestmark = pytest.mark.usefixtures("rules")
OTHER = "另一个人的口令，也足够长了"
NOTED = {"purpose": "电话告知核查结果", "lead_unit": "fgw"}


def opened(report, *, user=None, passphrase=PASSPHRASE, **fields):
    actor = Actor.of(user or builders.vault_officer())
    return services.open_identity(report, passphrase=passphrase, actor=actor, **{**NOTED, **fields})


def refusal(act):
    """The code of the one error that an act is refused with."""
    with pytest.raises(ValidationError) as refused:
        act()
    errors = refused.value
    rows = (
        [row for rows in errors.error_dict.values() for row in rows]
        if hasattr(errors, "error_dict")
        else errors.error_list
    )
    return rows[0].code


# ── what an attacker gets ─────────────────────────────────────────────────────────────────────


def dump():
    """Every value of every table, as (table, column, value)."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            columns = [column.name for column in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    yield table, column, bytes(value) if isinstance(value, memoryview) else value


def as_bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


def test_nothing_of_the_identity_stands_in_a_dump(rules):
    builders.report(named=True)
    for table, column, value in dump():
        for secret in REPORTER.values():
            assert secret.encode() not in as_bytes(value), (table, column)


def test_no_key_that_the_portal_holds_opens_the_identity(rules):
    """All 32-byte keys of the process and of a whole dump, and what is derived of them."""
    report, _code = builders.report(named=True)
    keys = [*portal_sealing.keys().values(), hashlib.sha256(settings.SECRET_KEY.encode()).digest()]
    for purpose in ("seal", "sign", "index:paper", "index:query", "index:report-receipt"):
        keys += [portal_sealing._derive(key, purpose) for key in portal_sealing.keys().values()]
    for _table, _column, value in dump():
        raw = as_bytes(value)
        keys.append(hashlib.sha256(raw).digest())
        keys += [raw[i : i + 32] for i in range(min(max(len(raw) - 31, 0), 200))]
    key, wrap = VaultKey.objects.get(), report.wraps.get()
    place = {
        name: f"{table}:{row.public_id}:{name}".encode()
        for table, row, name in (
            ("tipoffs_report", report, "identity"),
            ("tipoffs_vaultkey", key, "private"),
        )
    }
    sealed = {"identity": bytes(report.identity_sealed), "private": bytes(key.private_wrapped)}
    info = sealing._wrap(report, key)
    tried = 0
    for candidate in set(keys):
        tried += 1
        for name, ciphertext in sealed.items():
            with pytest.raises(InvalidTag):
                AESGCM(candidate).decrypt(ciphertext[:12], ciphertext[12:], place[name])
        private = X25519PrivateKey.from_private_bytes(candidate)
        with pytest.raises(InvalidTag):
            sealing.SUITE.decrypt(bytes(wrap.wrapped), private, info=info)
    assert tried > 1_000


def test_what_the_portal_unseals_with_its_own_keys_is_not_the_identity(rules):
    report, _code = builders.report(named=True)
    place = {"table": "tipoffs_report", "row": report.public_id, "field": "identity"}
    for key_id in portal_sealing.keys():  # noqa: SIM118 - a function
        with pytest.raises(InvalidTag):
            portal_sealing.unseal(
                report.identity_sealed, key_id, **place, actor=Actor(label="示例"), purpose="示例"
            )


def test_a_ciphertext_moved_to_another_report_opens_nowhere(rules):
    one, _code = builders.report(named=True)
    other, _code = builders.report(named=True)
    Report.objects.filter(pk=other.pk).update(identity_sealed=bytes(one.identity_sealed))
    Wrap.objects.filter(report=other).update(wrapped=bytes(one.wraps.get().wrapped))
    other.refresh_from_db()
    with pytest.raises(sealing.WrongKey):
        opened(other)


def test_the_length_of_the_ciphertext_tells_no_name(rules):
    builders.report(named=True)
    builders.report(named=True, reporter={**REPORTER, "name": "阿凡提" * 20})
    assert len({len(row.identity_sealed) for row in Report.objects.all()}) == 1


def test_a_public_key_is_all_that_is_needed_to_lock(rules):
    """A named report is taken in while no private half can be had."""
    builders.vault_key()
    VaultKey.objects.update(private_wrapped=None, salt=None)
    report, _code = builders.report(named=True)
    assert report.wraps.count() == 1


# ── opening ───────────────────────────────────────────────────────────────────────────────────


def test_the_officer_reads_with_passphrase_and_purpose(rules):
    report, _code = builders.report(named=True)
    assert opened(report) == {**REPORTER, "files": []}


def test_each_opening_is_logged_journalled_and_told_to_the_supervisor(rules, client):
    report, _code = builders.report("rsj", named=True)
    for purpose in ("电话告知核查结果", "核对笔录"):
        opened(report, purpose=purpose)
    assert list(AccessLog.objects.values_list("purpose", flat=True)) == [
        "电话告知核查结果",
        "核对笔录",
    ]
    assert report.journal.filter(action="open_identity").count() == 2
    assert (
        Notice.objects.filter(key__startswith="report-opened", department__code="fgw").count() == 2
    )
    page = builders.signed_in(client, builders.supervisor()).get(reverse("desk-vault-openings"))
    for words in (report.number, "电话告知核查结果", "核对笔录", str(builders.vault_officer())):
        assert words in page.content.decode(), words


def test_the_handler_does_not_see_when_the_vault_was_opened_the_reporter_does(rules, client):
    report, code = builders.report("rsj", named=True)
    opened(report)
    told = client.post(reverse("report-track"), {"code": code}).content.decode()
    assert "举报信息管理员查看了您的身份信息" in told
    page = builders.signed_in(client, builders.clerk()).get(
        reverse("desk-report", args=[report.public_id])
    )
    assert "查看举报人信息" not in page.content.decode()


def test_an_identity_is_opened_at_the_desk_and_shown_once(rules, client):
    report, _code = builders.report(named=True)
    browser = builders.signed_in(client, builders.vault_officer())
    address = reverse("desk-vault-report", args=[report.public_id])
    assert REPORTER["name"] not in browser.get(address).content.decode()
    asked = {"act": "open", "purpose": "示例事由", "passphrase": PASSPHRASE}
    answer = browser.post(address, asked)
    assert answer.status_code == 200
    for words in REPORTER.values():
        assert words in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert PASSPHRASE not in answer.content.decode()
    assert REPORTER["name"] not in browser.get(address).content.decode()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"purpose": "示例", "passphrase": "不是这个口令，但也够长"}, "口令不对"),
        ({"purpose": "", "passphrase": PASSPHRASE}, "填写查看事由"),
        ({"purpose": "示例", "passphrase": ""}, "填写口令"),
        ({"purpose": "x" * 300, "passphrase": PASSPHRASE}, "200"),
    ],
)
def test_a_bad_asking_opens_nothing_and_says_what_is_wrong(rules, client, asked, words):
    report, _code = builders.report(named=True)
    browser = builders.signed_in(client, builders.vault_officer())
    address = reverse("desk-vault-report", args=[report.public_id])
    answer = browser.post(address, {"act": "open", **asked})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not AccessLog.objects.exists()


def test_a_wrong_passphrase_is_journalled_and_too_many_lock_the_key_for_a_while(rules, monkeypatch):
    report, _code = builders.report(named=True)
    monkeypatch.setattr("tipoffs.services.vault.TRIES", 3)
    for _try in range(3):
        assert refusal(lambda: opened(report, passphrase=OTHER)) == "passphrase"
    assert refusal(lambda: opened(report)) == "locked"
    assert refusal(lambda: opened(report)) == "locked"
    lines = VaultKey.objects.get().journal.values_list("action", flat=True)
    assert list(lines) == [
        "make",
        "wrong_passphrase",
        "wrong_passphrase",
        "wrong_passphrase",
        "locked",
    ]
    assert not AccessLog.objects.exists()


PEOPLE = {
    "clerk of the department": lambda: builders.clerk("rsj"),
    "reviewer of the department": lambda: builders.reviewer("rsj"),
    "clerk of the lead unit": lambda: builders.clerk("fgw"),
    "operator": builders.operator,
    "supervisor": builders.supervisor,
    "auditor": builders.auditor,
    "liaison": builders.liaison,
    "vault officer who watches": lambda: builders.officer("fgw", "vault", "supervisor"),
    "vault officer who handles it": lambda: builders.officer("rsj", "vault", "clerk"),
}


@pytest.mark.parametrize("who", PEOPLE)
def test_nobody_but_a_vault_officer_who_cannot_handle_it_opens_an_identity(rules, client, who):
    report, _code = builders.report("rsj", named=True)
    user = PEOPLE[who]()
    with pytest.raises(PermissionDenied):
        opened(report, user=user)
    address = reverse("desk-vault-report", args=[report.public_id])
    assert builders.signed_in(client, user).get(address).status_code == 403
    assert not AccessLog.objects.exists()


def test_a_vault_officer_without_a_key_opens_nothing(rules):
    report, _code = builders.report(named=True)
    other = builders.vault_officer("fgw-vault-2")
    assert refusal(lambda: opened(report, user=other)) == "no_key"


def test_a_dismissed_vault_officer_opens_nothing(rules):
    report, _code = builders.report(named=True)
    User.objects.filter(pk=builders.vault_officer().pk).update(is_active=False)
    with pytest.raises(PermissionDenied):
        opened(report, user=User.objects.get(username="fgw-vault"))


def test_an_anonymous_report_has_nothing_to_open(rules):
    builders.vault_key()
    report, _code = builders.report()
    assert report.identity_sealed is None
    assert refusal(lambda: opened(report)) == "erased"


# ── keys ──────────────────────────────────────────────────────────────────────────────────────


def granted():
    """A report older than the second officer's key, which the first one then granted."""
    report, _code = builders.report(named=True)
    second = builders.vault_officer("fgw-vault-2")
    key = builders.vault_key(second, OTHER)
    return report, second, key


def test_a_new_officer_reads_what_was_there_only_after_a_second_wrap(rules):
    report, second, key = granted()
    assert refusal(lambda: opened(report, user=second, passphrase=OTHER)) == "no_access"
    actor = Actor.of(builders.vault_officer())
    n = services.grant(key, passphrase=PASSPHRASE, actor=actor, lead_unit="fgw")
    assert n == 1
    assert opened(report, user=second, passphrase=OTHER)["name"] == REPORTER["name"]
    assert key.journal.filter(action="grant", by_user=actor.user).count() == 1
    assert services.grant(key, passphrase=PASSPHRASE, actor=actor, lead_unit="fgw") == 0


def test_what_comes_later_is_wrapped_to_every_officer_who_serves(rules):
    granted()
    report, _code = builders.report(named=True)
    assert report.wraps.count() == 2
    User.objects.filter(username="fgw-vault-2").update(roles=[])
    report, _code = builders.report(named=True)
    assert report.wraps.count() == 1


def test_a_grant_needs_the_passphrase_of_the_granting_officer(rules):
    report, _second, key = granted()
    actor = Actor.of(builders.vault_officer())
    act = lambda: services.grant(key, passphrase=OTHER, actor=actor, lead_unit="fgw")  # noqa: E731
    assert refusal(act) == "passphrase"
    assert report.wraps.count() == 1


def test_a_key_is_retired_only_where_others_open_the_same(rules):
    report, second, key = granted()
    first, actor = VaultKey.objects.get(officer=builders.vault_officer()), Actor.of(second)
    act = lambda: services.retire(first, actor=actor, lead_unit="fgw")  # noqa: E731
    assert refusal(act) == "last_key"
    services.grant(
        key, passphrase=PASSPHRASE, actor=Actor.of(builders.vault_officer()), lead_unit="fgw"
    )
    retired = act()
    assert (retired.status, retired.private_wrapped, retired.wraps.count()) == ("retired", None, 0)
    assert opened(report, user=second, passphrase=OTHER)["name"] == REPORTER["name"]
    assert refusal(lambda: opened(report)) == "no_key"


def test_a_changed_passphrase_opens_and_the_old_one_does_not(rules):
    report, _code = builders.report(named=True)
    actor = Actor.of(builders.vault_officer())
    services.change_passphrase(old=PASSPHRASE, new=OTHER, actor=actor)
    assert refusal(lambda: opened(report)) == "passphrase"
    assert opened(report, passphrase=OTHER)["phone"] == REPORTER["phone"]


@pytest.mark.parametrize(
    ("passphrase", "words"),
    [
        ("短口令", "至少 12 个字符"),
        ("aaaaaaaaaaaaaaaa", "太简单"),
        ("登录密码abc123456789", "登录密码"),
    ],
)
def test_a_weak_passphrase_is_refused(rules, passphrase, words):
    user = builders.vault_officer()
    user.set_password("登录密码abc123456789")
    user.save()
    with pytest.raises(ValidationError, match=words):
        services.make_key(passphrase=passphrase, actor=Actor.of(user), lead_unit="fgw")


def test_an_officer_has_one_key_at_a_time(rules):
    builders.vault_key()
    actor = Actor.of(builders.vault_officer())
    act = lambda: services.make_key(passphrase=OTHER, actor=actor, lead_unit="fgw")  # noqa: E731
    assert refusal(act) == "has_key"


def test_a_key_is_made_changed_granted_and_retired_at_the_desk(rules, client):
    browser, address = builders.signed_in(client, builders.vault_officer()), reverse("desk-vault")
    twice = {"passphrase": PASSPHRASE, "again": PASSPHRASE}
    assert browser.post(address, {"act": "make", **twice, "again": OTHER}).status_code == 400
    assert browser.post(address, {"act": "make", **twice}).status_code == 302
    report, _second, key = granted()
    assert "有举报人信息打不开" in browser.get(address).content.decode()
    grant = {"act": "grant", "key": key.public_id, "passphrase": PASSPHRASE}
    wrong = browser.post(address, {**grant, "passphrase": OTHER})
    assert wrong.status_code == 400
    assert "口令不对" in wrong.content.decode()
    assert browser.post(address, grant).status_code == 302
    assert report.wraps.count() == 2
    change = {"act": "change", "old": PASSPHRASE, "passphrase": OTHER, "again": OTHER}
    assert browser.post(address, {**change, "old": OTHER}).status_code == 400
    assert browser.post(address, change).status_code == 302
    retire = {"act": "retire", "key": key.public_id}
    assert browser.post(address, retire).status_code == 302
    assert browser.post(address, retire).status_code == 409
    for act in ({"act": "x"}, {}, {"act": "grant"}, {"act": "retire", "key": "x"}):
        assert browser.post(address, act).status_code in {400, 404}


# ── recovery ──────────────────────────────────────────────────────────────────────────────────


def told(*arguments, stdin="", **options):
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(stdin))
        call_command(*arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_the_recovery_key_opens_what_came_after_it_and_its_private_half_is_kept_nowhere(rules):
    private = told("make_recovery_key").strip()
    report, _code = builders.report(named=True)
    assert not any(
        sign in as_bytes(value)
        for _table, _column, value in dump()
        for sign in (private.encode(), bytes.fromhex(private))
    )
    opening = {"purpose": "保险箱管理员离职", "who": "示例"}
    identity = told("open_with_recovery_key", report.number, stdin=f"{private}\n", **opening)
    assert json.loads(identity)["name"] == REPORTER["name"]
    line = AccessLog.objects.get()
    assert (line.by_label, line.purpose) == ("示例 (recovery)", "保险箱管理员离职")
    assert report.journal.filter(action="open_identity").exists()


def test_a_recovery_key_made_elsewhere_comes_with_its_public_half_alone(rules):
    private, public = sealing.new_pair()
    assert told("make_recovery_key", public=public.hex()) == ""
    report, _code = builders.report(named=True)
    opening = {"purpose": "示例", "who": "示例"}
    raw = private.private_bytes_raw().hex()
    assert json.loads(told("open_with_recovery_key", report.number, stdin=raw, **opening))["name"]
    for bad in ("xx", "00", "00" * 32, public.hex()):
        with pytest.raises(CommandError):
            told("make_recovery_key", public=bad)


@pytest.mark.parametrize("private", ["", "xx", "00" * 32, "ab" * 32])
def test_another_private_half_opens_nothing(rules, private):
    told("make_recovery_key")
    report, _code = builders.report(named=True)
    with pytest.raises(CommandError):
        told("open_with_recovery_key", report.number, stdin=private, purpose="示例", who="示例")
    assert not AccessLog.objects.exists()


def test_the_recovery_key_reads_older_identities_once_an_officer_granted_it(rules):
    report, _code = builders.report(named=True)
    key, private = services.make_recovery_key(lead_unit="fgw")
    actor = Actor.of(builders.vault_officer())
    assert services.grant(key, passphrase=PASSPHRASE, actor=actor, lead_unit="fgw") == 1
    given = {"private": private, "purpose": "示例", "actor": Actor(label="示例")}
    assert services.open_with_recovery_key(report, lead_unit="fgw", **given)["name"]


# ── traces ────────────────────────────────────────────────────────────────────────────────────


def test_neither_log_nor_journal_nor_notice_holds_passphrase_or_identity(rules, client, caplog):
    caplog.set_level(logging.DEBUG)
    report, _code = builders.report(named=True)
    browser = builders.signed_in(client, builders.vault_officer())
    address = reverse("desk-vault-report", args=[report.public_id])
    for passphrase in (PASSPHRASE, OTHER):
        browser.post(address, {"act": "open", "purpose": "示例", "passphrase": passphrase})
    secrets = [*REPORTER.values(), PASSPHRASE, OTHER]
    rows = itertools.chain(dump(), [("log", "", caplog.text)])
    found = [
        (table, column)
        for table, column, value in rows
        for secret in secrets
        if secret.encode() in as_bytes(value)
    ]
    assert found == []
    assert Event.objects.filter(action="wrong_passphrase").exists()


def test_a_reader_of_all_matters_reads_no_identity_in_the_back_office(rules, client):
    builders.report(named=True)
    user = builders.operator()
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    browser = builders.signed_in(client, User.objects.get(pk=user.pk))
    assert "/admin/tipoffs/" not in browser.get("/admin/").content.decode()
    assert Role.VAULT not in user.roles
