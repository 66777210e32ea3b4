import time
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from parties.identity import (
    CODE_ALPHABET,
    bigrams,
    check_code,
    check_paper,
    code_warnings,
    normalise_code,
    normalise_name,
    paper_warnings,
)

TODAY = date(2026, 11, 23)

VALID_CODES = [
    "91350100M000100Y43",
    "91110000600037341L",
    "9111000071093123XX",
    "91440300708461136T",
    "91330100799655058B",
    "91220501MA0ABC1215",
    "N2220581MF0000128T",
    "91220501MA0000445Y",
    "91220501MA00000230",
]
VALID_RESIDENTS = [
    "11010519491231002X",
    "440524188001010014",
    "220502198001010014",
    "22050220000229002X",
    "22050219850615008X",
]


def refusal(call, *args):
    with pytest.raises(ValidationError) as caught:
        call(*args)
    return caught.value.code


def with_check_symbol(body):
    """The code of `body`, its last symbol found by trying all."""
    for symbol in CODE_ALPHABET:
        try:
            return check_code(body + symbol)
        except ValidationError:
            continue
    raise AssertionError(body)


def with_check_digit(body):
    """The resident number of `body`, as GB 11643 writes the rule."""
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


@pytest.mark.parametrize("code", VALID_CODES)
def test_a_real_code_is_taken_as_it_is(code):
    assert check_code(code) == code


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("91350100M000100Y44", "bad_check_symbol"),
        ("91350100M00010Y043", "bad_check_symbol"),
        ("91350100I000100Y43", "bad_format"),
        ("91350100M000100Y4", "bad_format"),
        ("91350100M000100Y433", "bad_format"),
        ("", "bad_format"),
        (None, "bad_format"),
        ("通化示例商贸有限公司", "bad_format"),
        ("91350100M000100Y4\x00", "bad_format"),
    ],
)
def test_a_wrong_code_is_refused_with_its_reason(text, reason):
    assert refusal(check_code, text) == reason


@pytest.mark.parametrize(
    "text",
    [
        " 91220501ma0abc1215 ",
        "91220501-MA0ABC121-5",
        "９１２２０５０１ＭＡ０ＡＢＣ１２１５",
        "91220501\u3000MA0ABC1215\t",
        "\ufeff91220501MA0ABC1215\u200b",
        "91220501–MA0ABC1215",
    ],
)
def test_a_code_may_be_typed_with_blanks_hyphens_wide_or_small_letters(text):
    assert check_code(text) == "91220501MA0ABC1215"


@given(st.text(max_size=40))
def test_normalising_a_code_twice_changes_nothing_more(text):
    once = normalise_code(text)
    assert normalise_code(once) == once


@given(st.text(CODE_ALPHABET, min_size=17, max_size=17), st.integers(0, 17), st.data())
def test_one_mistyped_symbol_is_always_noticed(body, position, data):
    code = with_check_symbol(body)
    wrong = data.draw(st.sampled_from([c for c in CODE_ALPHABET if c != code[position]]))
    assert refusal(check_code, code[:position] + wrong + code[position + 1 :]) == "bad_check_symbol"


def test_codes_of_rural_collectives_the_army_and_others_are_taken():
    for registrar in "NAY":
        code = with_check_symbol(f"{registrar}2220581MF0000128")
        assert check_code(code) == code
        assert not code_warnings(code)


def test_an_odd_region_registrar_or_organisation_symbol_only_warns():
    assert code_warnings("91110000600037341L") == []
    assert len(code_warnings(with_check_symbol("91990000600037341"))) == 1
    assert len(code_warnings(with_check_symbol("91110000600037342"))) == 1
    assert len(code_warnings(with_check_symbol("01110000600037341"))) == 1


def test_a_hundred_thousand_codes_are_checked_in_about_a_second():
    started = time.perf_counter()
    for _i in range(100_000):
        check_code("91220501MA0ABC1215")
    assert time.perf_counter() - started < 2.5


@pytest.mark.parametrize("number", VALID_RESIDENTS)
def test_a_resident_number_is_taken(number):
    assert check_paper("resident_id", number, TODAY) == number


