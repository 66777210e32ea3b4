"""Stored files: taken in by their content, kept under random names, handed out with permission."""

import hashlib
import io
import json
import os
import re
import secrets
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import filetype
import segno
import typst
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.core.files.uploadhandler import FileUploadHandler
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from casework.models import Document

MB = 1024 * 1024
LARGEST = 10 * MB
MOST_FILES = 10
MOST_OF_FORM = 20  # of a form that asks for several kinds of papers
MOST_TOGETHER = 50 * MB  # ten scans of a usual size; what one filing may cost the disk
MOST_UNPACKED = 100 * MB  # of a DOCX or OFD; MOST_IN_PART of it is in memory at a time
MOST_IN_PART = 32 * MB
MOST_PARTS = 2_000
MOST_INFLATED = 400 * MB  # of a PDF's streams, seen in pieces of 1 MB
MOST_PAGES = 1_000
MOST_PIXELS = 40_000_000
MOST_RECEIVED = 24 * MB  # of one uploaded file, before any form has judged it
MOST_OF_REQUEST = 64 * MB  # of all its files; more is sent by no form that could be taken
ORPHANED = 7 * 24 * 3600  # seconds; no transaction lasts so long, and who restores has a week
PDF = "application/pdf"
IMAGES = {"image/png": "PNG", "image/jpeg": "JPEG"}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
OFD = "application/ofd"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUFFIXES = {
    PDF: (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    OFD: (".ofd",),
    DOCX: (".docx",),
}
ACCEPT = ",".join(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
FONTS = Path(__file__).parent / "fonts"
LETTERS = Path(__file__).parent / "letters"

# What a PDF may do beyond being read. /OpenAction and /AA stay: office programs write them
# to say which page is shown first, and whatever harm they could start is named here.
# An encrypted PDF can't be looked into.
ACTIVE = re.compile(
    rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA|SubmitForm|ImportData|GoToE|Encrypt)"
    rb"(?![A-Za-z0-9])"
)
PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z0-9])")
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
STREAM = re.compile(rb"stream\r?\n")
UNSEEN = re.compile(rb"/(?:ASCIIHex|ASCII85|LZW|RunLength)Decode")  # could hide an object stream
LONGEST_NAME = 64  # carried over from one piece to the next

PARTS = {".xml", ".rels", ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".jb2"}
PARTS |= {".ttf", ".otf", ".ttc", ".odttf", ".emf", ".wmf", ".wdp", ".esl", ".dat"}
PROGRAMS = (b"PK\x03\x04", b"MZ", b"\x7fELF", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")
PROGRAMS += (b"\xd0\xcf\x11\xe0",)  # an OLE object
DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|COM\d|LPT\d)(?:\.|$)", re.IGNORECASE)
OUTSIDE = re.compile(rb"TargetMode\s*=\s*[\"']External", re.IGNORECASE)
LINK = re.compile(
    rb"<[^<>]*(?:/hyperlink[\"'][^<>]*TargetMode\s*=\s*[\"']External"
    rb"|TargetMode\s*=\s*[\"']External[^<>]*/hyperlink[\"'])",
    re.IGNORECASE,
)


class Unfit(Exception):  # noqa: N818 - a verdict on a file, told as a ValidationError
    """The content is broken, or may do more than be read."""


class BoundedUpload(FileUploadHandler):
    """Lets no uploaded file fill the disk: what comes after MOST_RECEIVED is dropped.

    The next handler has counted more than any form takes by then, so the form refuses the file.
    A request whose files are more than MOST_OF_REQUEST together is refused as a whole (400).
    """

    received = 0

    def receive_data_chunk(self, raw_data, start):
        self.received += len(raw_data)
        if self.received > MOST_OF_REQUEST:
            raise RequestDataTooBig
        return raw_data if start <= MOST_RECEIVED else None

    def file_complete(self, file_size):
        return None


@dataclass(frozen=True)
class Checked:
    """A file whose content is what it may be, not stored yet."""

    name: str
    media_type: str
    content: bytes


