"""The Learn tab: chapters and lessons, which the browser shows by itself, and games."""

from typing import Any

import gradio as gr

from aigc_demo.ui.kit.widgets import widget
from aigc_demo.ui.learn.chapters import CHAPTERS
from aigc_demo.ui.learn.diagnose import CASES, FAULTS, what_is_wrong
from aigc_demo.ui.learn.games import (
    ARTISTS,
    SIDES,
    build_guess,
    build_rounds,
    real_or_made,
    who_drew_it,
)
from aigc_demo.ui.page.page import FORMULAS, LOCAL, Page

READ = "() => window.aigc.page.chapter.text"


def build_learn_tab(page: Page) -> None:
    """Adds the tab's components and events."""
    tr = page.words.tr
    with gr.Tabs(elem_id="learn-tasks", elem_classes="tasks", overflow_behavior="wrap"):
        with tr(gr.Tab(id="chapter"), "learn.chapter_tab"):
            _build_chapters(page)
        with tr(gr.Tab(id="lesson"), "learn.lesson_tab"):
            tr(gr.Markdown(elem_classes="hint"), "learn.lessons_hint")
            words = page.words.group("learn")
            template = '<div class="list"></div><button type="button" class="copy"></button>'
            widget("learn/lessons", template, apart=True, words=words, elem_id="lessons")
        with tr(gr.Tab(id="real"), "game.real_tab") as here:
            build_rounds(page, here, "real", real_or_made, SIDES)
        with tr(gr.Tab(id="who"), "game.who_tab") as here:
            build_rounds(page, here, "who", who_drew_it, ARTISTS)
        with tr(gr.Tab(id="guess"), "game.guess_tab") as here:
            build_guess(page, here)
        with tr(gr.Tab(id="fault"), "game.fault_tab") as here:
            kinds = tuple(fault.name for fault in FAULTS)
            build_rounds(page, here, "fault", what_is_wrong, kinds, CASES)


def _build_chapters(page: Page) -> None:
    """The list of chapters, one chapter, its questions."""
    words = page.words.group("learn")
    with gr.Row(equal_height=False, elem_id="learn"):
        with gr.Column(scale=1, min_width=240):
            template = (
                '<details><summary></summary><nav data-word="chapters" data-as="label">'
                '<ol></ol></nav></details><div class="row"><p class="caption"></p>'
                '<button type="button" class="copy"></button></div>'
            )
            about: dict[str, Any] = {"names": list(CHAPTERS), "words": words, "elem_id": "book"}
            book = widget("learn/book", template, apart=True, **about)
        with gr.Column(scale=3, min_width=320):
            text = gr.Markdown(latex_delimiters=FORMULAS, elem_id="chapter")
            about = {"words": words, "elem_id": "chapter-end"}
            widget("learn/questions", "<section></section>", apart=True, **about)
    book.read(None, None, text, js=READ, **LOCAL)
