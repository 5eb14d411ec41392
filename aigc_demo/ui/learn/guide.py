"""The guide: a panel beside the page that leads through tours and lessons, step by step.

The steps come as files when a guide is opened. What a visitor has done is kept by the browser; the
server only answers whether a step's check holds for what is shown.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import widget
from aigc_demo.ui.kit.words import LANGUAGES, Words
from aigc_demo.ui.learn.checks import Unmeasured, asks_of, judge_check
from aigc_demo.ui.learn.guides import Guide, GuideError, listed, of_browser, read_guide, read_guides
from aigc_demo.ui.page.page import Page, Update
from aigc_demo.ui.page.query import LARGEST
from aigc_demo.ui.page.share import Share

PARTS = {  # of the page that a step may light up, beside those that have an elem_id
    "tabs": "#models > .tab-wrapper",
    "tasks": ".tasks:not(.hide) > .tab-wrapper",
    "language": "#language",
    "bar": ".bar",
    "views": ".views",
    "seed": ".seed",
    "how": ".lesson",
    "others": ".others",
    "more": ".result + * .label-wrap",
}
CONTROLS = tuple(name for name in PARTS if name not in ("tabs", "tasks"))  # that hide= takes away


def guide_button(words: Words, own: Path | None = None) -> gr.HTML:
    """Adds the button that opens the guide.

    own: a teacher's folder of lessons.

    Raises:
        ValueError: a lesson in it is wrong.
    """
    guides = read_guides(own)
    files = {
        "learn/guides.json": _json(listed(guides)),
        **{f"learn/{name}.json": _json(of_browser(guide)) for name, guide in guides.items()},
    }
    made = widget(
        "learn/guide",
        '<button type="button" class="open-guide"></button>',
        ("learn/terms", "learn/report", "learn/hide"),
        parts=PARTS,
        controls=CONTROLS,
        words=words.group("guide"),
        value=None,
        checked=None,
        version=hashlib.sha256(b"".join(files.values())).hexdigest()[:8],  # other ones are fetched
        elem_id="guide",
    )
    made.guides = guides  # type: ignore[attr-defined]
    made.files |= files  # type: ignore[attr-defined]
    return made


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def connect_guide(page: Page, guide: gr.HTML) -> None:
    """Answers the checks of its steps; once all results of the page are known."""
    shares = {share.tab: share for share in page.shares}
    guide.shares = page.shares  # type: ignore[attr-defined]
    answer = _answering(shares, guide.guides)  # type: ignore[attr-defined]
    how: dict[str, Any] = {"trigger_mode": "always_last", "show_progress": "hidden"}
    page.compute(guide.check, answer, [guide], guide, **how)


def _answering(shares: dict[str, Share], guides: dict[str, Guide]) -> Callable:
    """The handler that answers whether a step's check holds."""

    def answer_check(models: Models, words: Words, asked: Any) -> Update:
        """Whether what a link shows is what a step asks for, and what it shows instead."""
        asked = asked if isinstance(asked, dict) else {}
        guide = guides.get(str(asked.get("guide")))
        if guide is None:
            raise check.UserError("error.no_guide")
        place = check.whole(asked.get("step"), "step", 0, len(guide.steps) - 1)
        said = guide.steps[place].get("check")
        if said is None:
            raise check.UserError("error.no_guide")
        query = check.text(asked.get("query"), "link", LARGEST)
        number = check.whole(asked.get("number"), "number", 0, check.HIGHEST_SEED)
        share = shares.get(_tab_of(query))
        told: dict[str, Any] = {"number": number, "holds": False, "found": {}}
        if share is not None:
            values, _ = share.link.restore(query, words, "en")
            try:
                named = dict(zip(share.link.names, values, strict=True))
                found = judge_check(models, share, named, said)
                told["holds"] = found.holds
                told["found"] = _told(words, found.what, found.value)
            except (Unmeasured, check.UserError):  # such as an empty pad
                told["found"] = words.both("guide.elsewhere")
        return gr.update(checked=told)

    return answer_check


def _tab_of(query: str) -> str:
    return next((part[4:] for part in query.lstrip("?").split("&") if part.startswith("tab=")), "")


def _told(words: Words, what: str, value: str) -> dict[str, str]:
    """What is shown instead, named as the page names it."""
    if not what:
        return {}
    name = {}
    for language in LANGUAGES:
        table = words.table[language]
        own = f"measure.{what.replace(' ', '_')}"
        name[language] = table.get(own) or table.get(f"name.{what}") or what
    return {
        language: words.say(language, "measure.now", name=name[language], value=value)
        for language in LANGUAGES
    }


def page_problems(
    guide: Guide, shares: Sequence[Share], ids: set[str], words: Words
) -> list[tuple[int, str]]:
    """What of a guide the page does not have, a part, a link or a check: [(line, sentence)]."""
    by_tab, problems = {share.tab: share for share in shares}, []
    tabs = {*by_tab, *(tab.split(".")[0] for tab in by_tab), "learn", "train", *CONTROLS}
    for name in guide.head.get("hide", ()):
        if name not in tabs and not name.startswith("learn."):
            offered = ", ".join(sorted(tabs))
            problems.append((guide.lines[-1, "hide"], f"expected one of {offered}, got {name!r}"))
    here: Share | None = None
    for place, step in enumerate(guide.steps):

        def wrong(key: str, said: str, place: int = place) -> None:
            problems.append((guide.lines[place, key], said))

        if "light" in step and step["light"] not in {*ids, *PARTS}:
            wrong("light", f"expected a part of the page, got {step['light']!r}")
        if "open" in step:
            tab = _tab_of(step["open"])
            here = by_tab.get(tab)
            if here is not None:
                _, told = here.link.restore(step["open"], words, "en")
                if told:
                    wrong("open", " ".join(told))
            elif tab.split(".")[0] != "learn":
                wrong("open", f"expected a tab of {', '.join(by_tab)}, got {tab!r}")
        if "check" in step:
            asked = _asked_tab(step["check"], by_tab) or here
            missing = asks_of(asked, step["check"]) if asked else []
            if asked and missing:
                wrong("check", f"expected what {asked.tab} shows, got {', '.join(missing)}")
    return problems


def _asked_tab(said: str, by_tab: dict[str, Share]) -> Share | None:
    """The result that a check itself names."""
    return next((share for tab, share in by_tab.items() if f"tab is {tab}" in said), None)


def lesson_problems(path: Path, demo: gr.Blocks) -> list[tuple[int, str]]:
    """All that is wrong with a lesson's file, held against a page: [(line, sentence)].

    Raises:
        OSError: the file cannot be read.
    """
    try:
        guide = read_guide(path)
    except GuideError as error:
        return list(error.problems)
    named = {str(one.elem_id): one for one in demo.blocks.values() if getattr(one, "elem_id", "")}
    shares = named["guide"].shares  # type: ignore[attr-defined]
    return sorted(page_problems(guide, shares, set(named), Words()))
