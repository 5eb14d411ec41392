"""The widgets of the diffusion tab."""

from typing import Any

import gradio as gr

from aigc_demo.ui.kit.widgets import CAPTION, widget
from aigc_demo.ui.kit.words import Words


def curves(words: Words, axes: str, **props: Any) -> gr.HTML:
    """Lines in a plane. axes: "side", a way seen from the side, or "error", against looks.

    Props: lines, a list of {role, points [[x, y]], thin, name}; texts.
    """
    template = '<canvas role="img"></canvas>' + CAPTION
    return widget("flow/curves", template, axes=axes, words=words.group("curves"), **props)
