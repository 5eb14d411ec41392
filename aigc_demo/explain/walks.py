"""Walks through a VAE's latent space by way of real digits, and what they are compared with."""

from itertools import pairwise

import torch
from torch import Tensor

from aigc_demo.inference.judge import DigitJudge
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.samples import sample_digits

LANDMARKS = 30  # test digits of a class, at most, that a walk may pass


def points(walker: LatentWalker, stops: Tensor, steps: int, spherical: bool) -> Tensor:
    """The points of a walk. (N, D) -> (steps, D)."""
    return _spread([walker.path(a, b, steps, spherical) for a, b in pairwise(stops)])


def frames(walker: LatentWalker, stops: Tensor, steps: int, spherical: bool) -> Tensor:
    """The pictures of a walk. (N, D) -> (steps, 28, 28)."""
    return walker.decode(points(walker, stops, steps, spherical))


def blend(stops: Tensor, steps: int) -> Tensor:
    """One picture fading into the next, with no latent space. (N, 28, 28) -> (steps, 28, 28)."""
    t = torch.linspace(0, 1, steps)[:, None, None]
    return _spread([(1 - t) * a + t * b for a, b in pairwise(stops)])


def _spread(ways: list[Tensor]) -> Tensor:
    """Ways of S steps each, one after the other, as S steps in all; both ends are kept."""
    joined = torch.cat([ways[0], *(way[1:] for way in ways[1:])])  # a stop is there once
    return joined[:: len(ways)]


def landmarks(walker: LatentWalker, judge: DigitJudge, label: int) -> tuple[Tensor, Tensor]:
    """Posterior means (N, D) and pictures (N, 28, 28) of test digits of a class: those that the
    judge can still read once they are rebuilt, or all of them where it can read none.
    """
    images, known = sample_digits("test")
    images = images[known == label][:LANDMARKS]
    mean, _ = walker.encode(images)
    legible = judge.classify(walker.decode(mean)).argmax(1) == label
    if not legible.any():
        legible = torch.ones(len(images), dtype=torch.bool)
    return mean[legible], images[legible]
