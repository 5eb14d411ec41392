"""The forms of Chinese verse, on poems written out by hand."""

from pathlib import Path

import pytest

from aigc_demo.prosody import (
    FORMS,
    PATTERNS,
    fits,
    form_of,
    is_regulated,
    level_groups,
    lines_of,
    nearest_plan,
    opposes,
    pattern_of,
    plan_of,
    punctuate,
    readings,
    rhyme_of,
    scan,
    set_in_lines,
)

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


# Tone and rhyme


def test_readings_are_those_of_the_rhyme_books():
    assert readings("東") == {"平東"}
    assert readings("中") == {"平東", "去送"}  # the middle; to hit
    assert readings("月") == {"入月"}
    assert readings("X") == frozenset()


@pytest.mark.parametrize(("variant", "known"), ["迴回", "疎疏", "羣群", "啼蹄", "牀床"])
def test_variants_are_read_like_the_character_they_stand_for(variant, known):
    assert readings(variant) == readings(known) != frozenset()


def test_there_are_thirty_level_groups():
    assert len(level_groups()) == len(set(level_groups())) == 30
    assert {"平東", "平支", "平陽", "平庚", "平尤"} < set(level_groups())


@pytest.mark.parametrize(
    ("character", "tones"), [("天", "平"), ("月", "仄"), ("看", "平仄"), ("X", "")]
)
def test_a_character_fits_every_tone_it_has_a_reading_in(character, tones):
    assert {tone for tone in "平仄" if fits(character, tone)} == set(tones)
    assert fits(character, "中")


