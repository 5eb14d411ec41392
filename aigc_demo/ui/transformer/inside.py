"""Inside the Transformer, beside the two writers: one text through every step of the model."""

import json
from dataclasses import asdict
from typing import Any

import gradio as gr

from aigc_demo.explain import transformer as inside
from aigc_demo.images import strip
from aigc_demo.names import WRITERS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.widgets import code, table
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.hub_panel import TOLD
from aigc_demo.ui.page.inside_views import View, add_views
from aigc_demo.ui.page.page import LOCAL, Page, Update, several
from aigc_demo.ui.page.training_view import build_training
from aigc_demo.ui.transformer import formulas
from aigc_demo.ui.transformer.ablation import build_neurons, build_off
from aigc_demo.ui.transformer.candidates import build_next
from aigc_demo.ui.transformer.overview import build_overview
from aigc_demo.ui.transformer.selection import (
    LAST,
    MAX_CHARACTERS,
    Fields,
    asked,
    formula_of,
    model_code,
    older,
    part_of,
    show_tokens,
)
from aigc_demo.ui.transformer.whole_text import build_origin, build_surprise, build_verse
from aigc_demo.ui.transformer.widgets import heads, tokens

MAP_TOKENS = 32  # tokens on the attention map, the last ones
KEYS = 24  # keys of a query that are listed
STEP_COLUMNS = ("key", "id", "score", "masked", "raised", "weight")
FIRST = {
    "shakespeare": "JULIET:\nO Romeo, where",
    "poems": "《早发白帝城》\n朝辞白帝彩云间，千里江陵",
}


def see_step(
    models: Models, words: Words, model, text, place, layer, head
) -> tuple[Update, str, Update, Update]:
    """One query: its score with each key, the mask, softmax, and the arithmetic of one score."""
    writer, reading, place = asked(models, model, text, place)
    layer, head = part_of(writer, layer, head)
    found = inside.trace(writer, reading.ids)
    scores, weights = found.scores[layer, head, place], found.weights[layer, head, place]
    seen = place + 1
    first = max(0, min(seen - KEYS + 2, len(reading.ids) - KEYS))
    rows = []
    for at in range(first, min(first + KEYS, len(reading.ids))):
        masked = at > place
        raised = (scores[at] - scores[:seen].max()).exp().item()
        weight = weights[at].item()
        rows.append(
            [
                {"text": reading.names[at], "mark": "token"},
                str(reading.ids[at]),
                f"{scores[at].item():.3f}",
                {"text": "−∞", "mark": "masked"} if masked else f"{scores[at].item():.3f}",
                "0" if masked else f"{raised:.3f}",
                {"text": f"{weight:.3f}", "bar": weight},
            ]
        )
    heading = [words.both(f"through.{name}") for name in STEP_COLUMNS]
    texts = words.both(
        "through.step_of", token=reading.names[place], layer=layer + 1, head=head + 1
    )
    best = int(weights.argmax())
    query, key = found.queries[layer, head, place], found.keys[layer, head, best]
    gpt2 = older(writer)
    start = formulas.embedding(reading.ids[place], place, found.stream[0, place], gpt2)
    formula = start + formulas.attention(
        query, key, scores[:seen], weights[:seen], found.values[layer, head, :seen]
    )
    products = (query * key).tolist()
    sums = [
        [str(i + 1), f"{a:.3f}", f"{b:.3f}", f"{a * b:.3f}"]
        for i, (a, b) in enumerate(zip(query.tolist(), key.tolist(), strict=True))
    ]
    sums.append(["Σ", "", "", f"{sum(products):.3f}"])
    by_hand = words.both(
        "through.by_hand",
        asker=reading.names[place],
        answer=reading.names[best],
        total=f"{sum(products):.3f}",
        root=f"{len(products) ** 0.5:.3f}",
        score=f"{scores[best].item():.3f}",
    )
    return (
        gr.update(table={"head": heading, "rows": rows}, texts=texts),
        formula,
        gr.update(table={"head": ["", "q", "k", "q·k"], "rows": sums}, texts=by_hand),
        model_code(writer, "Attention", ("q, k, v =", "rotate(", "scaled_dot")),
    )


