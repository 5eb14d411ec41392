"""The text as a whole: how surprising it is, whether it was copied, and the rules of verse."""

import math
from typing import Any

import gradio as gr
from torch import Tensor

from aigc_demo.explain import transformer as inside
from aigc_demo.explain import verse
from aigc_demo.explain.figures import card_figures
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.prosody import FREE
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.widgets import code, table
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.inside_views import View, code_of
from aigc_demo.ui.page.page import Page, Update
from aigc_demo.ui.transformer import formulas
from aigc_demo.ui.transformer.selection import Fields, asked, formula_of
from aigc_demo.ui.transformer.widgets import tokens

STRONG = 6.0  # nats at which the shade is full
OVERLAPS = 3


def see_surprise(models: Models, words: Words, model, text) -> tuple[Update, str, Update]:
    """Each token shaded by -log p, with the text's perplexity."""
    writer, reading, _ = asked(models, model, text)
    nats = inside.surprise(writer, reading.ids)
    counted = nats[reading.first - 1 :]
    shades: list[dict[str, Any]] = [
        {"text": name, "role": "given"} for name in reading.names[: reading.first]
    ]
    for name, value in zip(reading.names[reading.first :], counted.tolist(), strict=True):
        shades.append({"text": name, "shade": min(1, value / STRONG), "note": f"{value:.2f} nat"})
    formula = formulas.perplexity(counted) if len(counted) else ""
    source = code_of("explain/transformer.py", "surprise", ("log_softmax", "nats ="))
    told = words.both("through.shaded")
    paid = meaning(models, words, model, writer, counted)
    return gr.update(tokens=shades, texts=told, meaning=paid), formula, source


def meaning(
    models: Models, words: Words, model: Any, writer: TextWriter, *nats: Tensor
) -> dict[str, str]:
    """What the mean loss of a text would be by chance, on unseen text, and what it is."""
    size = len(writer.tokenizer)
    now = " / ".join(f"{one.mean().item():.2f}" for one in nats if len(one)) or "–"
    told = {"size": f"{size:,}", "chance": f"{math.log(size):.2f}", "now": now}
    if model != "shakespeare":  # the only card that counts a loss of each token
        return words.both("meaning.text", **told)
    card = float(card_figures(str(models.source(model))).get("nats per character", "nan"))
    return words.both("meaning.play", card=f"{card:.2f}", **told)


def see_origin(models: Models, words: Words, model, text) -> tuple[Update, Update]:
    """The longest passages that the text shares with the training text, and where they stand."""
    writer, reading, _ = asked(models, model, text)
    index = models.overlaps(model)
    body = writer.tokenizer.decode(reading.ids[reading.body :])
    names = [inside.VISIBLE.get(character, character) for character in body]
    if index is None:
        plain = [{"text": name} for name in names]
        return gr.update(tokens=plain, texts=words.both("through.no_index")), gr.update(table=None)
    found = index.longest(body, OVERLAPS)
    longest = found[0] if found else None
    marked = [
        {
            "text": name,
            "shade": 0.6
            if longest and longest.start <= place < longest.start + longest.length
            else 0,
        }
        for place, name in enumerate(names)
    ]
    rows = [
        [
            str(one.length),
            {"text": body[one.start : one.start + one.length], "mark": "prose"},
            one.place,
        ]
        for one in found
    ]
    heading = [words.both(f"through.{name}") for name in ("characters", "passage", "from")]
    if longest is None:
        texts = words.both("through.invented", count=len(body))
    else:
        share = f"{100 * longest.length / len(body):.0f}"
        texts = words.both(
            "through.shared", length=longest.length, share=share, place=longest.place
        )
    return gr.update(tokens=marked, texts=texts), gr.update(table={"head": heading, "rows": rows})


def see_verse(models: Models, words: Words, model, text) -> tuple[Update, Update, Update]:
    """The poem with its tones and rhymes, and what the rules forbid at each of its places."""
    writer, reading, _ = asked(models, model, text)
    source = code_of("inference/verse.py", "Verses.rule", ("masks", "fresh"))
    if not writer.forms:
        none = gr.update(table=None, texts=words.both("through.only_verse"))
        return none, gr.update(table=None), source
    steps = verse.steps(writer, reading)
    poem: list[list[dict[str, Any]]] = [[]]
    for step in steps:
        if not step.tone and step.wanted in verse.MARKS:
            poem.append([])
            continue
        rule = "" if step.wanted == FREE else step.wanted
        mark = "verse" if step.kept else "verse broken"
        poem[-1].append(
            {
                "text": step.character,
                "below": f"{step.tone or '?'}{'/' + rule if rule else ''}",
                "mark": f"{mark} foot" if step.rhyme else mark,
            }
        )
    rows = [
        [
            {"text": step.character, "mark": "token"},
            {"text": step.wanted + (f" {step.rhyme[1:]}" if step.rhyme else "")},
            *({"text": f"{100 * v:.1f}%", "bar": v} for v in (step.form, step.tones, step.rhymes)),
            {"text": "✓" if step.kept else "✗", "mark": "" if step.kept else "broken"},
        ]
        for step in steps
    ]
    broken = sum(not step.kept for step in steps)
    pattern, rhyme = verse.plan_in(reading)
    key = "through.verse_broken" if broken else "through.verse_kept"
    if not steps:
        key = "through.verse_none"
    texts = words.both(key, pattern=pattern, rhyme=rhyme[1:], broken=broken)
    heading = [
        words.both(f"through.{name}")
        for name in ("character_column", "rule", "by_form", "by_tone", "by_rhyme", "kept")
    ]
    return (
        gr.update(table={"head": [], "rows": [line for line in poem if line]}, texts=texts),
        gr.update(table={"head": heading, "rows": rows}),
        source,
    )


def build_surprise(page: Page, fields: Fields) -> View:
    """The view of surprise."""
    shaded = tokens(page.words, tokens=[], elem_id="through-shaded")
    formula = formula_of("perplexity")
    lines = code(code=None, elem_id="through-surprise-code")
    return View(see_surprise, [fields.model, fields.text], [shaded, formula, lines])


def build_origin(page: Page, fields: Fields) -> View:
    """The view of copied passages."""
    marked = tokens(page.words, tokens=[], elem_id="through-marked")
    rows = table(page.words, table=None, elem_id="through-origin")
    return View(see_origin, [fields.model, fields.text], [marked, rows])


def build_verse(page: Page, fields: Fields) -> View:
    """The view of the rules of verse."""
    poem = table(page.words, table=None, elem_id="through-verse")
    rows = table(page.words, table=None, elem_id="through-masks")
    lines = code(code=None, elem_id="through-verse-code")
    return View(see_verse, [fields.model, fields.text], [poem, rows, lines])
