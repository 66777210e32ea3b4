"""Stored files: taken in by their content, kept under random names, handed out with permission."""

import hashlib
import io
import json
import os
import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import filetype
import segno
import typst
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from casework.models import Document

LARGEST = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
IMAGES = {"image/png": "PNG", "image/jpeg": "JPEG"}
ACCEPTED = {"application/pdf", *IMAGES}
FONTS = Path(__file__).parent / "fonts"
LETTERS = Path(__file__).parent / "letters"


@dataclass(frozen=True)
class Checked:
    """A file whose content is what it may be, not stored yet."""

    name: str
    media_type: str
    content: bytes


def check(upload):
    """The uploaded file, once its content is what it may be: PDF, PNG or JPEG.

    Images are decoded and written anew, so that nothing hidden in them survives.
    Raises ValidationError naming the file.
    """
    name = Path(upload.name.replace("\\", "/")).name[-200:]
    if not 0 < upload.size <= LARGEST:
        raise ValidationError(_("“%(name)s”是空的，或者超过 10 MB。") % {"name": name})
    content = upload.read()
    found = filetype.guess_mime(content)
    if found not in ACCEPTED:
        raise ValidationError(
            _("“%(name)s”不能上传，请换成图片（JPG、PNG）或 PDF。") % {"name": name}
        )
    if found in IMAGES:
        content = _redrawn(content, IMAGES[found], name)
    return Checked(name, found, content)


def take(upload, *, actor):
    """Check an uploaded file and store it."""
    return next(keep_all([check(upload)], actor=actor))


def keep_all(files, *, actor):
    """Store checked files one by one as they are asked for; unasked, none is stored."""
    for file in files:
        yield keep(file.content, name=file.name, media_type=file.media_type, actor=actor)


def keep(content, *, name, media_type, actor):
    """Store bytes that the portal made or has checked; the name never becomes a path."""
    path = f"{secrets.token_hex(1)}/{secrets.token_hex(20)}"
    place = Path(settings.MEDIA_ROOT) / path
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.touch(mode=0o600, exist_ok=False)
    with place.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Document.objects.create(
        name=name,
        media_type=media_type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        path=path,
        **actor.columns,
    )


def read(document):
    return (Path(settings.MEDIA_ROOT) / document.path).read_bytes()


def discard(document):
    """Delete a stored file for good; its bytes go when the transaction commits."""
    place = Path(settings.MEDIA_ROOT) / document.path
    document.delete()
    transaction.on_commit(partial(place.unlink, missing_ok=True))


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

    `qr` is the address that the code on the letter leads to.
    """
    image = io.BytesIO()
    segno.make(qr, error="m").save(image, kind="svg", border=0, scale=4)
    inputs = {"data": json.dumps({**data, "qr": image.getvalue().decode()}, ensure_ascii=False)}
    return typst.compile(
        str(LETTERS / "letter.typ"),
        format="pdf",
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs=inputs,
        pdf_standards=["a-2b"],
    )
