"""Draws digits by following the flow from noise, step by step."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.images import check_images
from aigc_demo.inference.check import HIGHEST_SEED, real, whole, wholes
from aigc_demo.inference.cores import Chunks
from aigc_demo.models.flow import between, follow, shown
from aigc_demo.weights import Loaded, load_model

CHUNK = 8  # images computed together, always so many: results do not depend on the batch
SOLVERS = ("euler", "heun")
MOST_STEPS = 50


class FlowSampler:
    """Draws digits. Image i depends on seed i (and label i) alone, whatever the batch."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        loaded.model.to(memory_format=torch.channels_last)
        self.config = loaded.model.config
        self.classes: int = self.config.classes
        self._velocity = Chunks(loaded.model, CHUNK, loaded.device)

    @classmethod
    def load(cls, source: str | Path = "flow", device: str | None = None) -> "FlowSampler":
        """The flow of a bundled name, a folder or owner/repo@revision.

        Raises:
            ValueError: unknown source, wrong family or damaged weights.
        """
        return cls(load_model(source, "flow", device))

    def noise(self, seeds: Sequence[int], labels: Sequence[int] | None = None) -> tuple:
        """The noise of the seeds, (B, 28, 28), and labels, drawn too where none are given."""
        seeds = wholes(seeds, "seeds", 0, HIGHEST_SEED)
        if labels is not None:
            labels = wholes(labels, "labels", 0, self.classes - 1)
            if len(labels) != len(seeds):
                raise ValueError(f"expected {len(seeds)} labels, one a seed, got {len(labels)}")
        noise, drawn = [], []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            noise.append(torch.randn(28, 28, generator=generator))
            drawn.append(int(torch.randint(self.classes, (), generator=generator)))
        return torch.stack(noise), labels or drawn

    def velocity(self, x: Tensor, t: float, labels: Sequence[int], guidance: float = 1.0) -> Tensor:
        """The velocity of pictures on their way, (B, 28, 28), noise at t = 0, digits at t = 1.

        guidance: 1 takes the class as it was learnt, 0 forgets it, more stresses it: the class's
        velocity is driven so many times as far from the one without a class (Ho & Salimans 2022,
        arXiv:2207.12598, eq. 6, with w = guidance - 1).
        """
        rows, times = x[:, None], torch.full((len(x),), t)
        told = self._velocity(rows, times, torch.tensor(labels))[:, 0]
        if guidance == 1:
            return told
        untold = self._velocity(rows, times, torch.full((len(x),), self.classes))[:, 0]
        return untold + guidance * (told - untold)

    def sample(
        self,
        seeds: Sequence[int],
        labels: Sequence[int] | None = None,
        steps: int = 20,
        guidance: float = 1.0,
        solver: str = "euler",
    ) -> Tensor:
        """One digit a seed.

        Args:
            seeds: (B,) whole numbers from 0.
            labels: (B,) classes from 0; None lets each seed choose.
            steps: 1 to 50 of the solver; Heun's take two velocities each.
            guidance: 0 to 10, see `velocity`.
            solver: euler or heun.

        Returns:
            (B, 28, 28) in [0, 1].

        Raises:
            ValueError: something outside these ranges.
        """
        return self.path(seeds, labels, steps, guidance, solver)[-1]

    def path(
        self,
        seeds: Sequence[int],
        labels: Sequence[int] | None = None,
        steps: int = 20,
        guidance: float = 1.0,
        solver: str = "euler",
    ) -> Tensor:
        """The pictures on the way: noise first, digit last. Arguments and errors as of `sample`.

        Returns:
            (steps + 1, B, 28, 28), shown in [0, 1].
        """
        noise, drawn = self.noise(seeds, labels)
        moments = self._follow(noise, drawn, 0.0, steps, guidance, solver)
        return shown(torch.stack(moments))

    def redraw(
        self,
        images: Tensor,
        start: float,
        seeds: Sequence[int],
        labels: Sequence[int] | None = None,
        steps: int = 20,
        guidance: float = 1.0,
    ) -> Tensor:
        """Variations of digits: noised back to a time, and forward again.

        Args:
            images: (B, 28, 28) in [0, 1].
            start: the time between 0, which leaves nothing of them, and 1, which leaves them whole.

        Returns:
            (B, 28, 28) in [0, 1].

        Raises:
            ValueError: something out of range.
        """
        start = real(start, "start", 0, 1)
        digits = _of(images, len(seeds))
        noise, drawn = self.noise(seeds, labels)
        begun = between(noise, digits, torch.full((len(digits),), start))
        return shown(self._follow(begun, drawn, start, steps, guidance, "euler")[-1])

    def fill(
        self,
        images: Tensor,
        keep: Tensor,
        seeds: Sequence[int],
        labels: Sequence[int] | None = None,
        steps: int = 20,
        guidance: float = 1.0,
    ) -> Tensor:
        """Digits completed: what is kept of them is put back at every step of the way.

        Args:
            images: (B, 28, 28) in [0, 1]; keep: (B, 28, 28), 1 where they are kept, else 0.

        Returns:
            (B, 28, 28) in [0, 1]; where keep is 1, the images themselves.

        Raises:
            ValueError: something out of range.
        """
        digits, kept = _of(images, len(seeds)), check_images(keep).bool()
        if kept.shape != digits.shape:
            raise ValueError(f"expected keep {tuple(digits.shape)}, got {tuple(kept.shape)}")
        noise, drawn = self.noise(seeds, labels)

        def put_back(x: Tensor, t: float) -> Tensor:
            return torch.where(kept, between(noise, digits, torch.full((len(x),), t)), x)

        made = self._follow(noise, drawn, 0.0, steps, guidance, "euler", put_back)[-1]
        return torch.where(kept, check_images(images), shown(made))

    def _follow(
        self,
        x: Tensor,
        labels: Sequence[int],
        start: float,
        steps: int,
        guidance: float,
        solver: str,
        held: Callable[[Tensor, float], Tensor] | None = None,
    ) -> list[Tensor]:
        """The pictures from a time to the end. held: changes each before the next step."""
        steps = whole(steps, "steps", 1, MOST_STEPS)
        guidance = real(guidance, "guidance", 0, 10)
        if solver not in SOLVERS:
            raise ValueError(f"expected a solver of {', '.join(SOLVERS)}, got {solver!r}")

        def velocity(x: Tensor, t: float) -> Tensor:
            return self.velocity(x, t, labels, guidance)

        return follow(velocity, x, steps, start, solver, held)


def _of(images: Tensor, count: int) -> Tensor:
    """Images as the flow has them, in [-1, 1]."""
    images = check_images(images)
    if len(images) != count:
        raise ValueError(f"expected {count} images, one a seed, got {len(images)}")
    return 2 * images - 1