def see_attention(models: Models, words: Words, model, text, place, layer, head) -> Update:
    """The maps of all heads over the last tokens; the weights of the chosen one."""
    writer, reading, place = asked(models, model, text, place)
    layer, head = part_of(writer, layer, head)
    maps = inside.trace(writer, reading.ids).weights[:, :, -MAP_TOKENS:, -MAP_TOKENS:]
    size, first = maps.shape[-1], len(reading.ids) - maps.shape[-1]
    chosen_map = maps[layer, head]
    row = max(0, place - first)
    # Dark rooms are looked at closely: thumbnails show the square root of a weight.
    return gr.update(
        attention={
            "layers": maps.shape[0],
            "heads": maps.shape[1],
            "layer": layer + 1,
            "head": head + 1,
            "sheet": strip(maps.flatten(0, 1).sqrt()),
            "tokens": reading.names[-size:],
            "weights": [[round(value, 4) for value in line] for line in chosen_map.tolist()],
            "habits": [[asdict(habit) for habit in line] for line in models.habits(model)],
            "row": row,
            "column": int(chosen_map[row].argmax()),
        }
    )


def see_lens(models: Models, words: Words, model, text, place) -> tuple[Update, str, Update]:
    """The logit lens: the next token after each layer, and the probability of the last layer's."""
    writer, reading, place = asked(models, model, text, place)
    found = inside.trace(writer, reading.ids)
    rows = []
    for layer, guess in enumerate(inside.lens(writer, found, place)):
        name = (
            words.both("through.embedding") if layer == 0 else words.both("through.after", k=layer)
        )
        cells = [
            {
                "text": inside.named(writer, token),
                "below": f"{100 * share:.1f}%",
                "shade": share,
                "mark": "guess",
            }
            for token, share in zip(guess.tokens, guess.probabilities, strict=True)
        ]
        share = {"text": f"{100 * guess.final:.1f}%", "bar": guess.final}
        rows.append([{"text": name}, *cells, share])
    last = found.logits[place]
    final = int(last.argmax())
    heading: list[Any] = ["", "1", "2", "3", "4", "5"]
    heading.append(words.both("through.final", token=inside.named(writer, final)))
    token = reading.names[place]
    if place + 1 < len(reading.names):
        texts = words.both("through.lens_of", token=token, next=reading.names[place + 1])
    else:
        texts = words.both("through.lens_at_end", token=token)
    return (
        gr.update(table={"head": heading, "rows": rows}, texts=texts),
        formulas.read_out(
            last[final].item(),
            last.softmax(0)[final].item(),
            older(writer),
            getattr(writer.model.config, "logit_cap", 0.0),
        ),
        model_code(writer, "Model.read_out", ("logits =", "F.linear")),
    )


