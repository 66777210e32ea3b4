"""A change of keys: everything stays readable, the old key can go, and a lost one is said."""

import base64
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from casework.services import contact_of, keep_answer
from casework.services.once import answer_of
from jointaction import services as jointaction
from jointaction.services import receipts
from jointaction.services.receipts import salt_of
from jointaction.services.webhooks.endpoints import secrets_of
from listings import ledger
from objections.models import Objection
from parties import sealing, services
from parties.models import CLOCK, AccessLog, Actor, ApiKey, IndexKey, Subject
from parties.sealing import rotation
from tests import builders
from tipoffs.models import Report

pytestmark = pytest.mark.django_db
NEW = "k9:" + base64.b64encode(b"9" * 32).decode()
NUMBER = builders.resident_id(1)


def rotate(*args):
    out = StringIO()
    call_command("rotate_keys", *args, stdout=out)
    return out.getvalue()


def use(settings, *keys):
    """What the portal finds after a restart with these keys."""
    settings.FIELD_KEYS = list(keys)
    sealing.retired_index_keys.cache_clear()


@pytest.fixture
def old(settings):
    return settings.FIELD_KEYS[0]


@pytest.fixture
def house(rules):
    """Something under each kind of seal."""
    person = services.person("张示例", "resident_id", NUMBER)
    objection, code = builders.objection()
    endpoint, secret = builders.endpoint()
    report = builders.report()
    answer = keep_answer(
        api_key=ApiKey.objects.get(pk=_key().pk),
        path="/api/v1/checks/", key="示例", digest=b"x" * 32, status=201, answer="先前的答复",
    )  # fmt: skip
    check, _results = jointaction.check(
        [{"code": builders.firm().code}],
        actor=Actor.of(builders.liaison("czj")),
        purpose="示例",
        reference="示例",
        today=timezone.localdate(),
    )
    return person, (objection, code), (endpoint, secret), answer, report, check


def _key():
    key, _raw = services.make_key(builders.clerk(), scopes=["check"], name="示例")
    return key


def readable(house):
    person, (objection, code), (endpoint, secret), answer, (report, receipt), check = house
    for row in (person, objection, endpoint, answer):
        row.refresh_from_db()
    asked = {"actor": CLOCK, "purpose": "示例"}
    assert services.paper_number(person, **asked) == NUMBER
    assert services.find_person("resident_id", NUMBER) == person
    assert contact_of(objection, **asked)["phone"] == builders.APPLICANT["phone"]
    assert Objection.objects.tracked(objection.number, code) == objection
    assert Objection.objects.tracked(objection.number, "2345678923") is None
    assert Report.objects.of_code(receipt) == report
    assert Report.objects.of_code("2345-6789") is None
    assert secrets_of(endpoint, actor=CLOCK, now=timezone.now()) == [secret]
    assert answer_of(answer, actor=CLOCK) == "先前的答复"
    assert receipts.verify(number=check.number).genuine
    assert salt_of(check)


def test_everything_stays_readable_and_the_old_key_can_go(house, settings, old):
    old_id = old.partition(":")[0]
    salt = salt_of(house[-1])
    readable(house)
    use(settings, NEW, old)
    assert f"{old_id}: " in rotate("--check")
    assert "still needed" in rotate("--check")
    readable(house)
    assert "parties_subject.paper_sealed" in rotate()
    assert f"{old_id}: 0 values, may be retired" in rotate("--check")
    readable(house)
    use(settings, NEW)
    readable(house)
    assert salt_of(house[-1]) == salt
    assert set(rotation.counted()) == {"k9"}
    assert not Subject.objects.filter(paper_index_key_id=old_id).exists()
    builders.published_black()
    third = "k10:" + base64.b64encode(b"3" * 32).decode()
    use(settings, third, NEW)
    rotate()
    use(settings, third)
    readable(house)


def test_a_second_run_finds_nothing_to_do(house, settings, old):
    use(settings, NEW, old)
    rotate()
    before = list(Subject.objects.order_by("pk").values_list("paper_sealed", flat=True))
    lines, kept = AccessLog.objects.count(), IndexKey.objects.count()
    said = rotate()
    assert " 0 sealed anew" in said
    assert list(Subject.objects.order_by("pk").values_list("paper_sealed", flat=True)) == before
    assert (AccessLog.objects.count(), IndexKey.objects.count()) == (lines, kept)


def test_the_log_says_that_the_keys_were_changed(house, settings, old):
    use(settings, NEW, old)
    rotate()
    line = AccessLog.objects.get(table="parties_subject", row="*")
    assert (line.by_label, line.field) == ("clock", "paper")
    assert "k9" in line.purpose


def test_a_key_that_is_missing_or_another_is_said_with_the_row(house, settings, old):
    old_id = old.partition(":")[0]
    use(settings, NEW)
    with pytest.raises(CommandError, match=rf"of row \d+: the key {old_id} is not in"):
        rotate()
    with pytest.raises(CommandError, match=f"needed: {old_id}"):
        rotate("--check")
    use(settings, NEW, f"{old_id}:{base64.b64encode(b'x' * 32).decode()}")
    with pytest.raises(CommandError, match=r"of row \d+: it was altered, or"):
        rotate()
    use(settings, old)
    readable(house)


def test_a_value_moved_to_another_row_stops_the_rotation(house, settings, old):
    other = services.person("李示例", "resident_id", builders.resident_id(2))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE parties_subject SET paper_sealed = (SELECT paper_sealed FROM parties_subject "
            "WHERE id = %s) WHERE id = %s",
            [house[0].pk, other.pk],
        )
    use(settings, NEW, old)
    with pytest.raises(CommandError, match=f"row {other.pk}: it was altered"):
        rotate()


def test_batches_do_not_grow_in_queries(rules, settings, old, django_assert_max_num_queries):
    for number in range(1, 31):
        services.person("张示例", "resident_id", builders.resident_id(number))
    use(settings, NEW, old)
    place = next(place for place in rotation.places() if place.model is Subject)
    with django_assert_max_num_queries(8):  # the batch, the write, an empty batch, the log
        assert rotation._rotate_column(place) == 30


def test_what_was_signed_under_the_old_key_stays_signed(rules, settings, old):
    key_id, signature = sealing.sign(b"x")
    builders.published_black()
    point = ledger.make_checkpoint()
    use(settings, NEW)
    assert sealing.was_signed(b"x", signature, key_id)
    assert not sealing.is_signed(b"x", signature, key_id)
    assert point.seq == 1
    assert ledger.last_checkpoint() == (0, ledger.GENESIS)  # passed over: checked from the start


def test_every_sealed_column_is_named_by_its_model():
    vault = "tipoffs_report.identity_sealed"  # the portal has no key to it, old or new
    named = {vault, *(str(place) for place in rotation.places())}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.name.endswith("sealed"):
                assert f"{model._meta.db_table}.{field.name}" in named
    for place in rotation.places():
        place.model._meta.get_field(place.sealed.column)
        place.model._meta.get_field(place.sealed.key_id)
