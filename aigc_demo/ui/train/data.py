"""What a visitor's training learns from, checked and written where the training reads it."""

import math
import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from aigc_demo.images import SIDE, png
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.kit.drawings import RAW, drawn_digit
from aigc_demo.ui.page.api_files import FORMATS, UNREADABLE, uploaded

FEWEST, MOST = 20, 150  # drawings
TIMES = 16  # as many pictures of each drawing
SHORTEST, LONGEST = 2_000, 60_000  # characters of a text
VARIED = 10  # different characters that it has at least
PICTURES = 64  # in an archive, at least,
ZIP = 5 * 10**6  # bytes of it,
ENTRIES = 2_000  # files in it,
UNPACKED = 50 * 10**6  # bytes of all of them,
PIXELS = 16 * 10**6  # and of a picture
UTF_8 = 0x800  # the flag of a name that is in it
KINDS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")


def write_drawings(value: Any, folder: Path) -> None:
    """Writes drawings with small turns and shifts of each.

    value: a list of 28 x 28 grey levels in base64.

    Raises:
        UserError: they are too few, too many, or none.
    """
    if not isinstance(value, list) or not FEWEST <= len(value) <= MOST:
        count = len(value) if isinstance(value, list) else 0
        raise UserError("train.few_drawings", fewest=FEWEST, most=MOST, count=count)
    drawn = torch.stack([_drawing(one) for one in value])
    folder.mkdir()
    for place, image in enumerate(varied(drawn, TIMES)):
        (folder / f"{place:04d}.png").write_bytes(png(image))


def _drawing(value: Any) -> Tensor:
    """(28, 28) in [0, 1]."""
    if not isinstance(value, str):
        raise UserError("error.drawing")
    return drawn_digit(RAW + value)


def varied(images: Tensor, times: int) -> Tensor:
    """Images (N, 28, 28), each of them so many times: as it is, then turned by up to 10 degrees,
    shifted by up to 2 pixels, and up to a tenth larger or smaller. Returns (times x N, 28, 28).
    """
    chance = torch.Generator().manual_seed(0)
    count = (times - 1) * len(images)
    turn, size, across, down = (2 * torch.rand(4, count, generator=chance) - 1).unbind()
    turn, size = turn * math.radians(10), 1 + size / 10
    cosine, sine = turn.cos() * size, turn.sin() * size
    shift = 2 * 2 / SIDE  # of a width of 2
    maps = torch.stack([cosine, -sine, across * shift, sine, cosine, down * shift], 1)
    grid = F.affine_grid(maps.view(-1, 2, 3), [count, 1, SIDE, SIDE], align_corners=False)
    moved = F.grid_sample(images.repeat(times - 1, 1, 1)[:, None], grid, align_corners=False)
    return torch.cat([images, moved[:, 0]])


def write_text(value: Any, path: Path) -> None:
    """Writes a pasted text.

    Raises:
        UserError: it is too short, too long, or always the same.
    """
    if not isinstance(value, str) or not SHORTEST <= len(value) <= LONGEST:
        count = len(value) if isinstance(value, str) else 0
        raise UserError("train.short_text", fewest=SHORTEST, most=LONGEST, count=count)
    if len(set(value)) < VARIED:
        raise UserError("train.same_text", fewest=VARIED)
    path.write_text(value.encode(errors="ignore").decode(), encoding="utf-8")  # no half pairs


def unpack_pictures(value: Any, folder: Path) -> None:
    """Unpacks the pictures of an uploaded zip: those of a folder are a class of its name.

    Raises:
        UserError: it is none, too large in whichever way, or holds what it should not.
    """
    path = uploaded(value) if value else None
    if path is None or not path.is_file():
        raise UserError("train.no_zip")
    if path.stat().st_size > ZIP:
        raise UserError("train.large_zip", most=ZIP // 10**6)
    with _or_no_zip():
        archive = zipfile.ZipFile(path)
    with archive:
        _unpack(archive, folder)


@contextmanager
def _or_no_zip() -> Iterator[None]:
    """Whatever goes wrong inside: it is damaged, encrypted, or of an unknown method."""
    try:
        yield
    except Exception:  # zipfile and its decompressors raise a dozen kinds
        raise UserError("train.no_zip") from None


def _unpack(archive: zipfile.ZipFile, folder: Path) -> None:
    entries = archive.infolist()
    if len(entries) > ENTRIES:
        raise UserError("train.many_files", most=ENTRIES)
    if sum(entry.file_size for entry in entries) > UNPACKED:
        raise UserError("train.unfolds", most=UNPACKED // 10**6)
    pictures = [entry for entry in entries if _is_picture(entry)]
    if len(pictures) < PICTURES:
        raise UserError("train.few_pictures", fewest=PICTURES, count=len(pictures))
    groups = dict.fromkeys(PurePosixPath(_name(entry)).parent for entry in pictures)
    names = {group: re.sub(r"[^\w -]", "-", group.name)[:40] for group in groups}
    if len(groups) > 1 and PurePosixPath(".") in groups:
        raise UserError("train.mixed_zip")
    rest = UNPACKED
    for place, entry in enumerate(pictures):
        name = PurePosixPath(_name(entry))
        inside = folder if len(groups) == 1 else folder / (names[name.parent] or "-")
        inside.mkdir(parents=True, exist_ok=True)
        with _or_no_zip(), archive.open(entry) as file:
            data = file.read(rest + 1)
        rest -= len(data)
        if rest < 0:  # it said that it was smaller
            raise UserError("train.unfolds", most=UNPACKED // 10**6)
        kept = inside / f"{place:04d}{name.suffix.lower()}"
        kept.write_bytes(data)
        _check_picture(kept, name.name)


def _name(entry: zipfile.ZipInfo) -> str:
    """The path of an entry.

    Raises:
        UserError: it leads outside.
    """
    name = entry.filename
    if not entry.flag_bits & UTF_8:  # an old archiver, whose letters are read as cp437
        for encoding in ("gb18030", "utf-8"):  # the last that fits
            with suppress(UnicodeError):
                name = entry.filename.encode("cp437").decode(encoding)
    name = name.replace("\\", "/")
    if name.startswith("/") or ":" in name or ".." in PurePosixPath(name).parts:
        raise UserError("train.outside")
    return name


def _is_picture(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(_name(entry))
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise UserError("train.outside")
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not entry.is_dir() and not hidden and path.suffix.lower() in KINDS


def _check_picture(path: Path, name: str) -> None:
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > PIXELS:
                raise UserError("train.large_picture", name=name[:60], most=PIXELS // 10**6)
    except UNREADABLE as error:
        if isinstance(error, UserError):
            raise
        raise UserError("train.bad_picture", name=name[:60]) from None
