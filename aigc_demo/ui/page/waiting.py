"""A visitor's place in the queue in words: Gradio says it in English and in figures."""

from aigc_demo.ui.kit.widgets import widget
from aigc_demo.ui.kit.words import Words


def say_waiting(words: Words) -> None:
    """Adds the script that puts Gradio's status into the visitor's language."""
    widget("page/waiting", "", words=words.group("waiting"), elem_id="waiting")
