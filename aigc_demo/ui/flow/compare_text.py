"""The same for text: an n-gram model, the Transformer and masked diffusion, side by side."""

from time import perf_counter
from typing import Any

import gradio as gr

from aigc_demo.explain.figures import card_figures, training_minutes
from aigc_demo.inference.unmask import GAP
from aigc_demo.inference.writing.sampler import Sampler
from aigc_demo.names import GAP_STEPS, TEMPERATURE
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.catalog.ngrams import ngram_losses, ngram_model
from aigc_demo.ui.kit.widgets import table
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.page import Page, Update
from aigc_demo.weights import count_parameters, find_folder

PROMPT, LENGTH, ORDER = "ROMEO:\n", 200, 4  # that each writes by; the order of the n-gram model
COMPARED = ("ngram", "transformer", "unmask")


def which_text(models: Models, words: Words, seed: int) -> tuple[str, str, str, Update]:
    """The three texts of a seed, and the table. Milliseconds are measured here and now."""
    ngram, writer = ngram_model(models, ORDER), models.writer("shakespeare")
    gaps = models.gaps("unmask")
    sampler = Sampler(TEMPERATURE, seed=seed)
    ways = (
        lambda: PROMPT + ngram.write(PROMPT, LENGTH, sampler),
        lambda: PROMPT + writer.write(PROMPT, LENGTH, temperature=TEMPERATURE, seed=seed),
        lambda: gaps.fill(PROMPT + GAP * LENGTH, GAP_STEPS, TEMPERATURE, seed=seed),
    )
    texts, times = [], []
    for write in ways:
        begun = perf_counter()
        texts.append(write())
        times.append(f"{1000 * (perf_counter() - begun):.0f}")
    sources = [str(models.source(name)) for name in ("shakespeare", "unmask")]
    cards = [card_figures(source) for source in sources]
    counts = sum(len(kinds) for before, kinds in ngram.counts.items() if len(before) < ORDER)
    bound = cards[1].get("nats per character at most", "–")
    rows = {
        "which.numbers": [
            f"{counts:,}",
            *(f"{count_parameters(find_folder(source)):,}" for source in sources),
        ],
        "which.minutes": ["0", *map(training_minutes, sources)],
        "which.steps": [str(LENGTH), str(LENGTH), str(GAP_STEPS)],
        "which.text_time": times,
        "which.text_nats": [
            f"{ngram_losses(models)[ORDER - 1]:.2f}",
            cards[0].get("nats per character", "–"),
            f"≤ {bound}",
        ],
    }
    told = {
        "head": ["", *(words.both(f"which.{name}") for name in COMPARED)],
        "rows": [[{"text": words.both(key)}, *cells] for key, cells in rows.items()],
    }
    return texts[0], texts[1], texts[2], gr.update(table=told)


def build_compare_text(page: Page) -> list[Any]:
    """Adds three texts and their table; returns these."""
    tr = page.words.tr
    tr(gr.Markdown(elem_classes="hint"), "which.text_hint")
    with gr.Row(equal_height=False):
        texts = [
            tr(
                gr.Textbox(
                    lines=9,
                    max_lines=12,
                    min_width=260,
                    interactive=False,
                    elem_id=f"which-{name}",
                    elem_classes="manuscript",
                ),
                f"which.{name}_text",
            )
            for name in COMPARED
        ]
    return [*texts, table(page.words, table={}, elem_id="which-text-figures")]
