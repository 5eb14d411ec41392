"""Which device computes, and in which number format."""

import os

import torch


def choose_device(device: str | None = None) -> torch.device:
    """The named device, else CUDA, MPS or the CPU, whichever is there first.

    Raises:
        ValueError: no such kind of device, or not on this machine.
    """
    borrowed = "SPACES_ZERO_GPU" in os.environ  # a GPU for seconds, inside marked functions alone
    here = {
        "cuda": torch.cuda.is_available() and not borrowed,
        "mps": torch.backends.mps.is_available(),
    }
    here["cpu"] = True
    if device is None:
        return torch.device(next(kind for kind, available in here.items() if available))
    if not here.get(str(device).split(":")[0], False):
        raise ValueError(f"expected one of {[k for k in here if here[k]]}, got {device!r}")
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"expected a device such as cpu or cuda:0, got {device!r}") from error


def multiplies_bfloat16(device: torch.device) -> bool:
    """True if the hardware has fast matrix products in bfloat16."""
    cpu = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return cpu or device.type == "cuda"


def mixed_precision(device: torch.device) -> torch.autocast:
    """bfloat16 for matrix products where the hardware multiplies it fast, else nothing."""
    return torch.autocast(device.type, torch.bfloat16, enabled=multiplies_bfloat16(device))