def check(upload):
    """The uploaded file, once its content is what it may be: one of SUFFIXES.

    Images are decoded and written anew, so that nothing hidden in them survives.
    Raises ValidationError naming the file.
    """
    name = plain_name(upload.name)
    if not 0 < upload.size <= LARGEST:
        raise ValidationError(_("“%(name)s”是空的，或者超过 10 MB。") % {"name": name})
    content = upload.read()
    try:
        found = _kind(content)
    except (Unfit, zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError) as error:
        raise ValidationError(
            _("“%(name)s”不能上传：文件已损坏、加密、过大，或者含有宏、脚本、附件等内容。")
            % {"name": name},
            code="unfit",
        ) from error
    if found is None:
        raise ValidationError(
            _("“%(name)s”不能上传，请换成图片（JPG、PNG）、PDF、OFD 或 DOCX。") % {"name": name},
            code="unknown_type",
        )
    if found in IMAGES:
        content = _redrawn(content, IMAGES[found], name)
    return Checked(_ending(name, found), found, content)


def check_all(uploads):
    """Every file of one filing, each once however often it was chosen; all bad ones are named."""
    _refuse_too_many(uploads)
    checked, errors = {}, []
    for upload in uploads:
        try:
            file = check(upload)
        except ValidationError as error:
            errors.append(error)
        else:
            checked.setdefault(hashlib.sha256(file.content).digest(), file)
    if errors:
        raise ValidationError(errors)
    return list(checked.values())


def _refuse_too_many(uploads):
    if len(uploads) > MOST_FILES:
        raise ValidationError(_("一次最多 10 个文件"), code="too_many")
    if sum(upload.size for upload in uploads if upload.size <= LARGEST) > MOST_TOGETHER:
        raise ValidationError(_("所有文件合计不能超过 50 MB"), code="too_large")


def plain_name(name):
    """The name without folders and without signs that hide how it ends or mean a device."""
    shown = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C")
    last = shown.replace("\\", "/").rpartition("/")[2].strip(" .")[-190:]
    return f"_{last}" if DEVICE.match(last) or not last else last


def _ending(name, found):
    """The name with an ending that tells what the content is, so that no .exe is handed out."""
    suffixes = SUFFIXES[found]
    return name if name.lower().endswith(suffixes) else f"{name}{suffixes[0]}"


def _kind(content):
    """The media type of what may be taken, or None; raises Unfit for what may not."""
    if content.startswith(b"PK\x03\x04"):
        return _package(content)
    found = filetype.guess_mime(content)
    if found == PDF and content.startswith(b"%PDF-"):
        _refuse_active(content)
        return PDF
    return found if found in IMAGES else None


def _refuse(bad):
    if bad:
        raise Unfit


def _refuse_active(content):
    """Reads a PDF only for names, never for objects: no parser of ours can be misled or blown up.

    Names are looked for in the whole file and in every deflated stream, where objects may be
    kept too. Nothing may follow the end: a second file could begin there.
    """
    _refuse(content[content.rfind(b"%%EOF") + 5 :].strip(b"\0\t\n\f\r ") or b"%%EOF" not in content)
    plain = _unescaped(content)
    _refuse(ACTIVE.search(plain) or (b"/ObjStm" in plain and UNSEEN.search(plain)))
    pages, inflated = len(PAGE.findall(plain)), 0
    del plain
    for begin in STREAM.finditer(content):
        before = b""
        for piece in _inflated(content, begin.end()):
            seen = _unescaped(before + piece)
            inflated += len(piece)
            pages += len(PAGE.findall(seen))
            _refuse(inflated > MOST_INFLATED or ACTIVE.search(seen))
            before = piece[-LONGEST_NAME:]
    _refuse(pages > MOST_PAGES)


def _unescaped(content):
    return ESCAPED.sub(lambda sign: bytes([int(sign[1], 16)]), content)


def _inflated(content, start):
    """A stream in pieces of at most 1 MB; none if it is not deflated, fewer if it is broken."""
    machine, data = zlib.decompressobj(), memoryview(content)[start : start + 65_536]
    try:
        while data and not machine.eof:
            piece = machine.decompress(data, MB)
            yield piece
            if machine.unconsumed_tail:
                data = machine.unconsumed_tail
            else:
                start += 65_536
                data = memoryview(content)[start : start + 65_536]
    except zlib.error:
        return


