"""Inside the flow: the way of one digit, its velocities, what its loss and its steps come to."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.explain.gan import Part, as_maps
from aigc_demo.inference.flow import FlowSampler
from aigc_demo.models.flow import between, flow_loss, shown

STEPS = 20  # of a way that is looked at
EULER, HEUN = (1, 2, 4, 8, 20, 50), (1, 2, 4, 10)  # steps whose error is shown
REFERENCE = 50  # steps of Heun, taken for exact


def visible(x: Tensor) -> Tensor:
    """Pictures on their way as they are seen, in [0, 1]."""
    return shown(x)


@dataclass(frozen=True)
class Trajectory:
    """The path from noise to a digit by Euler's method, in the model's own scale of [-1, 1]."""

    times: Tensor  # (T,), from 0 on, without the end
    pictures: Tensor  # (T, 28, 28), where the way is at each time
    velocities: Tensor  # (T, 28, 28), where it is led
    digit: Tensor  # (28, 28), its end

    @property
    def guesses(self) -> Tensor:
        """The ends if the velocity of a time stayed as it is, x + (1 - t) v: (T, 28, 28)."""
        return self.pictures + (1 - self.times)[:, None, None] * self.velocities


def trajectory(
    sampler: FlowSampler, seed: int, label: int, guidance: float = 1.0, steps: int = STEPS
) -> Trajectory:
    """The trajectory of one digit by Euler's method."""
    noise, labels = sampler.noise([seed], [label])
    moments = torch.cat([*sampler.follow(noise, labels, steps, guidance)])
    times = torch.arange(steps) / steps
    return Trajectory(times, moments[:-1], moments.diff(dim=0) * steps, moments[-1])


def straightness(moments: Tensor) -> float:
    """The straight distance over the length of a way (T, ...): 1 is straight, less is curved.

    Liu et al. 2023, arXiv:2209.03003, measure it as a mean of squares (eq. 8); as a ratio of
    lengths it can be read off a drawing.
    """
    flat = moments.flatten(1)
    return ((flat[-1] - flat[0]).norm() / flat.diff(dim=0).norm(dim=1).sum()).item()


def seen_from_the_side(moments: Tensor) -> Tensor:
    """A way (T, ...) as points of a plane (T, 2), start at (0, 0), end at (1, 0).

    Across is the straight line to the end, up the distance from it, in the same unit.
    """
    flat = moments.flatten(1) - moments[0].flatten()
    line = flat[-1]
    across = flat @ line / line.dot(line)
    off = flat - across[:, None] * line
    return torch.stack([across, off.norm(dim=1) / line.norm()], 1)


@torch.inference_mode()
def layers(sampler: FlowSampler, x: Tensor, t: float, label: int) -> list[Part]:
    """From a picture on its way (28, 28) to its velocity, through every layer of the U-Net."""
    device = sampler.loaded.device
    given = x[None, None].to(device)
    made = sampler.loaded.model.stages(
        given.to(memory_format=torch.channels_last),
        torch.tensor([t], device=device),
        torch.tensor([label], device=device),
    )
    found = [("x", "noise", given), *((name, "generator", values) for name, values in made.items())]
    found[-1] = ("velocity", "discriminator", made["velocity"])
    return [
        Part(name, player, as_maps(values[0].float().cpu()), tuple(values.shape[1:]))
        for name, player, values in found
    ]


@dataclass(frozen=True)
class Lesson:
    """One term of the training's loss: a real digit, a noise, and a time between them."""

    digit: Tensor  # (28, 28), in [-1, 1]
    noise: Tensor
    between: Tensor  # the point of the line
    target: Tensor  # digit - noise
    velocity: Tensor  # the model's
    loss: float

    @property
    def errors(self) -> Tensor:
        """The squared error of each pixel, (28, 28)."""
        return (self.velocity - self.target) ** 2


def lesson(sampler: FlowSampler, image: Tensor, seed: int, label: int, t: float) -> Lesson:
    """The loss at one point of the line from a seed's noise to a digit (28, 28) in [0, 1]."""
    noise, labels = sampler.noise([seed], [label])
    digit = 2 * image[None] - 1
    x = between(noise, digit, torch.tensor([t]))
    velocity = sampler.velocity(x, t, labels)
    loss = flow_loss(velocity, noise, digit).item()
    return Lesson(digit[0], noise[0], x[0], (digit - noise)[0], velocity[0], loss)


@dataclass(frozen=True)
class Few:
    """A digit by fewer steps, and how far it is from where the flow leads."""

    solver: str
    steps: int
    looks: int  # times that the network is asked
    digit: Tensor  # (28, 28) in [0, 1]
    error: float  # root mean square over the pixels


def few_steps(
    sampler: FlowSampler, seed: int, label: int, guidance: float
) -> tuple[Tensor, list[Few]]:
    """A digit by many steps, (28, 28), and by fewer ones of either solver."""
    exact = sampler.sample([seed], [label], REFERENCE, guidance, "heun")[0]
    found = []
    for solver, counts in (("euler", EULER), ("heun", HEUN)):
        for steps in counts:
            digit = sampler.sample([seed], [label], steps, guidance, solver)[0]
            error = (digit - exact).square().mean().sqrt().item()
            looks = steps if solver == "euler" else 2 * steps - 1
            found.append(Few(solver, steps, looks, digit, error))
    return exact, found


def told_and_untold(sampler: FlowSampler, x: Tensor, t: float, label: int) -> tuple[Tensor, Tensor]:
    """The velocities of a picture (28, 28) with its class and without one."""
    told, untold = (sampler.velocity(x[None], t, [label], guidance)[0] for guidance in (1.0, 0.0))
    return told, untold


def strengths(
    sampler: FlowSampler, seed: int, label: int, guidances: Sequence[float], steps: int = STEPS
) -> Tensor:
    """The same noise under several guidances, (G, 28, 28) in [0, 1]."""
    found = [sampler.sample([seed], [label], steps, guidance)[0] for guidance in guidances]
    return torch.stack(found)
