"""Who sees what of an entry: classes of columns, of a category's own fields, and attestation."""

import json

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from blacklist import services as blacklist
from blacklist.models import BlackListing
from jointaction import services as jointaction
from listings import services
from listings.models import (
    DISCLOSURE,
    Audience,
    ChangeBody,
    Listing,
    holds_undisclosed,
    shown_details,
)
from parties.models import Actor, mask_value
from rulebook.models import CategoryField, ListCategory
from rulebook.services import record_version
from tests import builders
from tests.builders import Machine
from tests.listings.files import Run, write

pytestmark = pytest.mark.django_db
CLASSES = CategoryField.Disclosure.values


@pytest.fixture(autouse=True)
def _rules(rules):
    pass


def disclose(code, disclosure, *, category="J01", masked=False, recorded=True):
    """The operator changes who may see a field."""
    found = ListCategory.objects.get(code=category)
    found.fields.filter(code=code).update(disclosure=disclosure, masked=masked)
    if recorded:
        actor, today = Actor(label="示例"), timezone.localdate()
        record_version(found, actor=actor, reason="示例原因", today=today)


def published(**fields):
    return builders.published_black(category="J01", unit="zjfy", attested=True, **fields)


def seen(entry, audience):
    fresh = Listing.objects.with_parts().get(pk=entry.pk)
    return {field.code: value for field, value in shown_details(fresh, audience)}


# ── columns ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("label", DISCLOSURE)
def test_every_column_has_a_class(label):
    columns = {field.name for field in apps.get_model(label)._meta.concrete_fields}
    assert DISCLOSURE[label].keys() == columns
    assert set(DISCLOSURE[label].values()) <= set(CLASSES)


def test_a_mask_leaves_one_sign_and_never_a_digit():
    assert mask_value("王示例承包") == "王*"
    assert mask_value(" 示例") == "示*"
    assert {mask_value(value) for value in ("220502198001010014", "２2", "", 7)} == {"*"}


# ── a category's own fields ───────────────────────────────────────────────────────────────────


def test_each_audience_sees_its_classes_and_the_public_a_mask():
    disclose("court", "secret")
    disclose("case_number", "shared")
    disclose("obligation", "public", masked=True)
    entry = published()
    own, unit, public = (seen(entry, who) for who in (Audience.OWN, Audience.UNIT, Audience.PUBLIC))
    assert own.keys() - unit.keys() == {"court"}
    assert unit.keys() - public.keys() == {"case_number"}
    assert (own["obligation"], unit["obligation"]) == ("支付货款 128.6 万元",) * 2
    assert public["obligation"] == "支*"


def test_units_learn_the_shared_fields_by_push_and_check_and_no_secret():
    disclose("court", "secret")
    disclose("case_number", "shared")
    entry = published()
    jointaction.distribute(today=timezone.localdate())
    unit = entry.pushes.first().unit
    machine = Machine(builders.liaison(unit.code))
    pushed = machine.get("/pushes/")["results"][0]["listing"]
    asked = {"purpose": "示例", "reference": "1", "subjects": [{"code": entry.subject.code}]}
    met = machine.post("/checks/", asked, 201)["results"][0]["listings"][0]
    for told in (pushed, met):
        codes = {row["code"] for row in told["details"]}
        assert "case_number" in codes
        assert "court" not in codes
    path = f"/listings/{entry.public_id}/"
    codes = {row["code"] for row in machine.get(path)["details"]}
    assert not codes & {"court", "case_number"}
    page = builders.signed_in(Client(), builders.liaison(unit.code)).get(
        f"/desk/pushes/{entry.pushes.get(unit=unit).public_id}/"
    )
    assert "（2026）吉05执示1号" in page.content.decode()
    assert "示例人民法院" not in page.content.decode()


def test_a_field_made_secret_is_gone_at_once_and_the_ledger_is_whole_still(client):
    entry = published()
    path = f"/black/{entry.public_id}/"
    assert "示例人民法院" in client.get(path).content.decode()
    disclose("court", "secret")
    assert "示例人民法院" not in client.get(path).content.decode()
    feed = Machine(builders.liaison()).get("/changes/")["results"][0]["listing"]
    assert "court" not in {row["code"] for row in feed["details"]}
    call_command("verify_ledger", "--entries")


def test_a_field_made_public_or_masked_later_does_not_break_the_ledger():
    disclose("court", "secret")
    disclose("obligation", "public", masked=True)
    published()
    call_command("verify_ledger", "--entries")
    disclose("court", "public")
    disclose("obligation", "public")
    disclose("performance", "public", masked=True)
    call_command("verify_ledger", "--entries")


@pytest.mark.parametrize("code", ["court", "obligation"])
def test_an_own_field_altered_behind_the_ledgers_back_is_found_under_a_changed_rule_too(code):
    entry = published()
    disclose("court", "secret")
    details = {**entry.details, code: "改过的"}
    Listing.objects.filter(pk=entry.pk).update(details=details)
    with pytest.raises(Exception, match="behind the ledger's back"):
        call_command("verify_ledger", "--entries")


def test_an_own_field_that_was_public_then_can_not_appear_untold():
    entry = builders.published_black()
    Listing.objects.filter(pk=entry.pk).update(details={"amount": "1"})
    with pytest.raises(Exception, match="behind the ledger's back"):
        call_command("verify_ledger", "--entries")


