"""The speed of drawing and decoding digits, in the process."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from aigc_demo.benchmark.rows import Row, row, seconds
from aigc_demo.images import strip
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.names import VAES

BATCHES = (1, 4, 16, 64)


def _rows(what: str, draw: Callable[[int], Tensor]) -> list[Row]:
    """A row a batch size: the pictures as tensors, and 64 of them as one PNG."""
    rows = []
    for count in BATCHES:
        taken = seconds(partial(draw, count), 15, warm=3)
        taken = [1_000 * s for s in taken]
        series = f"{what}, by batch"
        rows.append(row(f"{what}, {count} at once", "ms", taken, series=series, at=count))
    images = draw(64)
    taken = seconds(lambda: strip(images), 15, warm=3)
    rows.append(row("64 digits as one PNG", "ms", [1_000 * s for s in taken]))
    return rows


def measure_gan() -> list[Row]:
    """Digits by the GAN, by batch."""
    sampler = DigitSampler.load("gan")
    return _rows("gan draws", lambda n: sampler.sample(range(n), [i % 10 for i in range(n)]))


def _decode(walker: LatentWalker, z: Tensor, count: int) -> Tensor:
    return walker.decode(z[:count])


def measure_vae() -> list[Row]:
    """Latent points decoded, by batch, by both VAEs."""
    rows = []
    for name in VAES:
        walker = LatentWalker.load(name)
        z = torch.randn(64, walker.latent_size, generator=torch.Generator().manual_seed(0))
        rows += _rows(f"{name} decodes", partial(_decode, walker, z))[:-1]
    return rows
