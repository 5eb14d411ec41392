"""Draws digits by following the flow from noise, step by step."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.images import check_images
from aigc_demo.inference.check import HIGHEST_SEED, real, whole, wholes
from aigc_demo.inference.cores import Chunks
from aigc_demo.models.flow import between, follow, shown
from aigc_demo.models.gan import spherical_path
from aigc_demo.weights import Loaded, load_model

CHUNK = 16  # images computed together, always so many: results do not depend on the batch
SOLVERS = ("euler", "heun")
MOST_STEPS = 50
AGAIN = 4  # looks at each step, where a digit is completed


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
        if guidance == 0:
            return self._velocity(rows, times, torch.full((len(x),), self.classes))[:, 0]
        told = self._velocity(rows, times, torch.tensor(labels))[:, 0]
        if guidance == 1:
            return told
        untold = self.velocity(x, t, labels, 0)
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
        *_, digits = self.moments(seeds, labels, steps, guidance, solver)
        return digits

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
        return torch.stack([*self.moments(seeds, labels, steps, guidance, solver)])

    def moments(
        self,
        seeds: Sequence[int],
        labels: Sequence[int] | None = None,
        steps: int = 20,
        guidance: float = 1.0,
        solver: str = "euler",
    ) -> Iterator[Tensor]:
        """The same one by one, as each is computed: (B, 28, 28), steps + 1 times."""
        noise, drawn = self.noise(seeds, labels)
        return map(shown, self.follow(noise, drawn, steps, guidance, solver))

    def morph(
        self,
        labels: tuple[int, int],
        seeds: tuple[int, int],
        frames: int = 24,
        steps: int = 20,
        guidance: float = 1.0,
    ) -> Tensor:
        """From one digit to another: the noise turns, and so does the velocity's class.

        Args:
            labels: the first and the last class; seeds: of their noise; frames: 2 or more.

        Returns:
            (frames, 28, 28) in [0, 1].

        Raises:
            ValueError: something out of range.
        """
        noise, ends = self.noise(seeds, labels)
        if len(noise) != 2:
            raise ValueError(f"expected two seeds and two labels, got {len(noise)}")
        frames = whole(frames, "frames", 2, 200)
        guidance = real(guidance, "guidance", 0, 10)
        first, last = noise.flatten(1)
        x = spherical_path(first, last, frames).view(frames, 28, 28)
        share = torch.linspace(0, 1, frames)[:, None, None]

        def velocity(x: Tensor, t: float) -> Tensor:
            here, there = (self.velocity(x, t, [label] * frames, guidance) for label in ends)
            return here if ends[0] == ends[1] else torch.lerp(here, there, share)

        *_, digits = _follow(velocity, x, 0.0, steps, "euler")
        return shown(digits)

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
        *_, made = self.follow(begun, drawn, steps, guidance, start=start)
        return shown(made)

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

        Each step is taken from several noises that belong to its time, so that what is new fits
        what is kept: Lugmayr et al. 2022, arXiv:2201.09865, section 4.2.

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
        steps = whole(steps, "steps", 1, MOST_STEPS)
        guidance = real(guidance, "guidance", 0, 10)
        noise, drawn = self.noise(seeds, labels)
        fresh = _more_noise(seeds, steps * (AGAIN - 1))
        x = noise
        for step in range(steps):
            t = torch.tensor(step / steps)
            for again in range(AGAIN):
                x = torch.where(kept, torch.lerp(noise, digits, t), x)
                end = x + (1 - t) * self.velocity(x, t.item(), drawn, guidance)
                if again < AGAIN - 1:  # back to this time, with other noise, to fit what is kept
                    x = torch.lerp(fresh[:, step * (AGAIN - 1) + again], end, t)
            x = torch.lerp(x, end, 1 / (steps - step))  # a step of Euler
        return torch.where(kept, check_images(images), shown(x))

    def follow(
        self,
        x: Tensor,
        labels: Sequence[int],
        steps: int = 20,
        guidance: float = 1.0,
        solver: str = "euler",
        start: float = 0.0,
    ) -> Iterator[Tensor]:
        """The pictures x (B, 28, 28) of a time, and after each step to the end, one by one.

        They are as the model has them, in about [-1, 1]; `shown` brings them to [0, 1]. Other
        arguments and errors as of `sample`.
        """
        guidance = real(guidance, "guidance", 0, 10)

        def velocity(x: Tensor, t: float) -> Tensor:
            return self.velocity(x, t, labels, guidance)

        return _follow(velocity, x, start, steps, solver)


def _follow(
    velocity: Callable[[Tensor, float], Tensor],
    x: Tensor,
    start: float,
    steps: int,
    solver: str,
) -> Iterator[Tensor]:
    steps = whole(steps, "steps", 1, MOST_STEPS)
    if solver not in SOLVERS:
        raise ValueError(f"expected a solver of {', '.join(SOLVERS)}, got {solver!r}")
    return follow(velocity, x, steps, start, solver)


def _more_noise(seeds: Sequence[int], count: int) -> Tensor:
    """So many noises more of each seed, (B, count, 28, 28)."""
    found = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        found.append(torch.randn(1 + count, 28, 28, generator=generator)[1:])
    return torch.stack(found)


def _of(images: Tensor, count: int) -> Tensor:
    """Images as the flow has them, in [-1, 1]."""
    images = check_images(images)
    if len(images) != count:
        raise ValueError(f"expected {count} images, one a seed, got {len(images)}")
    return 2 * images - 1
