"""A small GAN that one visitor trains by hand, one step at a time, with everything a step computes.

The steps are those of the training module: the same losses and optimizer, in float32.
"""

import threading
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from aigc_demo.models.gan import GAN, discriminator_loss, generator_loss, hinge_terms
from aigc_demo.samples import sample_digits
from aigc_demo.weights import load_model

CLASSES = 10
BATCH = CLASSES  # one digit of each class
# Adam without momentum, as in the training; the discriminator learns at a quarter of the rate
# there, or its first steps, so fresh is Adam, would jump over the aim.
RATES, BETAS = {"discriminator": 1e-4, "generator": 1e-3}, (0.0, 0.99)
Player = Literal["discriminator", "generator"]


@dataclass(frozen=True)
class Snapshot:
    """Where every duel starts: an early state of a training, and real digits. Never changed."""

    players: GAN
    images: Tensor  # (N, 28, 28)
    labels: Tensor  # (N,)

    @classmethod
    def load(cls, source: str | Path = "gan-small") -> "Snapshot":
        """A GAN (bundled name, folder, owner/repo@revision) and the 1,000 bundled training digits.

        Raises:
            ValueError: unknown source, wrong family, damaged weights, or not ten classes.
        """
        loaded = load_model(source, "gan", "cpu")
        if loaded.model.config.classes != CLASSES:
            raise ValueError(f"expected {CLASSES} classes, got {loaded.model.config.classes}")
        return cls(loaded.model, *sample_digits("train"))


@dataclass(frozen=True)
class Look:
    """Both players on the same noise, always, and on one real digit of each class."""

    reals: Tensor  # (B, 28, 28)
    fakes: Tensor  # (B, 28, 28)
    real_scores: Tensor  # (B,)
    fake_scores: Tensor  # (B,)


@dataclass(frozen=True)
class Step:
    """One step of one player. Image i is of class i. `before`, `after`: the player's update.

    What comes after is computed on the same digits and the same noise.
    """

    player: Player
    number: int  # of the step, from 1
    noise: Tensor  # (B, D)
    reals: Tensor  # (B, 28, 28); of a step of the generator, which sees none: (0, 28, 28)
    fakes: Tensor  # (B, 28, 28), of the generator before
    real_before: Tensor  # scores (B,), or (0,)
    real_after: Tensor
    fake_before: Tensor  # scores (B,); after a step of the generator, those of its new fakes
    fake_after: Tensor
    real_terms: Tensor  # what each image adds to the loss, before the mean: (B,), or (0,)
    fake_terms: Tensor  # (B,)
    loss_before: float
    loss_after: float
    gradient: float  # length of the loss's gradient by the player's weights
    change: float  # length of the change of these weights
    weights: float  # their length before
    pictures_after: Tensor  # (B, 28, 28), from noise that never changes


