"""The chapters: Markdown files with a checked head, and figures from the models' own cards.

A head is YAML: title, minutes to read, three questions with three answers each, sources.
"""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from aigc_demo.explain.figures import card_figures
from aigc_demo.ui.kit.words import LANGUAGES
from aigc_demo.weights import bundled_names, count_parameters, find_folder

FOLDER = Path(__file__).parent / "chapters"
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast
CHAPTERS = (  # in the order of the course; chapters/NAME.LANGUAGE.md
    ("what", "learning", "gan", "vae", "transformer", "diffusion")
    + ("choice", "uses", "tools", "outlook", "questions", "glossary")
)
QUESTIONS = ANSWERS = 3
HEAD: dict[str, type] = {"title": str, "minutes": int, "questions": list, "sources": list}
QUESTION: dict[str, type] = {"ask": str, "answers": list, "right": int, "why": str}
TERM = re.compile(r"^- \*\*(.+?)\*\*(?: \(.+?\): |（.+?）：)(.+)$", re.MULTILINE)  # of the glossary
FIGURE = re.compile(r"\{([a-z0-9-]+): ([^{}%]+?)( %)?\}")  # {gan: label agreement %}


def chapter_files() -> dict[str, Callable[[], bytes]]:
    """What the browser fetches of the course, by its path: read once somebody asks."""
    curves = {f"curves/{name}.png": find_folder(name) / "curves.png" for name in bundled_names()}
    return {
        "learn/contents.json": contents,
        **{path: file.read_bytes for path, file in curves.items() if file.is_file()},
        **{
            f"learn/{name}.{language}.json": partial(chapter, name, language)
            for name in CHAPTERS
            for language in LANGUAGES
        },
        **{f"learn/terms.{language}.json": partial(terms, language) for language in LANGUAGES},
    }


def contents() -> bytes:
    """The list of chapters: [{name, en: {title, minutes}, zh: ...}], as JSON."""

    def listed(name: str, language: str) -> dict[str, Any]:
        head = read_chapter(name, language)
        return {"title": head["title"], "minutes": head["minutes"]}

    told = [
        {"name": name, **{language: listed(name, language) for language in LANGUAGES}}
        for name in CHAPTERS
    ]
    return json.dumps(told, ensure_ascii=False).encode()


def terms(language: str) -> bytes:
    """The glossary as JSON: {term: what it means}."""
    found = dict(TERM.findall(read_chapter("glossary", language)["text"]))
    return json.dumps(found, ensure_ascii=False).encode()


def chapter(name: str, language: str) -> bytes:
    """One chapter as JSON: what `read_chapter` gives, its figures filled in, its neighbours."""

    def known(found: re.Match) -> str:
        try:
            return figure(found[1], found[2], bool(found[3]), language)
        except ValueError:  # the model's folder is damaged
            return "–"

    def beside(step: int) -> dict[str, str] | None:
        place = CHAPTERS.index(name) + step
        if not 0 <= place < len(CHAPTERS):
            return None
        other = CHAPTERS[place]
        return {"name": other, "title": read_chapter(other, language)["title"]}

    read = read_chapter(name, language)
    read["text"] = FIGURE.sub(known, read["text"])
    told = {**read, "before": beside(-1), "after": beside(1)}
    return json.dumps(told, ensure_ascii=False).encode()


def read_chapter(name: str, language: str) -> dict[str, Any]:
    """A chapter's head, and its `text` in Markdown.

    Raises:
        ValueError: the head lacks something, or has a wrong type or count.
    """
    path = FOLDER / f"{name}.{language}.md"
    _, head, text = path.read_text(encoding="utf-8").split("---\n", 2)
    found = yaml.load(head, Loader=LOADER)
    _check(found, HEAD, path.name)
    if len(found["questions"]) != QUESTIONS:
        raise ValueError(f"{path.name}: expected {QUESTIONS} questions")
    for place, question in enumerate(found["questions"], 1):
        where = f"{path.name}, question {place}"
        _check(question, QUESTION, where)
        texts = [one for one in question["answers"] if isinstance(one, str)]
        if len(texts) != ANSWERS or not 1 <= question["right"] <= ANSWERS:
            raise ValueError(f"{where}: expected {ANSWERS} answers, one of them right")
    return {**found, "text": text.strip()}


def _check(found: Any, keys: dict[str, type], where: str) -> None:
    if not isinstance(found, dict) or found.keys() != keys.keys():
        raise ValueError(f"{where}: expected {', '.join(keys)}, got {found!r:.100}")
    for key, kind in keys.items():
        if not isinstance(found[key], kind) or not found[key]:
            raise ValueError(f"{where}: expected {key} of type {kind.__name__}")


def figure(model: str, name: str, percent: bool, language: str) -> str:
    """A figure of a model's card as a reader meets it, or the count of its parameters.

    Raises:
        ValueError: the card has none of this name.
    """
    if name == "parameters":
        count = count_parameters(find_folder(model))
        if language == "zh":
            return f"{count / 1e4:.0f} 万"
        return f"{count / 1e6:.1f} million" if count >= 1e6 else f"{count:,}"
    figures = card_figures(model)
    if name not in figures:
        raise ValueError(f"expected a figure of {model}, got {name!r}")
    value = float(figures[name])
    if percent:
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"
