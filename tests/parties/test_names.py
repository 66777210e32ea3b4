"""Names compared for Chinese: the labelled pairs, and what holds for any two texts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.figures.names import pairs, scores
from parties.identity import compare_names, normalise_name, parse_name, rank_near
from parties.models import mask_name

ANY = st.text(max_size=500)
PARTS = "吉林省,通化,（,）,宏达,鸿达,建筑,工程,有限,责任,公司,长春,分公司,集团,商貿,厂,Ａ, ,第二,店"
NAMES = st.lists(st.sampled_from(PARTS.split(",")), max_size=9).map("".join)


def test_the_labelled_set_is_large_and_holds_every_verdict():
    labelled = pairs()
    assert len(labelled) >= 300
    assert {verdict for *_pair, verdict in labelled} == {"same", "candidate", "different"}


def test_no_two_firms_are_taken_for_one_and_few_near_names_are_missed():
    found = scores(pairs())
    assert found["same"] == (1.0, 1.0)
    precision, recall = found["near"]
    assert precision == 1.0
    assert recall >= 0.95


@pytest.mark.parametrize(
    ("one", "other", "verdict", "reason"),
    [
        ("通化宏达", "通化鸿达", "different", "other_brand"),
        ("通化宏达建筑有限公司", "长春宏达建筑有限公司", "different", "other_region"),
        ("吉林省通化葡萄酒股份有限公司", "通化葡萄酒股份有限公司", "candidate", "region_missing"),
        ("宏达（通化）建筑有限公司", "通化宏达建筑有限公司", "candidate", "order"),
        ("通化宏達商貿有限公司", "通化宏达商贸有限公司", "same", "same_name"),
        ("通化市宏达商贸有限公司", "通化县宏达商贸有限公司", "different", "other_region"),
        ("通化东昇木业有限公司", "通化东升木业有限公司", "different", "other_brand"),
        ("", "通化宏达商贸有限公司", "different", "no_name"),
    ],
)
def test_what_makes_names_near_or_of_two_firms_is_said(one, other, verdict, reason):
    found = compare_names(one, other)
    assert (found.verdict, found.reasons[0]) == (verdict, reason)
    assert found.words


def test_the_identifier_comes_before_the_name():
    one, other = "吉林省通化葡萄酒股份有限公司", "通化葡萄酒股份有限公司"
    assert compare_names(one, other, codes_agree=True).reasons == ("name_differs",)
    assert compare_names(one, one, codes_agree=True).reasons == ("codes_agree",)
    assert compare_names(one, one, codes_agree=False).verdict == "different"


def test_the_parts_of_a_name_are_told_apart():
    name = parse_name("吉林省通化市宏达（集团）建筑工程有限责任公司长春第二分公司")
    assert name.regions == ("吉林省", "通化市")
    assert (name.form, name.branch) == ("有限公司", "长春第二分公司")
    assert parse_name("通化宏达建筑工程有限公司").brand == "宏达"
    assert parse_name("通化葡萄酒股份有限公司").brand == "通化"


def test_near_names_are_ranked_and_others_left_out():
    names = [
        "长春宏达商贸有限公司",
        "通化宏达商贸物流有限公司",
        "宏达商贸有限责任公司",
        "通化鸿达商贸有限公司",
    ]
    found = rank_near("通化宏达商贸有限公司", names)
    assert [place for place, _result in found] == [1, 2]
    assert rank_near("通化宏达商贸有限公司", names, limit=1)[0][1].words == "行业多写或少写了"


@settings(deadline=None)
@given(one=ANY | NAMES, other=ANY | NAMES)
def test_comparing_is_the_same_either_way_round_and_takes_any_text(one, other):
    there, back = compare_names(one, other), compare_names(other, one)
    assert there.verdict == back.verdict
    assert set(there.reasons) == set(back.reasons)
    assert there.words


@settings(deadline=None)
@given(name=NAMES)
def test_a_name_is_the_same_as_itself_however_wide_and_spaced(name):
    if normalise_name(name):
        wide = "　".join(name.replace("（", "(").replace("）", ")"))
        assert compare_names(name, wide).verdict == "same"


@given(name=ANY)
def test_a_mask_shows_the_first_sign_of_a_name_and_no_more(name):
    masked = mask_name(name)
    assert len(masked) <= 2
    assert masked.endswith("*")
    assert masked[:-1] in name