def _package(content):
    """Whether a zip is a DOCX or an OFD; None if it is some other archive."""
    _refuse_odd_directory(content)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        found = _package_kind(set(package.namelist()))
    if found:
        for name, part in parts_of(content):
            _refuse_part(name.lower(), part)
    return found


def parts_of(content):
    """Yield (name, bytes) of each part of a zip, one at a time and as its directory says it is.

    Raises Unfit before the first is unpacked where they are too many, too large together, or
    lie over one another.
    """
    _refuse_odd_directory(content)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = package.infolist()
    names = {part.filename for part in parts}
    _refuse(len(names) != len(parts) or sum(part.file_size for part in parts) > MOST_UNPACKED)
    _refuse_overlap(parts)
    for part in parts:
        if not part.is_dir():
            yield part.filename, _unpacked(content, part)


def _package_kind(names):
    if {"[Content_Types].xml", "word/document.xml"} <= names:
        return DOCX
    documents = (re.fullmatch(r"Doc_\d+/Document\.xml", name) for name in names)
    return OFD if "OFD.xml" in names and any(documents) else None


def _refuse_odd_directory(content):
    """The directory ends the file, follows the parts, and is small: before zipfile reads it."""
    mark, disk, first, here, count, size, offset, comment = struct.unpack("<4s4H2LH", content[-22:])
    _refuse(mark != b"PK\x05\x06" or disk or first or comment)
    _refuse(here != count or count > MOST_PARTS or size > MOST_PARTS * 512)
    _refuse(offset + size + 22 != len(content))


def _refuse_overlap(parts):
    end = 0
    for part in sorted(parts, key=lambda part: part.header_offset):
        _refuse(part.header_offset < end)
        end = part.header_offset + 30 + len(part.filename.encode()) + part.compress_size


