"""The tree of the likeliest continuations of a text."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.inference.transformer import TextWriter
from aigc_demo.models.transformer import Cache, next_token_distribution


@dataclass(frozen=True)
class Node:
    """One token of a continuation."""

    token: int
    probability: float  # given all before it
    path: float  # of the whole way to it
    parent: int  # its place in the list of nodes; -1: the text itself


@torch.inference_mode()
def next_logits(writer: TextWriter, ids: list[int]) -> Tensor:
    """The logits of what comes after some tokens, as many as the context holds. (V,)."""
    return each_logits(writer, ids[-writer.context :])[-1]


@torch.inference_mode()
def each_logits(writer: TextWriter, ids: list[int]) -> Tensor:
    """The logits of what comes after each of some tokens, no more than a context. (T, V)."""
    return writer.model(torch.tensor([ids], device=writer.loaded.device))[0].cpu()


def candidates(
    logits: Tensor, count: int, temperature: float, top_k: int | None, top_p: float
) -> list[tuple[int, float]]:
    """The likeliest next tokens with their probabilities, as one would be drawn; none of 0."""
    best = next_token_distribution(logits.float(), temperature, top_k, top_p).topk(
        min(count, len(logits))
    )
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [(token, share) for token, share in pairs if share > 0]


@torch.inference_mode()
def branches(writer: TextWriter, ids: list[int], width: int = 3, depth: int = 3) -> list[Node]:
    """The `width` likeliest next tokens, for each of them the likeliest after it, `depth` deep.

    The text is read once: every branch goes on from its keys and values. Level after level;
    within a level, by parent and then by probability.
    """
    config, device = writer.model.config, writer.loaded.device
    text = ids[-(config.context - depth) :]
    cache = Cache(config, 1, device)
    logits = writer.model(torch.tensor([text], device=device), cache)[:, -1]  # (1, V)
    nodes: list[Node] = []
    parents = [-1]
    for level in range(depth):
        best = logits.softmax(-1).topk(width)  # (N, width)
        children = []
        for row, parent in enumerate(parents):
            way = nodes[parent].path if parent >= 0 else 1.0
            pairs = zip(best.indices[row].tolist(), best.values[row].tolist(), strict=True)
            for token, probability in pairs:
                children.append(len(nodes))
                nodes.append(Node(token, probability, way * probability, parent))
        if level + 1 < depth:
            cache = _spread(cache, config, width, depth)
            tokens = torch.tensor([[nodes[place].token] for place in children], device=device)
            logits = writer.model(tokens, cache)[:, -1]
            parents = children
    return nodes


def _spread(cache: Cache, config, width: int, room: int) -> Cache:
    """A cache in which every row stands `width` times, with room for so many more tokens."""
    wide, end = Cache(config, 0, cache.keys[0].device), cache.length + room
    wide.keys = [keys[:, :, :end].repeat_interleave(width, 0) for keys in cache.keys]
    wide.values = [values[:, :, :end].repeat_interleave(width, 0) for values in cache.values]
    wide.last = [last.repeat_interleave(width, 0) for last in cache.last]
    wide.length = cache.length
    return wide
