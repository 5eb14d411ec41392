"""How well a Transformer foresees text it never read, and keeps the forms of verse."""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from aigc_demo.data.files import data_folder
from aigc_demo.data.poems import fit_to, read_poems
from aigc_demo.data.shakespeare import read_shakespeare, split_text
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.prosody import FORMS, form_of
from aigc_demo.tokenizer import form_token, poem_ids
from aigc_demo.weights import Loaded


def score(loaded: Loaded, data: Path | None, full: bool) -> dict[str, float]:
    """Of verse where the model knows a form, else of the last 10 % of Tiny Shakespeare."""
    writer = TextWriter(loaded)
    if any(form_token(form) in writer.tokenizer.ids for form in FORMS):
        return score_poems(writer, data, full)
    return score_text(writer, data, full)


@torch.inference_mode()
def score_text(writer: TextWriter, data: Path | None, full: bool) -> dict[str, float]:
    """Nats per character on the validation part, with the model's context.

    nanoGPT's way: the mean over random windows (quick: one seed of 20 batches of 64; full: three
    seeds of 200). Full also slides a window over the whole part: each character is foreseen from
    at least half a context.
    """
    ids = torch.tensor(writer.tokenizer.encode(split_text(read_shakespeare(data_folder(data)))[1]))
    context = writer.context
    losses = []
    for seed in range(3 if full else 1):
        draw = torch.Generator().manual_seed(seed)
        for _ in tqdm(range(200 if full else 20), desc=f"windows, seed {seed}", unit="batch"):
            start = torch.randint(len(ids) - context, (64, 1), generator=draw)
            window = ids[start + torch.arange(context + 1)]
            losses.append(_nats(writer, window).mean())
    figures = {"nats_per_character": torch.stack(losses).mean().item(), "windows": len(losses) * 64}
    if full:
        figures["nats_per_character_sliding"] = _sliding(writer, ids)
    return figures


def _nats(writer: TextWriter, tokens: Tensor) -> Tensor:
    """(B, T) -> the surprise at each token after the first, (B, T - 1)."""
    tokens = tokens.to(writer.loaded.device)
    logits = writer.model(tokens[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none").view(
        len(tokens), -1
    )


def _sliding(writer: TextWriter, ids: Tensor) -> float:
    """Mean surprise over a whole text, in nats per token after the first."""
    stride, context = writer.context // 2, writer.context
    total = _nats(writer, ids[None, : context + 1]).sum().item()
    starts = range(stride, len(ids) - context - 1, stride)
    for start in tqdm(starts, desc="sliding", unit="window"):
        window = ids[None, start : start + context + 1]
        total += _nats(writer, window)[:, context - stride :].sum().item()
    done = context + 1 + stride * len(starts)
    rest = _nats(writer, ids[None, len(ids) - context - 1 :])[:, done - len(ids) :]
    return (total + (rest.sum().item() if done < len(ids) else 0.0)) / (len(ids) - 1)


@torch.inference_mode()
def score_poems(writer: TextWriter, data: Path | None, full: bool) -> dict[str, float]:
    """Perplexity on held-out poems, marks included, and how often the form is kept unaided.

    Perplexity is per character or mark of the poem's text, given form and title; Tang and Song
    apart, quick on 500 poems of each. Form: 100 poems a form of seeds 0-99, without the masks.
    """
    tokenizer = writer.tokenizer
    forms = _forms_learned(writer)
    kept = fit_to(read_poems(data_folder(data), forms), tokenizer.characters)
    figures: dict[str, float] = {}
    for dynasty in ("tang", "song"):
        poems = [poem for poem in kept if poem.held_out and poem.dynasty == dynasty]
        poems = poems if full else poems[:500]
        total, count = 0.0, 0
        for poem in tqdm(poems, desc=f"{dynasty} poems", unit="poem"):
            ids = torch.tensor([poem_ids(tokenizer, poem.form, poem.title, poem.text)])
            total += _nats(writer, ids)[0, -len(poem.text) :].sum().item()
            count += len(poem.text)
        figures[f"{dynasty}_perplexity"] = math.exp(total / count)
        figures[f"{dynasty}_poems"] = len(poems)
    for form in forms:
        written = [
            "".join(writer.stream_poem(form, regulated=False, temperature=0.9, seed=seed))
            for seed in tqdm(range(100), desc=form, unit="poem")
        ]
        figures[f"{form}_in_form_of_100"] = sum(form_of(text) == form for text in written)
    return figures


def _forms_learned(writer: TextWriter) -> list[str]:
    """The forms whose control token the model was trained on."""
    return [form for form in FORMS if form_token(form) in writer.tokenizer.ids]
