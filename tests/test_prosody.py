"""The forms of Chinese verse, on poems written out by hand."""

import pytest

from aigc_demo.prosody import FORMS, form_of, lines_of, punctuate, set_in_lines

POEMS = {
    "五绝": "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。",
    "七绝": "朝辭白帝彩雲間，千里江陵一日還。兩岸猿聲啼不住，輕舟已過萬重山。",
    "五律": "國破山河在，城春草木深。感時花濺淚，恨別鳥驚心。"
    "烽火連三月，家書抵萬金。白頭搔更短，渾欲不勝簪。",
    "七律": "風急天高猿嘯哀，渚清沙白鳥飛回。無邊落木蕭蕭下，不盡長江滾滾來。"
    "萬里悲秋常作客，百年多病獨登臺。艱難苦恨繁霜鬢，潦倒新停濁酒杯。",
}


def test_every_form_has_its_example_here():
    assert set(POEMS) == set(FORMS)


@pytest.mark.parametrize("name", POEMS)
def test_form_of_knows_a_poem_by_its_lines(name):
    assert form_of(POEMS[name]) == name
    assert form_of(POEMS[name].replace("，", "？\n")) == name  # other marks, other breaks


@pytest.mark.parametrize("name", POEMS)
def test_slots_name_the_mark_at_each_position_and_nothing_else(name):
    form, poem = FORMS[name], POEMS[name]
    assert len(form) == len(poem)
    marks = [character if character in "，。" else None for character in poem]
    assert [form.slot(position) for position in range(len(form))] == marks


@pytest.mark.parametrize("name", POEMS)
def test_there_is_no_slot_after_the_end(name):
    with pytest.raises(IndexError, match="below"):
        FORMS[name].slot(len(FORMS[name]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "春眠不覺曉",
        "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多。",  # a character short
        "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。春。",  # a line more
        "春眠不覺曉，朝辭白帝彩雲間。夜來風雨聲，花落知多少。",  # mixed lengths
    ],
)
def test_other_line_lengths_have_no_form(text):
    assert form_of(text) is None


def test_lines_come_without_their_marks():
    assert lines_of("春眠？不覺！\n曉；處、處，聞。") == ["春眠", "不覺", "曉", "處", "處", "聞"]
    assert lines_of("，。") == []


def test_odd_lines_end_with_a_comma_and_even_ones_with_a_full_stop():
    assert punctuate(["春", "眠", "不", "覺"]) == "春，眠。不，覺。"
    assert punctuate([]) == ""


@pytest.mark.parametrize("name", POEMS)
def test_punctuate_undoes_lines_of(name):
    assert punctuate(lines_of(POEMS[name])) == POEMS[name]


@pytest.mark.parametrize("name", POEMS)
def test_set_in_lines_breaks_after_each_mark_but_the_last(name):
    lines = set_in_lines(POEMS[name]).split("\n")
    assert len(lines) == FORMS[name].lines
    assert {len(line) for line in lines} == {FORMS[name].characters + 1}
    assert "".join(lines) == POEMS[name]
