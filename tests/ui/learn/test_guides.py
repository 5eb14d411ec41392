"""Tours and lessons: read line by line, held against the page, and each check can be met."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers import ROOT

from aigc_demo.cli import main
from aigc_demo.ui.app import build
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import LANGUAGES, Words
from aigc_demo.ui.learn import guides
from aigc_demo.ui.learn.checks import MEASURES, Unmeasured, judge_check, parse_check
from aigc_demo.ui.learn.guide import (
    CONTROLS,
    PARTS,
    _answering,
    _tab_of,
    guide_button,
    lesson_problems,
)
from aigc_demo.ui.learn.guides import GuideError, read_guide, read_guides, texts_of

DEMO = build()
NAMED = {one.elem_id: one for one in DEMO.blocks.values() if getattr(one, "elem_id", None)}
SHARES = {share.tab: share for share in NAMED["guide"].shares}
MODELS = SHARES["gan.digits"].page.models
WORDS = Words()
GUIDES = read_guides()
SOLUTIONS = Path(__file__).parent / "solutions"


def judged(query: str, said: str) -> Any:
    share = SHARES[_tab_of(query)]
    values, wrong = share.link.restore(query, WORDS, "en")
    assert not wrong, wrong
    return judge_check(MODELS, share, dict(zip(share.link.names, values, strict=True)), said)


def written(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[tuple[int, str]]:
    return lesson_problems(written(folder, text), DEMO)


@pytest.mark.parametrize("name", GUIDES)
def test_what_is_bundled_is_whole_in_both_languages(name: str) -> None:
    guide = GUIDES[name]
    kind, short = name.split("/")
    assert lesson_problems(guides.HERE / kind / f"{short}.yaml", DEMO) == []
    for text in texts_of(guide):
        assert set(text) == set(LANGUAGES)
        assert not re.search("[㐀-鿿]", re.sub("[《“][^》”]*[》”]", "", text["en"])), text["en"]
        assert re.search("[㐀-鿿]", text["zh"]) or text["zh"] == text["en"], text["zh"]
    asked = [step for step in guide.steps if {"do", "ask", "write"} & set(step)]
    if kind == "tours":
        assert len(guide.steps) == 6 if short == "page" else 10 <= len(guide.steps) <= 15
        assert len(asked) >= 0.7 * len(guide.steps)
        assert all("light" in step for step in guide.steps)
    else:
        assert {"needs", "teacher"} <= set(guide.head)
        assert len(guide.steps) == len(guide.steps[: 8 if short == "taste" else 16])
        assert {"do", "ask", "write"} <= {key for step in asked for key in step}


@pytest.mark.parametrize("name", GUIDES)
def test_each_check_fails_at_first_and_holds_for_its_solution(name: str) -> None:
    solved = yaml.safe_load((SOLUTIONS / f"{name.replace('/', '-')}.yaml").read_text("utf-8"))
    checked = {place for place, step in enumerate(GUIDES[name].steps, 1) if "check" in step}
    assert checked == set(solved) and checked
    opened = ""
    for place, step in enumerate(GUIDES[name].steps, 1):
        opened = step.get("open", opened)
        if place in checked:
            if "open" in step:
                assert not judged(opened, step["check"]).holds, place
            assert judged(solved[place], step["check"]).holds, place


TOP = "title: A\nminutes: 5\nsteps:\n"
STEP = TOP + "- say: a\n"
WRONG = {  # a file -> the line and a part of what is said
    "": (1, "empty"),
    "[1, 2]": (1, "keys and values"),
    "title: A\nsteps:\n- say: a\n": (1, "expected minutes"),
    TOP: (3, "a list of 1 to 60"),
    TOP + "- say: ''\n": (4, "a value of say"),
    TOP + "- say: {en: a}\n": (4, "expected zh"),
    TOP + "- say: {en: a, zh: b, fr: c}\n": (4, "'fr'"),
    STEP + "  says: b\n": (5, "'says'"),
    STEP + "  say: b\n": (5, "say once"),
    STEP + "  do: b\n": (5, "check beside do"),
    STEP + "  check: seed is 7\n": (5, "do beside check"),
    STEP + "  do: b\n  check: look at the moon\n": (6, "`digit read by the judge is 7`"),
    STEP + "  do: b\n  check: the moon is 7\n": (6, "a parameter of a link"),
    STEP + "  do: b\n  check: seed > much\n": (6, "a number after >"),
    STEP + "  do: b\n  check: label agreement over 900 draws > 0\n": (6, "at most 60 draws"),
    STEP + "  light: '#gan .x'\n": (5, "part of the page"),
    STEP + "  light: nowhere\n": (5, "'nowhere'"),
    STEP + "  open: https://example.org/\n": (5, "the end of a link"),
    STEP + "  open: tab=gan.nothing\n": (5, "'gan.nothing'"),
    STEP + "  open: tab=gan.digits&sed=3\n": (5, "sed"),
    STEP + "  open: tab=gan.digits\n  do: b\n  check: temperature > 1\n": (7, "temperature"),
    STEP + "  open: tab=gan.digits\n  do: b\n  check: digit drawn is 3\n": (7, "digit drawn"),
    STEP + "  ask: b\n": (5, "answers beside ask"),
    STEP + "  ask: b\n  answers: [c, d]\n  right: 3\n  why: e\n": (7, "one of the answers"),
    STEP + "  ask: b\n  answers: [c]\n  right: 1\n  why: e\n": (6, "a list of 2 to 6"),
    STEP + "  write: b\n  ask: b\n  answers: [c, d]\n  right: 1\n  why: e\n": (4, "one of do"),
    STEP + "  ask: b\n  answers: [c]\n  why: e\n": (5, "right beside ask"),
    TOP + "- write: b\n  ask: b\n  answers: [c, d]\n  right: 1\n  why: e\n": (4, "one of do"),
    TOP + "- {say}: a\n": (4, "got 'several values'"),
    TOP + "- ? [say]\n  : a\n": (4, "got 'several values'"),
    TOP + "- say: <b>a\n": (4, "plain text"),
    TOP + "- say: <script>x</script>\n": (4, "plain text"),
    TOP + "- say: '[a](javascript:x)'\n": (4, "plain text"),
    TOP + "- say: !!python/object/apply:os.system [ls]\n": (4, "no tags"),
    TOP + "- &a\n  say: a\n- *a\n": (4, "no & and *"),
    TOP + "- say: {en: a, zh\n": (5, "not YAML"),
    "title: A\nminutes: soon\nsteps:\n- say: a\n": (2, "whole number"),
    "title: A\nminutes: 301\nsteps:\n- say: a\n": (2, "from 1 to 300"),
    "title: A\nminutes: 5\nhide: [moon]\nsteps:\n- say: a\n": (3, "'moon'"),
    "title: A\nminutes: 5\nhide: ['#x{}']\nsteps:\n- say: a\n": (3, "names of tabs"),
    TOP + "- say: " + 1201 * "a" + "\n": (4, "at most 1200"),
    TOP + 61 * "- say: a\n": (4, "a list of 1 to 60"),
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[-40:])
def test_what_is_wrong_is_told_by_its_line(tmp_path: Path, text: str) -> None:
    line, said = WRONG[text]
    found = problems(tmp_path, text)
    assert [one for one, told in found if said in told] == [line], found


def test_all_mistakes_are_told_at_once_and_by_the_command(tmp_path: Path, capsys) -> None:
    text = "title: A\nminutes: 0\nsteps:\n- say: <i>\n  light: nowhere\n- says: b\n"
    path = written(tmp_path, text)
    assert [line for line, _ in problems(tmp_path, text)] == [2, 4, 6, 6]
    assert main(["lesson", "check", str(path)]) == 1
    told = capsys.readouterr()
    assert f"{path}, line 2: expected a whole number" in told.out and "got 4" in told.err
    assert main(["lesson", "check", str(guides.HERE / "lessons/taste.yaml")]) == 0


@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"a: \x00", 300_000 * b"a", b"[" * 5_000, b"[" * 199_000]
)
def test_a_file_that_is_no_lesson_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(GuideError):
        read_guide(path)


def test_a_text_told_once_stands_for_both_languages(tmp_path: Path) -> None:
    guide = read_guide(written(tmp_path, "title: 试一试\nminutes: 5\nsteps:\n- say: 看\n"))
    assert guide.head["title"] == {"zh": "试一试", "en": "试一试"}


def test_a_teachers_folder_joins_the_lessons(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got none"):
        read_guides(tmp_path)
    written(tmp_path, "title: 试一试\nminutes: 5\nsteps:\n- say: 看\n")
    assert list(read_guides(tmp_path))[-1] == "lessons/mine"
    button = guide_button(WORDS, tmp_path)
    assert b"lessons/mine" in button.files["learn/guides.json"]
    assert "看" in button.files["learn/lessons/mine.json"].decode()
    written(tmp_path, "title: 试一试\n", "other")
    with pytest.raises(ValueError, match=r"other.yaml: line 1: expected minutes"):
        build(lessons=tmp_path)
    (tmp_path / "other.yaml").unlink()
    written(tmp_path, "title: a\nminutes: 5\nsteps:\n- say: b\n", "gan")
    with pytest.raises(ValueError, match="two: lessons/gan"):
        read_guides(tmp_path)


@pytest.mark.parametrize("page", ["lessons.md", "lessons.zh.md"])
def test_the_lesson_of_the_documents_is_one_and_they_tell_the_whole_vocabulary(
    tmp_path: Path, page: str
) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (lesson,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert problems(tmp_path, lesson) == []
    for name in (*MEASURES, *CONTROLS, *PARTS):
        assert f"`{name}`" in text, name


DIGITS = "tab=gan.digits&model=gan&digits=7&count=20&seed=3&truncation=0.8"
MAP = "tab=vae.map&point=3,4"
TEXT = (
    "tab=transformer.shakespeare&model=shakespeare&prompt=ROMEO%3A%0AO, she doth teach the torche"
)


@pytest.mark.parametrize(
    ("query", "said", "holds", "value"),
    [
        (DIGITS, "tab is gan.digits", True, ""),
        (DIGITS, "tab is gan.morph", False, "gan.digits"),
        (DIGITS, "digit read by the judge is 7 and seed is 3", True, ""),
        (DIGITS, "digit read by the judge is 7 and seed is not 3", False, "3"),
        (DIGITS, "label agreement over 20 draws > 0.9", True, ""),
        (DIGITS, "label agreement over 60 draws < 0.5", False, "1"),
        (DIGITS, "different digits >= 2", False, "1"),
        (DIGITS, "certainty of the judge > 0.9", True, ""),
        (DIGITS, "truncation <= 0.5", False, "0.8"),
        (DIGITS, "digits is 7 and model is gan", True, ""),
        (MAP, "distance from the origin is 5", True, ""),
        (TEXT, "probability of the likeliest token > 0.8", True, ""),
        (TEXT, "likeliest token is s", True, ""),
        (TEXT, "entropy of the next token < 0.5 and prompt contains torche", True, ""),
        ("tab=gan.duel&clicks=b3f2", "clicks >= 6", False, "5"),
        ("tab=gan.lab&moves=b300d4", "training steps >= 304", True, ""),
    ],
)
def test_a_check_is_answered_from_the_link(query: str, said: str, holds: bool, value: str) -> None:
    found = judged(query, said)
    assert (found.holds, found.value) == (holds, value)


@pytest.mark.parametrize(
    ("query", "said"),
    [(MAP, "label agreement > 0"), (MAP, "temperature > 0"), (DIGITS, "digit drawn is 3")]
    + [("tab=vae.rebuild", "digit read by the judge is 3"), (TEXT, "clicks > 1")]
    + [("tab=gan.digits&digits=42.", "digit read by the judge is 3")]
    + [
        (f"tab=transformer.shakespeare&prompt={text}", "likeliest token is s")
        for text in ("", "诗")
    ]
    + [("tab=transformer.inside&model=poems&text=abc", "likeliest token is s")],
)
def test_what_a_result_has_not_is_not_measured(query: str, said: str) -> None:
    with pytest.raises(Unmeasured):
        judged(query, said)


def test_the_vocabulary_is_named_in_both_languages() -> None:
    for name in MEASURES:
        assert parse_check(f"{name} is 1")[0].what == name
        assert f"measure.{name.replace(' ', '_')}" in WORDS.table["zh"]


def asked(**changed: Any) -> Any:
    steps = GUIDES["tours/gan"].steps
    place = next(place for place, step in enumerate(steps) if "check" in step)
    query = steps[place].get("open", "tab=gan.digits")
    value = {"guide": "tours/gan", "step": place, "query": query, "number": 3, **changed}
    return _answering(SHARES, GUIDES)(MODELS, WORDS, value)


def test_a_client_is_answered_whatever_it_asks() -> None:
    told = asked()["checked"]
    assert told["number"] == 3 and not told["holds"] and set(told["found"]) == set(LANGUAGES)
    assert asked(query="tab=moon")["checked"] == {"number": 3, "holds": False, "found": {}}
    for wrong in (
        {"guide": "tours/moon"},
        {"guide": None},
        {"step": 99},
        {"step": "1"},
        {"step": True},
        {"query": 7},
        {"query": 70_000 * "a"},
        {"number": -1},
    ):
        with pytest.raises(check.UserError):
            asked(**wrong)
    with pytest.raises(check.UserError):
        _answering(SHARES, GUIDES)(MODELS, WORDS, "x")
