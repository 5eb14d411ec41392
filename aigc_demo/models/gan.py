"""A class-conditional convolutional GAN for 28x28 digits, and its losses.

Goodfellow et al. 2014, arXiv:1406.2661; conditional batch norm as in Dumoulin et al. 2017,
arXiv:1610.07629, modulated by the noise too as in Chen et al. 2019, arXiv:1810.01365; spectral
norm and projection as in Miyato et al. 2018, arXiv:1802.05957 and Miyato & Koyama 2018,
arXiv:1802.05637.
"""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from aigc_demo.models.batch import BatchNorm


@dataclass(frozen=True)
class GANConfig:
    latent_size: int = 64  # D, length of the noise vector
    channels: int = 64  # C, width of the generator's 14x14 stage
    discriminator_channels: int = 48  # width of the discriminator's 14x14 stage
    classes: int = 10  # K


class ModulatedBatchNorm(nn.Module):
    """Batch norm whose scale and shift are chosen by the class and bent by the noise."""

    def __init__(self, channels: int, config: GANConfig) -> None:
        super().__init__()
        self.norm = BatchNorm(channels, affine=False)
        self.scale = nn.Parameter(torch.ones(config.classes, channels))
        self.shift = nn.Parameter(torch.zeros(config.classes, channels))
        self.bend = nn.Linear(config.latent_size, 2 * channels, bias=False)
        nn.init.normal_(self.bend.weight, std=0.02)

    def forward(self, x: Tensor, z: Tensor, mixture: Tensor) -> Tensor:
        """x: (B, C, H, W); z: (B, D); mixture: class weights (B, K), rows sum to 1 -> like x."""
        scale, shift = self.bend(z).chunk(2, dim=1)  # (B, C) each
        scale, shift = scale + mixture @ self.scale, shift + mixture @ self.shift
        if not self.training:  # the norm only scales and shifts: all in one pass
            mean, variance = (
                cast(Tensor, self.norm.running_mean),
                cast(Tensor, self.norm.running_var),
            )
            scale = scale * (variance + self.norm.eps).rsqrt()
            shift = shift - mean * scale
            return torch.addcmul(shift[:, :, None, None], x, scale[:, :, None, None])
        return self.norm(x) * scale[:, :, None, None] + shift[:, :, None, None]


class Generator(nn.Module):
    """Noise and class to digit, in two doublings from 7x7 to 28x28."""

    def __init__(self, config: GANConfig) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        self.project = nn.Linear(config.latent_size + config.classes, 2 * width * 7 * 7)
        self.norm7 = ModulatedBatchNorm(2 * width, config)
        self.grow14 = nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1)
        self.norm14 = ModulatedBatchNorm(width, config)
        self.grow28 = nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1)
        self.norm28 = ModulatedBatchNorm(width // 2, config)
        self.paint = nn.Conv2d(width // 2, 1, 3, padding=1)

    def forward(self, z: Tensor, mixture: Tensor) -> Tensor:
        """z: (B, D); mixture: class weights (B, K), one-hot for a pure digit -> (B, 1, 28, 28)."""
        return self.stages(z, mixture)["paint"]

    def stages(self, z: Tensor, mixture: Tensor) -> dict[str, Tensor]:
        """The layers' outputs in order: (B, channels, side, side); the last is the digit.

        z, mixture: as for forward.
        """
        x = self.project(torch.cat([z, mixture], 1))  # (B, D + K) -> (B, 2C*49)
        x = x.unflatten(1, (-1, 7, 7))  # (B, 2C, 7, 7)
        x7 = F.relu(self.norm7(x, z, mixture))
        x14 = F.relu(self.norm14(self.grow14(x7), z, mixture))  # (B, C, 14, 14)
        x28 = F.relu(self.norm28(self.grow28(x14), z, mixture))  # (B, C/2, 28, 28)
        digit = self.paint(x28).sigmoid()
        return {"project": x7, "grow14": x14, "grow28": x28, "paint": digit}


class Discriminator(nn.Module):
    """Digit and class to one score: how real it looks, and how much like its class."""

    def __init__(self, config: GANConfig) -> None:
        super().__init__()
        self.config = config
        width = config.discriminator_channels
        self.look = nn.Sequential(
            spectral_norm(nn.Conv2d(1, width // 2, 3, padding=1)),
            nn.LeakyReLU(0.1),
            spectral_norm(nn.Conv2d(width // 2, width, 4, stride=2, padding=1)),  # 14x14
            nn.LeakyReLU(0.1),
            spectral_norm(nn.Conv2d(width, width, 3, padding=1)),
            nn.LeakyReLU(0.1),
            spectral_norm(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)),  # 7x7
            nn.LeakyReLU(0.1),
            spectral_norm(nn.Conv2d(2 * width, 2 * width, 3, padding=1)),
            nn.LeakyReLU(0.1),
        )
        self.score = spectral_norm(nn.Linear(2 * width, 1))
        self.class_score = nn.Embedding(config.classes, 2 * width)
        nn.init.normal_(self.class_score.weight, std=0.1)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """image: (B, 1, 28, 28); label: (B,) 0..K-1 -> score (B,), higher is more real."""
        return self.stages(image, label)["score"]

    def stages(self, image: Tensor, label: Tensor) -> dict[str, Tensor]:
        """The layers' outputs in order: maps (B, channels, side, side), their sums
        (B, 2C) and the score (B,). image, label: as for forward.
        """
        x, passed = 2 * image - 1, {}
        for place, layer in enumerate(self.look):
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                passed[f"look{place // 2}"] = x
        seen = x.sum((2, 3))  # (B, 2C)
        score = self.score(seen).squeeze(1) + (self.class_score(label) * seen).sum(1)
        return {**passed, "seen": seen, "score": score}


class GAN(nn.Module):
    """Both players, as they are saved together."""

    def __init__(self, config: GANConfig) -> None:
        super().__init__()
        self.config = config
        self.generator = Generator(config)
        self.discriminator = Discriminator(config)


def hinge_terms(real_score: Tensor, fake_score: Tensor) -> tuple[Tensor, Tensor]:
    """The terms of the discriminator's loss, of reals and fakes. Scores (B,) -> (B,) each.

    Miyato et al. 2018, arXiv:1802.05957, eq. 16.
    """
    return F.relu(1 - real_score), F.relu(1 + fake_score)


def discriminator_loss(real_score: Tensor, fake_score: Tensor) -> Tensor:
    """Hinge loss of the discriminator: push real scores above 1 and fake scores below -1.

    Miyato et al. 2018, arXiv:1802.05957, eq. 16. Scores (B,) each -> scalar.
    """
    real_terms, fake_terms = hinge_terms(real_score, fake_score)
    return real_terms.mean() + fake_terms.mean()


def generator_loss(fake_score: Tensor) -> Tensor:
    """Hinge loss of the generator: raise the scores of its fakes. (B,) -> scalar; eq. 17."""
    return -fake_score.mean()


def spherical_path(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Points on the great arc between two noise vectors, whose length stays typical on the way.

    White 2016, arXiv:1609.04468, section 2.1. start, end: (D,) -> (steps, D), ends included.
    """
    t = torch.linspace(0, 1, steps)[:, None]
    cosine = F.cosine_similarity(start, end, dim=0).clamp(-1, 1)
    angle = torch.arccos(cosine)
    if angle.sin() < 1e-4:  # the same direction, or opposite ones: no single arc
        return (1 - t) * start + t * end
    return (((1 - t) * angle).sin() * start + (t * angle).sin() * end) / angle.sin()