class Duel:
    """Both players, their optimizers and a counter; nothing is shared with another duel.

    The same snapshot, the same seed and the same steps give the same numbers; no other random
    numbers are drawn or disturbed.
    """

    def __init__(self, snapshot: Snapshot, seed: int = 0) -> None:
        self.snapshot, self.seed, self.number = snapshot, seed, 0
        self.clicks = ""  # of the visitor, as the page keeps them
        self.players = deepcopy(snapshot.players).train()
        self.players.requires_grad_(True)
        self.optimizers = {
            name: torch.optim.Adam(self._player(name).parameters(), rate, BETAS)
            for name, rate in RATES.items()
        }
        self.lock = threading.Lock()  # two clicks of one visitor take turns
        self.labels = torch.arange(BATCH)
        self.mixture = torch.eye(CLASSES)
        self.constant = self._draw(0)[0]

    @classmethod
    def start(cls, source: str | Path = "gan-small", seed: int = 0) -> "Duel":
        """A duel from the snapshot, which is loaded anew.

        Raises:
            ValueError: as Snapshot.load does.
        """
        return cls(Snapshot.load(source), seed)

    def train_discriminator(self) -> Step:
        """One step of the discriminator on a real digit of each class and fakes of the same."""
        players = self.players
        noise, reals = self._next()
        with torch.no_grad():
            fakes = players.generator(noise, self.mixture)
        both, twice = torch.cat([reals[:, None], fakes]), self.labels.repeat(2)
        real, fake = players.discriminator(both, twice).chunk(2)
        loss = discriminator_loss(real, fake)
        gradient, change, weights = self._update("discriminator", loss)
        real_terms, fake_terms = hinge_terms(real.detach(), fake.detach())
        with torch.no_grad():
            real_after, fake_after = deepcopy(players.discriminator)(both, twice).chunk(2)
        return Step(
            player="discriminator",
            number=self.number,
            noise=noise,
            reals=reals,
            fakes=fakes.squeeze(1),
            real_before=real.detach(),
            real_after=real_after,
            fake_before=fake.detach(),
            fake_after=fake_after,
            real_terms=real_terms,
            fake_terms=fake_terms,
            loss_before=loss.item(),
            loss_after=discriminator_loss(real_after, fake_after).item(),
            gradient=gradient,
            change=change,
            weights=weights,
            pictures_after=self.pictures(),
        )

    def train_generator(self) -> Step:
        """One step of the generator towards what the discriminator takes for real."""
        players = self.players
        noise, reals = self._next()
        fakes = players.generator(noise, self.mixture)
        fake = players.discriminator(fakes, self.labels)
        loss = generator_loss(fake)
        gradient, change, weights = self._update("generator", loss)
        with torch.no_grad():
            redrawn = deepcopy(players.generator)(noise, self.mixture)
            fake_after = deepcopy(players.discriminator)(redrawn, self.labels)
        none = reals.new_zeros(0)
        return Step(
            player="generator",
            number=self.number,
            noise=noise,
            reals=reals[:0],
            fakes=fakes.detach().squeeze(1),
            real_before=none,
            real_after=none,
            fake_before=fake.detach(),
            fake_after=fake_after,
            real_terms=none,
            fake_terms=-fake.detach(),
            loss_before=loss.item(),
            loss_after=generator_loss(fake_after).item(),
            gradient=gradient,
            change=change,
            weights=weights,
            pictures_after=self.pictures(),
        )

    @torch.no_grad()
    def look(self) -> Look:
        """Both players as they stand; nothing is trained."""
        fakes, reals = self.pictures(), self._reals(self._generator(0))
        judge = deepcopy(self.players.discriminator)
        both = torch.cat([reals, fakes])[:, None]
        real, fake = judge(both, self.labels.repeat(2)).chunk(2)
        return Look(reals, fakes, real, fake)

    @torch.no_grad()
    def pictures(self) -> Tensor:
        """The generator's digits from noise that never changes, one of each class: (B, 28, 28).

        By the statistics of these ten, as in training, so that only its weights decide.
        """
        return deepcopy(self.players.generator)(self.constant, self.mixture).squeeze(1)

    def _player(self, name: str) -> nn.Module:
        return getattr(self.players, name)

    def _generator(self, number: int) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed * 1_000_003 + number)

    def _draw(self, number: int) -> tuple[Tensor, torch.Generator]:
        """The noise of a step, and the generator that draws its digits next."""
        generator = self._generator(number)
        size = self.players.config.latent_size
        return torch.randn(BATCH, size, generator=generator), generator

    def _reals(self, generator: torch.Generator) -> Tensor:
        """A real digit of each class: (B, 28, 28)."""
        drawn = torch.rand(len(self.snapshot.labels), generator=generator)
        of_class = self.snapshot.labels[None] == self.labels[:, None]  # (B, N)
        return self.snapshot.images[(of_class * (1 + drawn)).argmax(1)]

    def _next(self) -> tuple[Tensor, Tensor]:
        """Noise and real digits of the next step."""
        self.number += 1
        noise, generator = self._draw(self.number)
        return noise, self._reals(generator)

    def _update(self, name: Player, loss: Tensor) -> tuple[float, float, float]:
        """One step of Adam. Lengths of the gradient, of the change, of the weights before."""
        weights = list(self._player(name).parameters())
        old = _flat(weights)
        self.optimizers[name].zero_grad()
        loss.backward(inputs=weights)
        gradient = _flat([weight.grad for weight in weights if weight.grad is not None])
        self.optimizers[name].step()
        change = _flat(weights) - old
        return gradient.norm().item(), change.norm().item(), old.norm().item()


def _flat(tensors: list) -> Tensor:
    """All numbers of some tensors in a row."""
    return torch.cat([tensor.detach().flatten() for tensor in tensors])
