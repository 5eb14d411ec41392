"""Sampling: from logits to the next tokens, of all texts of a step at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

GREEDY = 1e-6  # a temperature below: always the likeliest token

# SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators", figure
# 17): number i of a stream is a hash of its key + i x GAMMA, so that a draw needs no state.
GAMMA = np.uint64(0x9E3779B97F4A7C15)


def mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A bijective hash of 64 bits, `mix64variant13` there."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(seeds: Sequence[int], indices: Sequence[int]) -> NDArray[np.float64]:
    """Numbers from [0, 1), each from a seed and the index of a token alone. (B,), (B,) -> (B,)."""
    keys = mixed(np.array(seeds, np.uint64) + GAMMA)
    bits = mixed(keys + (np.array(indices, np.uint64) + np.uint64(1)) * GAMMA)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


@dataclass(frozen=True)
class Sampler:
    """The settings of a text, as data: how each of its tokens is drawn."""

    temperature: float = 1.0  # 0: always the likeliest
    top_k: int | None = None  # draw from the k likeliest only
    top_p: float | None = None  # draw from the fewest that reach this probability only
    repetition_penalty: float = 1.0  # 1: none
    seed: int = 0
    spared: frozenset[int] = field(default=frozenset(), repr=False)  # tokens without penalty


class Batch:
    """The settings of the texts of a step, as arrays of a row a text (B, 1)."""

    def __init__(self, samplers: Sequence[Sampler]) -> None:
        def column(values: list, kind: type = np.float32) -> NDArray:
            return np.array(values, kind)[:, None]

        self.greedy = column([one.temperature < GREEDY for one in samplers], bool)
        heat = [one.temperature if one.temperature >= GREEDY else 1.0 for one in samplers]
        self.temperature = column(heat)
        self.top_k = column([one.top_k or 2**31 for one in samplers], np.int64)
        self.top_p = column([1.0 if one.top_p is None else one.top_p for one in samplers])
        self.penalty = column([one.repetition_penalty for one in samplers])
        self.seeds = [one.seed for one in samplers]
        self.cut = bool((self.top_k < 2**31).any() or (self.top_p < 1).any())

    def weights(
        self,
        logits: NDArray[np.float32],
        seen: NDArray[np.bool_] | None = None,
        banned: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """The sampling weights: the next tokens' probabilities but for a factor.

        Temperature, top-k and top-p as in `next_token_distribution` (models/transformer.py); the
        repetition penalty first (Keskar et al. 2019, arXiv:1909.05858, section 4.1).

        Args:
            logits: (B, V).
            seen: (B, V), the tokens that the penalty is held against.
            banned: (B, V), tokens that may not come.

        Returns:
            (B, V), 1 at the likeliest token of each row.
        """
        if seen is not None:
            weak = np.where(logits > 0, logits / self.penalty, logits * self.penalty)
            logits = np.where(seen, weak, logits)
        if banned is not None:
            logits = np.where(banned, np.float32(-np.inf), logits)
        weights = np.exp((logits - logits.max(1, keepdims=True)) / self.temperature)
        if self.cut:
            weights = self._cut(weights)
        if self.greedy.any():
            likeliest = np.arange(logits.shape[1]) == logits.argmax(1)[:, None]
            weights = np.where(self.greedy, likeliest.astype(np.float32), weights)
        return weights

    def _cut(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Top-k, then top-p: 0 where neither allows a token."""
        falling = -np.sort(-weights, axis=1)
        least = np.take_along_axis(falling, np.minimum(self.top_k, falling.shape[1]) - 1, 1)
        weights = np.where(weights < least, np.float32(0), weights)  # like the k-th: stays
        falling[falling < least] = 0
        up_to = falling.cumsum(1, dtype=np.float64)
        before = up_to - falling
        count = (before < self.top_p * up_to[:, -1:]).sum(1, keepdims=True)
        count = np.where(self.top_p < 1, np.maximum(count, 1), falling.shape[1])
        last = np.take_along_axis(falling, count - 1, 1)  # the one that reaches p is kept,
        alike = weights == last  # and of those alike as many as are needed, the first ones
        spare = count - (weights > last).sum(1, keepdims=True)
        kept = (weights > last) | (alike & (alike.cumsum(1) <= spare))
        return np.where(kept, weights, np.float32(0))

    def draw(
        self,
        logits: NDArray[np.float32],
        indices: Sequence[int],
        seen: NDArray[np.bool_] | None = None,
        banned: NDArray[np.bool_] | None = None,
    ) -> list[int]:
        """One token a text; indices: how many each has drawn already. Others as for `weights`.

        The first token whose probability, with those of all before it, goes beyond a random share.
        """
        up_to = self.weights(logits, seen, banned).cumsum(1, dtype=np.float64)
        share = uniform(self.seeds, indices)[:, None] * up_to[:, -1:]
        return (up_to <= share).sum(1).tolist()
