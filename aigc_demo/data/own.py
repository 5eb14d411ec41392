"""A user's own pictures and texts, checked and brought into the form of the corpora."""

import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from tqdm import tqdm

from aigc_demo.data.encodings import decoded
from aigc_demo.photo import grey_of

KINDS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".jfif"}
OTHER_KINDS = {".heic", ".heif", ".avif", ".svg", ".jxl", ".psd", ".raw", ".dng", ".eps"}
FEWEST = 64  # pictures: a batch of them
MOST_CLASSES = 100
ENOUGH_PICTURES = 1_000  # of a class; fewer are learnt by heart
ENOUGH_TEXT = 500_000  # characters; likewise


def read_pictures(folder: Path) -> tuple[Tensor, Tensor, list[str]]:
    """Pictures as 28x28 grey images: the middle square, made smaller or larger.

    Pictures lie in the folder itself, or in folders in it, however deep: the last folder's name is
    the class. Classes are in natural order (2 before 10). Hidden files and folders are left out.

    Returns:
        Images (N, 28, 28), float32 in [0, 1], labels (N,), int64 from 0, and the classes' names;
        one name, "", where there are no folders.

    Raises:
        ValueError: no folder, too few pictures, one that cannot be read, or all of them blank.
    """
    if not folder.is_dir():
        raise ValueError(f"expected a folder of pictures, got {str(folder)!r}")
    files = [path for path in _files(folder) if path.is_file()]
    paths = [path for path in files if path.suffix.lower() in KINDS]
    seen = [path for path in paths if not _hidden(path.relative_to(folder))]
    if len(seen) < len(paths):
        print(f"{folder}: {len(paths) - len(seen)} hidden files left out", file=sys.stderr)
    _name_others(folder, files)
    groups: dict[str, list[Path]] = {}
    for path in sorted(seen, key=lambda path: natural(path.relative_to(folder).as_posix())):
        groups.setdefault("" if path.parent == folder else _named(path.parent), []).append(path)
    if "" in groups and len(groups) > 1:
        raise ValueError(f"{folder}: expected pictures or class folders, got both")
    if len(groups) > MOST_CLASSES:
        raise ValueError(f"{folder}: expected at most {MOST_CLASSES} classes, got {len(groups)}")
    if len(seen) < FEWEST:
        kinds = ", ".join(sorted(KINDS))
        raise ValueError(
            f"{folder}: expected at least {FEWEST} pictures ({kinds}), got {len(seen)}"
        )
    names = sorted(groups, key=natural)
    pairs = [(path, label) for label, name in enumerate(names) for path in groups[name]]
    images = torch.stack(
        [_picture(path) for path, _ in tqdm(pairs, desc="pictures", unit="picture")]
    )
    if images.flatten(1).std(1).max() < 0.02:
        raise ValueError(f"{folder}: expected pictures with something on them, got blank ones only")
    different = len(np.unique((255 * images.flatten(1)).byte().numpy(), axis=0))
    if different == 1:
        raise ValueError(f"{folder}: expected different pictures, got one {len(seen)} times")
    if different < ENOUGH_PICTURES * len(names):
        classes = f"{len(names)} classes" if len(names) > 1 else "1 class"
        print(
            f"warning: {different} different pictures for {classes}; with fewer than "
            f"{ENOUGH_PICTURES} a class the model will copy them rather than learn from them",
            file=sys.stderr,
        )
    return images, torch.tensor([label for _, label in pairs]), names


def _named(folder: Path) -> str:
    """A folder's name as it is read; one that is no UTF-8 is of an archive, most likely Chinese."""
    name, text = os.fsencode(folder.name), ""
    for encoding in ("cp1252", "gb18030", "utf-8"):  # the last that fits
        with suppress(UnicodeError):
            text = name.decode(encoding)
    return unicodedata.normalize("NFC", text).strip() or "–"


def _name_others(folder: Path, files: list[Path]) -> None:
    """Says which pictures of other formats are left out, and which folders hold none of ours."""
    own = [path for path in files if not _hidden(path.relative_to(folder))]
    others = [path for path in own if path.suffix.lower() in OTHER_KINDS]
    if others:
        kinds = ", ".join(sorted({path.suffix.lower() for path in others}))
        print(
            f"{folder}: {len(others)} pictures left out ({kinds}); make them PNG or JPEG first",
            file=sys.stderr,
        )
    missing = {path.parent for path in others} - {path.parent for path in own if path not in others}
    if missing:
        names = ", ".join(sorted(path.name for path in missing))
        raise ValueError(f"{folder}: expected pictures that can be read, got none in {names}")


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder, also in folders that are links; each real folder once."""
    met = set()
    for inner, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(inner)
        folders.sort()
        if real in met:  # a link to what was there already, or to a folder around it
            folders.clear()
            continue
        met.add(real)
        yield from (Path(inner, name) for name in files)


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key for sorting names as people do: runs of digits count as numbers."""
    parts = re.findall(r"([0-9]+)|([^0-9]+)", name.casefold())
    return [(0, int(digits), "") if digits else (1, 0, rest) for digits, rest in parts]


def _hidden(path: Path) -> bool:
    """True for what a system or a program has put beside the pictures."""
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _picture(path: Path) -> Tensor:
    """(28, 28) in [0, 1]."""
    try:
        with Image.open(path) as picture:
            square = ImageOps.fit(grey_of(picture), (28, 28), Image.Resampling.LANCZOS)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise ValueError(f"{path}: expected a picture, got {error}") from None
    return torch.from_numpy(np.asarray(square, np.float32) / 255)


def read_texts(paths: Sequence[Path], shortest: int, encoding: str = "") -> str:
    """Text files as one text, line ends as newlines.

    encoding: of all of them; by default UTF-8, or what they most likely are, which is said.

    Raises:
        ValueError: a file that is missing, unreadable or empty, an unknown encoding, bytes that are
            no text, or too short a text.
    """
    parts = []
    for path in paths:
        try:
            part, found = decoded(path.read_bytes(), encoding)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        except OSError as error:
            raise ValueError(f"{path}: expected a text file, got {error.strerror}") from None
        if found != "utf-8":
            print(f"{path}: read as {found}; another with --encoding", file=sys.stderr)
        if not part.strip():
            raise ValueError(f"{path}: expected text, got an empty file")
        parts.append(part.replace("\r\n", "\n").replace("\r", "\n"))
    text = "\n".join(parts)
    if len(text) < shortest:
        raise ValueError(f"expected at least {shortest} characters of text, got {len(text)}")
    if len(text) < ENOUGH_TEXT:
        print(
            f"warning: {len(text):,} characters of text; with fewer than {ENOUGH_TEXT:,} the model "
            "will copy it rather than learn from it",
            file=sys.stderr,
        )
    return text
