"""Evidence is what it says it is, or it is refused with a word about which file and why."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from PIL import Image

from casework import documents
from casework.models import Document
from objections.models import Objection
from repair.forms import PapersForm
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def archive():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr("回单.txt", "回单")
    return held.getvalue()


def picture(form="JPEG", **options):
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(drawn, form, **options)
    return drawn.getvalue()


def post(client, *files):
    entry = builders.published_black()
    return client.post(
        f"{reverse('objection-new')}?entry={entry.public_id}",
        {
            "fields": ["ground"],
            "grounds": "其中 15 名工人工资已通过银行代发，立案时未计入。",
            "applicant_name": "示例申请人",
            "applicant_phone": "0435-0000000",
            "evidence": [SimpleUploadedFile(name, content) for name, content in files],
        },
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("工资表.exe", b"MZ\x90\x00" + b"\0" * 200, "“工资表.exe”不能上传"),
        ("回单.pdf", b"MZ\x90\x00" + b"\0" * 200, "“回单.pdf”不能上传"),
        ("图.svg", SVG, "“图.svg”不能上传"),
        ("图.png", SVG, "“图.png”不能上传"),
        ("回单.zip", archive(), "“回单.zip”不能上传"),
        ("网页.pdf", b"<html><script>alert(1)</script></html>", "“网页.pdf”不能上传"),
        ("空.pdf", b"", "“空.pdf”是空的"),
        ("大.pdf", PDF + b"\0" * documents.LARGEST, "“大.pdf”是空的，或者超过 10 MB"),
        ("坏.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 300, "“坏.jpg”打不开"),
    ],
)
def test_a_file_that_is_not_what_it_may_be_is_refused_by_name(client, name, content, words):
    page = post(client, (name, content))
    assert page.status_code == 400
    assert words in page.content.decode()
    assert not Objection.objects.exists()
    assert not Document.objects.exists()


def test_every_bad_file_is_named_at_once_and_the_good_one_is_not_kept(client):
    page = post(client, ("一.exe", b"MZ12345"), ("回单.pdf", PDF), ("二.zip", archive()))
    assert "“一.exe”" in page.content.decode()
    assert "“二.zip”" in page.content.decode()
    assert not Document.objects.exists()


def test_a_path_in_a_name_is_no_path(client):
    page = post(client, ("../../etc/passwd.pdf", PDF), ("C:\\账\\回单.pdf", PDF + b"\n"))
    assert page.status_code == 200
    assert set(Document.objects.values_list("name", flat=True)) == {"passwd.pdf", "回单.pdf"}
    assert all(".." not in path for path in Document.objects.values_list("path", flat=True))


def test_a_picture_is_drawn_anew_so_that_nothing_hides_in_it(client):
    hidden = b"<?php system($_GET[0]); ?><script>alert(1)</script>"
    assert post(client, ("照片.jpg", picture(comment=hidden) + hidden)).status_code == 200
    kept = documents.read(Document.objects.get())
    assert b"script" not in kept
    assert Image.open(io.BytesIO(kept)).size == (40, 30)


def test_more_than_ten_files_are_refused(client):
    page = post(client, *[(f"{n}.pdf", PDF) for n in range(11)])
    assert page.status_code == 400
    assert "一次最多 10 个文件" in page.content.decode()


def test_what_the_service_refuses_leaves_no_file_behind(client):
    entry = builders.published_black()
    builders.objection(entry, fields=["ground"])
    page = client.post(
        f"{reverse('objection-new')}?entry={entry.public_id}",
        {
            "fields": ["ground"],
            "grounds": "其中 15 名工人工资已通过银行代发，立案时未计入。",
            "applicant_name": "示例申请人",
            "applicant_phone": "0435-0000000",
            "evidence": [SimpleUploadedFile("回单.pdf", PDF)],
        },
    )
    assert page.status_code == 400
    assert "正在办理" in page.content.decode()
    assert not Document.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("脚本.pdf", PDF.replace(b"<<>>", b"<</S/JavaScript>>", 1)),
        ("尾巴.pdf", PDF + archive()),
        ("动画.gif", picture("GIF")),
    ],
)
def test_what_acts_or_moves_is_refused_at_the_door(client, name, content):
    page = post(client, (name, content))
    assert page.status_code == 400
    assert f"“{name}”不能上传" in page.content.decode()
    assert not Document.objects.exists()


def test_a_file_chosen_twice_is_kept_once(client):
    assert post(client, ("一.pdf", PDF), ("二.pdf", PDF)).status_code == 200
    assert Document.objects.get().name == "一.pdf"


def test_a_download_at_the_desk_is_a_line_of_the_journal(client):
    assert post(client, ("回单.pdf", PDF)).status_code == 200
    objection, kept = Objection.objects.get(), Document.objects.get()
    builders.signed_in(client, builders.clerk())
    address = reverse("desk-objection-document", args=[objection.public_id, kept.public_id])
    answer = client.get(address)
    assert answer.content == PDF
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Security-Policy"].startswith("sandbox")
    line = objection.journal.order_by("pk").last()
    assert (line.action, line.note) == ("download", "回单.pdf")


def test_all_files_of_one_request_count_together_before_any_form_sees_them(client, monkeypatch):
    monkeypatch.setattr(documents, "MOST_OF_REQUEST", 60_000)
    files = [(f"{n}.pdf", PDF + b" " * 40_000) for n in range(2)]
    assert post(client, *files[:1]).status_code != 413
    assert post(client, *files).status_code == 400
    assert Document.objects.count() <= 1


def test_files_of_several_fields_count_together():
    form = PapersForm(
        {},
        MultiValueDict(
            {
                f"paper_{n}": [SimpleUploadedFile(f"{n}-{m}.pdf", PDF) for m in range(7)]
                for n in range(3)
            }
        ),
        asked=["缴款凭证", "整改报告", "验收单"],
    )
    assert not form.is_valid()
    assert "合计最多 20 个" in str(form.errors)
