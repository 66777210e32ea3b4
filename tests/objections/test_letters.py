"""The written reply: one PDF that can be read, searched, kept and proved."""

import io

import pytest
from django.utils import timezone
from pypdf import PdfReader

from casework import documents
from casework.services import make
from objections import services
from parties.models import Actor
from rulebook.models import CategoryField
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")
REASONS = "经向示例农商银行核实，代发 15 人工资 33.7 万元属实，应予扣除。"


def replied(outcome="rejected", reasons=REASONS, corrections=None, applicant=None, **entry):
    unit = entry.get("unit", "rsj")
    applicant = {**builders.APPLICANT, "name": applicant or "通化示例商贸有限公司"}
    objection, _code = builders.objection(builders.published_black(**entry), applicant=applicant)
    services.propose_reply(
        objection,
        actor=Actor.of(builders.clerk(unit)),
        outcome=outcome,
        reasons=reasons,
        corrections=corrections,
        today=timezone.localdate(),
    )
    actor = Actor.of(builders.reviewer(unit))
    return services.approve_reply(objection, actor=actor, today=timezone.localdate())


def text_of(objection):
    """The letter's words in reading order, without the breaks between them."""
    content = documents.read(make(objection.letter))
    pages = PdfReader(io.BytesIO(content)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def test_the_letter_says_number_outcome_old_and_new_values_reasons_and_remedy():
    new = {"ground": "拖欠 22 名农民工工资共 52.7 万元。"}
    objection = replied("upheld_corrected", corrections=new)
    text = text_of(objection)
    for words in (
        objection.number,
        objection.letter.number,
        "一、结论：更正",
        "86.4万元",
        "拖欠22名农民工工资共52.7万元",
        "代发15人工资33.7万元属实",
        "行政复议",
        objection.letter.spaced_code,
        "15个工作日",
    ):
        assert "".join(words.split()) in text


def test_a_category_field_is_told_by_its_name_and_not_as_code():
    details = {"tax_kind": "增值税", "amount": "100.5"}
    objection = replied(
        "upheld_corrected", corrections={"details": details}, category="M02", unit="swj"
    )
    text = text_of(objection)
    assert "涉案税额128.6万元100.5万元" in text
    assert "tax_kind" not in text


def test_a_masked_field_is_masked_in_the_letter_and_a_secret_one_is_not_told():
    fields = CategoryField.objects.filter(category__code="J01")
    fields.filter(code="obligation").update(masked=True)
    fields.filter(code="court").update(disclosure="secret")
    details = {
        **builders.NAMED["J01"],
        "obligation": "王示例应付货款",
        "court": "集安市示例人民法院",
    }
    objection = replied(
        "upheld_corrected",
        corrections={"details": details},
        category="J01",
        unit="zjfy",
        attested=True,
    )
    text = text_of(objection)
    assert "王*" in text
    assert "王示例" not in text
    assert "已更正，不公开" in text
    assert "集安市示例" not in text


def test_the_letter_is_an_archive_pdf_with_its_fonts_inside():
    content = documents.read(make(replied().letter))
    assert b"pdfaid:part" in content
    assert b"<pdfaid:part>2</pdfaid:part>" in content or b'pdfaid:part="2"' in content


def test_a_firm_of_two_hundred_characters_and_pages_of_reasons_are_all_there():
    name = "通化市" + "示例" * 96 + "有限公司"
    reasons = "\n".join(f"第{n}点，{REASONS}" for n in range(90))
    text = text_of(replied(reasons=reasons, applicant=name[:200]))
    assert name[:60] in text
    assert "第0点" in text
    assert "第89点" in text


def test_letters_of_a_department_are_numbered_without_a_gap():
    numbers = [replied().letter.number for _n in range(3)]
    taken = [int(number.rsplit("〕", 1)[1].removesuffix("号")) for number in numbers]
    assert taken == [taken[0], taken[0] + 1, taken[0] + 2]
