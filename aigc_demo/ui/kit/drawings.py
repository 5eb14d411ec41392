"""Reads the drawings that a pad sends, as digits that a model can see.

"raw:" and 28 x 28 grey levels in base64: taken as they are, as a link holds them, and a drawing
that shall be used as drawn. 28 x 28 or 112 x 112 alone: drawn by hand, to be scaled and centred as
MNIST was.
"photo:WIDTHxHEIGHT:" and as many grey levels: a photograph.
"""

import base64
import binascii
import math
import re
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aigc_demo.images import strip, to_bytes
from aigc_demo.photo import SIDE, as_mnist, from_photo
from aigc_demo.ui.kit.check import UserError

RAW = "raw:"
PHOTO = re.compile(r"photo:([1-9]\d{0,2})x([1-9]\d{0,2}):", re.ASCII)
UNREADABLE = "unreadable"  # what a pad sends for a file that the browser cannot show
LARGEST_PHOTO = 224  # pixels of its longer side, as the pad sends it
DRAWN = (SIDE, 4 * SIDE)  # sides of what is drawn by hand


def drawing_of(grey: np.ndarray) -> str:
    """Grey levels (784,) uint8 as a pad holds them, to be taken as they are."""
    return RAW + base64.b64encode(grey.tobytes()).decode()


def pixels_of(value: str) -> np.ndarray:
    """The grey levels that a pad sends, (H, W) uint8.

    Raises:
        UserError: they are none.
    """
    if value == UNREADABLE:
        raise UserError("error.unreadable")
    photo = PHOTO.match(value)
    text = value[photo.end() :] if photo else value.removeprefix(RAW)
    try:
        if len(value) > 80_000:
            raise ValueError
        levels = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
        if photo:
            width, height = int(photo[1]), int(photo[2])
            if max(width, height) > LARGEST_PHOTO:
                raise ValueError
            return levels.reshape(height, width)
        side = math.isqrt(len(levels))
        if side not in DRAWN or (value.startswith(RAW) and side != SIDE):
            raise ValueError
        return levels.reshape(side, side)
    except (ValueError, binascii.Error):
        raise UserError("error.drawing") from None


def drawn_digit(value: Any) -> Tensor:
    """A drawn or photographed digit as the model sees it, (28, 28) in [0, 1].

    Raises:
        UserError: nothing is there, it is too faint, or it is no drawing.
    """
    if value in ("", None):
        raise UserError("error.empty_drawing")
    if not isinstance(value, str):
        raise UserError("error.drawing")
    pixels = pixels_of(value)
    ink = torch.from_numpy(pixels.astype(np.float32) / 255)
    try:
        if value.startswith("photo:"):
            image = from_photo(pixels)
        else:
            image = ink if value.startswith(RAW) else as_mnist(ink)
    except ValueError:
        photo = value.startswith("photo:")
        raise UserError("error.blank_photo" if photo else "error.empty_drawing") from None
    if image.max() < 0.2:
        raise UserError("error.empty_drawing")
    return (image * 255).round() / 255  # as a picture or a link can hold it


def gap_of(value: Any) -> Tensor:
    """Reads the gap that a visitor painted, (28, 28), true where to draw anew.

    Raises:
        UserError: nothing.
    """
    if value in ("", None):
        raise UserError("error.no_gap")
    if not isinstance(value, str) or value.startswith("photo:"):
        raise UserError("error.drawing")
    pixels = pixels_of(value)
    cell = len(pixels) // SIDE
    grey = torch.from_numpy(pixels.astype(np.float32)).view(SIDE, cell, SIDE, cell)
    gap = grey.mean((1, 3)) > 40
    if not gap.any():
        raise UserError("error.no_gap")
    return gap


def seen(image: Tensor, value: Any = None) -> dict[str, Any]:
    """The properties of a pad that show what the model sees, (28, 28).

    value: what the pad sent. What was drawn by hand stays on the pad; a photograph, and what was
    not drawn at all, gives way to what is seen of it.
    """
    by_hand = isinstance(value, str) and value != "" and not value.startswith("photo:")
    shown = {"strip": strip(image[None])}
    return shown if by_hand else {**shown, "value": drawing_of(to_bytes(image))}
