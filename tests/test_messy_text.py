"""Prompts, titles and names as people write and paste them."""

from contextlib import suppress

import pytest
from pypinyin import Style, pinyin

from aigc_demo.explain import transformer as inside
from aigc_demo.explain import verse
from aigc_demo.hub import HubUnavailable, named, split_source
from aigc_demo.inference.titles import Title, fit_title, neighbours
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.prosody import FORMS, lines_of, readings, set_in_lines
from aigc_demo.tokenizer import (
    UnknownCharacters,
    characters_of,
    fit_script,
    fold,
    to_simplified,
    to_traditional,
)


@pytest.fixture(scope="module")
def play() -> TextWriter:
    return TextWriter.load("shakespeare", "cpu")


@pytest.fixture(scope="module")
def poet() -> TextWriter:
    return TextWriter.load("poems", "cpu")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("“To be,” he said", "'To be,' he said"),
        ("It’s ‘time’", "It's 'time'"),
        ("wait – now — go", "wait -- now -- go"),
        ("and then…", "and then..."),
        ("ROMEO:\r\nO", "ROMEO:\nO"),
        ("ROMEO:\rO", "ROMEO:\nO"),
        ("a\tb\u00a0c\u3000d", "a b c d"),
        ("ＲＯＭＥＯ：", "ROMEO:"),
        ("café naïve Ægir Straße", "cafe naive AEgir Strasse"),
        ("cafe\u0301", "cafe"),
        ("\ufeffROMEO:", "ROMEO:"),
        ("ﬁne ﬂow", "fine flow"),
        ("soft\u00adly zero\u200bwidth", "softly zerowidth"),
        ("‹good› №3 đıÞ", "'good' No3 diTh"),
        ("a\u2066b\u200ec\ufe0f", "abc"),
        ("你好，world", "你好,world"),
    ],
)
def test_a_prompt_is_read_in_the_likeness_of_what_the_model_knows(
    play: TextWriter, text: str, read: str
) -> None:
    assert play.tokenizer.fold(text) == read
    assert fold(read, play.tokenizer.characters) == read
    if read.isascii():
        generation = play.begin(text, 3, seed=0)
        assert generation.prompt == read and len(generation.whole()) == 3
        assert generation.whole() == play.write(read, 3, seed=0)
        assert inside.read(play, text).ids == inside.read(play, read).ids
    else:
        with pytest.raises(UnknownCharacters, match="你 好"):
            play.begin(text, 3)


@pytest.mark.parametrize(
    ("title", "shown", "left_out"),
    [
        ("《春江》", "春江", ""),
        ("春 江", "春江", ""),
        ("春江。", "春江", ""),
        ("2026年元旦", "二〇二六年元旦", ""),
        ("２０２６年元旦", "二〇二六年元旦", ""),
        ("我的iPhone", "我的", "iPhone"),
        ("iPhone", "", "iPhone"),
        ("½春⑩", "春十", "½"),
        ("Ⅲ江㎡", "三江", "㎡"),
        ("100", "一〇〇", ""),
        ("① 人々", "一人人", ""),
        ("⾨\u200b⼀", "門一", ""),
        ("“春🌸江”", "春江", "🌸"),
        (f"《{'春' * 16}》", "春" * 16, ""),
        ("", "", ""),
    ],
)
def test_a_title_only_steers(poet: TextWriter, title: str, shown: str, left_out: str) -> None:
    found = fit_title(title, poet.tokenizer)
    assert found.inside == shown.replace("〇", "零").replace("门", "門")
    assert (found.shown, found.left_out, found.neighbours) == (shown, left_out, {})
    generation = poet.begin_poem("五绝", title, seed=0)
    assert generation.heading == found
    assert len(generation.whole()) == len(FORMS["五绝"])


