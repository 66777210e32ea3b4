"""Another city's file: whose it is, whether it is whole and signed, and its lines one by one.

Nothing of a line is looked at before the signature has been checked. Memory holds one line.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.utils.translation import gettext as _

from casework.services import storable
from listings import ledger
from listings.models import ExchangeFile, PartnerCity
from parties import sealing

FORMAT = "credit-exchange/1"
LONGEST_LINE = 1_000_000  # bytes
HEX = re.compile(r"[0-9a-f]{64}")
SIGNATURE = re.compile(r"[0-9a-f]{128}")
MOST_DEPARTMENTS = 1_000


class RefusedFile(ValueError):  # noqa: N818 - a refusal, not a fault
    """The file as a whole is not taken; the message says why, and on which line."""

    def __init__(self, code, message, line=0):
        self.code, self.line = code, line
        self.message = _("第 %(line)s 行：%(why)s") % {"line": line, "why": message}
        self.message = self.message if line else message
        super().__init__(self.message)


@dataclass
class Opened:
    """A file whose signature is its city's: what its header says, and where its lines begin."""

    file: object
    city: PartnerCity
    header: dict
    lines: int
    sha256: str
    chain: dict = field(default_factory=dict)

    @property
    def is_snapshot(self):
        return self.header["kind"] == ExchangeFile.Kind.SNAPSHOT

    def rows(self):
        """Yield (number of the line, its object), positions checked; entries of other cities not.

        Raises RefusedFile where a line is none, where the positions don't follow on each
        other, and where the file is no longer the one that was signed.
        """
        digest = hashlib.sha256()
        self.file.seek(0)
        for number, raw in _raw_lines(self.file):
            if number > self.lines:
                break
            digest.update(raw)
            if number > 1:
                yield number, _object(number, raw)
        if digest.hexdigest() != self.sha256:
            raise RefusedFile("changed", _("文件在读取过程中被改动。"))


def open_file(file):
    """The file, once it is whole and its city's own key has signed it. Raises RefusedFile.

    `file` is open for bytes and can be read twice.
    """
    file.seek(0)
    digest, held, header, number = hashlib.sha256(), None, None, 0
    for number, raw in _raw_lines(file):
        if held is not None:
            digest.update(held)
        if number == 1:
            header = _header(raw)
        held = raw
    if number < 2:
        raise RefusedFile("cut", _("文件不完整：至少应有首行和签名行。"))
    city = _city(header)
    _refuse_unsigned(city, _object(number, held), number - 1, digest.hexdigest())
    _refuse_bad_header(header)
    return Opened(file, city, header, number - 1, digest.hexdigest())


def city_of(file):
    """The city that a file says it is from, if it is a partner; for the record of a refusal."""
    try:
        file.seek(0)
        for _number, raw in _raw_lines(file):
            code = json.loads(raw).get("origin")
            return PartnerCity.objects.filter(code=code).first() if isinstance(code, str) else None
    except (ValueError, AttributeError, RecursionError):
        return None
    return None


def _raw_lines(file):
    """Yield (number, bytes with their end of line), none longer than LONGEST_LINE."""
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            raise RefusedFile(
                "too_long", _("超过 %(most)s 字节。") % {"most": LONGEST_LINE}, number
            )
        if not raw.endswith(b"\n"):
            raise RefusedFile("cut", _("文件不完整，最后一行没有结束。"), number)
        yield number, raw


