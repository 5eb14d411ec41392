"""Trains the judge: digits under small shifts, turns and scalings; cross-entropy; AdamW."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from aigc_demo.devices import mixed_precision
from aigc_demo.models.batch import part, uniform
from aigc_demo.models.judge import Judge, JudgeConfig
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
    model: JudgeConfig
    steps: int
    batch: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    seed: int = 0
    seconds: float = 0.0  # at most; 0: as long as the steps take


RECIPES = {
    "smoke": Recipe(JudgeConfig(channels=8), steps=60),
    "cpu": Recipe(JudgeConfig(), steps=6_000),
    "gpu": Recipe(JudgeConfig(channels=64), steps=24_000),
}


def jitter(image: Tensor) -> Tensor:
    """Each digit turned up to 12 degrees, sheared, scaled by up to 12 %, moved by up to 2 pixels.

    (B, 1, 28, 28) -> same shape. Draws from torch's default generator.
    """
    batch = len(image)
    angle, shear, across, down, right, below = 2 * uniform(batch, 6).T - 1
    turn = torch.zeros(batch, 2, 3)
    turn[:, 0, 0] = (0.21 * angle).cos() * (1 + 0.12 * across)
    turn[:, 0, 1] = 0.2 * shear - (0.21 * angle).sin()
    turn[:, 1, 0] = (0.21 * angle).sin()
    turn[:, 1, 1] = (0.21 * angle).cos() * (1 + 0.12 * down)
    turn[:, :, 2] = torch.stack([right, below], 1) * 2 / 14
    place = F.affine_grid(turn.to(image.device), list(image.shape), align_corners=False)
    return F.grid_sample(image, place, align_corners=False)


def train_step(model: nn.Module, optimizer: Optimizer, image: Tensor, label: Tensor) -> Tensor:
    """One step down the cross-entropy, labels smoothed by 0.05. Returns the loss, in nats."""
    with mixed_precision(image.device):
        logits = model(image)
    loss = F.cross_entropy(logits.float(), label, label_smoothing=0.05)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def train(output: Path, recipe: Recipe, images: Tensor, labels: Tensor) -> None:
    """Trains on images (N, 28, 28) in [0, 1] with labels (N,), and writes the weights folder."""
    run = Run("judge", output, recipe, fingerprint(images, labels), recipe.batch, "image")
    torch.manual_seed(recipe.seed)
    model = placed(Judge(recipe.model), run.device)
    spread = run.distributed(model)
    average = moving_average(model, 0.999)
    optimizer = torch.optim.AdamW(
        model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    run.resume(model=model, average=average, optimizer=optimizer)

    model.train()
    for step in run.steps():
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * warm_then_fall(step, run.total, 200, 0.8)
        index = part(shuffled_batch(len(images), recipe.batch, recipe.seed, step))
        image = jitter(images[index][:, None].to(run.device))
        loss = train_step(spread, optimizer, image, labels[index].to(run.device))
        average.update_parameters(model)
        run.report(loss=loss)

    if not run.first:
        return
    save_model(output, "judge", "judge", average.module)
    run.write_history()
