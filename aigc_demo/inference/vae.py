"""Walks through a VAE's latent space."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.images import check_images
from aigc_demo.inference.check import HIGHEST_SEED, matrix, whole, wholes
from aigc_demo.inference.cores import Chunks
from aigc_demo.models.gan import spherical_path
from aigc_demo.weights import Loaded, load_model

CHUNK = 16  # points computed together, always so many: results do not depend on the batch


class LatentWalker:
    """Images to latent points and back. Image i depends on point i alone, whatever the batch."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.encoder, self.decoder = loaded.model.encoder, loaded.model.decoder
        self.prior = loaded.model.prior
        self.latent_size = loaded.model.config.latent_size
        encoder, decoder = self.encoder, self.decoder

        def encode(images: Tensor) -> Tensor:
            mean, log_var = encoder(images)
            return torch.cat([mean, (0.5 * log_var).exp()], 1)

        def decode(z: Tensor) -> Tensor:
            return decoder(z).sigmoid()

        makers = encode, decode, self.prior.from_noise
        self._encode, self._decode, self._bend = (
            Chunks(maker, CHUNK, loaded.device) for maker in makers
        )

    @classmethod
    def load(cls, source: str | Path = "vae-2d", device: str | None = None) -> "LatentWalker":
        """The VAE of a bundled name, a folder or owner/repo@revision.

        Raises:
            ValueError: unknown source, wrong family or damaged weights.
        """
        return cls(load_model(source, "vae", device))

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, 28, 28) in [0, 1] -> the posterior's mean and standard deviation, (B, D) each.

        Raises:
            ValueError: not such images.
        """
        mean, deviation = self._encode(check_images(images)[:, None]).chunk(2, 1)
        return mean, deviation

    def decode(self, z: Tensor | Sequence[Sequence[float]]) -> Tensor:
        """Latent points (B, D) -> pixel probabilities (B, 28, 28).

        Raises:
            ValueError: another shape, none, NaN or infinity.
        """
        return self._decode(matrix(z, "z", self.latent_size))[:, 0]

    def sample(self, seeds: Sequence[int]) -> Tensor:
        """Decoded points of the prior, one a seed. (B,) -> (B, 28, 28)."""
        return self.decode(self.points(seeds))

    def points(self, seeds: Sequence[int]) -> Tensor:
        """Points of the prior, one a seed. (B,) whole numbers from 0 -> (B, D)."""
        return self._bend(self.noise(seeds))

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """Standard normal noise, one vector a seed. (B,) whole numbers from 0 -> (B, D)."""
        seeds = wholes(seeds, "seeds", 0, HIGHEST_SEED)
        draws = [torch.Generator().manual_seed(seed) for seed in seeds]
        return torch.stack([torch.randn(self.latent_size, generator=draw) for draw in draws])

    def walk(
        self,
        start: Sequence[float] | Tensor,
        end: Sequence[float] | Tensor,
        steps: int,
        spherical: bool = False,
    ) -> Tensor:
        """Images along the way between two points, each (D,): a straight line or a great arc.

        Returns:
            (steps, 28, 28); the first and last are the decoded ends.

        Raises:
            ValueError: points of another shape, not finite, or steps outside 2-200.
        """
        return self.decode(self.path(start, end, steps, spherical))

    def path(
        self,
        start: Sequence[float] | Tensor,
        end: Sequence[float] | Tensor,
        steps: int,
        spherical: bool = False,
    ) -> Tensor:
        """The points of that walk. (steps, D); arguments and errors as for `walk`."""
        steps = whole(steps, "steps", 2, 200)
        first = matrix([_listed(start, "start")], "start", self.latent_size)
        last = matrix([_listed(end, "end")], "end", self.latent_size)
        if spherical:
            return spherical_path(first[0], last[0], steps)
        t = torch.linspace(0, 1, steps)[:, None]
        return (1 - t) * first + t * last


def _listed(point: Sequence[float] | Tensor, name: str) -> list[float]:
    if isinstance(point, Tensor):
        point = point.tolist()
    if not isinstance(point, Sequence) or isinstance(point, str):
        raise ValueError(f"expected {name} as a list of numbers, got {point!r}")
    return list(point)
