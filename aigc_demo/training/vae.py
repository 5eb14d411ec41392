"""Trains a VAE: one climb of the ELBO, with pixels drawn anew as black or white at every step."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer

from aigc_demo.images import grid, png
from aigc_demo.models.vae import VAE, VAEConfig, elbo_terms
from aigc_demo.training.run import (
    Run,
    fingerprint,
    mixed_precision,
    moving_average,
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
    seed: int = 0


RECIPES = {
    "smoke": Recipe(VAEConfig(hidden=64), steps=100),
    "cpu": Recipe(VAEConfig(), steps=40_000),
    "gpu": Recipe(VAEConfig(), steps=300_000),
}


def train_step(model: VAE, optimizer: Optimizer, image: Tensor) -> dict[str, Tensor]:
    """One step up the ELBO. Returns batch means, in nats per image."""
    with mixed_precision(image.device):
        logits, mean, log_var = model(image)
    log_likelihood, kl = elbo_terms(logits.float(), image, mean.float(), log_var.float())
    loss = (kl - log_likelihood).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"loss": loss, "kl": kl.mean()}


@torch.no_grad()
def look(model: VAE, device: torch.device) -> bytes:
    """A PNG of the latent square from -2.5 to 2.5 for two dimensions, else of 100 prior samples."""
    size = model.config.latent_size
    if size == 2:
        axis = torch.linspace(-2.5, 2.5, 10)
        z = torch.cartesian_prod(-axis, axis).flip(1)
    else:
        z = torch.randn(100, size, generator=torch.Generator().manual_seed(0))
    return png(grid(model.decoder(z.to(device)).sigmoid().squeeze(1).cpu(), columns=10))


def train(name: str, output: Path, recipe: Recipe, images: Tensor) -> None:
    """Trains on images (N, 28, 28) in [0, 1], and writes the weights folder."""
    run = Run(name, output, recipe, fingerprint(images), recipe.batch, "image")
    torch.manual_seed(recipe.seed)
    model = VAE(recipe.model).to(run.device)
    average = moving_average(model, 0.999)
    optimizer = torch.optim.Adam(model.parameters(), recipe.learning_rate)
    run.keep(model=model, average=average, optimizer=optimizer)

    for step in run.steps():
        if run.due(step):
            run.remember(step, look(average.module, run.device))
        optimizer.param_groups[0]["lr"] = recipe.learning_rate * warm_then_fall(
            step, recipe.steps, 200, 0.7
        )
        index = shuffled_batch(len(images), recipe.batch, recipe.seed, step)
        image = torch.bernoulli(images[index][:, None].to(run.device))
        run.report(**train_step(model, optimizer, image))
        average.update_parameters(model)

    run.remember(recipe.steps, look(average.module, run.device))
    save_model(output, name, "vae", average.module, dtype=torch.float16)
    run.write_history()
