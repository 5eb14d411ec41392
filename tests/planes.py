"""The networks of the laboratories, once more in PyTorch."""

from typing import Any

import torch
from servers import ROOT
from torch import Tensor, nn

STATIC = ROOT / "aigc_demo/ui/plane/static"


def modules(
    layers: int, width: int, outputs: int, theta: list[float], inputs: int = 2
) -> nn.Sequential:
    """The same network in PyTorch, with the same weights."""
    sizes = [inputs, *[width] * layers, outputs]
    parts: list[nn.Module] = []
    flat = torch.tensor(theta, dtype=torch.float64)
    for narrow, wide in zip(sizes, sizes[1:], strict=False):
        linear = nn.Linear(narrow, wide, dtype=torch.float64)
        weight, bias, flat = flat.split([narrow * wide, wide, len(flat) - (narrow + 1) * wide])
        linear.weight.data = weight.view(narrow, wide).T.contiguous()
        linear.bias.data = bias.clone()
        parts += [linear, nn.LeakyReLU(0.2)]
    assert len(flat) == 0
    return nn.Sequential(*parts[:-1])


def flatten(model: nn.Sequential, gradient: bool = False) -> Tensor:
    """Weights or their gradients, in the order of the script."""
    rows = []
    for linear in model:
        if isinstance(linear, nn.Linear):
            for value in (linear.weight, linear.bias):
                tensor = value.grad if gradient else value.data
                assert tensor is not None
                rows.append(tensor.t().flatten())
    return torch.cat(rows)


def same(ours: Any, theirs: Tensor) -> None:
    # Where a gradient is zero but for rounding (D's last bias, where only differences of scores
    # count), Adam makes up to 1e-9 of it.
    ours = torch.tensor(ours, dtype=torch.float64)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