# The four patterns of a five-character quatrain as the handbooks print them, free places as 中.
BOOK = {
    "仄起": ["中仄中平仄", "中平中仄平", "中平中仄仄", "中仄中平平"],
    "仄起入韻": ["中仄中平平", "中平中仄平", "中平中仄仄", "中仄中平平"],
    "平起": ["中平中仄仄", "中仄中平平", "中仄中平仄", "中平中仄平"],
    "平起入韻": ["中平中仄平", "中仄中平平", "中仄中平仄", "中平中仄平"],
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_patterns_are_those_of_the_handbooks(pattern):
    assert FORMS["五绝"].tones(pattern) == BOOK[pattern]
    eight = FORMS["五律"].tones(pattern)
    assert eight[:4] == BOOK[pattern]
    assert eight[4:] == BOOK[pattern.removesuffix("入韻")]  # the second half never opens rhymed


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_line_of_seven_is_one_of_five_with_the_opposite_before_it(pattern):
    turned = ("仄" if pattern[0] == "平" else "平") + pattern[1:]
    for seven, five in zip(FORMS["七律"].tones(pattern), FORMS["五律"].tones(turned), strict=True):
        assert seven[2:] == five
        assert {seven[1], five[1]} == {"平", "仄"}


REGULATED = {
    "七绝": ("平起入韻", "平刪"),
    "五律": ("仄起", "平侵"),
    "七律": ("仄起入韻", "平灰"),
}


@pytest.mark.parametrize("name", REGULATED)
def test_famous_regulated_poems_keep_their_pattern_and_rhyme(name):
    lines = lines_of(POEMS[name])
    assert plan_of(lines) == REGULATED[name]
    assert is_regulated(lines)


def test_an_ancient_quatrain_rhymes_but_is_not_regulated():
    lines = lines_of(POEMS["五绝"])  # its rhyme 鳥, 少 is oblique
    assert rhyme_of(lines) == "上篠"
    assert not is_regulated(lines)
    assert plan_of(lines) == ("古體", "無韻")


def test_one_wrong_character_breaks_a_pattern_or_a_rhyme():
    lines = lines_of(POEMS["七绝"])
    assert pattern_of([lines[0], lines[1].replace("里", "山"), *lines[2:]]) is None
    assert rhyme_of([*lines[:3], lines[3].replace("山", "人")]) is None
    assert pattern_of(lines[:3]) is None  # no form
    assert rhyme_of([]) is None


def test_a_scanned_poem_marks_the_broken_place_and_the_rhyme_feet() -> None:
    lines = ["朝辭白帝彩雲間", "千里江陵一日還", "兩岸猿聲啼不住", "輕舟已過萬重山"]
    kept = scan(lines, FORMS["七绝"])
    assert all(one.kept for row in kept for one in row)
    assert [row[-1].character for row in kept if row[-1].foot] == ["間", "還", "山"]
    broken = scan([*lines[:3], "輕舟已過萬重人"], FORMS["七绝"])
    assert [one.character for row in broken for one in row if not one.kept] == ["人"]
    assert [len(row) for row in scan(["朝辭白帝", "千里"], FORMS["七绝"])] == [4, 2]


# Poems whose judgement the handbooks agree on, and the rule that settles it where it is not plain:
# Wang Li, 诗词格律 (1962), chapter 2, section 3 on 粘, 孤平, the special form (特拗) and 拗救,
# section 2 on rhyme, section 5 on ancient quatrains, section 6 on 三平調.
KNOWN = [
    line.split("\t")
    for line in (Path(__file__).parent / "known_poems.tsv").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(("title", "judged", "why", "text"), KNOWN, ids=[one[0] for one in KNOWN])
def test_known_poems_are_judged_as_the_handbooks_judge(title, judged, why, text):
    lines = lines_of(text)
    assert is_regulated(lines) == (judged == "regular"), why
    turned = why in ("特拗", "对句相救")
    assert is_regulated(lines, turned=False) == (judged == "regular" and not turned)
    kept = [one.kept for row in scan(lines, FORMS[form_of(text)]) for one in row]
    assert all(kept) or judged == "not"


@pytest.mark.parametrize(
    ("old", "new", "places"),
    [
        ("黃河入海流", "夜來月落愁", [(1, 2)]),  # 孤平
        ("黃河入海流", "夜來山落愁", []),  # and what makes up for it
        ("更上一層樓", "月出青山樓", [(3, 2)]),  # 三平調
        ("更上一層樓", "更上一層流", [(3, 4)]),  # rhymes twice
        ("欲窮千里目", "無窮萬年目", []),  # 特拗
        ("欲窮千里目", "欲窮萬年目", [(2, 3)]),  # its first character must be level
    ],
)
def test_faults_of_verse_are_marked_where_they_are(old, new, places):
    text = "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。".replace(old, new)
    lines = lines_of(text)
    scanned = scan(lines, FORMS["五绝"])
    broken = [(i, k) for i, row in enumerate(scanned) for k, one in enumerate(row) if not one.kept]
    assert broken == places
    assert is_regulated(lines) == (not places)


def test_an_oblique_rhyme_is_named_and_its_lines_are_held_to_it():
    lines = lines_of("春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。")
    _, rhyme = nearest_plan(lines, FORMS["五绝"])
    assert rhyme == "上篠"
    feet = [row[-1] for row in scan(lines, FORMS["五绝"]) if row[-1].foot]
    assert [one.character for one in feet] == ["曉", "鳥", "少"]
    assert all(one.kept for one in feet)


@pytest.mark.parametrize(
    ("character", "group"), [("龍", "入緝"), ("兒", "入覺"), ("師", "去寘"), ("漢", "平寒")]
)
def test_readings_that_no_rhyme_book_knows_are_gone(character, group):
    assert group not in readings(character) != frozenset()


def test_a_reading_that_poets_hardly_use_counts_for_rhyme_alone():
    assert not fits("不", "平")  # as in 野火燒不盡
    assert "平尤" in readings("不")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("白日依山盡", "黃河入海流", True),
        ("兩岸猿聲啼不住", "輕舟已過萬重山", True),
        ("白日依山盡", "白日依山盡", False),
        ("白日依山盡", "黃河入海月", False),  # both end oblique
        ("白日依山盡", "青天依江流", False),  # the fourth places are both level
        ("白日依山盡", "黃河入海", False),
    ],
)
def test_a_second_line_opposes_the_first_in_tone(first: str, second: str, expected: bool) -> None:
    assert opposes(first, second) == expected
