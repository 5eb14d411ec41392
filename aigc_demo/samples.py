"""The bundled part of the data: digits of MNIST, their index, and excerpts of both corpora."""

from functools import cache
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

SAMPLES = Path(__file__).resolve().parent.parent / "weights/samples"


def sample_digits(split: str) -> tuple[Tensor, Tensor]:
    """The bundled part of MNIST: 1,000 images (N, 28, 28) in [0, 1] and labels (N,).

    split: "train" or "test".
    """
    tensors = _sample_bytes()
    return tensors[f"{split}_images"].float() / 255, tensors[f"{split}_labels"].long()


@cache
def _sample_bytes() -> dict[str, Tensor]:
    return load_file(SAMPLES / "digits.safetensors")


def sample_index() -> dict[str, Tensor]:
    """The bundled index of the 60,000 training digits; data/samples.py says what is in it."""
    return load_file(SAMPLES / "index.safetensors")


def sample_text(name: str) -> str:
    """The bundled excerpt of a corpus: "shakespeare.txt", "unseen.txt" or "poems.json"."""
    return (SAMPLES / name).read_text(encoding="utf-8")
