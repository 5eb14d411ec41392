"""A user's own pictures and texts, checked and brought into the form of the corpora."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from tqdm import tqdm

KINDS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
FEWEST = 64  # pictures: a batch of them
MOST_CLASSES = 100


def read_pictures(folder: Path) -> tuple[Tensor, Tensor]:
    """Pictures as 28x28 grey images: the middle square, made smaller or larger.

    Pictures lie in the folder itself, or in folders in it, one a class, in the order of their
    names.

    Returns:
        Images (N, 28, 28), float32 in [0, 1], and labels (N,), int64 from 0.

    Raises:
        ValueError: no folder, too few pictures, or one that cannot be read; it is named.
    """
    if not folder.is_dir():
        raise ValueError(f"expected a folder of pictures, got {str(folder)!r}")
    loose = _inside(folder)
    inner = [_inside(place) for place in sorted(folder.iterdir()) if place.is_dir()]
    groups = [group for group in inner if group]
    if groups and loose:
        raise ValueError(f"{folder}: expected pictures or class folders, got both")
    groups = groups or [loose]
    if len(groups) > MOST_CLASSES:
        raise ValueError(f"{folder}: expected at most {MOST_CLASSES} classes, got {len(groups)}")
    count = sum(map(len, groups))
    if count < FEWEST:
        kinds = ", ".join(sorted(KINDS))
        raise ValueError(f"{folder}: expected at least {FEWEST} pictures ({kinds}), got {count}")
    pairs = [(path, label) for label, group in enumerate(groups) for path in group]
    images = [_picture(path) for path, _ in tqdm(pairs, desc="pictures", unit="picture")]
    return torch.stack(images), torch.tensor([label for _, label in pairs])


def _inside(folder: Path) -> list[Path]:
    """The pictures right in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in KINDS)


def _picture(path: Path) -> Tensor:
    """(28, 28) in [0, 1]."""
    try:
        with Image.open(path) as picture:
            grey = ImageOps.exif_transpose(picture).convert("L")
            square = ImageOps.fit(grey, (28, 28), Image.Resampling.LANCZOS)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise ValueError(f"{path}: expected a picture, got {error}") from None
    return torch.from_numpy(np.asarray(square, np.float32) / 255)


def read_texts(paths: Sequence[Path], shortest: int) -> str:
    """UTF-8 files as one text, line ends as newlines.

    Raises:
        ValueError: a file that is missing, unreadable, empty or not UTF-8, or too short a text.
    """
    parts = []
    for path in paths:
        try:
            part = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}: expected UTF-8 text, got byte {error.object[error.start]:#04x} "
                f"at position {error.start}"
            ) from None
        except OSError as error:
            raise ValueError(f"{path}: expected a text file, got {error.strerror}") from None
        if not part.strip():
            raise ValueError(f"{path}: expected text, got an empty file")
        parts.append(part.replace("\r\n", "\n").replace("\r", "\n"))
    text = "\n".join(parts)
    if len(text) < shortest:
        raise ValueError(f"expected at least {shortest} characters of text, got {len(text)}")
    return text
