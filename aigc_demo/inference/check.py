"""Checks that the wrappers share. Each raises ValueError with what was expected and what came."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

HIGHEST_SEED = 2**63 - 1
MAX_IMAGES = 10_000  # images in one call


def whole(value: Any, name: str, low: int, high: int) -> int:
    """A whole number in a range; no boolean, no string."""
    if isinstance(value, Tensor | np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"expected {name} as a whole number, got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"expected {name} from {low} to {high}, got {value}")
    return int(value)


def real(value: Any, name: str, low: float, high: float) -> float:
    """A finite number in a range."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ValueError(f"expected {name} as a number, got {value!r}")
    if not low <= value <= high:  # nor is NaN
        raise ValueError(f"expected {name} from {low:g} to {high:g}, got {value}")
    return float(value)


def wholes(values: Any, name: str, low: int, high: int) -> list[int]:
    """A list of whole numbers in a range, not empty."""
    if isinstance(values, Tensor | np.ndarray):
        values = values.tolist()
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise ValueError(f"expected a list of {name}, got {values!r}")
    if not 0 < len(values) <= MAX_IMAGES:
        raise ValueError(f"expected 1 to {MAX_IMAGES} {name}, got {len(values)}")
    return [whole(value, name, low, high) for value in values]


def matrix(values: Any, name: str, columns: int) -> Tensor:
    """A float32 tensor (B, columns) of finite numbers, not empty."""
    try:
        tensor = torch.as_tensor(values, dtype=torch.float32)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ValueError(f"expected {name} as numbers (B, {columns}), got {error}") from None
    if tensor.ndim != 2 or tensor.shape[1] != columns or len(tensor) == 0:
        raise ValueError(f"expected {name} of shape (B, {columns}), got {tuple(tensor.shape)}")
    if not tensor.isfinite().all():
        raise ValueError(f"expected finite {name}, got NaN or infinity")
    return tensor
