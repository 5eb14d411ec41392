"""The small part of the corpora that is committed, under weights/samples/."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from aigc_demo.data.mnist import read_mnist
from aigc_demo.data.poems import read_poems
from aigc_demo.data.shakespeare import read_shakespeare, split_text
from aigc_demo.prosody import FORMS

DIGITS = 1_000  # of each split, as many of each class
CHARACTERS = 60_000  # the start of Tiny Shakespeare
UNSEEN = 5_000  # of the tenth that is held out
POEMS = 300  # of each form
AXES = 64  # principal components in the index of training digits


def write_samples(data: Path, folder: Path) -> None:
    """Writes digits, their index, two excerpts of the plays, one of the poems: the same bytes
    every time. unseen.txt begins the tenth of the plays that no model was trained on."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for split in ("train", "test"):
        images, labels = read_mnist(data, train=split == "train")
        first = [torch.where(labels == digit)[0][: DIGITS // 10] for digit in range(10)]
        index = torch.cat(first).sort().values
        tensors[f"{split}_images"] = (images[index] * 255).round().byte()
        tensors[f"{split}_labels"] = labels[index].byte()
    save_file(tensors, folder / "digits.safetensors")

    index_digits(data, tensors["test_images"].float() / 255, folder / "index.safetensors")

    text = read_shakespeare(data)
    (folder / "shakespeare.txt").write_text(text[:CHARACTERS], encoding="utf-8")
    (folder / "unseen.txt").write_text(split_text(text)[1][:UNSEEN], encoding="utf-8")

    poems = read_poems(data, tuple(FORMS))
    rows = []
    for form in FORMS:
        rows += [asdict(poem) for poem in poems if poem.form == form][:POEMS]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "poems.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def index_digits(data: Path, unseen: Tensor, path: Path) -> None:
    """Writes an index of all 60,000 training digits: each as 64 whole numbers from -127 to 127.

    They are its coordinates on the first principal components of the training digits (Jolliffe,
    Principal Component Analysis, section 2.1), in units of `scale`. `real` holds, sorted, how far
    each of some unseen real digits (N, 28, 28) is from its nearest training digit there.
    """
    images, labels = read_mnist(data, train=True)
    mean = images.flatten(1).mean(0)
    centred = images.flatten(1) - mean
    axes = torch.linalg.eigh(centred.T @ centred)[1].flip(1)[:, :AXES]  # (784, 64), largest first
    axes = axes * axes.sum(0).sign()
    places = centred @ axes
    scale = places.abs().max() / 127
    codes = (places / scale).round().clamp(-127, 127).to(torch.int8)
    kept = codes.float() * scale
    unseen = (unseen.flatten(1) - mean) @ axes
    real = torch.cat([torch.cdist(part, kept).amin(1) for part in unseen.split(100)])
    save_file(
        {
            "codes": codes,
            "labels": labels.byte(),
            "scale": scale,
            "mean": mean,
            "axes": axes.half().contiguous(),
            "real": real.sort().values,
        },
        path,
    )
