"""Trains the flow: a point on a straight line from noise to a digit, and which way it leads."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.devices import mixed_precision
from aigc_demo.images import grid, png
from aigc_demo.models.batch import normal, part, uniform
from aigc_demo.models.flow import Flow, FlowConfig, between, flow_loss, follow, shown
from aigc_demo.training.run import (
    Run,
    fingerprint,
    moving_average,
    placed,
    shuffled_batch,
    warm_then_fall,
)
from aigc_demo.weights import save_model


@dataclass(frozen=True)
class Recipe:
    model: FlowConfig
    steps: int
    batch: int = 128
    rate: float = 1e-3
    untold: float = 0.1  # the share of digits whose class is not told (Ho & Salimans 2022)
    seed: int = 0


RECIPES = {
    "smoke": Recipe(FlowConfig(channels=16, blocks=1), steps=40),
    "cpu": Recipe(FlowConfig(), steps=60_000),
    "gpu": Recipe(FlowConfig(), steps=150_000, batch=256),
}


@torch.no_grad()
def look(flow: Flow, device: torch.device) -> bytes:
    """A PNG of ten digits of each class, always from the same noise, in 10 steps."""
    noise = torch.randn(100, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    label = (torch.arange(100) % flow.config.classes).to(device)

    def velocity(x: Tensor, t: float) -> Tensor:
        return flow(x, x.new_full((len(x),), t), label)

    images = shown(follow(velocity, noise.to(device), steps=10)[-1])
    return png(grid(images.squeeze(1).cpu(), columns=10))


def train(output: Path, recipe: Recipe, images: Tensor, labels: Tensor, name: str = "flow") -> None:
    """Trains on images (N, 28, 28) in [0, 1] with labels (N,), and writes the weights folder."""
    run = Run(name, output, recipe, fingerprint(images, labels), recipe.batch, "image")
    torch.manual_seed(recipe.seed)
    model = placed(Flow(recipe.model), run.device)
    spread = run.distributed(model)
    average = moving_average(model, 0.9995)
    optimizer = torch.optim.Adam(model.parameters(), recipe.rate, (0.9, 0.99))
    run.resume(model=model, average=average, optimizer=optimizer)

    model.train()
    for step in run.steps():
        if run.due(step):
            run.remember(step, look(average.module, run.device))
        optimizer.param_groups[0]["lr"] = recipe.rate * warm_then_fall(step, recipe.steps, 500, 0.5)
        index = part(shuffled_batch(len(images), recipe.batch, recipe.seed, step))
        digit = 2 * images[index][:, None].to(run.device) - 1
        label = labels[index].to(run.device)
        noise = normal(len(digit), 1, 28, 28, device=run.device)
        t = normal(len(digit), device=run.device).sigmoid()  # most often half way, where it is hard
        told = uniform(len(digit), device=run.device) >= recipe.untold
        with mixed_precision(run.device):
            velocity = spread(
                between(noise, digit, t), t, label.where(told, recipe.model.classes)
            ).float()
        loss = flow_loss(velocity, noise, digit)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        run.report(loss=loss)
        average.update_parameters(model)

    if not run.first:
        return
    run.remember(recipe.steps, look(average.module, run.device))
    save_model(output, name, "flow", average.module, dtype=torch.float16)
    run.write_history()
