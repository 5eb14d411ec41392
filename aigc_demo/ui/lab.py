"""The laboratory of the GAN tab: a GAN on points of the plane, trained by the visitor's browser.

All of it is static/lab*.js. No event reaches the server: playing costs it nothing, whoever plays.
"""

import gradio as gr

from aigc_demo.ui.layout import Page
from aigc_demo.ui.widgets import widget
from aigc_demo.ui.words import static

SCRIPTS = ("lab_net.js", "lab_game.js", "lab_draw.js", "lab_plot.js", "lab_play.js")


def build_lab(page: Page) -> None:
    """Adds the laboratory and what to try in it."""
    widget("lab", static("lab.html"), scripts=SCRIPTS, words=page.words.group("lab"), elem_id="lab")
    page.words.tr(gr.Markdown(elem_classes="hint"), "lab.hint")
