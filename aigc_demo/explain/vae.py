"""Inside the VAE: posterior, bound and latent dimensions of one digit, from live tensors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.explain.gan import Part, as_maps
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.models.vae import (
    Residual,
    importance_bound,
    log_likelihood,
    log_posterior,
    reparameterize,
)

ACTIVE = 0.01  # of the variance of a dimension's posterior mean
ALIVE = 0.01  # nats of KL on average, below which a latent dimension carries nothing


@dataclass(frozen=True)
class Bound:
    """The evidence lower bound of one binarised digit, and all that goes into it."""

    image: Tensor  # (28, 28), zeros and ones
    mean: Tensor  # (D,), of the posterior q(z|x)
    deviation: Tensor  # (D,)
    noise: Tensor  # (S, D), standard normal
    z: Tensor  # (S, D) = mean + deviation * noise
    decoded: Tensor  # (S, 28, 28), pixel probabilities
    pixels: Tensor  # (28, 28), log p(x|z) of each pixel for the first sample, nats
    log_likelihood: Tensor  # (S,), nats
    ratio: Tensor  # (S,), log p(z) - log q(z|x), nats; its mean is -KL
    kl: Tensor | None  # (D,), KL of each dimension, nats; None where the prior is learned
    importance: float  # log p(x) from below by the S weighted samples, nats

    @property
    def divergence(self) -> float:
        """KL(q(z|x) || p(z)) in nats: exact for the standard normal prior, else sampled."""
        return -self.ratio.mean().item() if self.kl is None else self.kl.sum().item()

    @property
    def elbo(self) -> float:
        """The bound in nats, its first term averaged over the samples."""
        return self.log_likelihood.mean().item() - self.divergence


@torch.inference_mode()
def bound(walker: LatentWalker, image: Tensor, seeds: Sequence[int]) -> Bound:
    """The bound of a digit (28, 28), each pixel made black or white at a half; a sample a seed."""
    model, device = walker.loaded.model, walker.loaded.device
    image = (image > 0.5).float()
    given = image[None, None].to(device)
    mean, log_var = model.encoder(given)  # (1, D)
    noise = walker.noise(seeds).to(device)[:, None]  # (S, 1, D)
    z = reparameterize(mean, log_var, noise)
    logits = model.decoder(z.flatten(0, 1)).unflatten(0, z.shape[:2])  # (S, 1, 1, 28, 28)
    likelihood = log_likelihood(logits, given)  # (S, 1)
    ratio = model.prior.log_density(z) - log_posterior(z, mean, log_var)
    first = logits[0, 0, 0]
    standard = len(model.prior.couplings) == 0
    kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var)[0]
    return Bound(
        image,
        mean[0].cpu(),
        (0.5 * log_var[0]).exp().cpu(),
        noise[:, 0].cpu(),
        z[:, 0].cpu(),
        logits[:, 0, 0].sigmoid().cpu(),
        (first * given[0, 0] - F.softplus(first)).cpu(),
        likelihood[:, 0].cpu(),
        ratio[:, 0].cpu(),
        kl.cpu() if standard else None,
        importance_bound(likelihood, ratio).item(),
    )


@torch.inference_mode()
def layers(walker: LatentWalker, image: Tensor, noise: Tensor) -> list[Part]:
    """From a digit (28, 28) through the encoder to mean and deviation, to z, and back to pixels.

    Each pixel is made black or white at a half, as in training. noise: (D,). Names: "x",
    "encoderI" and "decoderI" for layer I, "mean", "deviation", "z", "paint".
    """
    device = walker.loaded.device
    x = (image > 0.5).float()[None, None].to(device)
    found = [("x", "data", x)]
    found += _through(walker.encoder.layers, 2 * x - 1, "encoder")
    mean, log_var = walker.encoder(x)
    z = reparameterize(mean, log_var, noise[None].to(device))
    found += [("mean", "noise", mean), ("deviation", "noise", (0.5 * log_var).exp())]
    found += [("z", "noise", z), *_through(walker.decoder.layers, z, "decoder")]
    found.append(("paint", "generator", walker.decoder(z).sigmoid()))
    return [
        Part(name, player, as_maps(values[0].cpu()), tuple(values.shape[1:]))
        for name, player, values in found
    ]


PLAYERS = {"encoder": "discriminator", "decoder": "generator"}  # whose colour each takes


def _through(layers: nn.Module, x: Tensor, name: str) -> list[tuple[str, str, Tensor]]:
    """The outputs of layers for x, noted after each SiLU or residual block."""
    assert isinstance(layers, nn.Sequential)
    passed = []
    for place, layer in enumerate(layers):
        x = layer(x)
        follower = layers[place + 1] if place + 1 < len(layers) else None
        noted = isinstance(layer, nn.SiLU | Residual)
        if noted and not isinstance(follower, nn.SiLU):
            passed.append((f"{name}{place}", PLAYERS[name], x))
    return passed


def carried(mean: Tensor, deviation: Tensor) -> Tensor:
    """The nats that each latent dimension carries: the mean KL of some posteriors to N(0, 1).

    mean, deviation: (N, D) -> (D,). Under a learned prior it is a measure, not a term of the bound.
    """
    return (0.5 * (mean**2 + deviation**2 - 1) - deviation.log()).mean(0)


def varies(mean: Tensor) -> Tensor:
    """The variance of each latent dimension's posterior means over some digits.

    mean: (N, D) -> (D,). A dimension with more than ACTIVE is an active unit (Burda et al. 2015,
    arXiv:1509.00519, section 5.2). It asks nothing of the prior, so it holds for a learned one.
    """
    return mean.var(0)


def traverse(walker: LatentWalker, z: Tensor, dimension: int, places: Tensor) -> Tensor:
    """The digit at z (D,) with one dimension put at each of some places (N,) -> (N, 28, 28)."""
    points = z.repeat(len(places), 1)
    points[:, dimension] = places
    return walker.decode(points)


def sharpness(images: Tensor) -> Tensor:
    """Sharpness: squared grey steps between neighbours over the ink.

    (B, 28, 28) -> (B,). A blurred picture has the same ink, but smaller steps.
    """
    across = (images[:, :, 1:] - images[:, :, :-1]).pow(2).sum((1, 2))
    down = (images[:, 1:] - images[:, :-1]).pow(2).sum((1, 2))
    return (across + down) / images.sum((1, 2)).clamp(min=1e-6)


@dataclass(frozen=True)
class Tradeoff:
    """Where a VAE stands between a short code and a true copy, measured on some digits."""

    rate: float  # mean KL(q(z|x) || p(z)), nats a digit: the length of the code
    distortion: float  # mean -log p(x|z), nats a digit: what the copy misses
    mean: Tensor  # (N, D), of the posteriors
    deviation: Tensor  # (N, D)


@torch.inference_mode()
def tradeoff(walker: LatentWalker, images: Tensor) -> Tradeoff:
    """Rate and distortion of digits (N, 28, 28), each pixel made black or white at a half.

    Alemi et al. 2018, arXiv:1711.00464, eqs. 4 and 5; one sample of each posterior, and a standard
    normal prior, whose KL is exact.
    """
    binary = (images > 0.5).float()
    mean, deviation = walker.encode(binary)
    z = mean + deviation * walker.noise(range(len(images)))
    logits = walker.decoder(z.to(walker.loaded.device)).cpu()
    distortion = -log_likelihood(logits, binary[:, None]).mean().item()
    return Tradeoff(carried(mean, deviation).sum().item(), distortion, mean, deviation)


def kl_by_hand(mean: float, deviation: float) -> tuple[float, float, float, float]:
    """The three terms of one dimension's KL to N(0, 1), and half their sum less one, in nats.

    Kingma & Welling 2014, arXiv:1312.6114, appendix B: (mu^2 + sigma^2 - 1 - log sigma^2) / 2.
    """
    log_var = 2 * math.log(deviation)
    terms = mean**2, deviation**2, log_var
    return *terms, 0.5 * (terms[0] + terms[1] - 1 - terms[2])