@pytest.mark.parametrize(
    ("title", "inside", "left_out", "words"),
    [
        ("高铁", "遠行", "", {"高铁": "远行"}),
        ("坐高鐵回家", "坐遠行回家", "", {"高鐵": "远行"}),
        ("《人工智能·咖啡》", "天工煎茶", "", {"人工智能": "天工", "咖啡": "煎茶"}),
        ("智能手機x", "天工尺素", "x", {"智能": "天工", "手機": "尺素"}),
        ("我的ai梦", "我的天工夢", "", {"ai": "天工"}),
        ("高 铁", "遠行", "", {"高铁": "远行"}),
        ("火車" * 8, "遠行" * 8, "", {"火車": "远行"}),
    ],
)
def test_a_modern_word_is_read_as_its_classical_neighbour(
    poet: TextWriter, title: str, inside: str, left_out: str, words: dict
) -> None:
    found = fit_title(title, poet.tokenizer)
    assert (found.inside, found.left_out, found.neighbours) == (inside, left_out, words)
    poem = poet.begin_poem("五绝", title, seed=3)
    assert poem.heading == found and poem.whole() == poet.poem("五绝", inside, seed=3).replace(
        "\n", ""
    )


def test_each_neighbour_is_a_word_that_the_poet_can_read(poet: TextWriter) -> None:
    assert len(neighbours()) > 100
    for word, neighbour in neighbours().items():
        assert (
            len(neighbour) <= len(word) and fit_title(neighbour, poet.tokenizer).shown == neighbour
        )
        assert neighbour not in neighbours() and word == to_simplified(word).upper()


def test_without_tokens_for_the_neighbour_a_word_is_read_as_written(tiny_poet: TextWriter) -> None:
    assert fit_title("春火车", tiny_poet.tokenizer) == Title("春", "春", "火车", {})
    assert fit_title("春星期", tiny_poet.tokenizer) == Title("春星", "春星", "期", {})


@pytest.mark.parametrize("regulated", [True, False])
def test_an_acrostic_is_kept_as_written_and_a_known_character_stands_in(
    poet: TextWriter, regulated: bool
) -> None:
    unknown = [c for c in "妈雯她您啊吗呢" if c not in poet.tokenizer.ids][:2]
    heads = "春" + "".join(unknown) + "山"
    generation = poet.begin_poem("七绝", "", "", heads[:4], regulated, seed=3)
    text = generation.whole()
    lines = lines_of(text)
    assert [line[0] for line in lines] == list(heads[:4])
    stand_ins = generation.stand_ins
    assert stand_ins and set(stand_ins) <= set(heads)
    for character, known in stand_ins.items():
        assert known in poet.tokenizer.ids and readings(known)
        if readings(character):
            tones = [{group[0] for group in readings(c)} for c in (character, known)]
            assert tones[0] == tones[1]
    assert text == poet.begin_poem("七绝", "", "", heads[:4], regulated, seed=3).whole()
    assert "".join(generation.pieces()) == text
    with pytest.raises(UnknownCharacters):
        poet.begin_poem("七绝", "", "", "春a")
    reading = inside.read(poet, set_in_lines(text))
    shown, tokens = reading.names[reading.body :], reading.ids[reading.body :]
    assert "".join(shown) == text and reading.stand_ins == stand_ins
    for character, token in zip(shown, tokens, strict=True):
        assert poet.tokenizer.name_of(token) == stand_ins.get(character, character)
    steps = verse.steps(poet, reading)
    assert [step.character for step in steps] == list(text)
    assert all(step.kept for step in steps) or not regulated


LEVEL_ONE = [  # the 3,755 common simplified characters
    one
    for high in range(0xB0, 0xD8)
    for low in range(0xA1, 0xFF)
    if (one := bytes([high, low]).decode("gb2312", "ignore"))
]


