"""Tensor <-> pixels <-> files. Images are float32 in [0, 1] everywhere, ink 1 on paper 0."""

import base64
import io
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

SIDE = 28
STICKER_SCALE, EDGE = 6, 3  # pixels of a sticker for one of the digit; the edge, in the digit's
DESCRIPTION = 0x010E  # the tag ImageDescription of Exif


def check_images(images: Tensor) -> Tensor:
    """The images as float32 (B, 28, 28), if that is what they are.

    Raises:
        ValueError: another type or shape, none at all, NaN, or a pixel outside [0, 1].
    """
    if isinstance(images, np.ndarray) and images.dtype.kind in "biuf":
        images = torch.from_numpy(np.ascontiguousarray(images))
    if not isinstance(images, Tensor):
        raise ValueError(f"expected a tensor (B, 28, 28), got {type(images).__name__}")
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or len(images) == 0:
        raise ValueError(f"expected images (B, 28, 28), got {tuple(images.shape)}")
    if images.dtype == torch.uint8 or images.is_complex():
        raise ValueError(f"expected float pixels in [0, 1], got {images.dtype}")
    images = images.float()
    if not images.isfinite().all() or images.min() < 0 or images.max() > 1:
        raise ValueError("expected every pixel in [0, 1], got one outside or not a number")
    return images


def to_bytes(images: Tensor) -> np.ndarray:
    """[0, 1] -> uint8 0..255, rounded."""
    return (images * 255).round().byte().cpu().numpy()


def grid(images: Tensor, columns: int) -> Tensor:
    """(B, H, W) -> one picture, row by row; places left over stay empty."""
    count, height, width = images.shape
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    full = torch.zeros(rows * columns, height, width)
    full[:count] = images
    return full.view(rows, columns, height, width).transpose(1, 2).reshape(rows * height, -1)


def enlarge(image: Tensor, scale: int) -> Tensor:
    """Every pixel becomes scale x scale equal ones: hard edges, a whole multiple. (..., H, W)."""
    return image.repeat_interleave(scale, -2).repeat_interleave(scale, -1)


def png(image: Tensor, scale: int = 1, told: Mapping[str, str] | None = None) -> bytes:
    """(H, W) in [0, 1] -> a grey PNG; every pixel becomes scale x scale equal ones.

    told: what the file says of itself, in its tEXt chunks.
    """
    picture = Image.fromarray(to_bytes(image))
    if scale > 1:
        size = (scale * picture.width, scale * picture.height)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    return _png_of(picture, told)


def _png_of(picture: Image.Image, told: Mapping[str, str] | None) -> bytes:
    """A PNG, compressed little: a tenth larger, in half the time."""
    file, chunks = io.BytesIO(), PngInfo()
    for name, text in (told or {}).items():
        chunks.add_text(name, text)
    picture.save(file, "PNG", compress_level=1, pnginfo=chunks)
    return file.getvalue()


def stickers(images: Tensor, columns: int, told: Mapping[str, str] | None = None) -> bytes:
    """(B, 28, 28) in [0, 1] -> a PNG of digits to cut out: dark ink, a white edge, clear around.

    told: as of `png`.
    """
    sheet = grid(F.pad(images, [EDGE] * 4), columns)[None, None]
    large = F.interpolate(sheet, scale_factor=STICKER_SCALE, mode="bicubic").clamp(0, 1)
    reach = EDGE * STICKER_SCALE
    edge = F.max_pool2d(large, 2 * reach - 1, stride=1, padding=reach - 1) > 0.4
    ink_and_edge = torch.stack([1 - large[0, 0], edge[0, 0].float()], -1)
    return _png_of(Image.fromarray(to_bytes(ink_and_edge)), told)  # grey and alpha


def animation(
    frames: Tensor, milliseconds: int = 60, scale: int = 8, description: str = ""
) -> bytes:
    """(T, 28, 28) -> an endless animated WebP, there and back, without loss.

    description: what the file says of itself, in its Exif.
    """
    pictures = [Image.fromarray(frame) for frame in to_bytes(enlarge(frames, scale))]
    pictures += pictures[-2:0:-1]
    file, exif = io.BytesIO(), Image.Exif()
    if description:
        exif[DESCRIPTION] = description
    pictures[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=milliseconds,
        loop=0,
        lossless=True,
        method=0,
        exif=exif,
    )
    return file.getvalue()


def data_uri(data: bytes, kind: str = "png") -> str:
    """A file as an address that needs no request."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def strip(images: Tensor) -> str:
    """(B, 28, 28) -> a data URI of a PNG with all images side by side."""
    return data_uri(png(grid(images, len(images))))


def _moments(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Variance across, variance down and covariance of the ink of (B, 28, 28); (B,) each."""
    place = torch.arange(SIDE, dtype=images.dtype)
    share = images / images.sum((1, 2), keepdim=True).clamp(min=1e-6)
    across = place - (share.sum(1) * place).sum(1, keepdim=True)  # (B, 28)
    down = place - (share.sum(2) * place).sum(1, keepdim=True)
    both = torch.einsum("bij,bi,bj->b", share, down, across)
    return (share.sum(1) * across**2).sum(1), (share.sum(2) * down**2).sum(1), both


def slant(images: Tensor) -> Tensor:
    """The slant of digits: 0 upright, 1 at 45 degrees to the right. (B, 28, 28) -> (B,).

    The shear that would make the covariance of its ink across and down vanish.
    """
    _, down, both = _moments(images)
    return -both / down.clamp(min=1e-6)  # rows count downwards


def width(images: Tensor) -> Tensor:
    """The spread of the ink across, once it stands upright, in pixels. (B, 28, 28) -> (B,)."""
    across, down, both = _moments(images)
    return (across - both**2 / down.clamp(min=1e-6)).clamp(min=0).sqrt()


def thickness(images: Tensor) -> Tensor:
    """The width of the stroke, in pixels: twice its area over its outline. (B, 28, 28) -> (B,)."""
    around = torch.nn.functional.pad(images, (1, 1, 1, 1))
    right = around[:, 1:-1, 1:] - around[:, 1:-1, :-1]  # (B, 28, 29)
    below = around[:, 1:, 1:-1] - around[:, :-1, 1:-1]
    outline = (right[:, :, 1:] ** 2 + below[:, 1:, :] ** 2).sqrt().sum((1, 2))
    return 2 * images.sum((1, 2)) / outline.clamp(min=1e-6)


MEASURES = {"slant": slant, "thickness": thickness, "width": width}  # (B, 28, 28) -> (B,) each
