"""Draws digits with the GAN's generator, and asks its discriminator."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.images import check_images
from aigc_demo.inference.check import HIGHEST_SEED, real, whole, wholes
from aigc_demo.inference.cores import Chunks
from aigc_demo.models.gan import spherical_path
from aigc_demo.weights import Loaded, load_model, read_directions

CHUNK = 8  # images computed together, always so many: results do not depend on the batch


class DigitSampler:
    """Draws digits. Image i depends on seed i (and label i) alone, whatever the batch.

    `classes` is 0 for a model that knows none: it draws what each seed brings.
    """

    def __init__(self, loaded: Loaded, directions: dict[str, Tensor] | None = None) -> None:
        self.loaded = loaded
        self.directions = directions or {}  # steps in the noise that mean something, (D,) each
        loaded.model.to(memory_format=torch.channels_last)  # as convolutions like it best
        self.generator, self.discriminator = loaded.model.generator, loaded.model.discriminator
        self._generate = Chunks(self.generator, CHUNK, loaded.device)
        self.config = loaded.model.config
        self.classes: int = getattr(self.config, "classes", 0)

    @classmethod
    def load(cls, source: str | Path = "gan", device: str | None = None) -> "DigitSampler":
        """The GAN of a bundled name, a folder or owner/repo@revision.

        Raises:
            ValueError: unknown source, wrong family or damaged weights.
        """
        loaded = load_model(source, ("gan", "gan-mlp"), device)
        return cls(loaded, read_directions(source, loaded.model.config.latent_size))

    def noise(self, seeds: Sequence[int], labels: Sequence[int] | None = None) -> tuple:
        """The noise of the seeds, (B, D), and labels, drawn too where none are given."""
        seeds = wholes(seeds, "seeds", 0, HIGHEST_SEED)
        if labels is not None:
            labels = self._labels(labels)
            if len(labels) != len(seeds):
                raise ValueError(f"expected {len(seeds)} labels, one a seed, got {len(labels)}")
        noise, drawn = [], []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            noise.append(torch.randn(self.config.latent_size, generator=generator))
            if self.classes:
                drawn.append(int(torch.randint(self.classes, (), generator=generator)))
        return torch.stack(noise), labels or drawn

    def _labels(self, labels: Sequence[int]) -> list[int]:
        if not self.classes:
            raise ValueError(f"expected no labels for a model without classes, got {labels!r}")
        return wholes(labels, "labels", 0, self.classes - 1)

    def _mixture(self, labels: Sequence[int]) -> Tensor:
        """Class weights (B, K), one-hot; empty for a model without classes."""
        return torch.eye(self.classes)[torch.tensor(labels, dtype=torch.long)]

    def sample(
        self,
        seeds: Sequence[int],
        labels: Sequence[int] | None = None,
        truncation: float = 1.0,
    ) -> Tensor:
        """One digit a seed.

        Args:
            seeds: (B,) whole numbers from 0.
            labels: (B,) digits 0-9; None lets each seed choose, as a model without classes must.
            truncation: 0 to 1; noise is shrunk by it: less variety, more typical digits.

        Returns:
            (B, 28, 28) in [0, 1].

        Raises:
            ValueError: something outside these ranges.
        """
        truncation = real(truncation, "truncation", 0, 1)
        z, digits = self.noise(seeds, labels)
        return self.draw(z * truncation, digits)

    def draw(self, z: Tensor, labels: Sequence[int]) -> Tensor:
        """The digits of given noise (B, D) and labels (B,), none without classes -> (B, 28, 28)."""
        return self._draw(z, self._mixture(labels))

    def morph(
        self,
        labels: tuple[int, int] | None,
        seeds: tuple[int, int],
        steps: int,
        truncation: float = 1.0,
    ) -> Tensor:
        """From one digit to another: noise along a great arc, class weights along a line.

        Returns:
            (steps, 28, 28) in [0, 1]; the first and last are the digits themselves.

        Raises:
            ValueError: something out of range, or not two labels and two seeds.
        """
        steps = whole(steps, "steps", 2, 200)
        truncation = real(truncation, "truncation", 0, 1)
        z, digits = self.noise(seeds, labels)
        if len(z) != 2:
            raise ValueError(f"expected two seeds and two labels, got {len(z)}")
        z = spherical_path(z[0], z[1], steps) * truncation
        share = torch.linspace(0, 1, steps)[:, None]
        if not self.classes:
            return self._draw(z, self._mixture([]))
        first, last = self._mixture(digits)
        return self._draw(z, (1 - share) * first + share * last)

    def _draw(self, z: Tensor, mixture: Tensor) -> Tensor:
        """Noise (B, D) and class weights (B, K), if it knows classes -> (B, 28, 28)."""
        inputs = [z, mixture] if self.classes else [z]
        return self._generate(*inputs)[:, 0]

    @torch.inference_mode()
    def realness(self, images: Tensor, labels: Sequence[int] | None = None) -> Tensor:
        """The discriminator's score: higher means taken for real.

        Args:
            images: (B, 28, 28) in [0, 1].
            labels: (B,) which digits they claim to be; None takes the claim it believes most.

        Returns:
            (B,), without a unit.

        Raises:
            ValueError: not such images or labels.
        """
        images = check_images(images)[:, None].to(self.loaded.device)
        classes = self.classes
        if labels is None and not classes:
            return self.discriminator(images).cpu()
        if labels is None:
            count = len(images)
            claims = torch.arange(classes, device=images.device).repeat_interleave(count)
            scores = self.discriminator(images.repeat(classes, 1, 1, 1), claims)
            return scores.view(classes, count).amax(0).cpu()
        labels = self._labels(labels)
        if len(labels) != len(images):
            raise ValueError(f"expected {len(images)} labels, one an image, got {len(labels)}")
        return self.discriminator(images, torch.tensor(labels, device=images.device)).cpu()
