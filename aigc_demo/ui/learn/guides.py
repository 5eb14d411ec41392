"""Guides: tours of the page, and lessons, which anybody may write; YAML files that hold data alone.

A step says something, and may open a result, light up a part of the page, ask for a deed that a
check (checks.py) recognises, or ask a question, to be answered by choice or in words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aigc_demo.ui.kit.words import LANGUAGES
from aigc_demo.ui.learn.chapters import LOADER
from aigc_demo.ui.learn.checks import parse_check

HERE = Path(__file__).parent
TOURS = ("page", "gan", "vae", "transformer", "flow")
LESSONS = ("taste", "gan", "vae-flow", "transformer")
LARGEST = 200_000  # bytes of a file
LONGEST = {"teacher": 8_000}  # characters of a text, where it is not:
USUAL = 1_200
MOST_STEPS, MOST_ANSWERS, MOST_MINUTES = 60, 6, 300
DEEPEST = 10  # levels of lists and keys; a lesson has six
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
PART = re.compile(r"[a-z][a-z0-9-]{0,59}", re.ASCII)  # of the page: an elem_id, or one of guide.js
LINK = re.compile(r"\??tab=[a-z.]+(&[\w.-]+=[^\s&<>\"]*)*")
MARKUP = re.compile(r"</?[a-z!]|\]\(|[\x00-\x08\x0b-\x1f\x7f]", re.IGNORECASE)

HEAD = {"title": "text", "minutes": "minutes", "needs": "text", "hide": "parts"}
HEAD |= {"teacher": "text", "steps": "steps"}
STEP = {"say": "text", "open": "link", "light": "part", "do": "text", "check": "check"}
STEP |= {"hint": "text", "ask": "text", "answers": "answers", "right": "right", "why": "text"}
STEP |= {"write": "text"}
NEEDED = {"head": ("title", "minutes", "steps"), "step": ("say",)}


@dataclass
class Guide:
    """A tour or a lesson. Texts are {language: text}.

    name: "tours/gan", or "lessons/" and a lesson's name.
    lines: of the file, by the place of a step and a key in it: (3, "open"); of the head by -1.
    """

    name: str
    head: dict[str, Any]
    steps: list[dict[str, Any]]
    lines: dict[tuple[int, str], int] = field(default_factory=dict)


class GuideError(ValueError):
    """What is wrong with a file: [(line, sentence)], and all of it as one text."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(f"line {line}: {said}" for line, said in self.problems))


def read_guides(own: Path | None = None) -> dict[str, Guide]:
    """All tours and lessons by name: the bundled ones, then those of a teacher's folder.

    Raises:
        ValueError: the folder has no lesson, or one that is wrong; the message says what and where.
    """
    found = [read_guide(HERE / f"tours/{name}.yaml", "tours") for name in TOURS]
    found += [read_guide(HERE / f"lessons/{name}.yaml") for name in LESSONS]
    if own is not None:
        files = sorted(path for path in own.glob("*") if path.suffix in (".yaml", ".yml"))
        if not files:
            raise ValueError(f"expected lessons (*.yaml) in {str(own)!r}, got none")
        for path in files:
            try:
                found.append(read_guide(path))
            except GuideError as error:
                raise ValueError(f"{path}: {error}") from error
    guides: dict[str, Guide] = {}
    for guide in found:
        if guide.name in guides:
            raise ValueError(f"expected one lesson of a name, got two: {guide.name}")
        guides[guide.name] = guide
    return guides


def read_guide(path: Path, kind: str = "lessons") -> Guide:
    """A guide from its file; its name is the file's.

    Raises:
        GuideError: something is wrong in it.
        OSError: it cannot be read.
    """
    name = path.stem
    if not NAME.fullmatch(name):
        raise GuideError([(1, f"expected a name of a-z, 0-9 and - for the file, got {name!r}")])
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise GuideError([(1, f"expected at most {LARGEST:,} bytes, got more")])
    return _Reader().read(data, f"{kind}/{name}")


