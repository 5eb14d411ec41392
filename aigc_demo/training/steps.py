"""What the steps of all trainings share: the data and its order, rates, seeds, averages."""

import hashlib
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Model = TypeVar("Model", bound=nn.Module)


def fingerprint(*data: Tensor | str) -> str:
    """SHA-256 of what a training reads, so that it never goes on with something else."""
    digest = hashlib.sha256()
    for part in data:
        digest.update(part.encode() if isinstance(part, str) else part.numpy().tobytes())
    return digest.hexdigest()


def log_spaced(steps: int, count: int) -> list[int]:
    """About so many steps from 0 to the last, ever further apart."""
    powers = (steps ** (index / (count - 2)) for index in range(count - 1))
    return sorted({0, *(round(power) for power in powers)})


def step_seed(seed: int, step: int, stream: int = 0) -> int:
    """A seed for one step; other streams give other numbers for the same step."""
    return (seed * 1_000_003 + step) * 7 + stream


def shuffled_batch(count: int, batch: int, seed: int, step: int) -> Tensor:
    """The indices of a step's batch: every epoch passes through all items in a new order."""
    epoch, position = divmod(step, max(1, count // batch))
    generator = torch.Generator().manual_seed(step_seed(seed, epoch, stream=1))
    order = _order(count, generator, (count, seed, epoch))
    return order[position * batch : (position + 1) * batch]


_last_order: dict[tuple[int, int, int], Tensor] = {}


def _order(count: int, generator: torch.Generator, key: tuple[int, int, int]) -> Tensor:
    """The order of one epoch, kept until the next one is asked for."""
    if key not in _last_order:
        _last_order.clear()
        _last_order[key] = torch.randperm(count, generator=generator)
    return _last_order[key]


def placed(model: Model, device: torch.device) -> Model:
    """Moves the model to the device in channels_last format, in which convolutions are faster."""
    return model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def moving_average(model: nn.Module, decay: float) -> Any:
    """A running average of a model's weights and buffers, short at first, then of 1/(1 - decay).

    Returns an AveragedModel, whose `module` is the averaged model.
    """

    def average(old: Tensor, new: Tensor, count: Tensor | int) -> Tensor:
        if not old.is_floating_point():
            return new
        return old.lerp(new, 1 - min(decay, (1 + float(count)) / (10 + float(count))))

    return AveragedModel(model, avg_fn=average, use_buffers=True)


def warm_then_fall(step: int, steps: int, warm: int, fall: float) -> float:
    """A learning-rate factor: up to 1 in `warm` steps, and down to 0 over the last share `fall`."""
    return max(0.0, min(1.0, (step + 1) / max(1, warm), (steps - step) / max(1.0, fall * steps)))
