"""The first kind of GAN: two fully connected networks and the minimax loss.

Goodfellow et al. 2014, arXiv:1406.2661. The generator goes 100 -> 256 -> 512 -> 1024 -> 784 with
LeakyReLU(0.2) and tanh, the discriminator 784 -> 512 -> 256 -> 1. It knows no classes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class MLPGANConfig:
    latent_size: int = 100  # D, length of the noise vector
    width: int = 256  # of the generator's first hidden layer; the next are 2 and 4 times as wide


class MLPGenerator(nn.Module):
    """Noise to digit."""

    def __init__(self, config: MLPGANConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.layers = nn.Sequential(
            nn.Linear(config.latent_size, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, 2 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(2 * width, 4 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(4 * width, 28 * 28),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        """(B, D) -> (B, 1, 28, 28); tanh's -1 to 1 is moved to 0 to 1."""
        return self.stages(z)["paint"]

    def stages(self, z: Tensor) -> dict[str, Tensor]:
        """The layers' outputs in order: (B, width); the last is the digit."""
        passed = _through(self.layers, z, (nn.LeakyReLU, nn.Tanh))
        digit = (passed.popitem()[1].unflatten(1, (1, 28, 28)) + 1) / 2
        return {**passed, "paint": digit}


class MLPDiscriminator(nn.Module):
    """Digit to one score, the logit of the probability that it is real."""

    def __init__(self, config: MLPGANConfig) -> None:
        super().__init__()
        width = config.width
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(28 * 28, 2 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(2 * width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, 28, 28) -> score (B,), higher is more real."""
        return self.stages(image)["score"]

    def stages(self, image: Tensor) -> dict[str, Tensor]:
        """The layers' outputs in order: (B, width); the last is the score (B,)."""
        passed = _through(list(self.layers)[:-1], 2 * image - 1, (nn.LeakyReLU,))
        return {**passed, "score": self.layers[-1](passed["layer1"]).squeeze(1)}


def _through(layers: Iterable[nn.Module], x: Tensor, after: tuple[type[nn.Module], ...]) -> dict:
    """The outputs of layers for x after each activation: {"layer0": ..., "layer1": ...}."""
    passed: dict[str, Tensor] = {}
    for layer in layers:
        x = layer(x)
        if isinstance(layer, after):
            passed[f"layer{len(passed)}"] = x
    return passed


class MLPGAN(nn.Module):
    """Both players, as they are saved together."""

    def __init__(self, config: MLPGANConfig) -> None:
        super().__init__()
        self.config = config
        self.generator = MLPGenerator(config)
        self.discriminator = MLPDiscriminator(config)


def minimax_terms(real_score: Tensor, fake_score: Tensor) -> tuple[Tensor, Tensor]:
    """log D(x) of each real and log(1 - D(G(z))) of each fake, in nats. (B,) each; eq. 1."""
    return F.logsigmoid(real_score), F.logsigmoid(-fake_score)


def minimax_value(real_score: Tensor, fake_score: Tensor) -> Tensor:
    """V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))], eq. 1, with D = sigmoid(score).

    The discriminator climbs it; the generator descends it, and sees its second term alone. Scores
    (B,) each -> scalar, at most 0, in nats.
    """
    real_terms, fake_terms = minimax_terms(real_score, fake_score)
    return real_terms.mean() + fake_terms.mean()
