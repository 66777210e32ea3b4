"""Hostile files are refused or made harmless; good ones are taken, whatever their kind."""

import io
import re
import struct
import tracemalloc
import zipfile
import zlib
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.utils import timezone
from PIL import Image

from casework import documents
from casework.documents import attachment
from casework.forms import FILES_HINT
from casework.models import Document
from parties.models import PUBLIC

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"
TYPES = "<Types/>"
RELS = '<Relationship Type="http://x/{kind}" Target="http://x/" TargetMode="External"/>'


def upload(name, content):
    return SimpleUploadedFile(name, content)


def packed(parts, method=zipfile.ZIP_DEFLATED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return held.getvalue()


def docx(**parts):
    base = {"[Content_Types].xml": TYPES, "word/document.xml": "<w:document/>"}
    return packed({**base, **parts})


def ofd(**parts):
    return packed({"OFD.xml": "<ofd:OFD/>", "Doc_0/Document.xml": "<ofd:Document/>", **parts})


def pdf(body):
    return PDF.replace(b"<<>>endobj", b"<<" + body + b">>endobj")


def hidden(body, filters=b"/FlateDecode"):
    """A PDF whose objects are in a deflated object stream."""
    stream = b"/Type/ObjStm/Filter" + filters + b">>stream\n" + zlib.compress(body) + b"\nendstream"
    return PDF.replace(b"<<>>endobj", b"<<" + stream + b" endobj")


def picture(form="PNG", mode="RGB", size=(40, 30), **options):
    drawn = io.BytesIO()
    Image.new(mode, size).save(drawn, form, **options)
    return drawn.getvalue()


def bomb_picture():
    """A PNG that says it is 60,000 by 60,000."""
    head = struct.pack(">II5B", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + picture()[33:]
    )


def lying(content):
    """A zip whose directory says of each part that it is one byte long."""
    return re.sub(
        rb"(PK\x01\x02.{20}).{4}", lambda m: m[1] + struct.pack("<L", 1), content, flags=re.DOTALL
    )


def overlapping():
    """A zip whose directory entries all lead to the first part."""
    return re.sub(rb"(PK\x01\x02.{38}).{4}", lambda m: m[1] + bytes(4), docx(), flags=re.DOTALL)


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l>&b;</l>'
HOSTILE = {
    "empty": lambda: b"",
    "program": lambda: b"MZ\x90\0" + bytes(200),
    "elf": lambda: b"\x7fELF" + bytes(200),
    "shell script": lambda: b"#!/bin/sh\nrm -rf /",
    "html": lambda: b"<html><script>alert(1)</script></html>",
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "xml": LAUGHS.encode,
    "gif with script": lambda: b"GIF89a/*" + bytes(50) + b"*/=alert(1)",
    "rar": lambda: b"Rar!\x1a\x07\0" + bytes(50),
    "7z": lambda: b"7z\xbc\xaf\x27\x1c" + bytes(50),
    "gzip": lambda: b"\x1f\x8b\x08" + bytes(50),
    "plain zip": lambda: packed({"a.txt": "a"}),
    "xlsx": lambda: packed({"[Content_Types].xml": TYPES, "xl/workbook.xml": "<x/>"}),
    "old word": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "over 10 MB": lambda: PDF + bytes(documents.LARGEST),
    "pdf after junk": lambda: b"junk" * 250 + PDF,
    "pdf and zip": lambda: PDF + packed({"a.txt": "a"}),
    "pdf and html": lambda: PDF + b"<script>alert(1)</script>",
    "pdf without end": lambda: PDF[:-5],
    "pdf script": lambda: pdf(b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"),
    "pdf script escaped": lambda: pdf(b"/AA<</S/J#61vaScript/JS(1)>>"),
    "pdf script in object stream": lambda: hidden(b"1 0 <</S/JavaScript/JS(1)>>"),
    "pdf script over a seam": lambda: hidden(b" " * (documents.MB - 5) + b"/JavaScript "),
    "pdf object stream twice packed": lambda: hidden(b"x", b"[/ASCII85Decode/FlateDecode]"),
    "pdf launch": lambda: pdf(b"/OpenAction<</S/Launch/F(cmd.exe)>>"),
    "pdf with files": lambda: pdf(b"/Names<</EmbeddedFiles 2 0 R>>"),
    "pdf form sent": lambda: pdf(b"/A<</S/SubmitForm/F(http://x)>>"),
    "pdf xfa": lambda: pdf(b"/AcroForm<</XFA 2 0 R>>"),
    "pdf rich media": lambda: pdf(b"/Subtype/RichMedia"),
    "pdf encrypted": lambda: pdf(b"/Encrypt 2 0 R"),
    "pdf of 10,000 pages": lambda: pdf(b"/Type/Page " * 10_000),
    "pdf of 10,000 hidden pages": lambda: hidden(b"/Type /Page " * 10_000),
    "pdf bomb": lambda: hidden(bytes(documents.MOST_INFLATED + documents.MB)),
    "docx macro": lambda: docx(**{"word/vbaProject.bin": "x"}),
    "docx macro type": lambda: docx(**{"[Content_Types].xml": "<T>macroEnabled</T>"}),
    "docx ole": lambda: docx(**{"word/embeddings/oleObject1.bin": "x"}),
    "docx with a sheet": lambda: docx(**{"word/embeddings/a.xml": "x"}),
    "docx template from outside": lambda: docx(
        **{"word/_rels/settings.xml.rels": RELS.format(kind="attachedTemplate")}
    ),
    "docx dde": lambda: docx(**{"word/a.xml": "<w:instrText>DDEAUTO cmd</w:instrText>"}),
    "docx laughs": lambda: docx(**{"word/a.xml": LAUGHS}),
    "docx laughs utf-16": lambda: docx(**{"word/a.xml": LAUGHS.encode("utf-16")}),
    "docx script": lambda: docx(**{"word/a.js": "alert(1)"}),
    "docx path": lambda: docx(**{"../../a.xml": "<a/>"}),
    "docx zip within": lambda: docx(**{"word/media/a.png": packed({"a": "a"})}),
    "docx with a tail": lambda: docx() + b"tail",
    "docx with a head": lambda: packed({"a": "a"}) + docx(),
    "docx declared bomb": lambda: docx(**{"word/a.xml": bytes(documents.MOST_IN_PART + 1)}),
    "docx lying bomb": lambda: lying(docx(**{"word/a.xml": bytes(8 * documents.MB)})),
    "docx overlapping": overlapping,
    "docx of many parts": lambda: docx(**{f"word/{n}.xml": "" for n in range(2_001)}),
    "docx cut": lambda: docx()[:-30],
    "ofd program": lambda: ofd(**{"Doc_0/Attachs/a.exe": "MZ"}),
    "ofd laughs": lambda: ofd(**{"Doc_0/a.xml": LAUGHS}),
    "moving picture": lambda: picture(
        save_all=True, append_images=[Image.new("RGB", (40, 30), "red")]
    ),
    "picture bomb": bomb_picture,
    "picture cut": lambda: picture("JPEG", size=(400, 300))[:400],
    "picture of nothing": lambda: b"\xff\xd8\xff\xe0" + bytes(300),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_by_name_in_bounded_memory(kind):
    file = upload("证据.pdf", HOSTILE[kind]())
    tracemalloc.start()
    try:
        with pytest.raises(ValidationError, match=r"“证据\.pdf”"):
            documents.check(file)
        assert tracemalloc.get_traced_memory()[1] < 80 * documents.MB
    finally:
        tracemalloc.stop()


GOOD = {
    ".pdf": lambda: PDF,
    ".png": picture,
    ".jpg": lambda: picture("JPEG"),
    ".docx": lambda: docx(**{"word/_rels/a.rels": RELS.format(kind="hyperlink")}),
    ".ofd": ofd,
}


@pytest.mark.parametrize("suffix", GOOD)
def test_a_good_file_is_taken_and_gets_the_ending_of_its_content(suffix):
    file = documents.check(upload("证据.exe", GOOD[suffix]()))
    assert file.name == f"证据.exe{suffix}"
    assert suffix in documents.SUFFIXES[file.media_type]


@pytest.mark.parametrize(
    ("form", "mode"), [("JPEG", "CMYK"), ("PNG", "I;16"), ("PNG", "P"), ("PNG", "RGBA")]
)
def test_an_odd_picture_is_drawn_anew(form, mode):
    file = documents.check(upload("图.png", picture(form, mode)))
    assert Image.open(io.BytesIO(file.content)).mode == "RGB"


def test_a_zip_behind_a_picture_is_gone():
    file = documents.check(upload("图.jpg", picture("JPEG") + packed({"a": "a"})))
    assert b"PK" not in file.content


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("CON.pdf", "_CON.pdf"),
        ("lpt1", "_lpt1.pdf"),
        ("a\u202efdp.exe", "afdp.exe.pdf"),
        ("a\x01b.pdf", "ab.pdf"),
        ("回单.pdf. ", "回单.pdf"),
    ],
)
def test_a_name_hides_nothing(given, kept):
    file = upload("a", PDF)
    file._name = given
    assert documents.check(file).name == kept


def test_a_name_of_a_thousand_characters_fits():
    file = upload("a", PDF)
    file._name = "长" * 1_000
    assert len(documents.check(file).name) <= 200


def test_the_same_file_is_taken_once():
    assert len(documents.check_all([upload("一.pdf", PDF), upload("二.pdf", PDF)])) == 1


def test_files_too_large_together_are_refused_unread():
    files = [upload(f"{n}.pdf", bytes(documents.LARGEST)) for n in range(6)]
    with pytest.raises(ValidationError, match="50 MB"):
        documents.check_all(files)
    assert all(file.tell() == 0 for file in files)


def test_an_endless_upload_stops_filling_the_disk():
    file = upload("a.pdf", bytes(documents.MOST_RECEIVED + 20 * documents.MB))
    received = RequestFactory().post("/", {"file": file}).FILES["file"]
    assert documents.LARGEST < received.size <= documents.MOST_RECEIVED + documents.MB
    with pytest.raises(ValidationError, match="超过 10 MB"):
        documents.check(received)


def test_the_hint_says_what_the_code_takes():
    for number in (documents.LARGEST // documents.MB, documents.MOST_FILES):
        assert f" {number} " in FILES_HINT
    assert f"{documents.MOST_TOGETHER // documents.MB} MB" in FILES_HINT
    for suffixes in documents.SUFFIXES.values():
        assert suffixes[0][1:].upper() in FILES_HINT


@pytest.mark.django_db
def test_a_file_is_only_handed_out_as_a_download():
    documents.take(upload("回单.pdf", PDF), actor=PUBLIC)
    answer = attachment(Document.objects.get())
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''%E5%9B%9E%E5%8D%95.pdf"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_a_file_without_a_row_goes_after_a_week_and_never_one_with_a_row(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    kept = documents.take(upload("回单.pdf", PDF), actor=PUBLIC)
    lost = documents.take(upload("丢失.pdf", PDF), actor=PUBLIC)
    Document.objects.filter(pk=lost.pk).delete()
    now = timezone.now()
    documents.sweep(now=now)
    assert documents.read(lost) == PDF
    documents.sweep(now=now + timedelta(days=8))
    assert documents.read(kept) == PDF
    assert not (tmp_path / lost.path).exists()
