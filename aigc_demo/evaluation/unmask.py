"""The bound of masked diffusion on text it never read, and what a writer thinks of its texts."""

from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from aigc_demo.data.files import data_folder
from aigc_demo.data.shakespeare import read_shakespeare, split_text
from aigc_demo.devices import mixed_precision
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.unmask import GapWriter
from aigc_demo.models.unmask import counts, cover, unmask_loss
from aigc_demo.weights import Loaded

TEXTS = 32  # of each number of steps, that the writer reads
STEPS = (8, 32, 128)


def score(loaded: Loaded, data: Path | None, full: bool) -> dict[str, float]:
    """At most so many nats a character of the last 10 % of Tiny Shakespeare.

    Windows of the context that do not overlap, with nothing before them given: all places covered
    that are scored. Each is read with its places covered 8 (full: 32) times, the counts spread
    evenly over 1..T. With full also the second half of each window, its first half given; and the
    nats a character at which `shakespeare` reads texts of various steps.
    """
    gaps = GapWriter(loaded)
    text = split_text(read_shakespeare(data_folder(data)))[1]
    ids = torch.tensor(gaps.tokenizer.encode(text))
    windows = ids[: len(ids) // gaps.context * gaps.context].view(-1, gaps.context)
    draws = 32 if full else 8
    found = _bound(gaps, windows, draws, 0)
    figures = {
        "nats_per_character_at_most": found.mean().item(),
        "standard_error": found.std().item() / len(found) ** 0.5,
        "windows": len(windows),
        "draws": draws,
    }
    if full:
        half = gaps.context // 2
        figures["nats_with_half_given"] = _bound(gaps, windows, draws, half).mean().item()
        writer = TextWriter.load("shakespeare", "cpu")
        for steps in STEPS:
            figures[f"nats_of_its_texts_{steps}_steps"] = _read_by(writer, gaps, steps)
    return figures


@torch.inference_mode()
def _bound(gaps: GapWriter, windows: Tensor, draws: int, given: int) -> Tensor:
    """The bound of each window after its first places, which are given. (N, T) -> (N,) nats."""
    torch.manual_seed(0)
    model, device = gaps.loaded.model, gaps.loaded.device
    scored = windows.shape[1] - given
    found = []
    for window in tqdm(windows, desc=f"bound, {given} given", unit="window"):
        tokens = window.expand(draws, -1)
        hidden = cover(tokens[:, given:], counts(draws, scored))
        covered = torch.cat([tokens[:, :given], hidden], 1).to(device)
        with mixed_precision(device):
            logits = model(covered)
        found.append(unmask_loss(logits, tokens.to(device), covered).mean().cpu())
    return torch.stack(found)


def _read_by(writer: TextWriter, gaps: GapWriter, steps: int) -> float:
    """The mean surprise of a writer at texts from nothing, in nats a character after the first."""
    texts = (gaps.unmask(gaps.context, steps, seed=seed)[-1] for seed in range(TEXTS))
    bar = tqdm(texts, desc=f"texts of {steps} steps", total=TEXTS, unit="text")
    return -torch.cat([writer.log_probabilities(text) for text in bar]).mean().item()
