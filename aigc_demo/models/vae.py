"""Variational autoencoders for binary digits, their priors, and the terms of their bounds.

Kingma & Welling 2014, arXiv:1312.6114; importance weighting after Burda et al. 2016,
arXiv:1509.00519; a prior learned as a flow of affine couplings, Dinh et al. 2017,
arXiv:1605.08803, as in Chen et al. 2017, arXiv:1611.02731.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.models.batch import normal


@dataclass(frozen=True)
class VAEConfig:
    latent_size: int = 2  # D, length of the latent vector
    hidden: int = 512  # width of every fully connected hidden layer
    depth: int = 2  # so many of them in encoder and decoder, where they do not convolve
    channels: int = 0  # C, width of the 14x14 stage of convolutions; 0: no convolutions
    couplings: int = 0  # steps of the flow that is the prior; 0: a standard normal prior

    def __post_init__(self) -> None:
        if self.couplings and self.latent_size % 2:
            raise ValueError(f"expected an even latent_size for a flow, got {self.latent_size}")


class Residual(nn.Module):
    """Two 3x3 convolutions whose result is added to what came in. (B, C, H, W) -> same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)  # it starts as the identity
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(x))))


def _dense(sizes: list[int]) -> list[nn.Module]:
    """Linear layers of these sizes, a SiLU after each but the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(inputs, outputs), nn.SiLU()]
    return layers[:-1]


class Encoder(nn.Module):
    """Digit to the Gaussian posterior q(z|x)."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        out, width, c = 2 * config.latent_size, config.hidden, config.channels
        if c == 0:
            self.layers = nn.Sequential(
                nn.Flatten(), *_dense([28 * 28, *[width] * config.depth, out])
            )
            return
        self.layers = nn.Sequential(
            nn.Conv2d(1, c, 4, stride=2, padding=1),  # 14x14
            Residual(c),
            nn.SiLU(),
            nn.Conv2d(c, 2 * c, 4, stride=2, padding=1),  # 7x7
            Residual(2 * c),
            nn.SiLU(),
            nn.Flatten(),
            *_dense([2 * c * 7 * 7, width, out]),
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, 28, 28) in [0, 1] -> mean and log-variance, (B, D) each."""
        mean, log_var = self.layers(2 * image - 1).float().chunk(2, dim=1)
        return mean, log_var.clamp(-15, 15)


class Decoder(nn.Module):
    """Latent vector to the Bernoulli logits of p(x|z)."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        size, width, c = config.latent_size, config.hidden, config.channels
        if c == 0:
            self.layers = nn.Sequential(
                *_dense([size, *[width] * config.depth, 28 * 28]), nn.Unflatten(1, (1, 28, 28))
            )
            return
        self.layers = nn.Sequential(
            *_dense([size, width, 2 * c * 7 * 7]),
            nn.Unflatten(1, (2 * c, 7, 7)),
            Residual(2 * c),
            nn.SiLU(),
            nn.ConvTranspose2d(2 * c, c, 4, stride=2, padding=1),  # 14x14
            Residual(c),
            nn.SiLU(),
            nn.Conv2d(c, 2 * c, 3, padding=1),
            nn.PixelShuffle(2),  # (C/2, 28, 28)
            nn.SiLU(),
            nn.Conv2d(c // 2, 1, 3, padding=1),
        )

    def forward(self, z: Tensor) -> Tensor:
        """(B, D) -> logits (B, 1, 28, 28)."""
        return self.layers(z)


class Prior(nn.Module):
    """p(z): standard normal, or standard normal noise bent by affine couplings.

    Each coupling scales and shifts one half of z by what the other half says, so it can be
    undone, and its change of volume is known (Dinh et al., eqs. 4 to 9).
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        half, width = config.latent_size // 2, 128
        self.couplings = nn.ModuleList(
            nn.Sequential(*_dense([half, width, width, 2 * half])) for _ in range(config.couplings)
        )
        for coupling in self.couplings:  # each starts as the identity
            for parameter in list(coupling.parameters())[-2:]:
                nn.init.zeros_(parameter)

    def log_density(self, z: Tensor) -> Tensor:
        """log p(z), in nats. (..., D) -> (...)."""
        volume = z.new_zeros(())
        for index, coupling in enumerate(self.couplings):
            kept, changed = _halves(z, index)
            scale, shift = _scale_and_shift(coupling, kept)
            volume = volume + scale.sum(-1)
            z = _joined(kept, changed * scale.exp() + shift, index)
        return volume - 0.5 * (z**2 + math.log(2 * math.pi)).sum(-1)

    def from_noise(self, noise: Tensor) -> Tensor:
        """Standard normal noise to samples of the prior. (..., D) -> (..., D)."""
        z = noise
        for index, coupling in reversed(list(enumerate(self.couplings))):
            kept, changed = _halves(z, index)
            scale, shift = _scale_and_shift(coupling, kept)
            z = _joined(kept, (changed - shift) * (-scale).exp(), index)
        return z


def _halves(z: Tensor, index: int) -> tuple[Tensor, Tensor]:
    """The half that a coupling reads and the half that it changes; they take turns."""
    first, second = z.chunk(2, dim=-1)
    return (first, second) if index % 2 == 0 else (second, first)


def _joined(kept: Tensor, changed: Tensor, index: int) -> Tensor:
    return torch.cat([kept, changed] if index % 2 == 0 else [changed, kept], dim=-1)


def _scale_and_shift(coupling: nn.Module, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Log-scale, held within (-2, 2), and shift."""
    scale, shift = coupling(kept).chunk(2, dim=-1)
    return 2 * torch.tanh(scale / 2), shift


def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    """A sample of N(mean, exp(log_var)) that gradients can pass through; section 2.4.

    mean, log_var: (B, D); noise: standard normal, (..., B, D) -> like noise.
    """
    return mean + (0.5 * log_var).exp() * noise


class VAE(nn.Module):
    """Encoder, decoder and the prior over z."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.prior = Prior(config)

    def forward(self, image: Tensor, samples: int = 1) -> tuple[Tensor, Tensor]:
        """The two parts of the bound for samples of the posterior.

        image: (B, 1, 28, 28) of zeros and ones.

        Returns:
            log p(x|z) and log p(z) - log q(z|x), (S, B) each, in nats. The mean of their sum over
            the samples estimates the ELBO; its log-mean-exp, the importance-weighted bound.
        """
        mean, log_var = self.encoder(image)
        noise = normal(len(image), samples, mean.shape[1], device=image.device).transpose(0, 1)
        z = reparameterize(mean, log_var, noise)  # (S, B, D)
        logits = self.decoder(z.flatten(0, 1)).float().unflatten(0, z.shape[:2])
        with torch.autocast(image.device.type, enabled=False):  # densities in full precision
            ratio = self.prior.log_density(z) - log_posterior(z, mean, log_var)
        return log_likelihood(logits, image), ratio


def log_likelihood(logits: Tensor, image: Tensor) -> Tensor:
    """log p(x|z) of Bernoulli pixels, in nats; Kingma & Welling, appendix C.1.

    logits: (..., B, 1, 28, 28); image: (B, 1, 28, 28) in [0, 1] -> (..., B).

    Raises:
        ValueError: logits and image differ in shape.
    """
    if logits.shape[-4:] != image.shape:
        raise ValueError(f"logits {tuple(logits.shape)} must match image {tuple(image.shape)}")
    return (logits * image - F.softplus(logits)).flatten(-3).sum(-1)


def log_posterior(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """log q(z|x), in nats. z: (..., B, D); mean, log_var: (B, D) -> (..., B)."""
    squared = (z - mean) ** 2 / log_var.exp()
    return -0.5 * (squared + log_var + math.log(2 * math.pi)).sum(-1)


def importance_bound(log_likelihood: Tensor, ratio: Tensor) -> Tensor:
    """log p(x) from below, by S weighted samples; Burda et al., eq. 8. (S, B) each -> (B,)."""
    weights = log_likelihood + ratio
    return weights.logsumexp(0) - math.log(len(weights))
