"""A digit drawn or photographed, as MNIST would have it (LeCun et al. 1998, section III-A).

Ink bright on dark, alone; its longer side 20 pixels, its centre of mass in the middle of 28 x 28.
A photograph may have its paper anywhere, in uneven light, lined, with something else at its edge.
"""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

SIDE = 28
LONGER = 20  # pixels of a digit's longer side
WORKING = 224  # pixels of the longer side that a photograph is looked at with
CLOSER = 8  # times a digit's longer side: in a larger picture it is looked at once more
SMALLEST = 100  # pixels of the longer side, below which a picture is enlarged to WORKING
HIGHEST = (1, 255, 1023, 4095, 65535)  # values of white in what is not 8 bits deep
UNSEEN = 242  # ink above it is not seen on white
UNEVEN = 0.025  # of white: further off a surface the light of a small picture is a photograph's
FAINTEST = 0.06  # of the paper's light, that ink must take to be seen


def grey_of(picture: Image.Image) -> Image.Image:
    """A picture of any mode in 8 bits of grey, upright; what is transparent shows white paper,
    or black, where all ink is white.
    """
    image = ImageOps.exif_transpose(picture)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.nan_to_num(np.asarray(image, np.float32), posinf=0.0)
        most = values.max() / (2 if image.mode == "F" else 1)  # resampling goes beyond white
        high = next((high for high in HIGHEST if most <= high), most)
        return Image.fromarray((255 * np.clip(values / high, 0, 1)).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        on_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        if np.asarray(on_white.convert("L")).min() > UNSEEN:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
        else:
            image = on_white
    return image.convert("L")


def from_photo(picture: Image.Image | np.ndarray) -> Tensor:
    """A digit photographed: the largest group of strokes on the paper.

    Returns:
        (28, 28) in [0, 1].

    Raises:
        ValueError: a blank picture.
    """
    whole = grey_of(picture if isinstance(picture, Image.Image) else Image.fromarray(picture))
    group = _group_of(whole)
    if group is None:
        raise ValueError("expected a picture with a digit on it, got a blank one")
    around = _surroundings(group, whole)
    closer = _group_of(whole.crop(around)) if around and max(whole.size) > WORKING else None
    return as_mnist(group if closer is None else closer)


def _surroundings(group: Tensor, whole: Image.Image) -> tuple[int, int, int, int] | None:
    """Where in a picture a small group lies: left, top, right, bottom; None of a large one."""
    scale = whole.width / group.shape[1]
    rows, columns = (group.any(axis).nonzero() * scale for axis in (1, 0))
    ends = [(float(line.min()), float(line.max()) + scale) for line in (columns, rows)]
    longer = max(end - begin for begin, end in ends)
    if longer > max(whole.size) / CLOSER:
        return None
    half = longer * CLOSER / 4
    left, top = ((begin + end) / 2 - half for begin, end in ends)
    right, bottom = min(left + 2 * half, whole.width), min(top + 2 * half, whole.height)
    return round(max(left, 0)), round(max(top, 0)), round(right), round(bottom)


def _group_of(image: Image.Image) -> Tensor | None:
    """The ink of the largest group of strokes, (H, W) of at most WORKING, if there is one."""
    if max(image.size) < SMALLEST:  # strokes of a pixel or two would be taken for lines
        enlarged = (WORKING / max(image.size) * side for side in image.size)
        image = image.resize([max(1, round(side)) for side in enlarged], Image.Resampling.BICUBIC)
    image = image.copy()
    image.thumbnail((WORKING, WORKING), Image.Resampling.BOX)
    pixels = torch.from_numpy(np.asarray(image, np.float32) / 255)
    return _largest_group(_without_lines(_ink(pixels)))


def as_mnist(ink: Tensor) -> Tensor:
    """Ink (H, W) in [0, 1] of any size and place -> (28, 28), scaled and centred as MNIST was.

    What is so already stays as it is, bit for bit.

    Raises:
        ValueError: no ink.
    """
    seen = ink > 0.3
    if not seen.any():
        raise ValueError("expected a picture with a digit on it, got a blank one")
    rows, columns = (seen.any(axis).nonzero() for axis in (1, 0))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    longer = max(bottom - top, right - left)
    if ink.shape == (SIDE, SIDE) and abs(longer - LONGER) <= 2 and _off_centre(ink) < 1.5:
        return ink
    margin = max(1, longer // 20)  # the soft edge of a stroke
    top, left = max(0, top - margin), max(0, left - margin)
    cut = ink[top : bottom + margin, left : right + margin]
    factor = min(LONGER / longer, SIDE / max(cut.shape))  # the edge of a mere dot is as large
    size = [max(1, round(side * factor)) for side in cut.shape]
    mode = "area" if factor < 1 else "bicubic"
    small = F.interpolate(cut[None, None], size, mode=mode)[0, 0].clamp(0, 1)
    return _centred(small / small.max().clamp(min=1e-6))


def _off_centre(digit: Tensor) -> float:
    """The distance of the centre of mass from the middle, in pixels, along the worse axis."""
    place = torch.arange(SIDE) - (SIDE - 1) / 2
    mass = digit.sum()
    return max(abs(float((digit.sum(axis) * place).sum() / mass)) for axis in (0, 1))


def _centred(digit: Tensor) -> Tensor:
    """Places a small picture so that its centre of mass is that of the 28x28 field."""
    height, width = digit.shape
    mass = digit.sum()
    row = float((digit.sum(1) * torch.arange(height)).sum() / mass)
    column = float((digit.sum(0) * torch.arange(width)).sum() / mass)
    top = min(max(round((SIDE - 1) / 2 - row), 0), SIDE - height)
    left = min(max(round((SIDE - 1) / 2 - column), 0), SIDE - width)
    field = torch.zeros(SIDE, SIDE)
    field[top : top + height, left : left + width] = digit
    return field


def as_digit(picture: Image.Image | np.ndarray) -> Tensor:
    """A 28x28 picture as it is, bright ink on black; on other paper the ink alone, the paper's
    light being a smooth surface through the border. Any other size goes through from_photo.

    Returns:
        (28, 28) in [0, 1].

    Raises:
        ValueError: a blank picture.
    """
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    if image.size != (SIDE, SIDE):
        return from_photo(image)
    digit = _without_frame(torch.from_numpy(np.asarray(grey_of(image), np.float32) / 255))
    paper, off = _border_light(digit)
    darker, brighter = (paper - digit).clamp(min=0), (digit - paper).clamp(min=0)
    is_dark = darker.sum() > brighter.sum()
    ink = darker / paper.clamp(min=0.5) if is_dark else brighter
    if ink.max() < FAINTEST:
        raise ValueError("expected a picture with a digit on it, got a blank one")
    if (paper.max() < FAINTEST and not is_dark) or off > 0.2:
        return digit
    if off > UNEVEN and is_dark:
        return from_photo(Image.fromarray((255 * digit).byte().numpy()))
    return ink if ink.max() > 0.9 else ink / ink.max()


def _without_frame(digit: Tensor) -> Tensor:
    """A small picture whose frame, up to three pixels wide, has become paper."""
    rings = [_ring(digit, depth) for depth in range(5)]
    jumps = [abs(float(rings[i].median() - rings[i + 1].median())) for i in range(4)]
    wide = max((depth for depth, jump in enumerate(jumps, 1) if jump > 0.25), default=0)
    within = rings[wide]
    if not wide or (within - within.median()).abs().quantile(0.75) > 0.1:  # no paper within
        return digit
    inner = digit[wide:-wide, wide:-wide]
    return F.pad(inner, [wide] * 4, value=float(rings[wide].median()))


def _ring(digit: Tensor, depth: int) -> Tensor:
    """The pixels that lie so many pixels within the edge, each once or twice."""
    inner = digit[depth : SIDE - depth, depth : SIDE - depth]
    return torch.cat([inner[0], inner[-1], inner[:, 0], inner[:, -1]])


def _border_light(digit: Tensor) -> tuple[Tensor, float]:
    """The surface (28, 28) of second order through most of the border's pixels, and how far off
    these are at the third quartile."""
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, SIDE)] * 2, indexing="ij")
    axes = [torch.ones_like(x), x, y, x * x, x * y, y * y]
    ring, light = torch.stack([_ring(axis, 0) for axis in axes], 1), _ring(digit, 0)
    most = torch.ones(len(light), dtype=torch.bool)
    for _ in range(3):  # what lies far off is ink that reaches the edge
        found = torch.linalg.lstsq(ring[most], light[most]).solution
        off = (ring @ found - light).abs()
        most = off <= max(2 * float(off.median()), 0.02)
    return (torch.stack(axes, -1) @ found).clamp(0, 1), float(off.quantile(0.75))


