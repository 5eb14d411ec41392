"""The course: both languages alike, every figure known, every link opens what it says."""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import tabs

from aigc_demo.ui import app
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.words import LANGUAGES, Words
from aigc_demo.ui.learn import chapters
from aigc_demo.ui.learn.chapters import CHAPTERS, FIGURE, chapter, chapter_files, read_chapter

LINK = re.compile(r"\[[^\]]*\]\((\?[^)]*)\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")


@cache
def shares() -> dict[str, Any]:
    """All results of the page that have a link, by the tab and task."""
    return tabs.shares(Models(app.TABS), Words())


def both(name: str, of: Callable[[str], Any]) -> list[Any]:
    return [of(read_chapter(name, language)["text"]) for language in LANGUAGES]


@pytest.mark.parametrize("name", CHAPTERS)
def test_both_languages_hold_the_same(name: str) -> None:
    zh, en = (read_chapter(name, language) for language in LANGUAGES)
    assert [one["right"] for one in zh["questions"]] == [one["right"] for one in en["questions"]]
    assert len(zh["sources"]) == len(en["sources"]) >= 3 or name == "glossary"
    for part in (r"^### ", r"^- ", r"^```", r"\$\$"):
        counts = both(name, lambda text, part=part: len(re.findall(part, text, re.MULTILINE)))
        assert counts[0] == counts[1], part
    for pattern in (LINK, FIGURE):
        found = both(name, lambda text, pattern=pattern: sorted(pattern.findall(text)))
        assert found[0] == found[1]
    assert len({str([path for _, path in PICTURE.findall(one["text"])]) for one in (zh, en)}) == 1


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_neither_a_stub_nor_a_book(name: str) -> None:
    zh, en = both(name, str)
    most = 3 if name == "glossary" else 1
    assert 550 <= len(re.findall(r"[\w’'-]+", en)) <= 1_600 * most
    assert 800 <= len(re.findall("[一-鿿]", zh)) <= 2_600 * most
    assert len(re.findall(r"^### ", en, re.MULTILINE)) >= 4
    assert not re.findall(r"^##? |</?[a-z]+[ >]", en + zh, re.MULTILINE)


@pytest.mark.parametrize("name", CHAPTERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_is_of_a_card_and_every_picture_is_there(name: str, language: str) -> None:
    told = json.loads(chapter(name, language))
    assert told["text"].count("–") == read_chapter(name, language)["text"].count("–")
    assert not FIGURE.search(told["text"])
    for model, figure, percent in FIGURE.findall(read_chapter(name, language)["text"]):
        chapters.figure(model, figure, bool(percent), language)  # or ValueError
    known = (
        {*chapter_files(), *app.widget_files(app.build())}
        if PICTURE.search(told["text"])
        else set()
    )
    for seen, path in PICTURE.findall(told["text"]):
        assert seen and path in known


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_link_opens_what_it_says(name: str) -> None:
    for query in LINK.findall(read_chapter(name, "en")["text"]):
        tab = re.search(r"[?&]tab=([a-z.]+)", query)
        assert tab and tab[1] in shares(), query
        values, wrong = shares()[tab[1]].link.restore(query[1:], Words(), "en")
        assert not wrong, query
        kept = dict(zip(shares()[tab[1]].link.names, values, strict=True))
        assert "look" not in kept or kept["look"] in query or "look=" not in query, query


def test_figures_read_as_a_reader_meets_them() -> None:
    assert chapters.figure("gan", "label agreement", True, "en").endswith(" %")
    assert chapters.figure("gan", "samples", False, "en") == "10,000"
    assert chapters.figure("shakespeare", "parameters", False, "en").endswith(" million")
    assert chapters.figure("shakespeare", "parameters", False, "zh").endswith(" 万")
    with pytest.raises(ValueError, match="a figure of gan"):
        chapters.figure("gan", "beauty", False, "en")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"minutes": "seven"}, "minutes of type int"),
        ({"questions": []}, "questions of type list"),
        ({"sources": None}, "sources of type list"),
        ({"right": 4}, "one of them right"),
        ({"answers": ["a", "b"]}, "3 answers"),
        ({"why": ""}, "why of type str"),
    ],
)
def test_a_head_that_lacks_something_is_refused(tmp_path, monkeypatch, change, complaint) -> None:
    question = {"ask": "a?", "answers": ["a", "b", "c"], "right": 1, "why": "b"}
    head = {"title": "t", "minutes": 5, "questions": [question] * 3, "sources": ["s"]}
    for key, value in change.items():
        if key in head:
            head[key] = value
        else:
            head["questions"] = [{**question, key: value}] * 3
    (tmp_path / "what.en.md").write_text(f"---\n{json.dumps(head)}\n---\ntext")
    monkeypatch.setattr(chapters, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=complaint):
        read_chapter("what", "en")
