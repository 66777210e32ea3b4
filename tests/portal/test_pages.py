"""The public pages: what they answer, how they are made, and what they never show."""

import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import OperationalError, connection
from django.urls import reverse
from django.utils import timezone, translation

from listings import services as listings
from parties.models import Actor
from portal import services
from tests.builders import (
    code_of,
    firm,
    last_public_day,
    person,
    published_black,
    red_draft,
    red_published,
    resident_id,
    reviewer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]

STANDING = (
    "home", "search", "red-list", "red-notices", "black-list", "statistics", "memoranda", "about",
    "accessibility", "sign-in",
)  # fmt: skip


class Outline(HTMLParser):
    """What a page is made of: its language, title, headings, ids, links, and forbidden parts."""

    def __init__(self, html):
        super().__init__()
        self.description = ""
        self.lang, self.title, self.headings, self.ids, self.links = "", "", [], [], []
        self.inline, self.unnamed, self._open = [], [], []
        self.labelled, self.controls = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self._open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found.get("href", ""))
        if tag == "label":
            self.labelled.add(found.get("for"))
        if tag in {"input", "select", "textarea"} and found.get("type") != "hidden":
            self.controls.append(found.get("id"))
        self.inline += [name for name in found if name == "style" or name.startswith("on")]
        self.inline += [tag] if is_inline(tag, found) else []
        self._say(tag, found)

    def _say(self, tag, found):
        """What the page says of itself."""
        self.lang = found.get("lang", "") if tag == "html" else self.lang
        if (tag, found.get("name")) == ("meta", "description"):
            self.description = found["content"]

    def handle_data(self, text):
        self.title += text if "title" in self._open[-1:] else ""

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass


def is_inline(tag, found):
    """A style, or a script that is neither a file of ours nor mere data."""
    is_data = found.get("type") == "application/ld+json" or "src" in found
    return tag == "style" or (tag == "script" and not is_data)


def outline(response):
    return Outline(response.content.decode())


def addresses():
    black, red = published_black(), red_published()
    memorandum = black.category.memoranda.first()
    return [
        *map(reverse, STANDING),
        reverse("black-entry", args=[black.public_id]),
        reverse("red-entry", args=[red.public_id]),
        reverse("subject", args=[black.subject.code]),
        reverse("memorandum", args=[memorandum.public_id]),
        reverse("credit-report", args=[_report(black.subject)]),
        f"{reverse('search')}?q=示例",
    ]


def _report(subject):
    return services.credit_report(subject.code, now=timezone.now()).verify_code


@pytest.mark.parametrize(("prefix", "lang"), [("", "zh-CN"), ("/en", "en")])
def test_every_page_has_one_h1_a_title_a_language_and_no_inline_script_or_style(
    client, prefix, lang
):
    for path in [*addresses(), "/nosuch/"]:
        made = outline(client.get(prefix + path))
        assert made.headings.count(1) == 1, path
        assert made.title.strip(), path
        assert 15 <= len(made.description) <= 200, path
        assert made.lang == lang, path
        assert made.inline == [], path
        assert len(made.ids) == len(set(made.ids)), path
        assert set(made.controls) <= made.labelled, path


def test_what_is_said_to_search_engines_can_be_read_and_breaks_out_of_no_script(client):
    for path in ("/", "/red/", "/en/black/"):
        text = client.get(path).content.decode()
        said = text.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
        assert json.loads(said)["@context"] == "https://schema.org"
        assert not set("<>&") & set(said)


def test_no_heading_level_is_skipped(client):
    for path in addresses():
        levels = outline(client.get(path)).headings
        steps = pairwise(levels)
        assert levels[0] == 1, path
        assert all(after <= before + 1 for before, after in steps), (path, levels)


def test_no_link_of_a_page_is_dead(client):
    links = {link for path in addresses() for link in outline(client.get(path)).links}
    ours = {link.partition("#")[0] for link in links if link.startswith("/")}
    dead = [link for link in ours if client.get(link).status_code not in {200, 302}]
    assert not dead
    assert not {link for link in links if link in {"", "#"}}


