"""Fills the gaps of a text, in any order and many at a time."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from aigc_demo.inference.check import HIGHEST_SEED, real, whole
from aigc_demo.inference.cores import workers
from aigc_demo.inference.writing.sampler import Batch, Sampler, uniform
from aigc_demo.models.unmask import MASKED
from aigc_demo.weights import Loaded, load_model

GAP = "_"  # what stands for a place to fill
ORDERS = ("certain", "random")
MOST_STEPS = 256
CHANCE = 2.5  # how much of it, times the temperature, there is in what is sure, at first
OF_RANKS = 2**20  # where the random numbers of ranks begin, beyond those of draws


@dataclass(frozen=True)
class Moment:
    """A text on its way, after a step."""

    ids: tuple[int, ...]
    filled: tuple[int, ...]  # (T,) the step that filled each place, from 1; 0: given, -1: a gap yet
    sure: tuple[float, ...]  # (T,) the probability of what was chosen there; 1 where given


class GapWriter:
    """Fills gaps. The same seed gives the same text, whatever the load."""

    def __init__(self, loaded: Loaded) -> None:
        if loaded.tokenizer is None:
            raise ValueError("expected a model with a tokenizer, got one without")
        self.loaded, self.tokenizer = loaded, loaded.tokenizer
        self.context: int = loaded.model.config.context

    @classmethod
    def load(cls, source: str | Path = "unmask", device: str | None = None) -> "GapWriter":
        """The masked diffusion of a bundled name, a folder or owner/repo@revision.

        Raises:
            ValueError: unknown source, wrong family or damaged weights.
        """
        return cls(load_model(source, "unmask", device))

    def encode(self, text: str) -> list[int]:
        """The ids of a text, its gaps covered.

        Raises:
            ValueError: no text, or one longer than the context.
            UnknownCharacters: characters without a token.
        """
        if not isinstance(text, str):
            raise ValueError(f"expected a text, got {type(text).__name__}")
        parts = [self.tokenizer.encode(self.tokenizer.fold(part)) for part in text.split(GAP)]
        ids = parts[0]
        for part in parts[1:]:
            ids += [MASKED, *part]
        if not 0 < len(ids) <= self.context:
            raise ValueError(f"expected a text of 1 to {self.context} characters, got {len(ids)}")
        return ids

    def shown(self, ids: tuple[int, ...]) -> str:
        """The text of some ids, a gap as it was given."""
        return "".join(GAP if token == MASKED else self.tokenizer.tokens[token] for token in ids)

    def fill(self, text: str, steps: int = 32, temperature: float = 0.8, **settings) -> str:
        """The text with every gap filled; arguments and errors as of `moments`."""
        *_, last = self.moments(text, steps, temperature, **settings)
        return self.shown(last.ids)

    def unmask(
        self, length: int, steps: int = 32, seed: int | None = None, **settings
    ) -> list[str]:
        """A text of so many characters from nothing: as it is after each step, the last one whole.

        Raises:
            ValueError: a length beyond the context, or as of `moments`.
        """
        text = GAP * whole(length, "length", 1, self.context)
        moments = list(self.moments(text, steps, seed=seed, **settings))
        return [self.shown(moment.ids) for moment in moments[1:]]

    def moments(
        self,
        text: str,
        steps: int = 32,
        temperature: float = 0.8,
        seed: int | None = None,
        order: str = "certain",
    ) -> Iterator[Moment]:
        """The text as it is before the first step, and after each.

        Every step asks the model once, draws a character for each gap, and keeps of these as many
        as leave each step its share (Sahoo et al. 2024, arXiv:2406.07524, with whole counts; the
        surest first: Chang et al. 2022, arXiv:2202.04200, section 3.2; with chance that fades, as
        in their program, or the commonest words come again and again).

        Args:
            text: with "_" at the places to fill.
            steps: 1 to 256; at most as many as there are gaps are made.
            temperature: 0 (always the likeliest) to 5.
            seed: None draws one.
            order: certain: the places whose draw is the most probable first; random: any.

        Raises:
            ValueError: something out of range, a text without a gap or longer than the context; at
                once and not with the first moment.
            UnknownCharacters: characters that the model has no token for.
        """
        ids = np.array(self.encode(text))
        if not (ids == MASKED).any():
            raise ValueError(f"expected a text with a gap, {GAP}, got one without")
        steps = whole(steps, "steps", 1, MOST_STEPS)
        sampler = Sampler(
            real(temperature, "temperature", 0, 5),
            seed=secrets.randbelow(2**31) if seed is None else whole(seed, "seed", 0, HIGHEST_SEED),
        )
        if order not in ORDERS:
            raise ValueError(f"expected order as one of {', '.join(ORDERS)}, got {order!r}")
        return self._steps(ids, steps, sampler, order)

    def _steps(self, ids: NDArray, steps: int, sampler: Sampler, order: str) -> Iterator[Moment]:
        gaps = int((ids == MASKED).sum())
        steps = min(steps, gaps)
        filled = np.where(ids == MASKED, -1, 0)
        sure = np.where(ids == MASKED, 0.0, 1.0)

        def moment() -> Moment:
            return Moment(*(tuple(of.tolist()) for of in (ids, filled, sure)))

        yield moment()
        for step in range(1, steps + 1):
            places = np.flatnonzero(ids == MASKED)
            drawn, probability = self._draw(ids, places, sampler, step)
            keep = gaps * step // steps - (gaps - len(places))
            if order == "random":
                rank = uniform([sampler.seed] * len(places), places.tolist())
            else:
                chance = CHANCE * sampler.temperature * (1 - step / steps)
                rank = np.log(probability) + chance * self._gumbel(places, sampler.seed, step)
            chosen = np.argsort(-rank, kind="stable")[:keep]
            ids[places[chosen]] = drawn[chosen]
            filled[places[chosen]] = step
            sure[places[chosen]] = probability[chosen]
            yield moment()

    def _draw(
        self, ids: NDArray, places: NDArray, sampler: Sampler, step: int
    ) -> tuple[NDArray, NDArray]:
        """A token for each of the places, and its probability; each random number is of its own."""
        logits = self.logits(ids)[places]
        indices = (step * self.context + places).tolist()
        drawn = np.array(Batch([sampler] * len(places)).draw(logits, indices))
        probability = torch.from_numpy(logits).softmax(1).numpy()
        return drawn, probability[np.arange(len(places)), drawn]

    def _gumbel(self, places: NDArray, seed: int, step: int) -> NDArray:
        """A number of Gumbel's law for each place; the largest of sums with them is a draw."""
        indices = (OF_RANKS + step * self.context + places).tolist()
        share = uniform([seed] * len(places), indices).clip(1e-12, 1 - 1e-12)
        return -np.log(-np.log(share))

    def logits(self, ids: NDArray) -> NDArray[np.float32]:
        """(T,) -> (T, V), on one core, alone: so they do not depend on the load."""
        return workers().submit(self._compute, torch.from_numpy(ids)).result()

    @torch.inference_mode()
    def _compute(self, ids: torch.Tensor) -> NDArray[np.float32]:
        return self.loaded.model(ids[None].to(self.loaded.device))[0].float().cpu().numpy()
