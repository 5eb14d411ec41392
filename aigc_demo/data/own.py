"""A user's own pictures and texts, checked and brought into the form of the corpora."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from tqdm import tqdm

from aigc_demo.photo import grey_of

KINDS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
FEWEST = 64  # pictures: a batch of them
MOST_CLASSES = 100
ENOUGH_PICTURES = 1_000  # of a class; fewer are learnt by heart
ENOUGH_TEXT = 500_000  # characters; likewise
ENCODINGS = ["gb18030", "big5", "utf_16_le", "utf_16_be", "shift_jis", "euc_jp", "euc_kr", "cp1252"]
MARKS = {  # at a file's beginning
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
FEW = 20  # characters in order for each damaged one: the text is what it seems


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
    paths = [path for path in _files(folder) if path.suffix.lower() in KINDS and path.is_file()]
    seen = [path for path in paths if not _hidden(path.relative_to(folder))]
    if len(seen) < len(paths):
        print(f"{folder}: {len(paths) - len(seen)} hidden files left out", file=sys.stderr)
    groups: dict[str, list[Path]] = {}
    for path in sorted(seen, key=lambda path: natural(path.relative_to(folder).as_posix())):
        groups.setdefault("" if path.parent == folder else path.parent.name, []).append(path)
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


def decoded(data: bytes, encoding: str = "") -> tuple[str, str]:
    """A file's text and its encoding, in the words of Python's codecs.

    Raises:
        ValueError: an unknown encoding, or bytes that are no text in it or in any that is known.
    """
    known = encoding or next((name for mark, name in MARKS.items() if data.startswith(mark)), "")
    try:
        text = data.decode(known or "utf-8")
        if known or "\0" not in text:  # else it is UTF-16 or UTF-32 without its mark
            return text, "utf-8" if known in ("", "utf-8-sig") else known
    except LookupError:
        raise ValueError(f"expected an encoding that Python knows, got {encoding!r}") from None
    except UnicodeError as error:
        if encoding:
            raise ValueError(f"expected text in {encoding}, got {error}") from None
    for wide in ("utf-32-le", "utf-32-be") if b"\0" in data else ():
        with suppress(UnicodeError):
            return data.decode(wide), wide
    if guessed := _damaged_utf8(data) or _mostly_ascii(data) or _guessed(data):
        return guessed
    raise ValueError("expected text, got bytes of no known encoding: name it with --encoding")


def _damaged_utf8(data: bytes) -> tuple[str, str] | None:
    """UTF-8 in which a few bytes are wrong; they are left out."""
    text = data.decode("utf-8", "ignore")
    damaged = len(data) - len(text.encode())
    good = sum(character > "\x7f" for character in text)
    if "\0" in text or good < FEW * damaged:
        return None
    return text, f"utf-8, of which {damaged} bytes are damaged and left out"


def _mostly_ascii(data: bytes) -> tuple[str, str] | None:
    """A text of Latin letters with a few others: accents in cp1252, or words of another script."""
    high = sum(byte > 127 for byte in data)
    if high > 0.25 * len(data) or b"\0" in data:
        return None
    alone = len(re.findall(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])", data))
    if 2 * alone < high:
        words = b"".join(re.findall(rb"(?:[\x81-\xfe][\x40-\xfe])+", data))
        guess = _guessed(words, ENCODINGS[:-1])
        for name in ([guess[1]] if guess else []) + ["gb2312", "big5"]:
            with suppress(UnicodeError):
                return data.decode(name), name
    return data.decode("cp1252", "replace"), "cp1252"


def _guessed(data: bytes, among: Sequence[str] = ENCODINGS) -> tuple[str, str] | None:
    """What charset-normalizer takes it for, if anything."""
    from charset_normalizer import from_bytes  # only where it is needed

    best = from_bytes(data, cp_isolation=list(among)).best()
    return (str(best), best.encoding) if best else None