class _Reader:
    """Reads YAML node by node, so that each error can name its line."""

    def __init__(self) -> None:
        self.problems: list[tuple[int, str]] = []

    def read(self, data: bytes, name: str) -> Guide:
        head = self._mapping(self._root(data), HEAD, NEEDED["head"], "the lesson")
        values = {key: self._value(key, HEAD[key], node) for key, node in head.items()}
        steps = values.pop("steps", [])
        lines = {
            (place, key): node.start_mark.line + 1
            for place, nodes in ((-1, head), *enumerate(steps))
            for key, node in nodes.items()
        }
        made = [
            {key: self._value(key, STEP[key], node) for key, node in nodes.items()}
            for nodes in steps
        ]
        for place, step in enumerate(made):
            if step:
                self._together(step, {key: lines[place, key] for key in step})
        if self.problems:
            raise GuideError(self.problems)
        return Guide(name, values, made, lines)

    def _wrong(self, node: yaml.Node | int, said: str) -> None:
        line = node if isinstance(node, int) else node.start_mark.line + 1
        self.problems.append((line, said))

    def _root(self, data: bytes) -> yaml.Node:
        try:
            text = data.decode()
            depth = 0
            for event in yaml.parse(text, Loader=LOADER):
                depth += isinstance(event, yaml.CollectionStartEvent)
                depth -= isinstance(event, yaml.CollectionEndEvent)
                if depth > DEEPEST:
                    line = event.start_mark.line + 1
                    raise GuideError([(line, f"expected at most {DEEPEST} levels")])
                if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                    line = event.start_mark.line + 1
                    raise GuideError([(line, "expected no & and *: each text is written out")])
                if str(getattr(event, "tag", None) or "").strip("!"):
                    raise GuideError([(event.start_mark.line + 1, "expected no tags (!)")])
            root = yaml.compose(text, Loader=LOADER)
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise GuideError([(line, "expected UTF-8")]) from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise GuideError([(line, f"not YAML: {error.problem or error.context}")]) from error
        except yaml.YAMLError as error:
            raise GuideError([(1, f"not YAML: {str(error)[:200]}")]) from error
        if root is None:
            raise GuideError([(1, "expected a lesson, got an empty file")])
        return root

    def _mapping(
        self, node: yaml.Node, known: dict[str, str], needed: Sequence[str], what: str
    ) -> dict[str, yaml.Node]:
        """The values by key; what is wrong with the keys is noted."""
        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, f"expected {what} as keys and values")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "several values"
            if name not in known:
                offered = ", ".join(known)
                self._wrong(key, f"expected a key of {what}, {offered}; got {name[:40]!r}")
            elif name in found:
                self._wrong(key, f"expected {name} once in {what}")
            else:
                found[name] = value
        for key in needed:
            if key not in found:
                self._wrong(node, f"expected {key} in {what}")
        return found

    def _value(self, key: str, kind: str, node: yaml.Node) -> Any:
        return getattr(self, f"_{kind}")(node, key)

    def _scalar(self, node: yaml.Node, key: str) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.value.strip():
            text = node.value.strip()
            return re.sub(r"\n+", "\n\n", text) if node.style == ">" else text  # paragraphs
        self._wrong(node, f"expected a value of {key}")
        return None

    def _text(self, node: yaml.Node, key: str) -> dict[str, str]:
        """In both languages; one text that is not told apart stands for both."""
        if isinstance(node, yaml.MappingNode):
            parts = self._mapping(node, dict.fromkeys(LANGUAGES, ""), LANGUAGES, key)
        else:
            parts = dict.fromkeys(LANGUAGES, node)
        texts = {}
        for language, part in parts.items():
            text = self._scalar(part, key) or ""
            longest = LONGEST.get(key, USUAL)
            if len(text) > longest:
                self._wrong(
                    part, f"expected at most {longest} characters of {key}, got {len(text)}"
                )
            elif found := MARKUP.search(text):
                self._wrong(part, f"expected plain text in {key}, got {found[0]!r}")
            texts[language] = text
        return texts

    def _number(self, node: yaml.Node, key: str, most: int) -> int:
        text = self._scalar(node, key) or ""
        if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most:
            return int(text)
        self._wrong(node, f"expected a whole number from 1 to {most} for {key}, got {text[:20]!r}")
        return 1

    def _minutes(self, node: yaml.Node, key: str) -> int:
        return self._number(node, key, MOST_MINUTES)

    def _right(self, node: yaml.Node, key: str) -> int:
        return self._number(node, key, MOST_ANSWERS)

    def _list(self, node: yaml.Node, key: str, least: int, most: int) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode) and least <= len(node.value) <= most:
            return node.value
        self._wrong(node, f"expected a list of {least} to {most} for {key}")
        return []

    def _answers(self, node: yaml.Node, key: str) -> list[dict[str, str]]:
        return [self._text(one, key) for one in self._list(node, key, 2, MOST_ANSWERS)]

    def _part(self, node: yaml.Node, key: str) -> str:
        text = self._scalar(node, key) or "x"
        if not PART.fullmatch(text):
            self._wrong(node, f"expected the name of a part of the page, got {text[:40]!r}")
        return text

    def _parts(self, node: yaml.Node, key: str) -> list[str]:
        found = [self._scalar(one, key) or "" for one in self._list(node, key, 0, 40)]
        for one in found:
            if not re.fullmatch(r"[a-z.]{1,40}", one):
                self._wrong(node, f"expected names of tabs, tasks or controls, got {one[:40]!r}")
        return found

    def _link(self, node: yaml.Node, key: str) -> str:
        text = self._scalar(node, key) or ""
        if not LINK.fullmatch(text) or len(text) > 4_000:
            said = f"expected the end of a link of this page, tab=…, got {text[:60]!r}"
            self._wrong(node, said)
        return text.removeprefix("?")

    def _check(self, node: yaml.Node, key: str) -> str:
        text = self._scalar(node, key) or ""
        try:
            parse_check(text)
        except ValueError as error:
            self._wrong(node, str(error))
        return text

    def _steps(self, node: yaml.Node, key: str) -> list[dict[str, yaml.Node]]:
        return [
            self._mapping(one, STEP, NEEDED["step"], "a step")
            for one in self._list(node, key, 1, MOST_STEPS)
        ]

    def _together(self, step: dict[str, Any], lines: dict[str, int]) -> None:
        """What keys of a step need of each other. lines: of each key."""
        for key, others in {
            "do": ("check",),
            "check": ("do",),
            "hint": ("do",),
            "ask": ("answers", "right", "why"),
            "answers": ("ask",),
            "right": ("ask",),
            "why": ("ask",),
        }.items():
            for other in others:
                if key in step and other not in step:
                    self._wrong(lines[key], f"expected {other} beside {key}")
        if "right" in step and step["right"] > len(step.get("answers", [0])):
            self._wrong(lines["right"], "expected the place of one of the answers for right")
        if sum(key in step for key in ("do", "ask", "write")) > 1:
            self._wrong(min(lines.values()), "expected one of do, ask and write in a step")


def of_browser(guide: Guide) -> dict[str, Any]:
    """What the browser is told: all but the checks, of which it learns only that there is one."""
    steps = [{**step, "check": True} if "check" in step else step for step in guide.steps]
    head = {key: value for key, value in guide.head.items() if key != "teacher"}
    return {"name": guide.name, **head, "steps": steps}


def listed(guides: dict[str, Guide]) -> list[dict[str, Any]]:
    """The list of all, for the browser: heads, the number of steps."""
    return [
        {"name": guide.name, **guide.head, "steps": len(guide.steps)} for guide in guides.values()
    ]


def texts_of(guide: Guide) -> Iterator[dict[str, str]]:
    """Every text of a guide."""
    for part in (guide.head, *guide.steps):
        for value in part.values():
            if isinstance(value, dict):
                yield value
            elif isinstance(value, list):
                yield from (one for one in value if isinstance(one, dict))
