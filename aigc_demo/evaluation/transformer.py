"""The figures of a Transformer on text it never read."""

from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from aigc_demo.data.files import data_folder
from aigc_demo.data.shakespeare import read_shakespeare, split_text
from aigc_demo.evaluation.nats import added_by_engine, nats
from aigc_demo.evaluation.poems import score_poems
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.weights import Loaded


def score(loaded: Loaded, data: Path | None, full: bool) -> dict[str, float]:
    """Of verse where the model knows a form, else of the last 10 % of Tiny Shakespeare."""
    writer = TextWriter(loaded)
    if writer.forms:
        return score_poems(writer, data, full)
    return score_text(writer, data, full)


@torch.inference_mode()
def score_text(writer: TextWriter, data: Path | None, full: bool) -> dict[str, float]:
    """Nats per character on the validation part, with the model's context.

    nanoGPT's way: the mean over random windows (quick: one seed of 20 batches of 64; full: three
    seeds of 200). Full also slides a window over the whole part: each character is foreseen from
    at least half a context. What the engine's 8-bit numbers add: over the first 64 windows.
    """
    ids = torch.tensor(writer.tokenizer.encode(split_text(read_shakespeare(data_folder(data)))[1]))
    context = writer.context
    losses, first = [], []
    for seed in range(3 if full else 1):
        draw = torch.Generator().manual_seed(seed)
        for _ in tqdm(range(200 if full else 20), desc=f"windows, seed {seed}", unit="batch"):
            start = torch.randint(len(ids) - context, (64, 1), generator=draw)
            window = ids[start + torch.arange(context + 1)]
            losses.append(nats(writer, window).mean())
            first.append(window)
    figures = {"nats_per_character": torch.stack(losses).mean().item(), "windows": len(losses) * 64}
    figures["nats_added_by_engine"] = added_by_engine(writer, first[:1])
    if full:
        figures["nats_per_character_sliding"] = _sliding(writer, ids)
    return figures


def _sliding(writer: TextWriter, ids: Tensor) -> float:
    """Mean surprise over a whole text, in nats per token after the first."""
    stride, context = writer.context // 2, writer.context
    total = nats(writer, ids[None, : context + 1]).sum().item()
    starts = range(stride, len(ids) - context - 1, stride)
    for start in tqdm(starts, desc="sliding", unit="window"):
        window = ids[None, start : start + context + 1]
        total += nats(writer, window)[:, context - stride :].sum().item()
    done = context + 1 + stride * len(starts)
    rest = nats(writer, ids[None, len(ids) - context - 1 :])[:, done - len(ids) :]
    return (total + (rest.sum().item() if done < len(ids) else 0.0)) / (len(ids) - 1)