def _largest(x: Tensor, wide: int, high: int | None = None) -> Tensor:
    """The largest value in a window around each pixel of (H, W); beyond the edge nothing counts."""
    high = wide if high is None else high
    along = F.max_pool2d(x[None, None], (1, wide), 1, (0, wide // 2))
    return F.max_pool2d(along, (high, 1), 1, (high // 2, 0))[0, 0]


def _smallest(x: Tensor, wide: int, high: int | None = None) -> Tensor:
    return -_largest(-x, wide, high)


def _mean(x: Tensor, wide: int) -> Tensor:
    """The mean in a square window around each pixel of (H, W), along one axis, then the other."""
    half = wide // 2
    along = F.avg_pool2d(x[None, None], (1, wide), 1, (0, half), count_include_pad=False)
    return F.avg_pool2d(along, (wide, 1), 1, (half, 0), count_include_pad=False)[0, 0]


def _ink(pixels: Tensor) -> Tensor:
    """The share of the paper's light that ink takes at each pixel, 0 to about 1.

    The paper is what a closing leaves: strokes are thinner than its window, shadows are not. Of a
    bright drawing on a dark ground the same is done with the negative.
    """
    smooth = _mean(pixels, 3)
    window = 2 * (min(pixels.shape) // 8) + 1
    if (
        (smooth - _mean(smooth, 2 * window + 1)) ** 3
    ).sum() > 0:  # the few are brighter than the many
        smooth = 1 - smooth
    paper = _smallest(_largest(smooth, window), window)
    return ((paper - smooth) / paper.clamp(min=0.1)).clamp(min=0)


def _threshold(ink: Tensor) -> float:
    """Between ink and paper (Otsu 1979): the two classes lie furthest apart."""
    counts = torch.histc(ink, 128, 0, 1)
    middles = (torch.arange(128) + 0.5) / 128
    below, sums = counts.cumsum(0), (counts * middles).cumsum(0)
    above = below[-1] - below
    apart = (sums / below.clamp(min=1) - (sums[-1] - sums) / above.clamp(min=1)) ** 2
    return float(middles[(below * above * apart).argmax()])


def _without_lines(ink: Tensor) -> Tensor:
    """Ink without the rules of lined or squared paper: long, straight, from edge to edge."""
    for _ in range(2):  # along, then across
        wide = ink.shape[1]
        faint = (ink > max(FAINTEST / 2, 0.25 * _threshold(ink))).float()
        # A rule may lean: of a few rows together most are inked, over half the width.
        band, half = _largest(faint, 1, 5)[None, None], wide // 4
        run = F.avg_pool2d(band, (1, 2 * half + 1), 1, (0, half), count_include_pad=False)[0, 0]
        high = _smallest(faint, 1, 7)  # more than a rule is: a stroke on it, or beside
        rule = _largest((run > 0.9) * faint * (1 - high), 3) > 0
        # Where a stroke crosses a rule it goes on above and below.
        crossing = torch.minimum(_beside(ink, -4), _beside(ink, 4))
        ink = torch.where(rule, torch.minimum(ink, crossing), ink).T
    return ink


def _beside(x: Tensor, rows: int) -> Tensor:
    """At each pixel the largest of the nine values so many rows away."""
    return _largest(torch.roll(x, rows, 0), 3)


def _largest_group(ink: Tensor) -> Tensor | None:
    """The ink (H, W) of the largest group of strokes that lie together, alone, in [0, 1]."""
    cut = max(_threshold(ink), FAINTEST)
    mask = ink > cut
    if not mask.any() or float(ink[mask].mean()) < 1.5 * FAINTEST:
        return None
    near = 2 * (max(ink.shape) // 40) + 1
    half = F.max_pool2d(_largest(mask.float(), near)[None, None], 2, ceil_mode=True)[0, 0]
    groups = _components(half > 0).repeat_interleave(2, 0).repeat_interleave(2, 1)
    groups = groups[: ink.shape[0], : ink.shape[1]]
    names = groups.unique()
    names = names[names > 0]
    weights = torch.stack([(ink * mask * (groups == name)).sum() for name in names])
    touching = torch.stack([_touches(groups == name) for name in names])
    weights = torch.where(touching, 0.02 * weights, weights)
    chosen = groups == names[weights.argmax()]
    high = float(ink[mask & chosen].quantile(0.8))
    return ((ink - 0.35 * high) / (0.4 * high)).clamp(0, 1) * chosen


def _touches(mask: Tensor) -> Tensor:
    """True if a group reaches the edge of the picture."""
    return mask[0].any() | mask[-1].any() | mask[:, 0].any() | mask[:, -1].any()


def _components(mask: Tensor) -> Tensor:
    """Numbers the connected groups of a mask (H, W), from 1; 0 is no group."""
    numbers = torch.arange(1, mask.numel() + 1, dtype=torch.float32).view_as(mask) * mask
    while True:
        grown = numbers
        for _ in range(16):
            grown = _largest(grown, 3) * mask
        if torch.equal(grown, numbers):
            return numbers
        numbers = grown
