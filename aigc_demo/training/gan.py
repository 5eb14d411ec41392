"""Trains the GAN: the discriminator and the generator take turns, one step each."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from aigc_demo.devices import mixed_precision
from aigc_demo.images import grid, png
from aigc_demo.models.batch import normal, part
from aigc_demo.models.gan import (
    GAN,
    Discriminator,
    GANConfig,
    Generator,
    discriminator_loss,
    generator_loss,
)
from aigc_demo.training.directions import write_directions
from aigc_demo.training.run import Run
from aigc_demo.training.steps import (
    fingerprint,
    moving_average,
    placed,
    shuffled_batch,
    warm_then_fall,
)
from aigc_demo.weights import save_model


@dataclass(frozen=True)
class Recipe:
    model: GANConfig
    steps: int
    cycles: int = 1  # how often the rates start high again (Loshchilov & Hutter 2017)
    batch: int = 64
    generator_rate: float = 4e-4
    discriminator_rate: float = 4e-4
    seed: int = 0
    seconds: float = 0.0  # at most; 0: as long as the steps take
    snapshots: int = 0  # of the weights
    fault: str = ""  # collapse: see FAIR


# A game to go on with by hand, stopped early: digits are half formed, and neither player has won.
SMALL = Recipe(
    GANConfig(channels=32, discriminator_channels=16), steps=900, batch=32, generator_rate=1e-3
)
# Mode collapse: after so many fair steps the generator takes RUSH for each of the discriminator's,
# and runs from one picture that is taken for real to the next. No class holds it back.
FAIR, RUSH = 600, 8
COLLAPSE = replace(SMALL, model=replace(SMALL.model, classes=1), steps=760, fault="collapse")
RECIPES = {
    "gan": {
        "smoke": Recipe(GANConfig(channels=16, discriminator_channels=16), steps=40),
        "cpu": Recipe(GANConfig(), steps=56_000, cycles=2),
        "gpu": Recipe(GANConfig(channels=128, discriminator_channels=128), steps=100_000),
        "small": replace(SMALL, steps=20_000, seconds=60),
        "medium": Recipe(GANConfig(), steps=20_000, seconds=60),
    },
    "gan-small": {"smoke": replace(SMALL, steps=40), "cpu": SMALL, "gpu": SMALL},
    "broken-collapse": {"smoke": replace(COLLAPSE, steps=40), "cpu": COLLAPSE, "gpu": COLLAPSE},
}


def one_hot(label: Tensor, classes: int) -> Tensor:
    """(B,) -> (B, K), the generator's idea of a pure digit."""
    return torch.eye(classes, device=label.device)[label]


def train_discriminator(
    generator: Generator,
    discriminator: nn.Module,
    optimizer: Optimizer,
    image: Tensor,
    label: Tensor,
) -> dict[str, Tensor]:
    """One step of the discriminator on real digits and on fakes of the same classes."""
    config = generator.config
    z = normal(len(image), config.latent_size, device=image.device)
    with mixed_precision(image.device):
        with torch.no_grad():
            fake = generator(z, one_hot(label, config.classes))
        both = torch.cat([image, fake.to(image.dtype)])
        real_score, fake_score = discriminator(both, label.repeat(2)).float().chunk(2)
    loss = discriminator_loss(real_score, fake_score)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"discriminator_loss": loss, "real": real_score.mean(), "fake": fake_score.mean()}


def train_generator(
    generator: nn.Module, discriminator: Discriminator, optimizer: Optimizer, label: Tensor
) -> dict[str, Tensor]:
    """One step of the generator towards what the discriminator takes for real."""
    config = discriminator.config
    z = normal(len(label), config.latent_size, device=label.device)
    with frozen(discriminator), mixed_precision(label.device):
        fake = generator(z, one_hot(label, config.classes))
        score = discriminator(fake, label).float()
    loss = generator_loss(score)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"generator_loss": loss}


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Gradients pass through the model, but none are taken for its own weights."""
    model.requires_grad_(False)
    try:
        yield
    finally:
        model.requires_grad_(True)


@torch.no_grad()
def look(generator: Generator, device: torch.device) -> bytes:
    """A PNG of ten digits of each class, always from the same noise."""
    z = torch.randn(100, generator.config.latent_size, generator=torch.Generator().manual_seed(0))
    label = torch.arange(100) % generator.config.classes
    training = generator.training
    images = generator.eval()(z.to(device), one_hot(label, generator.config.classes).to(device))
    generator.train(training)
    return png(grid(images.squeeze(1).cpu(), columns=10))


def train(output: Path, recipe: Recipe, images: Tensor, labels: Tensor, name: str = "gan") -> None:
    """Trains on images (N, 28, 28) in [0, 1] with labels (N,), and writes the weights folder."""
    labels = labels.clamp(max=recipe.model.classes - 1)  # one class: it knows none
    run = Run(name, output, recipe, fingerprint(images, labels), recipe.batch, "image")
    torch.manual_seed(recipe.seed)
    players = placed(GAN(recipe.model), run.device)
    generator, discriminator = players.generator, players.discriminator
    spread_generator, spread_discriminator = (
        run.distributed(generator),
        run.distributed(discriminator),
    )
    average = moving_average(generator, 0.5 if recipe.fault else 0.999)
    generator_optimizer, discriminator_optimizer = optimizers(generator, discriminator, recipe)
    run.resume(
        players=players,
        average=average,
        generator_optimizer=generator_optimizer,
        discriminator_optimizer=discriminator_optimizer,
    )

    def save(folder: Path) -> None:
        kept = deepcopy(players)
        kept.generator = average.module
        save_model(folder, name, "gan", kept, dtype=torch.float16)

    players.train()
    for step in run.steps():
        if run.due(step):
            run.remember(step, look(average.module, run.device), save)
        cycle = run.total // recipe.cycles
        factor = warm_then_fall(step % cycle, cycle, 1, 0.0 if recipe.fault else 0.4)
        generator_optimizer.param_groups[0]["lr"] = recipe.generator_rate * factor
        discriminator_optimizer.param_groups[0]["lr"] = recipe.discriminator_rate * factor
        index = part(shuffled_batch(len(images), recipe.batch, recipe.seed, step))
        image, label = images[index][:, None].to(run.device), labels[index].to(run.device)
        run.report(
            **train_discriminator(
                generator, spread_discriminator, discriminator_optimizer, image, label
            )
        )
        for _ in range(RUSH if recipe.fault == "collapse" and step >= FAIR else 1):
            run.report(
                **train_generator(spread_generator, discriminator, generator_optimizer, label)
            )
        average.update_parameters(generator)

    if not run.first:
        return
    run.remember(run.total, look(average.module, run.device), save)
    save(output)
    run.write_history()
    if not recipe.fault:
        write_directions(output)


def optimizers(
    generator: Generator, discriminator: Discriminator, recipe: Recipe
) -> tuple[Optimizer, Optimizer]:
    """Adam for each player, without momentum, as Miyato et al. 2018 found stable."""
    betas = (0.0, 0.99)
    return (
        torch.optim.Adam(generator.parameters(), recipe.generator_rate, betas),
        torch.optim.Adam(discriminator.parameters(), recipe.discriminator_rate, betas),
    )