def _unpacked(content, part):
    """The bytes of one part, which are as many as its entry says and no more."""
    _refuse(part.flag_bits & 1 or part.compress_type not in {0, 8} or part.file_size > MOST_IN_PART)
    name, extra = struct.unpack("<2H", content[part.header_offset + 26 : part.header_offset + 30])
    start = part.header_offset + 30 + name + extra
    packed = content[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_DEFLATED:
        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        packed = machine.decompress(packed, part.file_size + 1)
        _refuse(not machine.eof or machine.unused_data)
    _refuse(len(packed) != part.file_size or zlib.crc32(packed) != part.CRC)
    return packed


def _refuse_part(name, content):
    """No program, archive, macro or outside part; XML declares no entities and is never parsed."""
    _refuse(name.startswith("/") or ".." in name or "\\" in name or Path(name).suffix not in PARTS)
    _refuse("embeddings/" in name or "activex" in name or content.startswith(PROGRAMS))
    if name.endswith((".xml", ".rels")):
        text = content.replace(b"\0", b"").upper()
        _refuse(b"<!DOCTYPE" in text or b"<!ENTITY" in text)
        _refuse(b"MACROENABLED" in text or b"ALTCHUNK" in text or b"DDEAUTO" in text)
    if name.endswith(".rels"):  # a link is only followed by who clicks it
        _refuse(b"\0" in content or b"&#" in content)
        _refuse(len(OUTSIDE.findall(content)) != len(LINK.findall(content)))


def take(upload, *, actor):
    """Check an uploaded file and store it."""
    return next(keep_all([check(upload)], actor=actor))


def keep_all(files, *, actor):
    """Store checked files one by one as they are asked for; unasked, none is stored."""
    for file in files:
        yield keep(file.content, name=file.name, media_type=file.media_type, actor=actor)


def keep(content, *, name, media_type, actor):
    """Store bytes that the portal made or has checked; the name never becomes a path."""
    return keep_pieces([content], name=name, media_type=media_type, actor=actor)


def keep_pieces(pieces, *, name, media_type, actor):
    """The same of a file that is never in memory as a whole."""
    path = f"{secrets.token_hex(1)}/{secrets.token_hex(20)}"
    place = Path(settings.MEDIA_ROOT) / path
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.touch(mode=0o600, exist_ok=False)
    size, digest = 0, hashlib.sha256()
    with place.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            size += len(piece)
            digest.update(piece)
        file.flush()
        os.fsync(file.fileno())
    return Document.objects.create(
        name=name,
        media_type=media_type,
        size=size,
        sha256=digest.hexdigest(),
        path=path,
        **actor.columns,
    )


def read(document):
    return _place(document).read_bytes()


def _place(document):
    return Path(settings.MEDIA_ROOT) / document.path


def attachment(document):
    """A stored file as a download: never shown in place, so nothing in it acts as our page."""
    return _guarded(HttpResponse(read(document), content_type=document.media_type), document.name)


def large_attachment(document):
    """The same of a file that is sent piece by piece."""
    file = _place(document).open("rb")
    return _guarded(FileResponse(file, content_type=document.media_type), document.name)


def text_attachment(text, name):
    """A few lines made on the spot, as a download like a stored file."""
    return _guarded(HttpResponse(text, content_type="text/plain; charset=utf-8"), name)


def _guarded(response, name):
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def discard(document):
    """Delete a stored file for good; its bytes go when the transaction commits."""
    place = _place(document)
    document.delete()
    transaction.on_commit(partial(place.unlink, missing_ok=True))


def sweep(*, now):
    """Delete the files that no row knows, left by transactions that never committed."""
    for folder in Path(settings.MEDIA_ROOT).glob("[0-9a-f][0-9a-f]"):
        old = {
            f"{folder.name}/{place.name}": place
            for place in folder.iterdir()
            if place.stat().st_mtime < now.timestamp() - ORPHANED
        }
        known = set(Document.objects.filter(path__in=old).values_list("path", flat=True))
        for path in old.keys() - known:
            old[path].unlink(missing_ok=True)


def _refuse_too_large(image, name):
    if image.width * image.height > MOST_PIXELS:
        raise ValidationError(_("“%(name)s”太大，请缩小后再传。") % {"name": name})


def _redrawn(content, form, name):
    try:
        with Image.open(io.BytesIO(content), formats=[form]) as image:
            _refuse_too_large(image, name)
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.info = {}  # a JPEG's comment would be written along
            drawn = io.BytesIO()
            upright.save(drawn, form)
    except ValidationError:
        raise
    except Exception as error:  # a broken image fails in as many ways as there are decoders
        raise ValidationError(_("“%(name)s”打不开，请重新拍照或扫描。") % {"name": name}) from error
    return drawn.getvalue()


def letter(data, *, qr):
    """A letter as PDF/A-2b from `letters/letter.typ`, which says what `data` holds.

    `qr` is the address that the code on the letter leads to. A sign that the font lacks is
    set as 〓, as printers do, and the foot says so: an archive's PDF may hold no empty box.
    """
    image = io.BytesIO()
    segno.make(qr, error="m").save(image, kind="svg", border=0, scale=4)
    words = json.dumps(data, ensure_ascii=False)
    for _sign in range(MOST_RARE):
        try:
            return _set({**json.loads(words), "qr": image.getvalue().decode()}, words)
        except typst.TypstError as error:
            lacking = _lacking(str(error))
            if not lacking:
                raise
            for sign in lacking:
                words = words.replace(sign, RARE)
    raise ValueError("the letter holds too many signs that its font lacks")


RARE = "〓"
MOST_RARE = 100  # different signs in one letter


def _lacking(fault):
    """The signs that a font could not display, of the words of a refusal; none of any other."""
    found = re.search(r'the text `"(.+?)"` could not be displayed', fault)
    if not found:
        return set()
    code = re.sub(r"\\u\{([0-9a-f]+)\}", lambda hexed: chr(int(hexed[1], 16)), found[1])
    return set(code) - {RARE}


def _set(data, words):
    rare = _("〓 是字库没有的字，以平台页面所载为准。") if RARE in words else ""
    return typst.compile(
        str(LETTERS / "letter.typ"),
        format="pdf",
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps({**data, "rare": rare}, ensure_ascii=False)},
        pdf_standards=["a-2b"],
    )
