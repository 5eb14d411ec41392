"""The overview: one text on its way through the whole Transformer, in one picture."""

from dataclasses import asdict
from typing import Any

import gradio as gr

from aigc_demo.explain import transformer as inside
from aigc_demo.explain.overview import layer_shares
from aigc_demo.images import strip
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.widgets import table
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.inside_views import View, learnt, parameters_of
from aigc_demo.ui.page.page import Page, Update
from aigc_demo.ui.transformer.selection import Fields, asked, part_of
from aigc_demo.ui.transformer.widgets import stream

WINDOW = 20  # tokens in the picture: the chosen one and those before it
CHANNELS = 24  # cells of an embedding's strip, each the mean of its share of the channels
NEURONS = 16
LIKELIEST = 10
COLUMNS = ("layer_column", "before", "attended", "fed", "after_layer", "guess")
LEARNT_FROM = {"shakespeare": "through.learnt_plays", "poems": "through.learnt_verse"}


def see_overview(
    models: Models, words: Words, model, text, place, layer, head
) -> tuple[Update, Update]:
    """Tokens, embeddings, every layer's attention and feed-forward, and the likeliest tokens."""
    writer, reading, place = asked(models, model, text, place)
    layer, _ = part_of(writer, layer, head)
    found = inside.trace(writer, reading.ids)
    first = max(0, place + 1 - WINDOW)
    window = slice(first, place + 1)
    shares = layer_shares(writer, found, place, NEURONS)
    guesses = inside.lens(writer, found, place, LIKELIEST)
    weights = found.weights[:, :, window, window]
    layers = [
        {
            **asdict(share),
            "weights": [[round(weight, 3) for weight in row] for row in rows],
            "guess": [inside.named(writer, guess.tokens[0]), guess.probabilities[0]],
        }
        for share, guess, rows in zip(
            shares, guesses[1:], found.weights[:, :, place, window].tolist(), strict=True
        )
    ]
    last = guesses[-1]
    parameters = f"{parameters_of(writer.model):,}"
    elsewhere = "through.learnt_elsewhere"
    known = LEARNT_FROM.get(model, elsewhere)
    texts = learnt(models, words, model, known, elsewhere, parameters=parameters)
    picture = {
        "tokens": reading.names[window],
        "first": first,
        "strips": strips_of(found, window),
        "layers": layers,
        "sheet": strip(weights.flatten(0, 1).sqrt()),
        "heads": weights.shape[1],
        "best": [
            [inside.named(writer, token), share]
            for token, share in zip(last.tokens, last.probabilities, strict=True)
        ],
        "open": layer,
    }
    return gr.update(network=picture, texts=texts), gr.update(table=_table(words, layers))


def _table(words: Words, layers: list[dict[str, Any]]) -> dict[str, Any]:
    """The numbers of the layers, for the table."""
    rows = []
    for number, layer in enumerate(layers, 1):
        sizes = (f"{layer[name]:.2f}" for name in ("before", "attended", "fed", "after"))
        token, likely = layer["guess"]
        rows.append([str(number), *sizes, f"{token} {100 * likely:.1f}%"])
    return {"head": [words.both(f"through.{name}") for name in COLUMNS], "rows": rows}


def strips_of(found: inside.Trace, window: slice) -> list[list[int]]:
    """The embeddings of some tokens as rows of at most CHANNELS cells, from -9 to 9."""
    embeddings = found.stream[0, window]  # (T, C)
    count = min(CHANNELS, embeddings.shape[1])
    cells = embeddings[:, : embeddings.shape[1] // count * count]
    means = cells.unflatten(1, (count, -1)).mean(2)
    return (9 * means / means.abs().max().clamp(min=1e-9)).round().int().tolist()


def build_overview(page: Page, fields: Fields) -> View:
    """Adds the view."""
    picture = stream(page.words, network=None, elem_id="through-network")
    with page.words.tr(gr.Accordion(open=False, elem_id="through-sizes"), "through.as_table"):
        rows = table(page.words, table=None, elem_id="through-layers")
    return View(
        see_overview, fields.all, [picture, rows], goes=[(picture, ("token", "layer", "head"))]
    )
