"""One process's part of a batch: its rows, random numbers for them, and batch norm over the whole.

In a training on several processes each holds a part of every batch. The numbers are drawn for the
whole batch, by every process alike, and each keeps those of its part: so they do not depend on how
many processes there are. With one process the part is the whole.
"""

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn


def place() -> tuple[int, int]:
    """This process's number, from 0, and how many there are."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def part(batch: Tensor) -> Tensor:
    """The rows of a whole batch that are this process's.

    Raises:
        ValueError: the batch cannot be shared evenly.
    """
    rank, world = place()
    rows, left = divmod(len(batch), world)
    if left:
        raise ValueError(f"expected a batch that {world} processes share evenly, got {len(batch)}")
    return batch[rank * rows : (rank + 1) * rows]


def uniform(rows: int, *shape: int, device: torch.device | None = None) -> Tensor:
    """Numbers from [0, 1) for a part of so many rows. Draws from torch's default generator."""
    return _drawn(torch.rand, rows, shape, device)


def normal(rows: int, *shape: int, device: torch.device | None = None) -> Tensor:
    """Standard normal numbers for a part of so many rows, from torch's default generator."""
    return _drawn(torch.randn, rows, shape, device)


def _drawn(
    draw: Callable[..., Tensor], rows: int, shape: tuple[int, ...], device: torch.device | None
) -> Tensor:
    _, world = place()
    return part(draw(world * rows, *shape, device=device))


class BatchNorm(nn.BatchNorm2d):
    """Batch norm over the whole batch, also where several processes hold a part of it each."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> same shape."""
        _, world = place()
        if not self.training or world == 1:
            return super().forward(x)
        from torch.distributed.nn.functional import all_reduce  # one that gradients pass through

        moments = torch.stack([x.float().mean((0, 2, 3)), x.float().square().mean((0, 2, 3))])
        mean, square = all_reduce(moments) / world
        variance = square - mean**2
        with torch.no_grad():
            count = world * x.numel() / x.shape[1]
            self.running_mean.lerp_(mean, self.momentum)  # type: ignore[union-attr, arg-type]
            self.running_var.lerp_(  # type: ignore[union-attr]
                variance * count / (count - 1),
                self.momentum,  # type: ignore[arg-type]
            )
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr, operator]
        scale = (variance + self.eps).rsqrt()
        shift = -mean * scale
        if self.affine:
            scale, shift = scale * self.weight, shift * self.weight + self.bias
        return x * scale[:, None, None] + shift[:, None, None]