def test_a_small_x_is_raised_and_blanks_are_dropped():
    assert check_paper("resident_id", "110105 19491231 002x", TODAY) == "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("110105194912310021", "bad_check_symbol"),
        ("22050119900229001X", "bad_date"),
        ("220502202602300016", "bad_date"),
        ("1101051949123100", "bad_format"),
        ("110105491231002", "bad_format"),
        ("1101051949123100XX", "bad_format"),
        ("11010519491231002Y", "bad_format"),
        ("1101051949123100٢X", "bad_format"),
        ("", "bad_format"),
        (None, "bad_format"),
    ],
)
def test_a_wrong_resident_number_is_refused_with_its_reason(number, reason):
    assert refusal(check_paper, "resident_id", number, TODAY) == reason


def test_who_is_born_today_has_a_number_and_who_is_born_tomorrow_has_none():
    assert check_paper("resident_id", with_check_digit("22050220261123001"), TODAY)
    tomorrow = with_check_digit("22050220261124001")
    assert refusal(check_paper, "resident_id", tomorrow, TODAY) == "bad_date"


def test_a_resident_number_of_an_unknown_region_only_warns():
    number = with_check_digit("99050219850615008").replace("99", "10", 1)
    number = with_check_digit(number[:17])
    assert check_paper("resident_id", number, TODAY) == number
    assert len(paper_warnings(number)) == 1
    assert paper_warnings("22050219850615008X") == []


@pytest.mark.parametrize("prefix", ["810000", "820000", "830000"])
def test_residence_permits_of_hong_kong_macau_and_taiwan_are_resident_numbers(prefix):
    number = with_check_digit(f"{prefix}19940823001")
    assert check_paper("resident_id", number, TODAY) == number
    assert paper_warnings(number) == []


@pytest.mark.parametrize(
    ("paper", "given_number", "kept"),
    [
        ("passport", "e1234 5678", "E12345678"),
        ("hk_macau", "h12345678", "H12345678"),
        ("hk_macau", "M1234567801", "M1234567801"),
        ("taiwan", "12345678", "12345678"),
        ("taiwan", "1234567801", "1234567801"),
        ("foreign_resident", "usa123456789012", "USA123456789012"),
        ("foreign_resident", with_check_digit("91101241990010112"[:6] + "19900101123"), None),
        ("other", "军字第1234567号", "军字第1234567号"),
    ],
)
def test_other_papers_are_taken_in_their_form(paper, given_number, kept):
    assert check_paper(paper, given_number, TODAY) == (kept or given_number)


@pytest.mark.parametrize(
    ("paper", "number", "reason"),
    [
        ("passport", "E12", "bad_format"),
        ("hk_macau", "K12345678", "bad_format"),
        ("hk_macau", "H1234567", "bad_format"),
        ("taiwan", "A1234567", "bad_format"),
        ("foreign_resident", "US1234567890123", "bad_format"),
        ("foreign_resident", "911012199013010123", "bad_check_symbol"),
        ("resident_id", "911012199013010123", "bad_format"),
        ("library_card", "1", "bad_paper_type"),
    ],
)
def test_other_papers_are_refused_with_their_reason(paper, number, reason):
    assert refusal(check_paper, paper, number, TODAY) == reason


def test_names_are_compared_without_width_brackets_case_and_blanks():
    assert normalise_name("示例（通化）ａｂｃ 有限公司") == "示例(通化)ABC有限公司"
    assert normalise_name("示例【通化】abc\u3000有限公司\u200b") == "示例(通化)ABC有限公司"
    assert normalise_name("示例・通化") == normalise_name("示例·通化")


def test_homophones_stay_different_names():
    assert normalise_name("通化示例宏达公司") != normalise_name("通化示例鸿达公司")


@given(st.text(max_size=60))
def test_normalising_a_name_twice_changes_nothing_more(name):
    once = normalise_name(name)
    assert normalise_name(once) == once
    assert len(once) <= 200


def test_bigrams_are_the_pairs_of_the_normalised_name_each_once():
    assert bigrams("示例 示例（甲）") == sorted({"示例", "例示", "例(", "(甲", "甲)"})
    assert bigrams("示") == []
    assert bigrams("") == []