def _object(number, raw):
    try:
        found = json.loads(raw.decode(), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise RefusedFile("encoding", _("不是 UTF-8 编码。"), number) from error
    except (ValueError, RecursionError) as error:
        raise RefusedFile("no_json", _("不是 JSON。"), number) from error
    if not isinstance(found, dict) or not storable(found):
        raise RefusedFile("no_object", _("不是可以保存的 JSON 对象。"), number)
    return found


def _no_number(text):
    raise ValueError(text)


def _header(raw):
    header = _object(1, raw)
    if header.get("format") != FORMAT:
        message = _("不是城市间交换文件（首行应写明 %(format)s）。") % {"format": FORMAT}
        raise RefusedFile("format", message, 1)
    return header


def _city(header):
    code = header.get("origin")
    if code == settings.REGION:
        raise RefusedFile("own_file", _("这是本市自己导出的文件。"), 1)
    rows = PartnerCity.objects.filter(code=code) if isinstance(code, str) else ()
    city = rows.first() if rows else None
    if city is None:
        raise RefusedFile("unknown_city", _("文件来自没有登记的城市。"), 1)
    if city.status != PartnerCity.Status.ACTIVE:
        raise RefusedFile("paused", _("%(city)s已停用，不接收它的文件。") % {"city": city}, 1)
    return city


def _refuse_unsigned(city, trailer, lines, digest):
    signature = trailer.get("signature")
    told = {name: trailer.get(name) for name in ("lines", "sha256", "key_id")}
    if not (isinstance(signature, str) and SIGNATURE.fullmatch(signature)):
        raise RefusedFile("unsigned", _("最后一行不是签名：文件不完整，或者没有签名。"), lines + 1)
    key, message = bytes.fromhex(city.public_key), ledger.canonical(told)
    if not sealing.is_signed_by(key, message, bytes.fromhex(signature)):
        words = _("签名和%(city)s登记的公钥对不上。") % {"city": city}
        raise RefusedFile("bad_signature", words, lines + 1)
    if (told["lines"], told["sha256"]) != (lines, digest):
        raise RefusedFile("tampered", _("内容和签名时的不一样：文件被改动过。"), lines + 1)


def _refuse_bad_header(header):
    kinds = ExchangeFile.Kind
    good = {
        "kind": header.get("kind") in kinds.values,
        "to": _is_position(header.get("to")),
        "hash": _is_hash(header.get("hash")),
        "day": _is_day(header.get("day")),
        "departments": _are_departments(header.get("departments")),
    }
    if header.get("kind") == kinds.CHANGES:
        first = header.get("from")
        good["from"] = _is_position(first) and good["to"] and 1 <= first <= header["to"] + 1
        good["previous_hash"] = _is_hash(header.get("previous_hash"))
    bad = next((name for name, holds in good.items() if not holds), None)
    if bad:
        raise RefusedFile("bad_header", _("首行的 %(name)s 不对。") % {"name": bad}, 1)


def _is_position(value):
    return type(value) is int and 0 <= value < 2**62


def _is_hash(value):
    return isinstance(value, str) and HEX.fullmatch(value) is not None


def _is_day(value):
    try:
        return date.fromisoformat(value) is not None
    except (TypeError, ValueError):
        return False


def _are_departments(rows):
    names = ("code", "name", "short_name", "name_en", "kind")
    return (
        isinstance(rows, list)
        and len(rows) <= MOST_DEPARTMENTS
        and all(
            isinstance(row, dict) and all(isinstance(row.get(name), str) for name in names)
            for row in rows
        )
    )


class Positions:
    """The chain of a file's lines: gapless, each on the one before, joined on to what we have."""

    def __init__(self, opened):
        header, city = opened.header, opened.city
        self.known = city.position, city.position_hash and bytes(city.position_hash).hex()
        self.next, self.last = header["from"], header["to"]
        self.hash, self.final = header["previous_hash"], header["hash"]
        self._refuse_gap(city)
        self._refuse_other_past(self.next - 1, 1)

    def step(self, number, row):
        """Take one line's position; returns whether it is new to us. Raises RefusedFile."""
        seq, link = row.get("seq"), row.get("hash")
        if type(seq) is not int or seq != self.next or seq > self.last:
            words = _("序号应是 %(seq)s，行有重复、缺失或者次序不对。") % {"seq": self.next}
            raise RefusedFile("out_of_order", words, number)
        if not _is_hash(link) or row.get("previous_hash") != self.hash:
            raise RefusedFile("broken_chain", _("和上一行接不上。"), number)
        self.next, self.hash = seq + 1, link
        self._refuse_other_past(seq, number)
        return seq > self.known[0]

    def end(self):
        if self.next != self.last + 1 or self.hash != self.final:
            words = _("缺少序号 %(seq)s 以后的行。") % {"seq": self.next}
            raise RefusedFile("cut", words)

    def _refuse_gap(self, city):
        wanted = self.known[0] + 1
        if self.next > wanted:
            words = _("中间缺少变更：请%(city)s提供自序号 %(wanted)s 起的文件，或者全部名单。")
            raise RefusedFile("gap", words % {"city": city, "wanted": wanted}, 1)

    def _refuse_other_past(self, seq, number):
        position, known = self.known
        if known and seq == position and self.hash != known:
            words = _("序号 %(seq)s 和已经接收的不是同一条：对方的账本被改写过。") % {"seq": seq}
            raise RefusedFile("rewritten", words, number)
