"""Writes a table of what makes each hidden neuron of a Transformer fire most."""

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save
from torch import Tensor
from tqdm import tqdm

from aigc_demo.inference.transformer import TextWriter
from aigc_demo.weights import replace_file

CONTEXTS_KEPT = 4  # contexts a neuron
CONTEXT = 12  # tokens of a context; the neuron fires at the last one

Example = tuple[str, float]


@torch.inference_mode()
def activations(writer: TextWriter, ids: list[int]) -> Tensor:
    """Activations of the hidden neurons at each token. T ids -> (L, T, 4C)."""
    x = writer.model.embedding(torch.tensor([ids], device=writer.loaded.device))
    fired = []
    for block in writer.model.blocks:
        x = x + block.attention(block.attention_input(x))
        fired.append(block.feed_forward.fire(block.feed_forward_input(x)))
        x = x + block.feed_forward.narrow(fired[-1])
    return torch.cat(fired).cpu()


def strongest(writer: TextWriter, texts: Sequence[list[int]]) -> list[list[list[Example]]]:
    """By layer and neuron, the contexts at which it fires most, the strongest first.

    A context that occurs several times counts once, where the neuron fires most.
    """
    config = writer.model.config
    numbers: dict[str, int] = {}  # context -> its number
    best = torch.zeros(config.layers, 4 * config.width, CONTEXTS_KEPT)
    which = torch.full(best.shape, -1)  # number of the context
    for ids in tqdm(texts, desc="neurons", unit="text"):
        shown = [writer.tokenizer.name_of(token) for token in ids]
        contexts = ["".join(shown[max(0, end - CONTEXT) : end]) for end in range(1, len(ids) + 1)]
        number = torch.tensor([numbers.setdefault(c, len(numbers)) for c in contexts])
        here, place = number.unique(return_inverse=True)  # (U,), (T,)
        every = activations(writer, ids)  # (L, T, 4C)
        fired = torch.zeros(config.layers, len(here), 4 * config.width)
        fired.scatter_reduce_(1, place[None, :, None].expand_as(every), every, "amax")
        value, index = fired.mT.topk(min(CONTEXTS_KEPT, len(here)))  # (L, 4C, 4) each
        values, order = torch.cat([best, value], -1).sort(descending=True, stable=True)
        found = torch.cat([which, here[index]], -1).gather(-1, order)
        again = (found[..., :, None] == found[..., None, :]).tril(-1).any(-1)
        best, order = values.masked_fill(again, 0).topk(CONTEXTS_KEPT)
        which = found.gather(-1, order)
    known = list(numbers)
    return [
        [
            [(known[n], round(v, 2)) for n, v in zip(ns, vs, strict=True) if v > 0]
            for ns, vs in zip(*layer, strict=True)
        ]
        for layer in zip(which.tolist(), best.tolist(), strict=True)
    ]


def write_neurons(folder: Path, texts: Sequence[list[int]]) -> None:
    """Writes neurons.safetensors, measured on some texts, beside the weights in a folder."""
    table = strongest(TextWriter.load(folder), texts)
    packed = zlib.compress(json.dumps(table, ensure_ascii=False).encode(), 9)
    table_bytes = np.frombuffer(packed, dtype=np.uint8)
    replace_file(folder / "neurons.safetensors", save({"table": table_bytes}))
