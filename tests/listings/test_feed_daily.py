"""The signed file of the day: made once, handed out only while it is right, checked by anybody."""

import base64
import gzip
import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from casework.models import Document
from listings import ledger, services
from listings.models import DailyFile
from listings.services import feed
from parties import sealing
from parties.models import Actor
from tests import builders
from tests.builders import DAY, Machine
from tests.listings.copies import Copy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules", "_folder")]
MARK, NUMBER = "哨兵", builders.resident_id(831, "19710203")
LATER = timedelta(minutes=11)


@pytest.fixture
def _folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def unit(rules):
    return Machine(builders.liaison(), "read")


@pytest.fixture
def make(django_capture_on_commit_callbacks):
    """The sweep, and what it leaves to be done once it has committed."""

    def run(**given):
        with django_capture_on_commit_callbacks(execute=True):
            return feed.make_daily_file(today=timezone.localdate(), **given)

    return run


def withdraw(entry):
    actor, today = Actor.of(builders.reviewer()), timezone.localdate()
    services.withdraw(entry, reason="error", actor=actor, note="示例", today=today)


def content(machine, form, day=None, expect=200):
    day = day or timezone.localdate()
    answer = machine.client.get(f"/api/v1/daily/{day}/", {"file": form})
    assert answer.status_code == expect, answer.content
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def stored():
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_it_holds_both_lists_as_they_are(unit, make):
    today = timezone.localdate()
    black = builders.published_black(builders.person("赵示例", NUMBER), unit="zjfy", category="J01")
    red = builders.red_published()
    file = make()
    held = gzip.decompress(content(unit, "entries")).decode().split("\n")[:-1]
    assert {json.loads(line)["id"] for line in held} == {str(black.public_id), str(red.public_id)}
    tables = {kind: content(unit, kind).decode() for kind in ("red", "black")}
    assert red.subject.code in tables["red"]
    assert red.subject.code not in tables["black"]
    assert "赵*" in tables["black"]
    assert tables["red"].startswith("\ufeff")
    told = json.loads(file.manifest)
    for kind in ("red", "black"):
        digest = Copy(unit).begin(list=kind).digest(today)
        assert told["lists"][kind] == {"count": 1, "digest": digest}
    assert (told["seq"], told["day"]) == (ledger.head().seq, str(today))


def test_nobody_finds_a_persons_name_or_number_in_it(unit, make):
    builders.published_black(
        builders.person(f"赵{MARK}", NUMBER), unit="zjfy", category="J01", reference=f"{MARK}1"
    )
    named = builders.responsible(f"钱{MARK}")
    builders.published_black(responsible_persons=[named])
    withdraw(builders.published_black(builders.firm(f"通化{MARK}商贸有限公司")))
    make()
    texts = [gzip.decompress(content(unit, "entries")).decode()]
    texts += [content(unit, form).decode() for form in ("red", "black", "signature")]
    for text in texts:
        assert MARK not in text
        assert not any(part in text for part in (NUMBER[:14], NUMBER[6:], named["id_number"][6:]))


def test_made_twice_it_is_made_once(make):
    builders.published_black()
    first = make()
    assert make() == first
    assert (DailyFile.objects.count(), Document.objects.count(), len(stored())) == (1, 3, 3)


def test_missed_days_are_not_made_up_for_and_of_old_ones_only_the_proof_stays(unit, make):
    builders.published_black()
    old, day = make(), timezone.localdate()
    with time_machine.travel(timezone.now() + 3 * DAY):
        assert unit.get("/daily/")["results"][0]["available"] is False
        content(unit, "black", day, 410)  # no sweep has run, and it is gone all the same
        new = make()
        assert DailyFile.objects.count() == 2
        assert (Document.objects.count(), len(stored())) == (3, 3)
        newest, oldest = unit.get("/daily/")["results"]
        assert (newest["available"], oldest["available"]) == (True, False)
        assert all(row["url"] is None for row in oldest["files"])
        assert all(row["url"] for row in newest["files"])
        content(unit, "black", day, 410)
        signature = content(unit, "signature", day).decode()
        assert signature == feed.signed_text(old)
        assert new.day == day + 3 * DAY
        unit.get(f"/daily/{day + DAY}/", 404)


