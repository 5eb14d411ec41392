"""Digits to choose from, and what is left of a result whose pad was cleared."""

import gradio as gr

from aigc_demo.images import strip, to_bytes
from aigc_demo.samples import sample_digits
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.drawings import drawing_of
from aigc_demo.ui.kit.widgets import tiles
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.page import Update


def digit_field(words: Words, value: str, name: str, key: str = "inside.digit") -> gr.Dropdown:
    """A choice of one of the ten digits."""
    return words.tr(gr.Dropdown(list(check.DIGITS), value=value, elem_id=name), key)


def wanted_field(words: Words, key: str, name: str) -> gr.CheckboxGroup:
    """The digits to tick; none means all."""
    return words.tr(gr.CheckboxGroup(list(check.DIGITS), value=[], elem_id=name), key)


def shelf(words: Words, count: int, name: str) -> gr.HTML:
    """A strip of the first test digits to click. name: its element's id."""
    sheet = strip(sample_digits("test")[0][:count])
    return tiles(words, 15, largest=2, choosing=True, elem_id=name, strip=sheet, count=count)


def drawn_test_digit(place: int) -> str:
    """A test digit as if it were drawn on a pad."""
    return drawing_of(to_bytes(sample_digits("test")[0][place]))


def nothing_shown(models: Models, words: Words) -> Update:
    """Of a pad that was cleared the result goes too."""
    return gr.update(strip="", count=0, texts=dict.fromkeys(words.table, ""))
