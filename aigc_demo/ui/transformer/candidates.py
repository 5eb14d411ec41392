"""Candidates for the next token: their table, and the tree of the likeliest continuations."""

import math
from itertools import chain, islice
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from aigc_demo.explain import transformer as inside
from aigc_demo.explain.branches import branches, next_logits
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import code
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.inside_views import View, code_of
from aigc_demo.ui.page.page import Page, Update
from aigc_demo.ui.transformer.selection import MAX_CHARACTERS, Fields, asked
from aigc_demo.ui.transformer.widgets import candidates, tree

VISIBLE_CANDIDATES = 40  # candidates that may become visible
WIDTH, DEPTH = 3, 3  # of the tree
LOGITS_SENT = 8_000  # to the browser; of a larger vocabulary only the sums of the rest
TEMPERATURES = [step / 20 for step in range(41)]  # of the slider


def see_next(models: Models, words: Words, model, text) -> tuple[Update, Update, Update]:
    """Every logit after the text, for the browser to shape, and the tree."""
    writer, reading, _ = asked(models, model, text)
    logits = next_logits(writer, reading.ids)
    ordered, ids = logits.sort(descending=True, stable=True)
    first = ids[:VISIBLE_CANDIDATES].tolist()
    shown = {
        "names": [inside.named(writer, token) for token in first],
        "ids": first,
        "controls": [writer.tokenizer.is_control(token) for token in first],
        "logits": [round(value, 4) for value in ordered[:LOGITS_SENT].tolist()],
        "all": len(ordered),
        "rest": _sums(ordered) if len(ordered) > LOGITS_SENT else None,
    }
    nodes = [
        {
            "id": node.token,
            "name": inside.named(writer, node.token),
            "path": node.path,
            "parent": node.parent,
            "control": writer.tokenizer.is_control(node.token),
        }
        for node in branches(writer, reading.ids, WIDTH, DEPTH)
    ]
    marks = ("softmax", "masked_fill", "cumsum", "/ temperature")
    source = code_of("models/transformer.py", "next_token_distribution", marks)
    chance = {"size": f"{len(ordered):,}", "chance": f"{math.log(len(ordered)):.2f}"}
    told = words.both("meaning.next", **chance)
    return gr.update(next=shown, meaning=told), gr.update(tree=nodes), source


def _sums(ordered: Tensor) -> dict[str, list[float]]:
    """Of the logits that are not sent, at each temperature of the slider above 0: the sum of
    w = exp(z), where z = (logit - highest) / T, and of w z, which the entropy needs."""
    below = (ordered[LOGITS_SENT:] - ordered[0]).double()
    z = below / torch.tensor(TEMPERATURES[1:], dtype=torch.float64)[:, None]
    w = z.exp()
    return {"mass": [0.0, *w.sum(1).tolist()], "moment": [0.0, *(w * z).sum(1).tolist()]}


def force(models: Models, words: Words, model, text, chosen) -> str:
    """The text with the chosen tokens after it."""
    writer, reading, _ = asked(models, model, text)
    if isinstance(chosen, dict):  # of the list, which holds its sliders too
        chosen = chosen.get("tokens")
    if not isinstance(chosen, list | tuple) or not 1 <= len(chosen) <= DEPTH:
        raise check.UserError("error.no_token")
    ids = [check.whole(token, "token", 0, len(writer.tokenizer) - 1) for token in chosen]
    if any(writer.tokenizer.is_control(token) for token in ids):
        raise check.UserError("error.no_token")
    pieces: Any = writer.tokenizer.pieces(chain(reading.ids[-1:], ids))  # perhaps with a space
    added = "".join(islice(pieces, 1, None))
    if not added:  # a part of a character
        raise check.UserError("error.no_token")
    return check.text(text + added, "text", MAX_CHARACTERS)


def build_next(page: Page, fields: Fields) -> View:
    """The view; a picked candidate or node becomes a part of the text."""
    assert page.tab is not None
    bar = f"{page.tab.id}.inside"  # whose link holds the sliders
    listed = candidates(page.words, next=None, bar=bar, elem_id="through-next")
    page.words.tr(gr.Markdown(elem_classes="hint"), "through.tree_hint")
    grown = tree(page.words, tree=[], value=None, elem_id="through-tree")
    lines = code(code=None, elem_id="through-next-code")
    inputs = [fields.model, fields.text]
    for widget in (listed, grown):
        given = [*inputs, widget]
        forced = page.compute(widget.pick, force, given, fields.text, show_progress="hidden")
        fields.changed.append(forced.success)
    return View(see_next, inputs, [listed, grown, lines], own={"sampling": listed})
