"""Inside the GAN: every layer's maps, every score, every term of the loss, from live tensors.

Nothing is hooked and nothing is kept: the layers are called one by one, by the models' own
`stages`, so that a look inside changes nothing for anyone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.models.gan import discriminator_loss, generator_loss, hinge_terms
from aigc_demo.models.gan_mlp import minimax_terms, minimax_value
from aigc_demo.samples import sample_digits


@dataclass(frozen=True)
class Part:
    """The output of one layer for a digit."""

    name: str  # as in the model's `stages`; "z" for the noise
    player: str  # "noise", "generator" or "discriminator"
    maps: Tensor  # (channels, height, width), raw values
    shape: tuple[int, ...]  # as the layer gives it, without the batch


@dataclass(frozen=True)
class Verdict:
    """The discriminator's opinion of a batch, and the loss it comes to."""

    fakes: Tensor  # (B, 28, 28)
    reals: Tensor  # (B, 28, 28), test digits of the same classes, never trained on
    fake_scores: Tensor  # (B,)
    real_scores: Tensor  # (B,)
    fake_terms: Tensor  # (B,), what each fake adds to the sum whose mean is in the loss
    real_terms: Tensor  # (B,)
    discriminator_loss: float  # hinge: to be lowered; minimax: minus the value V
    generator_loss: float


def as_maps(values: Tensor) -> Tensor:
    """(C, H, W) as it is; a vector (N,) as one map (1, rows, columns), near to a square."""
    if values.dim() == 3:
        return values
    count = values.numel()
    rows = max(i for i in range(1, math.isqrt(count) + 1) if count % i == 0)
    return values.reshape(1, rows, count // rows)


@torch.inference_mode()
def layers(sampler: DigitSampler, z: Tensor, label: int | None) -> list[Part]:
    """From the noise z (D,) to the digit, and on through the discriminator to its score.

    label: the class asked for; None for a model without classes.
    """
    device, given = sampler.loaded.device, z[None].to(sampler.loaded.device)
    parts = [("z", "noise", given)]
    if label is None:
        made = sampler.generator.stages(given)
        seen = sampler.discriminator.stages(made["paint"])
    else:
        mixture = torch.eye(sampler.classes, device=device)[[label]]
        made = sampler.generator.stages(given, mixture)
        claim = torch.tensor([label], device=device)
        seen = sampler.discriminator.stages(made["paint"], claim)
    parts += [(name, "generator", values) for name, values in made.items()]
    parts += [(name, "discriminator", values) for name, values in seen.items()]
    return [
        Part(name, player, as_maps(values[0].cpu()), tuple(values.shape[1:]))
        for name, player, values in parts
    ]


def real_digits(labels: Sequence[int], first: int) -> Tensor:
    """Bundled test digits of these classes (B,), others for each `first` -> (B, 28, 28)."""
    images, known = sample_digits("test")
    places = [torch.where(known == label)[0] for label in labels]
    return torch.stack([images[p[(first + i) % len(p)]] for i, p in enumerate(places)])


def judge_batch(
    sampler: DigitSampler, seeds: Sequence[int], labels: Sequence[int], truncation: float
) -> Verdict:
    """Fakes of some seeds (B,) beside as many real digits, scored, with the terms of the loss.

    labels: (B,); a model without classes draws what the seeds bring, the reals keep the labels.
    """
    asked = labels if sampler.classes else None
    fakes = sampler.sample(seeds, asked, truncation)
    reals = real_digits(labels, seeds[0])
    fake_scores, real_scores = sampler.realness(fakes, asked), sampler.realness(reals, asked)
    if sampler.classes:
        real_terms, fake_terms = hinge_terms(real_scores, fake_scores)
        loss = discriminator_loss(real_scores, fake_scores).item()
        own = generator_loss(fake_scores).item()
    else:
        real_terms, fake_terms = minimax_terms(real_scores, fake_scores)
        loss = -minimax_value(real_scores, fake_scores).item()
        own = fake_terms.mean().item()
    return Verdict(
        fakes,
        reals,
        fake_scores,
        real_scores,
        fake_terms,
        real_terms,
        loss,
        own,
    )


def seeds_that_read(
    sample: Callable[[Sequence[int]], Tensor], judge: DigitJudge, digit: int, first: int, count: int
) -> list[int]:
    """The first so many seeds from `first` on whose pictures the judge reads as a digit.

    sample: seeds (B,) -> (B, 28, 28), of a model that cannot be asked for a class. Fewer seeds
    come back where 640 tries do not do.
    """
    found: list[int] = []
    for start in range(first, first + 640, 32):
        seeds = range(start, start + 32)
        read = judge.classify(sample(seeds)).argmax(1)
        found += [seed for seed, one in zip(seeds, read.tolist(), strict=True) if one == digit]
        if len(found) >= count:
            break
    return found[:count]


def moved(sampler: DigitSampler, z: Tensor, steps: dict[str, float]) -> Tensor:
    """z (D,) moved along named directions, in standard deviations of what each of them changes.

    Raises:
        ValueError: a direction that the weights do not name.
    """
    for name, step in steps.items():
        if name not in sampler.directions:
            known = ", ".join(sampler.directions) or "none"
            raise ValueError(f"expected one of the directions {known}, got {name!r}")
        z = z + step * sampler.directions[name]
    return z


@dataclass(frozen=True)
class ScoreTerms:
    """The sums that make up the score of one digit: matter + bias + claim."""

    matter: float  # w . h: how real it looks, whatever it claims to be
    bias: float
    claim: float  # e_c . h: how much like its class; 0 for a model without classes

    @property
    def score(self) -> float:
        return self.matter + self.bias + self.claim


@torch.inference_mode()
def score_terms(sampler: DigitSampler, found: list[Part], label: int | None) -> ScoreTerms:
    """The last layer of the discriminator, term by term, on the parts that `layers` found."""
    player = sampler.discriminator
    last = player.layers[-1] if label is None else player.score
    seen = found[-2].maps.flatten().to(sampler.loaded.device)
    claim = 0.0 if label is None else (player.class_score.weight[label] @ seen).item()
    return ScoreTerms((last.weight[0] @ seen).item(), last.bias.item(), claim)