def build_inside(page: Page, here: gr.Tab, written: list) -> None:
    """Adds the view. here: the tab that holds it; written: where play and poem stand, and who
    wrote them.
    """
    tr = page.words.tr
    with gr.Row(equal_height=False, elem_classes="asked"):
        with gr.Column(scale=3, min_width=280):
            text = tr(
                gr.Textbox(
                    FIRST["shakespeare"],
                    lines=3,
                    max_lines=6,
                    max_length=MAX_CHARACTERS,
                    elem_id="through-text",
                ),
                "through.text",
            )
            with gr.Row():
                read = tr(
                    gr.Button(variant="primary", elem_id="through-read", min_width=110),
                    "through.read",
                )
                take = tr(gr.Button(elem_id="through-take", min_width=110), "through.take")
        with gr.Column(scale=2, min_width=260):
            model = tr(gr.Radio(value="shakespeare", elem_id="through-model"), "through.model")
            with gr.Row():
                layer = _number(page, "layer")
                head = _number(page, "head")
    line = tokens(page.words, choosing=True, tokens=[], value=0, elem_id="through-tokens")
    fields = Fields(model, text, line, layer, head)
    looked_at = {"model": model, "text": text, "token": line, "layer": layer, "head": head}
    examples = {name: {"text": example} for name, example in FIRST.items()}
    fields.moved.extend([line.pick, layer.submit, head.submit])
    opening: dict[str, Any] = {"first": {"token": LAST}, "examples": examples}
    share = add_views(page, "through", VIEWS, fields, looked_at, changes=fields.moved, **opening)
    # Another model begins with its example; a button takes what the visitor had it write.
    # Of other weights, those that know the forms of verse begin with the poem, the rest with their
    # opening.
    verse = "['poems', ...(window.aigc.page.others?.poems || []).map((choice) => choice[1])]"
    first = json.dumps(FIRST)
    play = f"{first}[model] ?? {TOLD}?.opening ?? text"
    example = f"(model, text) => {verse}.includes(model) ? {first}.poems : {play}"
    switched = model.input(None, [model, text], text, js=example, **LOCAL)
    # The text that was last in sight, and who wrote it.
    newest = """(model, play, poem, writer, poet) => {
      const at = (task) => window.aigc.page.sighted?.[`transformer.${task}`] ?? 0;
      return at("poems") > at("shakespeare") ? [poet, poem] : [writer, play.slice(0, 240)];
    }"""
    taken = take.click(None, [model, *written], [model, text], js=newest, **LOCAL)
    hidden: dict[str, Any] = {"show_progress": "hidden"}
    for event in several(read.click, switched.then, taken.then, *fields.changed):
        shown = page.compute(event, show_tokens, [model, text], line, **hidden)
        share.compute(shown.success)
    opened = share.unless_asked(here.select, show_tokens, [model, text], [line], **hidden)
    share.compute_first(opened.success)
    restored = share.opens().success
    page.compute(restored, show_tokens, [model, text, line], line, **hidden)


def _number(page: Page, name: str) -> gr.Number:
    number = gr.Number(
        1, precision=0, minimum=1, maximum=99, elem_id=f"through-{name}", min_width=90
    )
    return page.words.tr(number, f"through.{name}")


def _build_step(page: Page, fields: Fields) -> View:
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300):
            rows = table(page.words, table=None, elem_id="through-step")
        with gr.Column(scale=3, min_width=300):
            formula = formula_of("step-formula")
            with page.words.tr(
                gr.Accordion(open=False, elem_id="through-sums"), "inside.arithmetic"
            ):
                sums = table(page.words, table=None, elem_id="through-products")
                lines = code(code=None, elem_id="through-step-code")
    return View(see_step, fields.all, [rows, formula, sums, lines])


def _build_attention(page: Page, fields: Fields) -> View:
    maps = heads(page.words, attention=None, value=None, elem_id="through-heads")
    picked = maps.pick(None, maps, [fields.layer, fields.head], js="(pair) => pair", **LOCAL)
    fields.moved.append(picked.then)
    return View(see_attention, fields.all, [maps])


def _build_lens(page: Page, fields: Fields) -> View:
    rows = table(page.words, table=None, elem_id="through-lens")
    formula = formula_of("lens-formula")
    lines = code(code=None, elem_id="through-lens-code")
    return View(see_lens, [fields.model, fields.text, fields.place], [rows, formula, lines])


def _build_training(page: Page, fields: Fields) -> View:
    return build_training(page, "through", WRITERS, fields.model)


VIEWS = {
    "overview": build_overview,
    "step": _build_step,
    "attention": _build_attention,
    "lens": _build_lens,
    "next": build_next,
    "surprise": build_surprise,
    "off": build_off,
    "neurons": build_neurons,
    "origin": build_origin,
    "verse": build_verse,
    "training": _build_training,
}