def test_a_stand_in_has_the_tone_and_the_rhyme_of_what_it_stands_for(poet: TextWriter) -> None:
    def finals(character: str) -> set[str]:
        found = pinyin(character, Style.FINALS, strict=False, heteronym=True)[0]
        return {final.lstrip("iuv") for final in found}

    def tones(character: str) -> set[bool]:
        found = pinyin(character, Style.TONE3, heteronym=True)[0]
        return {sound[-1] in "12" for sound in found if sound[-1].isdigit()}

    assert len(LEVEL_ONE) == 3755
    unknown = set(LEVEL_ONE)
    for one in LEVEL_ONE:
        with suppress(UnknownCharacters):
            fit_script(one, poet.tokenizer)
            unknown.remove(one)
    assert len(unknown) == 519
    for strange in "﨑𡈽㇀⺀":  # of a sound that is not known, or none
        with pytest.raises(UnknownCharacters):
            poet.verses.stand_in(strange)
    for one in unknown:
        known = poet.verses.stand_in(one)
        groups = readings(one) or readings(to_traditional(one))
        if groups:
            assert groups & readings(known), one
        else:
            assert finals(known) & finals(one), one
            assert {group[0] == "平" for group in readings(known)} <= tones(one), one


@pytest.mark.parametrize(
    ("heads", "inside_it"),
    [
        ("二〇二六", "二零二六"),
        ("2026", "二零二六"),
        ("《春江花月》！", "春江花月"),
        ("⼀⼆", "一二"),
    ],
)
def test_an_acrostic_is_read_without_marks_and_numbers_as_poems_write_them(
    poet: TextWriter, heads: str, inside_it: str
) -> None:
    plain = characters_of(heads)
    poem = poet.begin_poem("七绝", "", f"{plain[:1]}，", heads, seed=1)
    assert [line[0] for line in lines_of(poem.whole())][: len(plain)] == list(plain)
    assert "".join(poem.stand_ins.get(c, c) for c in plain) == inside_it


