"""The small part of the corpora that is committed, under weights/samples/."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from aigc_demo.data.mnist import read_mnist
from aigc_demo.data.poems import read_poems
from aigc_demo.data.shakespeare import read_shakespeare
from aigc_demo.prosody import FORMS

DIGITS = 1_000  # of each split, as many of each class
CHARACTERS = 60_000  # the start of Tiny Shakespeare
POEMS = 300  # of each form


def write_samples(data: Path, folder: Path) -> None:
    """Writes digits.safetensors, shakespeare.txt and poems.json, the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for split in ("train", "test"):
        images, labels = read_mnist(data, train=split == "train")
        first = [torch.where(labels == digit)[0][: DIGITS // 10] for digit in range(10)]
        index = torch.cat(first).sort().values
        tensors[f"{split}_images"] = (images[index] * 255).round().byte()
        tensors[f"{split}_labels"] = labels[index].byte()
    save_file(tensors, folder / "digits.safetensors")

    text = read_shakespeare(data)[:CHARACTERS]
    (folder / "shakespeare.txt").write_text(text, encoding="utf-8")

    poems = read_poems(data, tuple(FORMS))
    rows = []
    for form in FORMS:
        rows += [asdict(poem) for poem in poems if poem.form == form][:POEMS]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "poems.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
