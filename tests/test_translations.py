"""Every message has its English: `python -m tests.test_translations` lists those that have none."""

import io
import re
import sys
from pathlib import Path

import polib
import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from django.utils.translation.template import templatize

BASE_DIR = Path(__file__).resolve().parent.parent
CATALOGUE = BASE_DIR / "locale" / "en" / "LC_MESSAGES" / "django.po"
ELSEWHERE = {".venv", "var", "tests", "bench", "locale", "static", "docs"}
KEYWORDS = DEFAULT_KEYWORDS | {
    f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in ("gettext", "ngettext", "pgettext")
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}|%[sd]")


def sources(suffix):
    for path in sorted(BASE_DIR.rglob(f"*{suffix}")):
        top = path.relative_to(BASE_DIR).parts[0]
        if top not in ELSEWHERE and not top.startswith("."):
            yield path


def found_in(source):
    """`(line, context or None, msgid)` of each message of a piece of Python."""
    options = {"encoding": "utf-8"}
    for line, message, _, context in extract(
        "python", io.BytesIO(source.encode()), KEYWORDS, options=options
    ):
        single = message[0] if isinstance(message, tuple) else message
        yield line, context, single


def messages():
    """`{(context, msgid): first place}` of everything the portal says."""
    places = {}
    for path in sources(".py"):
        if "migrations" not in path.parts:
            collect(places, path, path.read_text())
    for path in (*sources(".html"), *sources(".txt")):
        if "templates" in path.parts:
            collect(places, path, templatize(path.read_text(), origin=str(path)))
    return places


def collect(places, path, source):
    for line, context, msgid in found_in(source):
        places.setdefault((context, msgid), f"{path.relative_to(BASE_DIR)}:{line}")


def translated():
    """`{(context, msgid): English}` of the entries that gettext will use."""
    if not CATALOGUE.exists():
        return {}
    return {
        (entry.msgctxt, entry.msgid): entry.msgstr or entry.msgstr_plural.get(0, "")
        for entry in polib.pofile(str(CATALOGUE))
        if entry.translated() and not entry.obsolete
    }


def missing():
    """What has no English, as catalogue entries to be filled in."""
    known = translated()
    return [
        polib.POEntry(msgid=msgid, msgctxt=context, occurrences=[tuple(place.split(":"))])
        for (context, msgid), place in messages().items()
        if (context, msgid) not in known
    ]


def misfits():
    """Translations that lost, or made up, a placeholder."""
    return [
        msgid
        for (_, msgid), english in translated().items()
        if set(PLACEHOLDER.findall(msgid)) != set(PLACEHOLDER.findall(english))
    ]


def test_every_message_has_its_english():
    assert not [entry.msgid for entry in missing()]


def test_every_translation_keeps_the_placeholders():
    assert not misfits()


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('<p>{% translate "红名单" %}</p>', {(None, "红名单")}),
        ('{% translate "月" context "期限" %}', {("期限", "月")}),
        (
            "{% load i18n %}\n{% blocktranslate trimmed with n=x %}\n 共 {{ n }} 条\n"
            "{% endblocktranslate %} it's <b>fine</b> {{ y|default:_('无') }}",
            {(None, "共 %(n)s 条"), (None, "无")},
        ),
    ],
)
def test_messages_are_found_in_templates(template, expected):
    found = {(context, msgid) for _, context, msgid in found_in(templatize(template))}
    assert found == expected


if __name__ == "__main__":
    lacking = missing()
    sys.stdout.writelines(f"{entry}\n" for entry in lacking)
    sys.stdout.writelines(f"placeholders differ: {msgid}\n" for msgid in misfits())
    sys.exit(f"{len(lacking)} messages have no English" if lacking or misfits() else 0)
