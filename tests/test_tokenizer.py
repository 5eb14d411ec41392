"""Characters to ids and back, and the two scripts of Chinese."""

import pytest

from aigc_demo.tokenizer import (
    PAD,
    POEM_END,
    TITLE_END,
    CharacterTokenizer,
    UnknownCharacters,
    control,
    fit_script,
    poem_ids,
    to_simplified,
    to_traditional,
)

CONTROLS = [PAD, TITLE_END, POEM_END, *map(control, ("七绝", "平起", "平東"))]


def test_decoding_undoes_encoding():
    tokenizer = CharacterTokenizer("\n abc")
    assert tokenizer.encode("cab\na b") == [4, 2, 3, 0, 2, 1, 3]
    assert tokenizer.decode([4, 2, 3, 0, 2, 1, 3]) == "cab\na b"


def test_control_tokens_come_first_and_are_left_out_of_the_text():
    tokenizer = CharacterTokenizer("春曉", CONTROLS)
    assert len(tokenizer) == 8
    assert [tokenizer.ids[name] for name in CONTROLS] == [0, 1, 2, 3, 4, 5]
    assert tokenizer.decode([3, 6, 1, 7, 2, 0]) == "春曉"


def test_no_text_is_read_as_a_control_token():
    with pytest.raises(UnknownCharacters):
        CharacterTokenizer("abc", CONTROLS).encode(PAD)
    spelled = CharacterTokenizer("<pad>", CONTROLS)
    assert spelled.encode(PAD) == [6, 7, 8, 9, 10]


def test_unknown_characters_are_named_once_each_in_their_order():
    with pytest.raises(UnknownCharacters) as raised:
        CharacterTokenizer("abc").encode("xaybxé")
    assert raised.value.characters == "xyé"
    assert isinstance(raised.value, ValueError)
    assert "x y é" in str(raised.value)


@pytest.mark.parametrize("characters, controls", [("aba", []), ("ab", ["a"]), ("", ["<x>", "<x>"])])
def test_a_token_that_occurs_twice_is_refused(characters, controls):
    with pytest.raises(ValueError, match="distinct"):
        CharacterTokenizer(characters, controls)


def test_a_poem_is_read_as_form_title_plan_and_text():
    tokenizer = CharacterTokenizer("春曉眠不", CONTROLS)
    opening = ["<七绝>", "春", "曉", TITLE_END]
    ids = poem_ids(tokenizer, "七绝", "春曉")
    assert [tokenizer.tokens[i] for i in ids] == opening
    ids = poem_ids(tokenizer, "七绝", "春曉", ("平起", "平東"), "不眠")
    assert [tokenizer.tokens[i] for i in ids] == [*opening, "<平起>", "<平東>", "不", "眠"]


def test_scripts_are_converted_by_phrase():
    assert to_traditional("头发") == "頭髮"  # hair
    assert to_traditional("出发") == "出發"  # to set out: the same simplified character
    assert to_simplified("頭髮出發") == "头发出发"


def test_simplified_text_becomes_traditional_where_the_model_knows_that():
    tokenizer = CharacterTokenizer("頭髮出發花")
    assert fit_script("头发出发花", tokenizer) == "頭髮出發花"


def test_text_stays_as_written_where_the_model_knows_only_that():
    assert fit_script("头发", CharacterTokenizer("头发")) == "头发"


def test_traditional_text_stays_as_written():
    # 里 is a mile here; taken for simplified script it would become 裏, inside
    tokenizer = CharacterTokenizer("萬里裏悲秋常作客")
    assert fit_script("萬里悲秋常作客", tokenizer) == "萬里悲秋常作客"


def test_characters_unknown_in_either_script_are_named_as_written():
    with pytest.raises(UnknownCharacters) as raised:
        fit_script("头发a国a", CharacterTokenizer("頭髮"))
    assert raised.value.characters == "a国"


def test_an_empty_text_fits():
    assert fit_script("", CharacterTokenizer("春")) == ""