def test_a_correction_of_a_secret_field_leaves_its_value_out_of_the_ledger():
    disclose("court", "secret")
    entry = published()
    details = {**entry.details, "court": "通化市另一示例法院", "performance": "部分未履行"}
    actor = Actor.of(builders.reviewer("zjfy"))
    services.correct(entry, {"details": details}, actor=actor, note="更正")
    bodies = [bytes(body).decode() for body in ChangeBody.objects.values_list("body", flat=True)]
    assert not [body for body in bodies if "法院" in json.loads(body).get("details", {})]
    assert not any("示例法院" in body or "示例人民法院" in body for body in bodies)
    assert any("部分未履行" in body for body in bodies)
    path = f"/listings/{entry.public_id}/history/"
    _publish, correction = sorted(
        Machine(builders.clerk("zjfy")).get(path)["results"], key=lambda row: row["seq"]
    )
    assert correction["changes"]["details"][1]["court"] == "通化市另一示例法院"
    call_command("verify_ledger", "--entries")


# ── attestation ───────────────────────────────────────────────────────────────────────────────


def secretive(**fields):
    """A complete draft that holds a field not for everybody."""
    disclose("court", "shared")
    return builders.black_draft(category="J01", unit="zjfy", **fields)


def test_a_draft_with_a_field_not_for_everybody_is_published_only_with_attestation():
    draft = secretive()
    assert holds_undisclosed(draft)
    given = {"actor": Actor.of(builders.reviewer("zjfy")), "today": timezone.localdate()}
    with pytest.raises(ValidationError) as refusal:
        blacklist.publish(draft, **given)
    assert [error.code for error in refusal.value.error_dict["attested"]] == ["not_attested"]
    assert refusal.value.messages == ["请先核对：公开内容不含国家秘密、商业秘密和个人隐私。"]
    entry = blacklist.publish(draft, **given, attested=True)
    assert entry.attested_by == builders.reviewer("zjfy")
    assert "已核对公开内容" in entry.journal.get(action="publish").note


def test_other_drafts_need_no_more_than_a_reviewers_act():
    entry = builders.published_black(category="J01", unit="zjfy")
    assert (entry.status, entry.attested_by) == ("published", None)


def test_a_machine_attests_with_a_field_of_its_own():
    draft = secretive()
    machine = Machine(builders.reviewer("zjfy"))
    path = f"/listings/{draft.public_id}/publish/"
    problem = machine.post(path, status=400)
    assert problem["code"] == "not_attested"
    assert problem["errors"].keys() == {"attested"}
    machine.post(path, {"attested": "perhaps"}, 400)
    assert machine.post(path, {"attested": True})["status"] == "published"
    assert Listing.objects.get(pk=draft.pk).attested_by == builders.reviewer("zjfy")


def test_the_desk_asks_to_attest_where_it_must_and_says_the_sentence_always(client):
    browser = builders.signed_in(client, builders.reviewer("zjfy"))
    plain = builders.black_draft(category="J01", unit="zjfy")
    page = browser.get(f"/desk/black/{plain.public_id}/publish/").content.decode()
    assert "请先核对：公开内容不含国家秘密" in page
    assert 'name="attested"' not in page
    draft = secretive()
    path = f"/desk/black/{draft.public_id}/publish/"
    page = browser.get(path).content.decode()
    assert 'name="attested"' in page
    assert "示例人民法院" not in page  # what is not made public is not among what will be
    refused = browser.post(path, {"version": draft.version})
    assert refused.status_code == 400
    assert "请先核对" in refused.content.decode()
    done = browser.post(path, {"version": draft.version, "attested": "on"})
    assert done.status_code == 302
    assert Listing.objects.get(pk=draft.pk).status == "published"


def test_many_are_held_back_until_somebody_attests():
    drafts = BlackListing.objects.filter(pk__in=[secretive().pk, secretive().pk])
    given = {"actor": Actor.of(builders.reviewer("zjfy")), "today": timezone.localdate()}
    ready, held = blacklist.publish_many(drafts, **given)
    assert (ready, {code for code, _words in held.values()}) == ([], {"not_attested"})
    ready, held = blacklist.publish_many(drafts, **given, attested=True)
    assert (len(ready), held) == (2, {})
    assert set(drafts.values_list("attested_by__username", flat=True)) == {"zjfy-reviewer"}


def test_an_import_publishes_such_rows_only_with_attest(tmp_path):
    header = (
        "主体名称,统一社会信用代码,文书文号,文书种类,作出机关,文书日期,失信程度,认定理由,"
        "告知送达日期,送达方式,陈述申辩截止,合同名称"
    )
    row = (
        "通化示例酒业有限公司,91220501MA0ABC1215,示例〔2026〕1号,行政处理决定书,通化市财政局,"
        "2026-02-25,严重,拖欠货款,2026-03-02,直接送达,2026-03-16,示例合同"
    )
    path = write(tmp_path, f"{header}\n{row}\n")
    fixed = ("--list", "black", "--category", "M04", "--department", "czj")
    fixed += ("--publish", "--approver", builders.reviewer("czj").username)
    run = Run("import_listings", path, *fixed)
    assert (run.published, run.held) == (0, 1)
    assert "not_attested" in run.said
    run = Run("import_listings", path, *fixed, "--attest")
    assert (run.published, run.held) == (1, 0)