@pytest.mark.parametrize(
    "pasted",
    [
        "《静夜思》\n床前明月光，疑是地上霜。举头望明月，低头思故乡。",
        "床前明月光,疑是地上霜.举头望明月,低头思故乡.",
        "床前明月光！疑是地上霜？“举头望明月；低头思故乡。”",
        "床前明月光\n疑是地上霜\r\n举头望明月\n低头思故乡\n",
        "床前明月光 疑是地上霜 举头望明月 低头思故乡",
        "床前明月光，疑是地上霜\n举头望明月，低头思故乡。",
        "床前明月光\n疑是地上霜\n举头望明月\n低头思故乡。",
        "《静夜思》\n李白\n床前明月光，疑是地上霜。举头望明月，低头思故乡。",
        "静夜思\n唐 李白\n\n　　床前明月光，疑是地上霜。\n　　举头望明月，低头思故乡。\n",
        "床前明月光，疑是地上霜。举头望明月，低头思故乡。（李白）",
        "床前明月光，疑是地上霜。举头望明月，低头思故乡。——李白《静夜思》",
        "床前明月光，疑是地上霜。举头望明月，低头思故乡。\n\n注释：床，井栏。疑，好像。",
        "……床前明月光，疑是地上霜。举头（一作抬头）望明月，低头思故乡。",
    ],
)
def test_a_pasted_poem_is_read_whatever_its_marks(poet: TextWriter, pasted: str) -> None:
    reading = inside.read(poet, pasted)
    whole = "牀前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。"
    assert "".join(reading.names[reading.body :]) == whole


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("https://huggingface.co/alice/digits", "alice/digits"),
        ("https://huggingface.co/alice/digits/", "alice/digits"),
        ("huggingface.co/alice/digits?library=torch", "alice/digits"),
        ("https://huggingface.co/alice/digits/tree/main", "alice/digits@main"),
        ("https://hf.co/alice/digits/blob/v1/config.json", "alice/digits@v1"),
        (" alice/digits/ ", "alice/digits"),
        ("gpt2", "openai-community/gpt2"),
        ("https://huggingface.co/gpt2", "openai-community/gpt2"),
        ("distilgpt2", "distilbert/distilgpt2"),
        ("alice/digits@main", "alice/digits@main"),
        *(
            (f"https://huggingface.co/alice/digits/{kind}/v1/config.json", "alice/digits@v1")
            for kind in ("tree", "raw", "resolve", "edit", "blame", "commits")
        ),
        ("https://huggingface.co/alice/digits/tree/refs/pr/7", "alice/digits@refs/pr/7"),
        ("请用 https://huggingface.co/alice/digits。", "alice/digits"),
        ("https://hf.co/alice/digits, thanks", "alice/digits"),
        ("https://huggingface.co/alice/digits.", "alice/digits"),
        ("（alice/digits）", "alice/digits"),
        ("hf://alice/digits", "alice/digits"),
        ("hf download alice/digits", "alice/digits"),
        ('from_pretrained("alice/digits", revision="main")', "alice/digits"),
        ("python app.py --weights=alice/digits@v1", "alice/digits@v1"),
        ("load alice/digits@v1, please", "alice/digits@v1"),
        ("https://huggingface.co/settings/tokens", "https://huggingface.co/settings/tokens"),
        ("https://huggingface.co/learn/nlp-course", "https://huggingface.co/learn/nlp-course"),
        ("https://huggingface.co/alice/digits/tree/refs%2Fpr%2F7", "alice/digits@refs/pr/7"),
        ("https://huggingface.co/alice/digits/discussions/4", "alice/digits"),
        ("https://huggingface.co/api/models/alice/digits", "alice/digits"),
        ("https://huggingface.co/alice%2Fdigits%20", "alice/digits"),
        ("https://huggingface.co/gpt2/tree/main", "openai-community/gpt2@main"),
        ("gpt2@main", "openai-community/gpt2@main"),
        ("GPT2", "openai-community/gpt2"),
        ("gpt2/resolve/main/config.json", "openai-community/gpt2@main"),
        ("alice/digits/tree/main", "alice/digits@main"),
        ("alice/digits?library=torch", "alice/digits"),
        ("alice/digits#usage", "alice/digits"),
        ("“alice/digits”", "alice/digits"),
        ("'alice/digits'", "alice/digits"),
        ("<https://hf.co/alice/digits>", "alice/digits"),
        ("[digits](https://hf.co/alice/digits)", "alice/digits"),
        ("\ufeffalice/digits\u200b\n", "alice/digits"),
        ("ａｌｉｃｅ／ｄｉｇｉｔｓ＠ｍａｉｎ", "alice/digits@main"),
        ("git clone https://huggingface.co/alice/digits.git", "alice/digits"),
        ("git@hf.co:alice/digits.git", "alice/digits"),
        ("gan ", "gan"),
        ("/tmp/nope", "/tmp/nope"),
        ("~/runs/mine", "~/runs/mine"),
        ("./runs/mine", "./runs/mine"),
        ("shakespeare", "shakespeare"),
    ],
)
def test_what_is_pasted_is_read_as_the_repository_it_means(pasted: str, meant: str) -> None:
    assert named(pasted) == meant


@pytest.mark.parametrize("kind", ["datasets", "spaces", "docs", "papers", "collections"])
def test_an_address_of_no_model_is_no_name(kind: str) -> None:
    for address in (f"https://huggingface.co/{kind}/alice/x", f"huggingface.co/{kind}/alice"):
        with pytest.raises(HubUnavailable):
            split_source(named(address))


def test_a_long_poem_is_read_to_its_eighth_line(poet: TextWriter) -> None:
    for lines in (9, 12, 40):
        reading = inside.read(poet, "《长歌行》" + "春江花月夜，" * lines)
        assert "".join(reading.names[reading.body :]) == "春江花月夜，" * 8
        assert len(verse.steps(poet, reading)) == 48
    assert len(inside.read(poet, f"《{'春' * 200}》床前明月光，疑是").names) < 40
