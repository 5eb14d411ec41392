"""Trains the fully connected GAN by its minimax loss, the two networks taking turns."""

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from aigc_demo.images import grid, png
from aigc_demo.models.batch import normal, part
from aigc_demo.models.gan_mlp import (
    MLPGAN,
    MLPDiscriminator,
    MLPGANConfig,
    MLPGenerator,
    minimax_value,
)
from aigc_demo.training.gan import frozen
from aigc_demo.training.run import Run
from aigc_demo.training.steps import fingerprint, moving_average, shuffled_batch, warm_then_fall
from aigc_demo.weights import save_model


@dataclass(frozen=True)
class Recipe:
    model: MLPGANConfig
    steps: int
    batch: int = 128
    learning_rate: float = 2e-4
    blur: float = 0.3  # noise on what the discriminator sees, fading to none
    seed: int = 0
    seconds: float = 0.0  # at most; 0: as long as the steps take
    snapshots: int = 0  # of the weights
    fault: str = ""  # judge: see AHEAD


# The discriminator runs ahead on purpose: so many steps for each of the generator's, and no blur.
AHEAD = 5
FAR_AHEAD = Recipe(MLPGANConfig(width=128), steps=2_000, blur=0.0, fault="judge")
RECIPES = {
    "gan-mlp": {
        "smoke": Recipe(MLPGANConfig(width=32), steps=60),
        "cpu": Recipe(MLPGANConfig(), steps=16_000),
        "gpu": Recipe(MLPGANConfig(), steps=200_000, batch=256),
    },
    "broken-judge": {
        "smoke": replace(FAR_AHEAD, model=MLPGANConfig(width=32), steps=60),
        "cpu": FAR_AHEAD,
        "gpu": FAR_AHEAD,
    },
}


def train_discriminator(
    generator: MLPGenerator,
    discriminator: nn.Module,
    optimizer: Optimizer,
    image: Tensor,
    blur: float,
) -> dict[str, Tensor]:
    """One step up the value of the game. Noise on the images keeps it from certainty at first."""
    with torch.no_grad():
        z = normal(len(image), generator.config.latent_size, device=image.device)
        both = torch.cat([image, generator(z)])
        both += blur * torch.cat([normal(*image.shape, device=image.device) for _ in range(2)])
    real_score, fake_score = discriminator(both).chunk(2)
    value = minimax_value(real_score, fake_score)
    optimizer.zero_grad()
    (-value).backward()
    optimizer.step()
    return {"discriminator_loss": -value, "real": real_score.mean(), "fake": fake_score.mean()}


def train_generator(
    generator: nn.Module,
    discriminator: MLPDiscriminator,
    optimizer: Optimizer,
    z: Tensor,
    blur: float,
) -> dict[str, Tensor]:
    """One step down the part of the value that the generator has a hand in."""
    with frozen(discriminator):
        fake = generator(z)
        score = discriminator(fake + blur * normal(*fake.shape, device=z.device))
    loss = nn.functional.logsigmoid(-score).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"generator_loss": loss}


@torch.no_grad()
def look(generator: MLPGenerator, device: torch.device) -> bytes:
    """A PNG of a hundred digits, always from the same noise."""
    draw = torch.Generator().manual_seed(0)
    z = torch.randn(100, generator.config.latent_size, generator=draw)
    return png(grid(generator(z.to(device)).squeeze(1).cpu(), columns=10))


def train(output: Path, recipe: Recipe, images: Tensor, name: str = "gan-mlp") -> None:
    """Trains on images (N, 28, 28) in [0, 1], and writes the weights folder."""
    run = Run(name, output, recipe, fingerprint(images), recipe.batch, "image")
    torch.manual_seed(recipe.seed)
    players = MLPGAN(recipe.model).to(run.device)
    generator, discriminator = players.generator, players.discriminator
    spread_generator, spread_discriminator = (
        run.distributed(generator),
        run.distributed(discriminator),
    )
    average = moving_average(generator, 0.999)
    rate, betas = recipe.learning_rate, (0.5, 0.999)
    climb = torch.optim.Adam(discriminator.parameters(), rate, betas)
    descend = torch.optim.Adam(generator.parameters(), rate, betas)
    run.resume(players=players, average=average, climb=climb, descend=descend)

    def save(folder: Path) -> None:
        kept = deepcopy(players)
        kept.generator = average.module
        save_model(folder, name, "gan-mlp", kept, dtype=torch.float16)

    for step in run.steps():
        if run.due(step):
            run.remember(step, look(average.module, run.device), save)
        for optimizer in (climb, descend):
            optimizer.param_groups[0]["lr"] = rate * warm_then_fall(step, run.total, 1, 0.5)
        blur = recipe.blur * (1 - step / run.total)
        index = part(shuffled_batch(len(images), recipe.batch, recipe.seed, step))
        image = images[index][:, None].to(run.device)
        for _ in range(AHEAD if recipe.fault == "judge" else 1):
            run.report(**train_discriminator(generator, spread_discriminator, climb, image, blur))
        z = normal(len(image), recipe.model.latent_size, device=run.device)
        run.report(**train_generator(spread_generator, discriminator, descend, z, blur))
        average.update_parameters(generator)

    if not run.first:
        return
    run.remember(run.total, look(average.module, run.device), save)
    save(output)
    run.write_history()
