"""Parts of the Transformer: what is lost without a head or layer, and what neurons react to."""

from typing import Any

import gradio as gr
import torch

from aigc_demo.explain import transformer as inside
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.names import TEMPERATURE
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import code, table
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.inside_views import View, parameters_of
from aigc_demo.ui.page.page import Page, Update, dice
from aigc_demo.ui.transformer import formulas
from aigc_demo.ui.transformer.selection import Fields, asked, formula_of, model_code, older, part_of
from aigc_demo.ui.transformer.whole_text import meaning

NEURONS = 8
WRITTEN = {"shakespeare": 100, "poems": 40, "large": 20}  # tokens that it goes on for
LARGE = 50_000_000  # parameters, beyond which a token takes long


def see_off(models: Models, words: Words, model, text, layer, head, what, seed) -> Update:
    """The text's loss and how it goes on, with every part and without a head or a layer."""
    writer, reading, _ = asked(models, model, text, None)
    layer, head = part_of(writer, layer, head)
    what, seed = check.one_of(what, "what", ("head", "layer")), check.seed(seed)
    off: dict[str, Any] = {"heads": [(layer, head)]} if what == "head" else {"layers": [layer]}
    heading: list[Any] = [""]
    lost = []
    losses: list[Any] = [{"text": words.both("through.loss"), "mark": "name"}]
    texts: list[Any] = [{"text": words.both("through.goes_on"), "mark": "name"}]
    for key, one in (("all", writer), (f"no_{what}", inside.without(writer, **off))):
        nats = inside.surprise(one, reading.ids)[reading.first - 1 :]
        lost.append(nats)
        heading.append(words.both(f"through.{key}", layer=layer + 1, head=head + 1))
        losses.append(f"{nats.mean().item():.3f}" if len(nats) else "–")
        texts.append({"text": _goes_on(one, reading, seed), "mark": "prose"})
    told = meaning(models, words, model, writer, *lost)
    return gr.update(table={"head": heading, "rows": [losses, texts]}, meaning=told)


@torch.inference_mode()
def _goes_on(writer: TextWriter, reading: inside.Reading, seed: int) -> str:
    """The text and its continuation; every character of the new part drawn from one seed."""
    size = parameters_of(writer.model)
    kind = "poems" if writer.forms else "shakespeare"
    count = WRITTEN["large" if size > LARGE else kind]
    new = writer.extend(reading.ids, count, temperature=TEMPERATURE, seed=seed)
    pieces = list(writer.tokenizer.pieces([*reading.ids, *new]))
    given = len(reading.ids)
    return "".join(pieces[:given]) + "▸" + "".join(pieces[given:])


def see_neurons(
    models: Models, words: Words, model, text, place, layer, character
) -> tuple[Update, str, Update, Update]:
    """The neurons that fire most at a token: where else they fire, and which tokens they promote.

    character: whose nearest tokens by embedding are shown; "" for those of the token at `place`.

    Returns:
        The table of neurons, the formula, the nearest tokens, and the code.
    """
    writer, reading, place = asked(models, model, text, place)
    layer, _ = part_of(writer, layer)
    fired = inside.trace(writer, reading.ids).fired[layer, place]
    best = fired.topk(NEURONS)
    examples = models.neurons(model)
    rows = []
    for neuron, value in zip(best.indices.tolist(), best.values.tolist(), strict=True):
        known = examples.examples(layer, neuron) if examples else []
        said = "  ".join(inside.named(writer, t) for t in inside.says(writer, layer, neuron))
        contexts = "  │  ".join(context.replace("\n", "↵") for context, _ in known)
        share = {"text": f"{value:.2f}", "bar": value / max(best.values[0].item(), 1e-9)}
        rows.append([f"{neuron + 1}", share, {"text": contexts, "mark": "prose"}, said])
    heading = [words.both(f"through.{name}") for name in ("neuron", "fires", "examples", "says")]
    texts = words.both("through.neurons_of", token=reading.names[place], layer=layer + 1)
    character = check.text(character or "", "character", 8).strip()
    if writer.tokenizer.characters:  # others have tokens of several characters
        character = character[:1]
    token = inside.token_of(writer, character) if character else reading.ids[place]
    near = [
        {
            "text": inside.named(writer, other),
            "below": f"{cosine:.2f}",
            "shade": max(0, cosine),
            "mark": "guess",
        }
        for other, cosine in inside.neighbours(writer, token)
    ]
    about = words.both("through.neighbours_of", token=inside.named(writer, token))
    return (
        gr.update(table={"head": heading, "rows": rows}, texts=texts),
        formulas.neuron(best.values[0].item(), older(writer)),
        gr.update(table={"head": [], "rows": [near]}, texts=about),
        model_code(writer, "FeedForward", ("relu", "F.gelu", "narrow(")),
    )


def build_off(page: Page, fields: Fields) -> View:
    """The view of parts switched off."""
    tr = page.words.tr
    with gr.Row():
        what = tr(gr.Radio(value="layer", elem_id="through-what"), "through.what")
        seed, roll = dice(page.words, 1, "through-seed")
    rows = table(page.words, table=None, elem_id="through-off")
    inputs = [fields.model, fields.text, fields.layer, fields.head, what, seed]
    events: list[tuple] = [(event, {}) for event in (what.input, seed.submit, roll.then)]
    own = {"what": what, "seed": seed}
    return View(see_off, inputs, [rows], own, events)


def build_neurons(page: Page, fields: Fields) -> View:
    """The view of hidden neurons and neighbours."""
    tr = page.words.tr
    rows = table(page.words, table=None, elem_id="through-neurons")
    formula = formula_of("neuron-formula")
    character = tr(
        gr.Textbox("", max_lines=1, max_length=8, elem_id="through-character"), "through.character"
    )
    near = table(page.words, table=None, elem_id="through-near")
    lines = code(code=None, elem_id="through-neuron-code")
    inputs = [fields.model, fields.text, fields.place, fields.layer, character]
    outputs = [rows, formula, near, lines]
    own = {"character": character}
    return View(see_neurons, inputs, outputs, own, [(character.submit, {})])
