"""Class-conditional flow matching for 28x28 digits: a small U-Net that knows which way to go.

A digit x1 and noise x0 lie at the ends of a straight line; the model learns the velocity x1 - x0 at
every point x_t = (1 - t) x0 + t x1 between them, and drawing follows it from noise to digit.

Lipman et al. 2023, arXiv:2210.02747; Liu et al. 2023, arXiv:2209.03003; U-Net after Ronneberger
et al. 2015, arXiv:1505.04597; classes dropped at times, so that they can be stressed later: Ho &
Salimans 2022, arXiv:2207.12598.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class FlowConfig:
    channels: int = 32  # C, width of the 14x14 stage; 2C at 7x7
    blocks: int = 4  # residual blocks at 7x7
    classes: int = 10  # K


class Block(nn.Module):
    """Two 3x3 convolutions added to what came in; time and class scale and shift their input."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels, affine=False)
        self.modulate = nn.Linear(condition, 2 * channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)  # it starts as the identity
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x: (B, C, H, W); condition: (B, E) -> like x."""
        scale, shift = self.modulate(condition)[:, :, None, None].float().chunk(2, dim=1)
        h = torch.addcmul(shift, self.norm(x), 1 + scale)
        return x + self.second(F.silu(self.first(F.silu(h))))


class Attention(nn.Module):
    """Every place of the picture looks at every other. (B, C, H, W) -> same shape."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, channels)
        self.look = nn.Conv2d(channels, 3 * channels, 1)
        self.join = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.join.weight)
        nn.init.zeros_(self.join.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        rows = self.look(self.norm(x)).float().flatten(2)  # (B, 3C, H*W)
        query, key, value = rows.unflatten(1, (3, self.heads, -1)).mT.unbind(1)
        weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)  # (B, heads, H*W, H*W)
        return x + self.join((weights @ value).mT.reshape(x.shape))


class Flow(nn.Module):
    """The velocity of a picture on its way from noise to digit."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        c, wide = config.channels, 4 * config.channels
        self.time = nn.Sequential(nn.Linear(c, wide), nn.SiLU(), nn.Linear(wide, wide))
        self.label = nn.Embedding(config.classes + 1, wide)  # the last: no class told
        self.fold = nn.Conv2d(4, c, 3, padding=1)
        self.down14 = Block(c, wide)
        self.shrink = nn.Conv2d(c, 2 * c, 4, stride=2, padding=1)
        self.blocks7 = nn.ModuleList(Block(2 * c, wide) for _ in range(config.blocks))
        self.attention = Attention(2 * c)
        self.grow = nn.Conv2d(2 * c, 4 * c, 1)
        self.up14 = Block(c, wide)
        self.norm = nn.GroupNorm(8, c)
        self.unfold = nn.Conv2d(c, 4, 3, padding=1)
        nn.init.zeros_(self.unfold.weight)
        nn.init.zeros_(self.unfold.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """The velocity at a point of the way.

        x: (B, 1, 28, 28), noise at t = 0, a digit in [-1, 1] at t = 1; t: (B,) in [0, 1];
        label: (B,) 0..K, K where no class is told -> (B, 1, 28, 28).
        """
        return self.stages(x, t, label)["velocity"]

    def stages(self, x: Tensor, t: Tensor, label: Tensor) -> dict[str, Tensor]:
        """The layers' outputs in order: (B, channels, side, side); the last is the velocity."""
        condition = F.silu(self.time(waves(t, self.config.channels)) + self.label(label))
        fold = self.fold(F.pixel_unshuffle(x, 2)).float()  # (B, 4, 14, 14) -> (B, C, 14, 14)
        down = self.down14(fold, condition)
        h = self.shrink(down).float()  # (B, 2C, 7, 7)
        passed = {"fold": fold, "down14": down, "shrink": h}
        for place, block in enumerate(self.blocks7):
            h = block(h, condition)
            if place == 0:
                h = self.attention(h)
            passed[f"block7.{place}"] = h
        up = down + F.pixel_shuffle(self.grow(h), 2)  # what was seen at 14x14 joins again
        passed["up14"] = up = self.up14(up, condition)
        velocity = F.pixel_shuffle(self.unfold(F.silu(self.norm(up))), 2)
        return {**passed, "velocity": velocity}


def waves(t: Tensor, size: int) -> Tensor:
    """Times (B,) in [0, 1] as sines and cosines of rising frequency, (B, size).

    Vaswani et al. 2017, arXiv:1706.03762, section 3.5, with time in thousandths.
    """
    rates = torch.exp(-math.log(10_000) * torch.arange(size // 2, device=t.device) / (size // 2))
    angles = 1000 * t[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)


def between(noise: Tensor, digit: Tensor, t: Tensor) -> Tensor:
    """The point x_t = (1 - t) noise + t digit of the straight line. (B, ...), t: (B,).

    Lipman et al. 2023, arXiv:2210.02747, eq. 22 with the smallest width 0.
    """
    t = t.view(-1, *[1] * (digit.dim() - 1))
    return (1 - t) * noise + t * digit


def flow_loss(velocity: Tensor, noise: Tensor, digit: Tensor) -> Tensor:
    """Mean squared distance of a velocity from the line's own, digit - noise. -> scalar.

    Lipman et al. 2023, arXiv:2210.02747, eq. 23. (B, 1, 28, 28) each.
    """
    return F.mse_loss(velocity, digit - noise)


def follow(
    velocity: Callable[[Tensor, float], Tensor],
    x: Tensor,
    steps: int,
    start: float = 0.0,
    solver: str = "euler",
) -> Iterator[Tensor]:
    """The pictures from a time to the end, the first and the last among them, steps + 1 in all.

    velocity: of pictures at a time; solver: euler or heun, which ends on a step of Euler, as the
    velocity at the very end says nothing more (Karras et al. 2022, arXiv:2206.00364, algorithm 1).
    """
    size = (1 - start) / steps
    yield x
    for step in range(steps):
        t = start + step * size
        slope = velocity(x, t)
        if solver == "heun" and step < steps - 1:
            # The mean of the slopes here and where Euler's step would lead.
            slope = (slope + velocity(x + size * slope, t + size)) / 2
        x = x + size * slope
        yield x


def shown(x: Tensor) -> Tensor:
    """Pictures on their way in [0, 1]."""
    return (x / 2 + 0.5).clamp(0, 1)
