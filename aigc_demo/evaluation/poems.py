"""The figures of a poet: perplexity on held-out poems, and the rules of line, rhyme and tone."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from aigc_demo.data.files import data_folder
from aigc_demo.data.poems import Poem, fit_to, read_poems
from aigc_demo.evaluation.nats import added_by_engine, nats
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.verse import ANSWERED, ANSWERING, PLANNED
from aigc_demo.prosody import (
    COMMA,
    FORMS,
    STOP,
    form_of,
    is_regulated,
    lines_of,
    opposes,
    plan_of,
    rhyme_of,
)
from aigc_demo.tokenizer import poem_ids

DEFAULTS: dict[str, Any] = {"temperature": 0.8, "top_p": 0.9}  # the page's,
GUIDANCE = 2.0  # and this
HEADS = "春夏秋冬東西南北"  # for acrostics


def score_poems(writer: TextWriter, data: Path | None, full: bool) -> dict[str, float]:
    """Perplexity on held-out poems; of poems written, the shares that keep the rules; the title.

    Perplexity is per character, given form and title; the nats of marks and of the plan (tone
    pattern and rhyme, which the model settles itself) are counted too. Tang and Song apart; quick:
    500 poems of each. Poems: seeds 0, 1, ... on titles of held-out poems, at the page's default
    settings; quick: 20 a form and way, full: 400 (acrostics: 100). `plain` is without masks and
    guidance, `held` with both (格律; the title counts twice); `tang` are the real Tang poems of
    the corpus. In form: right lines and characters. Rhyme: even lines end in one group. Regulated:
    a tone pattern is kept, the rhyme is level, and no character rhymes twice (prosody.py);
    unturned: without 特拗 and 对句相救 too. Title: see `titles_kept` and `title_gain`.
    """
    poems = read_poems(data_folder(data), writer.forms)
    kept = fit_to(poems, writer.tokenizer.characters)
    figures: dict[str, float] = {}
    for dynasty in ("tang", "song"):
        held_out = [poem for poem in kept if poem.held_out and poem.dynasty == dynasty]
        held_out = held_out if full else held_out[:500]
        figures[f"{dynasty}_perplexity"] = perplexity(writer, held_out)
        figures[f"{dynasty}_poems"] = len(held_out)
        figures[f"{dynasty}_title_gain"] = title_gain(writer, held_out)
    some = [
        poem for poem in kept if poem.held_out and poem.dynasty == "tang" and poem.form == "七律"
    ]
    if some:  # of one length; quick: 50
        batches = [torch.tensor([_ids(writer, poem)]) for poem in (some if full else some[:50])]
        scored = PLANNED + len(some[0].text)
        figures["nats_added_by_engine"] = added_by_engine(writer, batches, scored)
    figures |= titles_kept(writer, kept, 150 if full else 30)
    figures |= couplets_kept(writer, kept, 200 if full else 20)
    ways: dict[str, dict[str, Any]] = {
        "plain": {"regulated": False, **DEFAULTS},
        "held": {"regulated": True, "guidance": GUIDANCE, **DEFAULTS},
    }
    couplets = {c for poem in poems if not poem.held_out for c in couplets_of(poem.text)}
    titles = [poem.title for poem in kept if poem.held_out and poem.title]
    count = 400 if full else 20
    copied = 0
    figures["poems_a_form"] = count
    for form in writer.forms:
        real = [poem.text for poem in poems if poem.form == form and poem.dynasty == "tang"]
        figures |= {f"{form}_tang_{key}": value for key, value in shares(real, form).items()}
        for way in ways:
            texts = [
                "".join(writer.stream_poem(form, title, seed=seed, **ways[way]))
                for seed, title in enumerate(tqdm(titles[:count], desc=f"{form} {way}"))
            ]
            copied += sum(not couplets.isdisjoint(couplets_of(text)) for text in texts)
            figures |= {f"{form}_{way}_{key}": value for key, value in shares(texts, form).items()}
        kept_heads = 0
        for seed in tqdm(range(min(count, 100)), desc=f"{form} 藏头"):
            heads = HEADS[: FORMS[form].lines]
            text = writer.poem(form, acrostic=heads, regulated=seed % 2 == 0, seed=seed, **DEFAULTS)
            kept_heads += "".join(line[0] for line in lines_of(text)).startswith(heads)
        figures[f"{form}_acrostic"] = kept_heads / min(count, 100)
    figures["copied_couplet"] = copied / (2 * count * len(writer.forms))
    return figures


@torch.inference_mode()
def perplexity(writer: TextWriter, poems: list[Poem]) -> float:
    """exp(nats per character) of poems, each given its form and title."""
    rows: dict[tuple[int, int], list[list[int]]] = defaultdict(list)  # alike in length and opening
    for poem in poems:
        ids = _ids(writer, poem)
        rows[len(ids), PLANNED + len(poem.text)].append(ids)
    total = 0.0
    for (_, scored), group in tqdm(rows.items(), desc="perplexity", unit="length"):
        for part in torch.tensor(group).split(64):
            total += nats(writer, part)[:, -scored:].sum().item()
    characters = sum(len(line) for poem in poems for line in lines_of(poem.text))
    return math.exp(total / characters)


def title_gain(writer: TextWriter, poems: list[Poem]) -> float:
    """The nats that a poem's own title saves, against that of another poem of its form."""
    titled = sorted((poem for poem in poems if poem.title), key=lambda poem: poem.form)
    groups = [list(group) for _, group in groupby(titled, key=lambda poem: poem.form)]
    moved = [
        replace(poem, title=other.title)
        for group in groups
        for poem, other in zip(group, group[len(group) // 2 :] + group, strict=False)
    ]
    if not titled:
        return 0.0
    characters = sum(len(line) for poem in titled for line in lines_of(poem.text))
    nats_a_character = math.log(perplexity(writer, moved) / perplexity(writer, titled))
    return nats_a_character * characters / len(titled)


def titles_kept(writer: TextWriter, poems: list[Poem], count: int) -> dict[str, float]:
    """The shares of 七绝 in which a character of the title stands.

    On the first so many held-out Tang titles of one to three characters, at the page's settings
    with and without guidance; beside the real Tang poems with such titles.
    """
    form = "七绝"
    short = [poem for poem in poems if poem.dynasty == "tang" and 1 <= len(poem.title) <= 3]
    titles = list(dict.fromkeys(poem.title for poem in short if poem.held_out))[:count]
    real = [(poem.title, poem.text) for poem in short if poem.form == form]
    if form not in writer.forms or not titles or not real:
        return {}

    def written(guidance: float) -> list[tuple[str, str]]:
        settings = {"guidance": guidance, **DEFAULTS}
        return [
            (title, writer.poem(form, title, seed=seed, **settings))
            for seed, title in enumerate(tqdm(titles, desc=f"titles, guidance {guidance:g}"))
        ]

    def share(pairs: list[tuple[str, str]]) -> float:
        return sum(not set(title).isdisjoint(text) for title, text in pairs) / len(pairs)

    return {
        "title_in_tang": share(real),
        "title_unguided": share(written(1.0)),
        "title_guided": share(written(GUIDANCE)),
    }


def couplets_kept(writer: TextWriter, poems: list[Poem], count: int) -> dict[str, float]:
    """The shares of second lines that oppose the first in tone, and that repeat nothing of it.

    To the third lines of the first so many held-out Tang poems of each form of eight lines; beside
    the fourth lines of these.
    """
    real = [
        lines[ANSWERED : ANSWERED + 2]
        for form in ANSWERING.values()
        for lines in [
            lines_of(poem.text)
            for poem in poems
            if poem.held_out and poem.dynasty == "tang" and poem.form == form
        ][:count]
    ]
    written = [
        (first, writer.couplet(first, seed=seed, **DEFAULTS))
        for seed, (first, _) in enumerate(tqdm(real, desc="couplets"))
    ]
    return {
        f"couplet_{whose}{name}": sum(holds(first, second) for first, second in pairs) / len(pairs)
        for whose, pairs in (("tang_", real), ("", written))
        for name, holds in (("tones", opposes), ("fresh", _fresh))
        if pairs
    }


def _fresh(first: str, second: str) -> bool:
    return set(first).isdisjoint(second)


def _ids(writer: TextWriter, poem: Poem) -> list[int]:
    """The tokens of a whole poem, its plan among them."""
    return poem_ids(
        writer.tokenizer, poem.form, poem.title, plan_of(lines_of(poem.text)), poem.text
    )


def shares(texts: Iterable[str], form: str) -> dict[str, float]:
    """Of some poems: in form; in form and rhymed; in form and regulated, with and without turns."""
    sound = [lines_of(text) if form_of(text) == form else None for text in texts]
    counts = {
        "in_form": [lines is not None for lines in sound],
        "rhyme": [lines is not None and rhyme_of(lines) is not None for lines in sound],
        "regulated": [lines is not None and is_regulated(lines) for lines in sound],
        "unturned": [lines is not None and is_regulated(lines, turned=False) for lines in sound],
    }
    return {name: sum(found) / len(sound) for name, found in counts.items()}


def couplets_of(text: str) -> list[str]:
    """Each odd line with the even one after it."""
    lines = lines_of(text)
    pairs = zip(lines[::2], lines[1::2], strict=False)
    return [first + COMMA + second + STOP for first, second in pairs]
