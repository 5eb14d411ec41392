"""MNIST: 60,000 training and 10,000 test digits (LeCun, Cortes, Burges)."""

import gzip
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from aigc_demo.data.vision import torchvision

RAW = Path("mnist/MNIST/raw")


def read_mnist(folder: Path, train: bool) -> tuple[Tensor, Tensor]:
    """Images (N, 28, 28), float32 in [0, 1], and labels (N,), int64.

    Raises:
        ValueError: a file is missing or its MD5 is not the one that torchvision knows.
    """
    prefix = "train" if train else "t10k"
    images = _read(folder, f"{prefix}-images-idx3-ubyte.gz", header=16)
    labels = _read(folder, f"{prefix}-labels-idx1-ubyte.gz", header=8)
    return images.view(-1, 28, 28).float() / 255, labels.long()


def _read(folder: Path, name: str, header: int) -> Tensor:
    path = folder / RAW / name
    md5 = dict(torchvision.datasets.MNIST.resources)[name]
    if not path.is_file():
        raise ValueError(f"expected {path}; get it with: python -m aigc_demo data mnist")
    if not torchvision.datasets.utils.check_integrity(str(path), md5):
        raise ValueError(f"{path}: expected MD5 {md5}, got another")
    with gzip.open(path) as file:
        return torch.from_numpy(np.frombuffer(file.read(), np.uint8, offset=header).copy())


def download_mnist(folder: Path) -> None:
    """Fetches the four files from the mirrors that torchvision knows, checked by MD5."""
    torchvision.datasets.MNIST(str(folder / "mnist"), download=True)
