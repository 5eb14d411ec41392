"""Trains a VAE: one climb of the ELBO, with pixels drawn anew as black or white at every step.

The last share of the steps climbs the importance-weighted bound (Burda et al. 2016), which forgives
a posterior that is not quite Gaussian.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from aigc_demo.devices import mixed_precision
from aigc_demo.images import grid, png
from aigc_demo.models.batch import part, uniform
from aigc_demo.models.vae import VAE, VAEConfig, importance_bound
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
    model: VAEConfig
    steps: int
    batch: int = 128
    learning_rate: float = 1e-3
    samples: int = 5  # of the importance-weighted bound
    weighted: float = 0.5  # the last share of the steps, which climbs that bound
    beta: float = 1.0  # weight of the KL term (Higgins et al. 2017); 1: the ELBO
    seed: int = 0
    seconds: float = 0.0  # at most; 0: as long as the steps take
    snapshots: int = 0  # of the weights


FLAT = VAEConfig(hidden=400, depth=3)
DEEP = VAEConfig(latent_size=32, hidden=256, channels=16, couplings=6)


def _question(beta: float) -> dict[str, Recipe]:
    """The same small model for each weight of the KL term, to be compared."""
    small = Recipe(VAEConfig(hidden=96), steps=12_000, weighted=0.0, beta=beta)
    return {"smoke": replace(small, steps=100), "cpu": small, "gpu": small}


RECIPES = {
    "vae-2d": {
        "smoke": Recipe(VAEConfig(hidden=64), steps=100),
        "cpu": Recipe(FLAT, steps=16_000, samples=8),
        "gpu": Recipe(FLAT, steps=300_000, samples=16),
        "small": Recipe(VAEConfig(hidden=96), steps=50_000, weighted=0.0, seconds=60),
        "medium": Recipe(VAEConfig(hidden=200), steps=50_000, weighted=0.0, seconds=60),
    },
    "vae": {
        "smoke": Recipe(VAEConfig(8, hidden=32, channels=4, couplings=2), steps=100),
        "cpu": Recipe(DEEP, steps=20_000, weighted=0.15, samples=4),
        "gpu": Recipe(VAEConfig(32, hidden=512, channels=64, couplings=8), steps=300_000),
    },
    "vae-beta-0": _question(0.0),
    "vae-beta-1": _question(1.0),
    "vae-beta-10": _question(10.0),
}


def train_step(
    model: nn.Module, optimizer: Optimizer, image: Tensor, samples: int, beta: float = 1.0
) -> dict:
    """One step up the bound, its KL term weighed by beta. Returns batch means, nats per image."""
    with mixed_precision(image.device):
        log_likelihood, ratio = model(image, samples)
    loss = -importance_bound(log_likelihood, beta * ratio).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"loss": loss, "kl": -ratio.mean()}


@torch.no_grad()
def look(model: VAE, device: torch.device) -> bytes:
    """A PNG of the latent square from -2.5 to 2.5 for two dimensions, else of 100 prior samples."""
    size = model.config.latent_size
    if size == 2:
        axis = torch.linspace(-2.5, 2.5, 10)
        z = torch.cartesian_prod(-axis, axis).flip(1).to(device)
    else:
        noise = torch.randn(100, size, generator=torch.Generator().manual_seed(0))
        z = model.prior.from_noise(noise.to(device))
    return png(grid(model.decoder(z).sigmoid().squeeze(1).cpu(), columns=10))


def train(name: str, output: Path, recipe: Recipe, images: Tensor) -> None:
    """Trains on images (N, 28, 28) in [0, 1], and writes the weights folder."""
    run = Run(name, output, recipe, fingerprint(images), recipe.batch, "image")
    torch.manual_seed(recipe.seed)
    model = placed(VAE(recipe.model), run.device)
    spread = run.distributed(model)
    average = moving_average(model, 0.999)
    optimizer = torch.optim.Adam(model.parameters(), recipe.learning_rate)
    run.resume(model=model, average=average, optimizer=optimizer)

    def save(folder: Path) -> None:
        save_model(folder, name, "vae", average.module, dtype=torch.float16)

    for step in run.steps():
        if run.due(step):
            run.remember(step, look(average.module, run.device), save)
        optimizer.param_groups[0]["lr"] = recipe.learning_rate * warm_then_fall(
            step, run.total, 200, 0.7
        )
        index = part(shuffled_batch(len(images), recipe.batch, recipe.seed, step))
        image = images[index][:, None].to(run.device)
        binary = (uniform(*image.shape, device=run.device) < image).float()
        weighted = step >= run.total * (1 - recipe.weighted)
        samples = recipe.samples if weighted else 1
        run.report(**train_step(spread, optimizer, binary, samples, recipe.beta))
        average.update_parameters(model)

    if not run.first:
        return
    run.remember(run.total, look(average.module, run.device), save)
    save(output)
    run.write_history()
