"""Prompts, titles and names as people write and paste them."""

import pytest

from aigc_demo.explain import transformer as inside
from aigc_demo.hub import named
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.prosody import FORMS, lines_of, readings
from aigc_demo.tokenizer import UnknownCharacters, fit_title, fold


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
        ("", "", ""),
    ],
)
def test_a_title_only_steers(poet: TextWriter, title: str, shown: str, left_out: str) -> None:
    known = "〇" in poet.tokenizer.ids
    found, fitted, missing = fit_title(title, poet.tokenizer)
    if "〇" in shown and not known:
        shown, left_out = shown.replace("〇", ""), left_out + "〇"
    assert (found, missing) == (shown, left_out) and len(fitted) == len(found)
    generation = poet.begin_poem("五绝", title, seed=0)
    assert (generation.title, generation.left_out) == (shown, left_out)
    assert len(generation.whole()) == len(FORMS["五绝"])


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
        ("shakespeare", "shakespeare"),
    ],
)
def test_what_is_pasted_is_read_as_the_repository_it_means(pasted: str, meant: str) -> None:
    assert named(pasted) == meant
