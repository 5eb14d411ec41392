"""Trains the flow: a point on a straight line from noise to a digit, and which way it leads.

The last steps put guidance into the network itself, so that a step of drawing asks it once and not
twice: Meng et al. 2023, arXiv:2210.03142, section 3.1; at times between, where it serves, as in
Kynkäänniemi et al. 2024, arXiv:2404.07724.
"""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.devices import mixed_precision
from aigc_demo.images import grid, png
from aigc_demo.models.batch import normal, part, uniform
from aigc_demo.models.flow import Flow, FlowConfig, between, flow_loss, follow, shown
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
    model: FlowConfig
    steps: int
    last: int  # of these steps: all times are drawn alike, and the class is stressed,
    more: int = 0  # and more so in the last of these
    batch: int = 128
    rate: float = 1e-3
    untold: float = 0.1  # the share of digits whose class is not told (Ho & Salimans 2022)
    stress: tuple[float, float] = (1.75, 2.3)  # guidance that both put into the network,
    stressed: tuple[float, float] = (0.3, 0.8)  # at these times
    seed: int = 0
    seconds: float = 0.0  # at most; 0: as long as the steps take
    snapshots: int = 0  # of the weights


RECIPES = {
    "smoke": Recipe(FlowConfig(channels=16, blocks=1), steps=40, last=20, more=10),
    "cpu": Recipe(FlowConfig(), steps=73_000, last=13_000, more=3_000),
    "gpu": Recipe(FlowConfig(), steps=215_000, last=65_000, more=15_000, batch=256),
    "small": Recipe(FlowConfig(channels=16, blocks=1), steps=10_000, last=0, batch=64, seconds=60),
    "medium": Recipe(FlowConfig(channels=24, blocks=1), steps=10_000, last=0, batch=64, seconds=60),
}


@torch.no_grad()
def look(flow: Flow, device: torch.device) -> bytes:
    """A PNG of ten digits of each class, always from the same noise, in 10 steps."""
    noise = torch.randn(100, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    label = (torch.arange(100) % flow.config.classes).to(device)

    def velocity(x: Tensor, t: float) -> Tensor:
        return flow(x, x.new_full((len(x),), t), label)

    *_, end = follow(velocity, noise.to(device), steps=10)
    images = shown(end)
    return png(grid(images.squeeze(1).cpu(), columns=10))


@torch.no_grad()
def stress(
    teacher: Flow,
    recipe: Recipe,
    share: float,
    x: Tensor,
    t: Tensor,
    label: Tensor,
    told: Tensor,
) -> Tensor:
    """The part of guidance in the velocities of a batch, (B, 1, 28, 28); 0 where there is none.

    share: of what the teacher thinks that the class changes.
    """
    low, high = recipe.stressed
    rows = (told & (t >= low) & (t < high)).nonzero()[:, 0]
    added = torch.zeros_like(x)
    if len(rows):
        untold = torch.full_like(label[rows], recipe.model.classes)
        known, unknown = (teacher(x[rows], t[rows], of) for of in (label[rows], untold))
        added[rows] = share * (known - unknown).float()
    return added


def train(output: Path, recipe: Recipe, images: Tensor, labels: Tensor, name: str = "flow") -> None:
    """Trains on images (N, 28, 28) in [0, 1] with labels (N,), and writes the weights folder."""
    run = Run(name, output, recipe, fingerprint(images, labels), recipe.batch, "image")
    torch.manual_seed(recipe.seed)
    model = placed(Flow(recipe.model), run.device)
    spread = run.distributed(model)
    average = moving_average(model, 0.9995)
    optimizer = torch.optim.Adam(model.parameters(), recipe.rate, (0.9, 0.99))
    teacher = deepcopy(average.module).eval()  # as the first steps leave it
    run.resume(model=model, average=average, optimizer=optimizer, teacher=teacher)

    def save(folder: Path) -> None:
        save_model(folder, name, "flow", average.module, dtype=torch.float16)

    model.train()
    for step in run.steps():
        first, again = run.total - recipe.last, run.total - recipe.more
        if run.due(step):
            run.remember(step, look(average.module, run.device), save)
        if step in (first, again):
            teacher.load_state_dict(average.module.state_dict())
        if step < first:
            share = warm_then_fall(step, first, 500, 0.5)
        elif step < again:
            share = 0.4 * warm_then_fall(step - first, again - first, 500, 1)
        else:
            share = 0.4 * warm_then_fall(step - again, recipe.more, 500, 1)
        optimizer.param_groups[0]["lr"] = recipe.rate * share
        index = part(shuffled_batch(len(images), recipe.batch, recipe.seed, step))
        digit = 2 * images[index][:, None].to(run.device) - 1
        label = labels[index].to(run.device)
        noise = normal(len(digit), 1, 28, 28, device=run.device)
        if step < first:
            t = normal(len(digit), device=run.device).sigmoid()  # most often half way: it is hard
        else:  # or the first and the last step of a solver would be strange to it
            t = uniform(len(digit), device=run.device)
        told = uniform(len(digit), device=run.device) >= recipe.untold
        x = between(noise, digit, t)
        with mixed_precision(run.device):
            velocity = spread(x, t, label.where(told, recipe.model.classes)).float()
        if step >= first:
            low, high = recipe.stress  # the second teacher has learnt the first
            stressed = (high - 1) / low if step >= again else low - 1
            added = stress(teacher, recipe, stressed, x, t, label, told)
            digit = digit + added  # so goes the velocity too
        loss = flow_loss(velocity, noise, digit)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        run.report(loss=loss)
        average.update_parameters(model)

    if not run.first:
        return
    run.remember(run.total, look(average.module, run.device), save)
    save(output)
    run.write_history()
