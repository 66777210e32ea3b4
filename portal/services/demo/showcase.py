"""The firm of the pictures: on both lists at once, corrected once, with an objection under way."""

import io
from datetime import date, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from blacklist import services as blacklist
from casework import documents
from listings import services as listings
from parties import services as parties
from parties.models import PUBLIC
from portal.services.demo import remedies, staff
from redlist import services as redlist
from rulebook.models import ListCategory

BLACK = RED = 1
NAME, CODE = "通化宏达示例建筑工程有限公司", "91220501MA0ABC1215"
WRONG, RIGHT = "91.2", "86.4"
GROUND = "2025年8月至12月拖欠 37 名农民工工资共 {amount} 万元，经责令限期支付，逾期未付。"
GROUNDS = (
    "2025年12月29日、30日已通过银行代发 15 名工人工资共 33.7 万元，劳动监察立案时未计入。"
    "拖欠金额应为 52.7 万元，涉及 22 人。附银行代发回单和工资表。"
)
DAY = timedelta(days=1)


def plan(story):
    """Plan what befell the firm, so that today its objection is being looked into."""
    published_on = date(2026, 4, 1)
    if not 60 * DAY < story.today - published_on < 330 * DAY:
        published_on = story.next_working(story.today - 240 * DAY)
    recognised_on = story.next_working(published_on - 330 * DAY)
    story.on(story.after(recognised_on, -10), _nominate, story, recognised_on, hour=9)
    story.on(published_on - 27 * DAY, _write, story, published_on, hour=9)


def _firm():
    return parties.organisation(CODE, NAME, legal_representative="张示例")


def _nominate(story, recognised_on, *, today):
    listing, _made = redlist.draft(
        actor=staff.clerk("scjg"),
        subject=_firm(),
        category=ListCategory.objects.get(code="RS4"),
        today=today,
        nominator="通化市示例建筑业协会",
        ground="协会诚信评价连续两年为 AAA 级，合同履约率 100%，获评诚信会员单位。",
        details={"association": "通化市示例建筑业协会"},
        measure_codes=["IA02", "IA03", "IM01", "IM04.3"],
        public_notice={"from": today, "until": story.after(today, 7)},
    )
    story.on(recognised_on, _recognise, story, listing)


def _recognise(story, listing, *, today):
    story.firms.append(listing.subject)
    redlist.publish(listing, actor=staff.reviewer("scjg"), today=today)


def _write(story, published_on, *, today):
    person = story.people.responsible(
        "legal_representative", "对该行为负直接责任，单独告知。", "《保障农民工工资支付条例》"
    )
    listing, _made = blacklist.draft(
        actor=staff.clerk("rsj"),
        subject=_firm(),
        category=ListCategory.objects.get(code="M05"),
        today=today,
        degree="serious",
        ground=GROUND.format(amount=WRONG),
        document_number=f"吉通示人社监决字〔{published_on.year}〕第12号",
        document_kind="行政处理决定书",
        document_organ="通化市人力资源和社会保障局",
        document_date=published_on - 31 * DAY,
        details={
            "amount": WRONG,
            "people": "37",
            "project": "东昌示例花园二期工程",
            "period": "2025年8月至12月",
        },
        prior_notice={
            "served_on": today,
            "means": "direct",
            "defence_until": story.after(today, 7),
        },
        responsible_persons=[{**person, "name": "张示例"}],
    )
    story.on(published_on, _publish, story, listing)


def _publish(story, listing, *, today):
    published = blacklist.publish(listing, actor=staff.reviewer("rsj"), today=today)
    story.on(story.after(today, 45), _correct, story, published)
    story.on(story.after(story.today, -6), _object, story, published)


def _correct(story, listing, *, today):
    proposal = listings.propose_correction(
        listing,
        {"ground": GROUND.format(amount=RIGHT), "details": {**listing.details, "amount": RIGHT}},
        actor=staff.clerk("rsj"),
        note="拖欠金额重复计入一笔，由 91.2 万元改为 86.4 万元。",
    )
    story.on(story.after(today, 1), _approve, proposal)


def _approve(proposal, *, today):
    listings.approve(proposal, actor=staff.reviewer("rsj"), today=today)


def _object(story, listing, *, today):
    remedies.contest(
        story,
        listing,
        today,
        stop="investigating",
        grounds=GROUNDS,
        evidence=[_receipt("银行代发回单.png"), _receipt("工资表.png")],
    )


def _receipt(name):
    """A picture of a paper, as a phone takes it."""
    paper = Image.new("RGB", (900, 1200), "white")
    draw = ImageDraw.Draw(paper)
    draw.rectangle((60, 60, 840, 1140), outline="black", width=3)
    for row in range(120, 1100, 60):
        draw.line((60, row, 840, row), fill="grey", width=1)
    file = io.BytesIO()
    paper.save(file, "PNG")
    return documents.take(SimpleUploadedFile(name, file.getvalue()), actor=PUBLIC)
