"""A variational autoencoder for binary digits, and the terms of its bound.

Kingma & Welling 2014, arXiv:1312.6114; importance weighting after Burda et al. 2016,
arXiv:1509.00519.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class VAEConfig:
    latent_size: int = 2  # D, length of the latent vector
    hidden: int = 512  # width of every hidden layer


class Encoder(nn.Module):
    """Digit to the Gaussian posterior q(z|x)."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(28 * 28, config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, 2 * config.latent_size),
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, 28, 28) in [0, 1] -> mean and log-variance, (B, D) each."""
        mean, log_var = self.layers(2 * image - 1).chunk(2, dim=1)
        return mean, log_var.clamp(-15, 15)


class Decoder(nn.Module):
    """Latent vector to the Bernoulli logits of p(x|z)."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(config.latent_size, config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, 28 * 28),
        )

    def forward(self, z: Tensor) -> Tensor:
        """(B, D) -> logits (B, 1, 28, 28)."""
        return self.layers(z).unflatten(1, (1, 28, 28))


def reparameterize(mean: Tensor, log_var: Tensor) -> Tensor:
    """A sample of N(mean, exp(log_var)) that gradients can pass through; section 2.4.

    Draws its noise from torch's default generator. (B, D) each -> (B, D).
    """
    return mean + (0.5 * log_var).exp() * torch.randn_like(mean)


class VAE(nn.Module):
    """Encoder and decoder, with a standard normal prior over z."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 1, 28, 28) -> logits (B, 1, 28, 28), posterior mean and log-variance (B, D)."""
        mean, log_var = self.encoder(image)
        return self.decoder(reparameterize(mean, log_var)), mean, log_var


def elbo_terms(
    logits: Tensor, image: Tensor, mean: Tensor, log_var: Tensor
) -> tuple[Tensor, Tensor]:
    """Log-likelihood and KL divergence, whose difference is the ELBO.

    Kingma & Welling, arXiv:1312.6114, eq. 10; Bernoulli pixels, appendix C.1.

    Args:
        logits: decoder output, (B, 1, 28, 28).
        image: pixels in [0, 1], same shape.
        mean, log_var: the posterior q(z|x), (B, D) each.

    Returns:
        Both terms, (B,) each, in nats per image.

    Raises:
        ValueError: logits and image differ in shape.
    """
    if logits.shape != image.shape:
        raise ValueError(f"logits {tuple(logits.shape)} must match image {tuple(image.shape)}")
    log_likelihood = -F.binary_cross_entropy_with_logits(logits, image, reduction="none")
    kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var)
    return log_likelihood.flatten(1).sum(1), kl.sum(1)


def log_importance_weights(
    logits: Tensor, image: Tensor, z: Tensor, mean: Tensor, log_var: Tensor
) -> Tensor:
    """log p(x|z) + log p(z) - log q(z|x), whose log-mean-exp over samples bounds log p(x).

    Burda et al., arXiv:1509.00519, eq. 8. S samples of z for each of B images.

    Args:
        logits: decoder output for every sample, (S, B, 784).
        image: binary pixels, (B, 784).
        z: samples of the posterior, (S, B, D).
        mean, log_var: the posterior, (B, D) each.

    Returns:
        (S, B), in nats.
    """
    log_likelihood = (logits * image - F.softplus(logits)).sum(-1)
    log_prior = -0.5 * (z**2 + math.log(2 * math.pi)).sum(-1)
    log_posterior = -0.5 * ((z - mean) ** 2 / log_var.exp() + log_var + math.log(2 * math.pi))
    return log_likelihood + log_prior - log_posterior.sum(-1)