@pytest.mark.parametrize("ending", ["withdraw", "correct"])
def test_an_entry_withdrawn_or_corrected_takes_the_file_away_for_a_while(unit, ending, make):
    entry = builders.published_black(ground=f"{MARK}的事实")
    make()
    assert MARK in content(unit, "black").decode()
    if ending == "withdraw":
        withdraw(entry)
    else:
        actor = Actor.of(builders.reviewer())
        services.correct(entry, {"ground": "更正后的事实"}, actor=actor, note="示例")
    assert unit.get(f"/daily/{timezone.localdate()}/")["available"] is False
    content(unit, "black", expect=410)
    make()
    assert DailyFile.objects.count() == 1  # it rests for ten minutes
    make(now=timezone.now() + LATER)
    assert DailyFile.objects.count() == 2
    assert MARK not in content(unit, "black").decode()
    assert (Document.objects.count(), len(stored())) == (3, 3)


def test_new_entries_and_badges_leave_the_file_as_it_is(unit, make):
    entry = builders.published_black()
    first = make()
    services.annotate(entry, disputed=True, actor=Actor.of(builders.reviewer()))
    builders.published_black()
    assert make(now=timezone.now() + LATER) == first
    assert content(unit, "black")


# ── the signature ─────────────────────────────────────────────────────────────────────────────


def downloaded(unit, folder):
    """The files as a unit has them on its disk: {form: path}."""
    detail = unit.get(f"/daily/{timezone.localdate()}/")
    names = {row["url"].rpartition("=")[2]: row["name"] for row in detail["files"]}
    names["signature"] = f"lists-{timezone.localdate()}.sig"
    for form, name in names.items():
        (folder / name).write_bytes(content(unit, form))
    return {form: folder / name for form, name in names.items()}


def test_anybody_with_the_public_key_can_check_it(unit, tmp_path, make):
    builders.published_black()
    file = make()
    (tmp_path / "got").mkdir()
    paths = downloaded(unit, tmp_path / "got")
    manifest, signature, key_id = paths["signature"].read_text().splitlines()
    key = Ed25519PublicKey.from_public_bytes(sealing.public_key(key_id))
    key.verify(base64.b64decode(signature), manifest.encode())
    assert key_id == file.key_id
    raw = base64.b64encode(sealing.public_key(key_id)).decode()
    for form in ("entries", "red", "black"):
        for given in ([], ["--key", raw], ["--signature", paths["signature"]]):
            out = StringIO()
            call_command("verify_daily", paths[form], *given, stdout=out)
            assert f"signed by {key_id}" in out.getvalue()


def test_whatever_was_altered_is_found(unit, tmp_path, make):
    builders.published_black()
    make()
    (tmp_path / "got").mkdir()
    paths = downloaded(unit, tmp_path / "got")
    black, signed = paths["black"], paths["signature"].read_text()

    def refused(words, *given):
        with pytest.raises(CommandError, match=words):
            call_command("verify_daily", black, *given)

    stranger = base64.b64encode(b"\1" * 32).decode()
    refused("signature is not by", "--key", stranger)
    black.write_bytes(black.read_bytes() + b"\n")
    refused("not the file that was signed")
    paths["signature"].write_text(signed.replace('"seq":', '"seq": '))
    refused("signature is not by")
    paths["signature"].write_text("nothing\n")
    refused("three lines")
    paths["signature"].unlink()
    refused("no signature file")
    black.unlink()
    refused("No such file")


# ── the doors ─────────────────────────────────────────────────────────────────────────────────


def test_a_liaison_downloads_it_at_the_desk(client, make):
    browser = builders.signed_in(client, builders.liaison())
    assert "正在生成" in browser.get("/desk/daily/").content.decode()
    assert browser.get("/desk/daily/?file=black").status_code == 302
    builders.published_black()
    make()
    page = browser.get("/desk/daily/").content.decode()
    for form in ("entries", "red", "black", "signature"):
        assert f"?file={form}" in page
        answer = browser.get(f"/desk/daily/?file={form}")
        assert answer.status_code == 200
        assert "attachment" in answer["Content-Disposition"]
        assert "no-store" in answer["Cache-Control"]
        assert answer.getvalue()
    assert browser.get("/desk/daily/?file=../x").status_code == 404
    assert Client().get("/desk/daily/?file=black").status_code == 302


def test_an_odd_day_or_file_is_refused(unit, make):
    make()
    for day in ("yesterday", "2026-02-30", "0000-00-00", "2020-01-01"):
        unit.get(f"/daily/{day}/", 404)
    told = unit.get(f"/daily/{timezone.localdate()}/", 400, file="passwords")
    assert told["errors"].keys() == {"file"}
    unit.get("/daily/", 400, day="2026-01-01")
    Machine(builders.liaison(), "check").get("/daily/", 403)


def test_the_list_of_files_costs_the_same_however_long(unit, django_assert_max_num_queries, make):
    for ahead in range(4):
        with time_machine.travel(timezone.now() + ahead * DAY):
            make()
    with django_assert_max_num_queries(5):
        assert len(unit.get("/daily/")["results"]) == 4