def test_a_page_refuses_inline_script_and_style(page):
    policy = page("/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy


# --- entries ---------------------------------------------------------------


def test_an_entry_says_who_why_by_which_document_and_until_when(page):
    entry = published_black(firm("通化宏达示例建筑工程有限公司"))
    text = page(reverse("black-entry", args=[entry.public_id])).content.decode()
    until = entry.visible_until
    for said in (
        "通化<wbr>宏达示例<wbr>建筑工程<wbr>有限公司",
        entry.subject.code,
        entry.document_number,
        entry.ground,
        str(entry.basis),
        f"{until.year}年{until.month}月{until.day}日",
        "提出异议",
        "看修复条件",
    ):
        assert said in text


def test_an_entry_of_the_other_colour_is_not_found(page):
    page(reverse("red-entry", args=[published_black().public_id]), status=404)
    page(reverse("black-entry", args=[red_published().public_id]), status=404)


def test_an_entry_whose_last_day_was_yesterday_is_on_no_page_no_count_and_no_file(client, page):
    today = timezone.localdate()
    gone = last_public_day(today - timedelta(days=1), subject=firm("通化昨日示例商贸有限公司"))
    last_day = last_public_day(today, subject=firm("通化今日示例商贸有限公司"))
    for path in (
        reverse("home"),
        reverse("black-list"),
        f"{reverse('black-list')}?q=示例",
        f"{reverse('black-list')}?format=csv",
        f"{reverse('search')}?q=示例",
    ):
        response = page(path)
        text = b"".join(response).decode()
        assert "昨日" not in text, path
        assert "今日" in text, path
    assert "昨日" not in page(reverse("subject", args=[gone.subject.code])).content.decode()
    assert "昨日" not in page(reverse("statistics")).content.decode()
    assert services.home_figures(today)["black"] == 1
    assert services.statistics(today)["black"] == 1
    assert sum(services.statistics(today)["black_months"]) <= 1
    page(reverse("black-entry", args=[last_day.public_id]))
    page(reverse("black-entry", args=[gone.public_id]), status=410)


def test_an_ended_entry_is_gone_without_a_word_about_whom_it_was(page):
    today = timezone.localdate()
    entry = last_public_day(today - timedelta(days=1), subject=firm("通化某某示例商贸有限公司"))
    text = page(reverse("black-entry", args=[entry.public_id]), status=410).content.decode()
    for personal in ("某某", entry.subject.code, entry.ground, entry.document_number):
        assert personal not in text


def test_a_draft_is_not_found(page):
    entry = published_black()
    type(entry).objects.filter(pk=entry.pk).update(status="draft")
    page(reverse("black-entry", args=[entry.public_id]), status=404)


def test_a_person_is_masked_everywhere_never_found_by_name_and_not_indexed(page):
    number = "220502198001010014"
    entry = published_black(person("张示例", number))
    path = reverse("black-entry", args=[entry.public_id])
    response = page(path)
    assert response["X-Robots-Tag"] == "noindex"
    assert 'name="robots" content="noindex"' in response.content.decode()
    pages = [path, reverse("home"), reverse("black-list"), f"{reverse('black-list')}?format=csv"]
    for shown in pages:
        text = b"".join(page(shown)).decode()
        assert "张*" in text, shown
        assert "张示例" not in text, shown
        assert number not in text, shown
    assert "张*" not in page(f"{reverse('search')}?q=张示例").content.decode()


def test_a_responsible_person_whose_own_term_is_over_is_on_no_page(page):
    paper = {"id_type": "resident_id", "id_number": resident_id(901), "name": "吴示例"}
    told = {"role": "director", "fact": "示例", "basis": "示例"}
    entry = published_black(responsible_persons=[{**paper, **told}])
    address = reverse("black-entry", args=[entry.public_id])
    assert "吴*" in page(address).content.decode()
    yesterday = timezone.localdate() - timedelta(days=1)
    entry.responsible_persons.update(until=yesterday)
    assert "吴*" not in page(address).content.decode()


def test_an_open_objection_adds_a_badge_and_nothing_else(page):
    entry = published_black()
    path = reverse("black-entry", args=[entry.public_id])
    listings.annotate(entry, disputed=True, actor=Actor.of(reviewer()))
    text = page(path).content.decode()
    assert "异议处理中" in text
    assert entry.ground in text


def test_a_firm_on_both_lists_has_its_benefits_paused(page):
    subject = firm("通化双名示例商贸有限公司")
    red = red_published(subject)
    published_black(subject)
    paths = [
        reverse("red-list"),
        reverse("home"),
        reverse("subject", args=[subject.code]),
        reverse("red-entry", args=[red.public_id]),
    ]
    for path in paths:
        assert "激励暂停" in page(path).content.decode(), path


def test_any_valid_code_answers_alike_and_a_wrong_one_is_no_page(page):
    ended = last_public_day(timezone.localdate() - timedelta(days=1))
    unknown = page(reverse("subject", args=[code_of(999_999)])).content.decode()
    known = page(reverse("subject", args=[ended.subject.code])).content.decode()
    assert unknown.replace(code_of(999_999), "") == known.replace(ended.subject.code, "")
    page(reverse("subject", args=["91220501MA0ABC1216"]), status=404)


def test_a_nomination_is_shown_while_its_public_notice_runs_and_is_no_entry(page):
    today = timezone.localdate()
    notice = {"from": today, "until": today + timedelta(days=14)}
    nominated = red_draft(firm("通化公示示例商贸有限公司"), notice=False, public_notice=notice)
    over = red_draft(firm("通化期满示例商贸有限公司"))
    text = page(reverse("red-notices")).content.decode()
    assert "通化公示" in re.sub("<.*?>", "", text)
    assert "期满" not in text
    assert "没有符合条件" in page(f"{reverse('red-list')}?q=通化公示").content.decode()
    for draft in (nominated, over):
        page(reverse("red-entry", args=[draft.public_id]), status=404)


# --- lists and search ------------------------------------------------------


def test_a_list_is_narrowed_by_category_department_and_name(page):
    published_black(firm("通化甲甲示例商贸有限公司"))
    published_black(firm("通化乙乙示例商贸有限公司"), category="H01", unit="scjg")
    path = reverse("black-list")
    for query, shown in (
        ("category=M05", "甲甲"),
        ("category=H01", "乙乙"),
        ("department=scjg", "乙乙"),
        ("q=甲甲", "甲甲"),
    ):
        text = page(f"{path}?{query}").content.decode()
        text = re.sub("</?mark>", "", text)
        assert [name for name in ("甲甲", "乙乙") if f"通化{name}" in text] == [shown], query
    assert "没有符合条件的有效记录" in page(f"{path}?category=NONE").content.decode()


def test_a_list_goes_on_over_pages_and_says_how_many_there_are(page):
    for _n in range(21):
        published_black()
    assert "第 1–20 条，共 21 条" in page(reverse("black-list")).content.decode()
    assert "第 21–21 条，共 21 条" in page(f"{reverse('black-list')}?page=2").content.decode()


def test_no_cell_of_the_csv_is_a_formula(page):
    published_black(firm("=cmd示例商贸有限公司"))
    published_black(document_number="＝1+1")
    text = b"".join(page(f"{reverse('black-list')}?format=csv")).decode()
    assert text.startswith("\ufeff名称,")
    assert "\r\n'=cmd示例商贸有限公司," in text
    assert ",'＝1+1," in text


def test_search_finds_by_exact_code_and_by_two_characters_of_a_name(page):
    entry = published_black(firm("通化宏达示例建筑工程有限公司"))
    for query in (entry.subject.code, entry.subject.code.lower(), "宏达", "　宏 达"):
        text = page(reverse("search"), data={"q": query}).content.decode()
        assert str(entry.public_id) in text, query


def test_search_says_what_nothing_found_does_not_mean(page):
    text = page(f"{reverse('search')}?q=没有这家").content.decode()
    assert "没有找到名称含" in text
    assert "不是信用评价" in text


@pytest.mark.parametrize("query", ["宏", "91220501MA0ABC1216", " "])
def test_search_refuses_what_can_find_nobody(page, query):
    text = page(reverse("search"), data={"q": query}).content.decode()
    assert "错误：" in text


# --- keeping pages ---------------------------------------------------------


def test_a_page_of_entries_is_asked_for_anew_and_is_the_same_until_the_ledger_moves(page):
    path = reverse("black-list")
    first = page(path)
    assert first["Cache-Control"] == "no-cache"
    page(path, status=304, headers={"if-none-match": first["ETag"]})
    published_black()
    page(path, headers={"if-none-match": first["ETag"]})


def test_another_day_language_or_display_is_another_page(client, page, monkeypatch):
    path = reverse("black-list")
    tag = page(path)["ETag"]
    assert page(f"/en{path}")["ETag"] != tag
    client.cookies["contrast"] = "high"
    assert page(path)["ETag"] != tag
    del client.cookies["contrast"]
    tomorrow = timezone.localdate() + timedelta(days=1)
    monkeypatch.setattr(timezone, "localdate", lambda *_args: tomorrow)
    assert page(path)["ETag"] != tag


@pytest.mark.parametrize(
    ("name", "most"),
    [("home", 11), ("red-list", 8), ("black-list", 8), ("statistics", 17), ("memoranda", 2)],
)
def test_a_page_costs_the_same_however_many_entries_there_are(
    page, django_assert_max_num_queries, name, most
):
    for _n in range(3):
        red_published()
        published_black()
    with django_assert_max_num_queries(most):
        page(reverse(name))


def test_who_is_under_public_notice_stands_on_the_first_page(client, page):
    before = page("/")
    assert "正在公示" not in before.content.decode()
    today = timezone.localdate()
    window = {"from": today, "until": today + timedelta(days=9)}
    red_draft(person("张三丰示例"), notice=False, public_notice=window)
    told = page("/", headers={"If-None-Match": before["ETag"]}).content.decode()
    assert "张*拟列入红名单" in told
    assert "三丰" not in told


def test_search_and_entry_cost_a_fixed_number_of_queries(page, django_assert_max_num_queries):
    entries = [published_black() for _n in range(4)]
    # who asks and all who ask, head, rules, keys, the shown entries, former names
    with django_assert_max_num_queries(7):
        page(f"{reverse('search')}?q=示例")
    with django_assert_max_num_queries(14):
        page(reverse("black-entry", args=[entries[0].public_id]))


# --- display settings, language, errors, signs of life ---------------------


def test_large_text_and_high_contrast_are_remembered_without_script(client, page):
    response = client.post(reverse("display"), {"size": "large", "next": "/black/"})
    assert response.status_code == 302
    assert response["Location"] == "/black/"
    client.post(reverse("display"), {"contrast": "high"})
    text = page("/").content.decode()
    assert 'data-size="large"' in text
    assert 'data-contrast="high"' in text
    client.post(reverse("display"), {"size": "normal"})
    assert "data-size" not in page("/").content.decode()


def test_the_way_back_never_leads_to_another_site(client):
    response = client.post(reverse("display"), {"size": "large", "next": "https://example.org/"})
    assert response["Location"] == "/"


def test_each_language_links_to_the_same_page_in_the_other(page):
    assert "/en/black/?page=1" in outline(page("/black/?page=1")).links
    assert "/black/?page=1" in outline(page("/en/black/?page=1")).links


def test_the_link_to_the_other_language_never_leads_to_another_site(client):
    text = client.get("/en//example.org/").content.decode()
    assert 'href="//example.org' not in text


def test_the_error_page_of_last_resort_needs_neither_context_nor_database(rf):
    from portal.views import server_error

    with translation.override("zh-hans"):
        response = server_error(rf.get("/"))
    assert response.status_code == 500
    assert "系统出错了" in response.content.decode()


def test_a_machine_is_refused_in_its_own_words(page):
    response = page("/api/v1/nosuch/", status=404)
    assert response["Content-Type"] == "application/problem+json"


def test_ready_once_a_worker_has_shown_life(page):
    page("/healthz")
    cache.delete("portal.heartbeat")
    assert "worker" in page("/readyz", status=503).content.decode()
    services.beat()
    page("/readyz")


def test_who_asks_whether_we_are_ready_learns_nothing_of_the_database(client, db):
    def refuse(*_args):
        raise OperationalError('password failed for user "portal" on db.internal')

    with connection.execute_wrapper(refuse):
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.content.decode() == "database: not reachable\n"


def test_metrics_are_for_this_machine_or_the_holder_of_the_token(page):
    published_black()
    text = page("/metrics").content.decode()
    assert 'portal_listings_in_force{list="black"} 1' in text
    page("/metrics", status=403, REMOTE_ADDR="192.0.2.1")
    page("/metrics", status=403, headers={"x-forwarded-for": "192.0.2.1"})


def test_metrics_tell_what_waits_and_how_long_ago_each_sweep_was(page, rules):
    services.swept("casework.tasks.seal_journal")
    text = page("/metrics").content.decode()
    assert 'portal_waiting{queue="letters"} 0\n' in text
    assert 'portal_journal_unsealed{table="casework_event"}' in text
    assert re.search(r'portal_sweep_age_seconds{sweep="casework.tasks.seal_journal"} 0\.\d\n', text)
    assert 'portal_sweep_age_seconds{sweep="jointaction.tasks.distribute"} NaN\n' in text
    assert text.count("# TYPE portal_waiting gauge") == 1


def test_metrics_from_elsewhere_with_the_token(page, settings):
    settings.METRICS_TOKEN = "a-token"  # noqa: S105
    page("/metrics", REMOTE_ADDR="192.0.2.1", headers={"authorization": "Bearer a-token"})
    page("/metrics", status=403, REMOTE_ADDR="192.0.2.1", headers={"authorization": "Bearer b"})


def test_robots_find_the_sitemap_and_every_page_on_it(client, page):
    assert f"Sitemap: {settings.BASE_URL}/sitemap.xml" in page("/robots.txt").content.decode()
    found = re.findall("<loc>(.*?)</loc>", page("/sitemap.xml").content.decode())
    assert found
    for address in found:
        page(address.removeprefix(settings.BASE_URL))


def test_the_page_for_the_proxy_needs_neither_portal_nor_template(tmp_path):
    call_command("maintenance_page", str(tmp_path / "www"))
    page = (tmp_path / "www" / "maintenance.html").read_text()
    assert "正在维护" in page
    assert settings.SITE_NAME in page
    assert "{%" not in page
    assert (tmp_path / "www" / "static" / "portal.css").exists()
