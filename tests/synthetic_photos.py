"""Photographs of handwritten digits that are made: the bundled test digits in ink on paper."""

import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

KINDS = ("plain", "lined", "squared", "shadow", "pencil", "thin", "portrait", "desk", "chalk")


def photograph(
    digit: Tensor, kind: str, seed: int, sides: tuple[int, int] = (200, 330)
) -> Image.Image:
    """A digit (28, 28) in [0, 1] as a photograph of one of the KINDS, from its own seed.

    plain: a felt pen on paper; lined, squared: on such paper; shadow: one half in shadow; pencil:
    faint, in a light shadow; thin: a fine pen; portrait: upright, the digit near the top; desk: a
    sheet on a darker desk; chalk: bright on a dark board.

    sides: between which the side of the digit's square lies, in pixels of 480 or 640.
    """
    draw = np.random.default_rng([seed, KINDS.index(kind)])
    wide, high = (480, 860) if kind == "portrait" else (640, 520)
    side = int(draw.uniform(*sides))
    ink = _ink(digit, side, draw, thin=kind in ("thin", "pencil"))
    left = int(draw.uniform(30, wide - side - 30))
    top = int(draw.uniform(30, 90) if kind == "portrait" else draw.uniform(30, high - side - 30))
    field = np.zeros((high, wide), np.float32)
    field[top : top + side, left : left + side] = ink

    down, across = np.mgrid[0:high, 0:wide].astype(np.float32)
    light = 1 - 0.12 * draw.random() * across / wide - 0.12 * draw.random() * down / high
    paper = np.full((high, wide), draw.uniform(0.78, 0.95), np.float32)
    if kind in ("lined", "squared"):
        gap, thick = draw.uniform(28, 44), draw.uniform(1.0, 2.2)
        tilt = draw.uniform(-0.02, 0.02)
        offset, strength = draw.uniform(0, 40), draw.uniform(0.12, 0.35)
        rules = np.abs((down + tilt * across + offset) % gap - gap / 2) < thick / 2
        if kind == "squared":
            rules |= np.abs((across - tilt * down + offset) % gap - gap / 2) < thick / 2
        paper = paper - strength * rules
    if kind in ("shadow", "pencil"):
        angle = draw.uniform(0, 2 * np.pi)
        distance = (across - wide / 2) * np.cos(angle) + (down - high / 2) * np.sin(angle)
        depth = draw.uniform(0.4, 0.55) if kind == "shadow" else draw.uniform(0.1, 0.25)
        light = light * (1 - depth / (1 + np.exp(-distance / draw.uniform(3, 25))))
    if kind == "desk":
        edge = int(draw.uniform(8, 26))
        paper[:, :edge] = paper[-edge:] = draw.uniform(0.15, 0.4)
    darkness = {"pencil": draw.uniform(0.3, 0.45)}.get(kind, draw.uniform(0.65, 0.9))
    if kind == "chalk":
        paper = paper * 0.22
        grey = light * (paper + (0.9 - paper) * field * darkness)
    else:
        grey = light * paper * (1 - darkness * field)
    grey = grey + draw.normal(0, 0.015, grey.shape)
    file = io.BytesIO()
    pixels = (255 * np.clip(grey, 0, 1)).astype(np.uint8)
    tint = np.clip(pixels[..., None] * np.array([1.0, 0.98, 0.93]), 0, 255).astype(np.uint8)
    Image.fromarray(tint).save(file, "JPEG", quality=82)
    return Image.open(io.BytesIO(file.getvalue()))


def _ink(digit: Tensor, side: int, draw: np.random.Generator, thin: bool) -> np.ndarray:
    """The digit as strokes with hard edges, turned a little, (side, side) in [0, 1]."""
    angle = np.deg2rad(draw.uniform(-6, 6))
    turn = torch.tensor([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    grid = F.affine_grid(turn[None].float(), [1, 1, side, side], align_corners=False)
    large = F.grid_sample(digit[None, None], grid, mode="bicubic", align_corners=False)
    edge = 0.75 if thin else 0.45
    return ((large[0, 0] - edge) / 0.15 + 0.5).clamp(0, 1).numpy()
