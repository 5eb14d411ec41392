"""The state of a result as the query of a link, and back. What a link says is checked like all else
that comes from a client; what cannot be read is left out and named, and the rest is used.

A link is exact: no number is rounded, and a drawing holds the very pixels that the model saw.
"""

import base64
import binascii
import math
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import gradio as gr
import numpy as np

from aigc_demo.images import SIDE, to_bytes
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.drawings import drawing_of, drawn_digit, gap_of

MAX_QUERY = 4096  # characters of a query that go into an address; longer states go into a file
LARGEST = 64 * 1024  # characters of a query that is read
LONG_TEXT = 400  # characters, as a link writes them, beyond which a text is packed
MAX_UNPACKED = 20_000  # bytes that a packed value may unfold to
PACKED = "~"  # what a packed text begins with
ABOUT = ("tab", "model", "weights", "mode")  # what is said of every result
ELSEWHERE = re.compile(r"lang|hide|__\w+|view|logs|utm_\w+")  # parameters that are not ours to read
NUMBER = re.compile(r"-?\d{1,17}(\.\d{1,20})?(e-?\d{1,3})?", re.ASCII)


def pack(data: bytes) -> str:
    """Bytes as letters, digits, - and _, as few as deflate makes of them."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    squeezed = squeeze.compress(data) + squeeze.flush()
    return base64.urlsafe_b64encode(squeezed).decode().rstrip("=")


def unpack(text: str, most: int = MAX_UNPACKED) -> bytes:
    """The bytes that `pack` was given.

    Raises:
        ValueError: something else, or more bytes than that.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        unfold = zlib.decompressobj(-15)
        data = unfold.decompress(base64.b64decode(padded, b"-_", validate=True), most + 1)
    except (binascii.Error, zlib.error, UnicodeEncodeError) as error:
        raise ValueError(f"expected packed bytes, got {text[:20]!r}") from error
    if not unfold.eof or unfold.unused_data or len(data) > most:
        raise ValueError(f"expected at most {most} packed bytes, got more or only a part")
    return data


@dataclass(frozen=True)
class Codec:
    """Writes a value of a result into a link, and reads it back, checked."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]  # raises ValueError


def _write_number(value: float) -> str:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {str(value)[:20]!r}")
    return str(int(value)) if value == int(value) else repr(value)


def _read_number(text: str) -> float:
    """A number as `_write_number` writes it."""
    if not NUMBER.fullmatch(text):
        raise ValueError(f"expected a number, got {text[:20]!r}")
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _write_text(text: str) -> str:
    if len(quote(text)) > LONG_TEXT or text.startswith(PACKED):
        return PACKED + pack(text.encode())
    return text


def _read_text(text: str) -> str:
    return unpack(text[1:]).decode() if text.startswith(PACKED) else text


def _write_drawing(value: Any) -> str:
    """The 28x28 grey levels that the model sees of a drawing or a photograph."""
    return pack(to_bytes(drawn_digit(value)).tobytes())


def _read_drawing(text: str) -> str:
    """The drawing as the pad gives it."""
    value = drawing_of(np.frombuffer(unpack(text, SIDE * SIDE), np.uint8))
    drawn_digit(value)
    return value


LABELS = tuple(map(str, range(100)))  # of classes, in links; a model may know fewer


def codec(name: str, component: Any) -> Codec:
    """The codec of a field of the page; the field's own bounds and choices hold.

    name: the parameter's, and of the field's words under "name." in the locales.
    """
    if name in BY_NAME:
        return BY_NAME[name]
    match component:
        case gr.Slider(minimum=low, maximum=high, step=1):
            whole = int(low), int(high)
            return Codec(_write_number, lambda text: check.whole(_read_number(text), name, *whole))
        case gr.Slider(minimum=low, maximum=high):
            return Codec(
                _write_number, lambda text: check.real(_read_number(text), name, low, high)
            )
        case gr.Number(minimum=int() as low, maximum=int() as high, precision=precision):
            kind = check.real if precision is None else check.whole
            return Codec(_write_number, lambda text: kind(_read_number(text), name, low, high))
        case gr.Number():
            return Codec(_write_number, lambda text: check.seed(_read_number(text)))
        case gr.Checkbox():
            return Codec(
                lambda on: "yes" if on else "no",
                lambda text: check.one_of(text, name, ("yes", "no")) == "yes",
            )
        case gr.CheckboxGroup():
            return Codec(_write_labels, _read_labels)
        case gr.Radio() | gr.Dropdown():
            allowed = tuple(str(value) for _, value in component.choices)
            if name == "model":
                return Codec(
                    lambda model: check.text(model, name, 400),
                    lambda text: _read_model(text, allowed),
                )
            if name in ("digit", "first", "last"):  # whether the model knows it is seen later
                return Codec(
                    lambda label: check.one_of(label, name, LABELS),
                    lambda text: check.one_of(text, name, LABELS),
                )
            return Codec(
                lambda choice: check.one_of(choice, name, allowed),
                lambda text: check.one_of(text, name, allowed),
            )
        case gr.Textbox():
            most = component.max_length or MAX_UNPACKED
            return Codec(_write_text, lambda text: check.text(_read_text(text), name, most))
    raise ValueError(f"expected a field that a link can hold, got {name}")


def _read_model(text: str, allowed: tuple[str, ...]) -> str:
    """A bundled model, or one from the Hub with its commit; whether it is here is seen later."""
    return text if check.PINNED.fullmatch(text) else check.one_of(text, "model", allowed)


def _write_labels(labels: Any) -> str:
    """Digits one after the other, or, where one is above 9, with a dot behind each."""
    one = all(check.one_of(label, "digits", LABELS) in check.DIGITS for label in labels)
    return "".join(labels) if one else "".join(f"{label}." for label in labels)


def _read_labels(text: str) -> list[str]:
    """The inverse of `_write_labels`, each label once; none is a choice too."""
    labels = text.removesuffix(".").split(".") if "." in text else list(text)
    if len(set(labels)) < len(labels):
        raise ValueError(f"expected each digit once, got {text[:20]!r}")
    return [check.one_of(label, "digits", LABELS) for label in labels]


def _read_point(text: str) -> dict[str, float]:
    x, y = text.split(",")
    reach = 100  # of any plane; the map checks its own
    return {
        axis: check.real(_read_number(value), "point", -reach, reach)
        for axis, value in zip("xy", (x, y), strict=True)
    }


def _write_image(chosen: str) -> str:
    """A test digit as "test.PLACE", else a drawing."""
    return f"test.{chosen[1:]}" if chosen.startswith("#") else _write_drawing(chosen)


def _read_image(text: str) -> str:
    """The inverse of `_write_image`: "#PLACE", or the drawing as the pad gives it."""
    place = text.removeprefix("test.")
    if place == text:
        return _read_drawing(text)
    return f"#{check.whole(_read_number(place), 'image', 0, 99)}"


def _place(name: str, most: int) -> Codec:
    """A place in a row."""
    return Codec(_write_number, lambda text: check.whole(_read_number(text), name, 0, most))


def _write_gap(value: Any) -> str:
    """28x28 cells of a pad, painted or not, as 98 bytes."""
    return pack(np.packbits(gap_of(value).numpy()).tobytes())


def _read_gap(text: str) -> str:
    """The same as the pad gives it."""
    cells = np.unpackbits(np.frombuffer(unpack(text, SIDE * SIDE // 8), np.uint8))
    if len(cells) != SIDE * SIDE:
        raise ValueError(f"expected {SIDE * SIDE} cells, got {len(cells)}")
    return drawing_of(cells * np.uint8(255))


SLIDERS = (("temperature", 0, 2), ("top_k", 0, 200), ("top_p", 0.05, 1))


def _write_sampling(value: Any) -> str:
    if not isinstance(value, dict):
        raise ValueError(f"expected the sliders' values, got {str(value)[:20]!r}")
    return ",".join(_write_number(check.real(value.get(n), n, a, b)) for n, a, b in SLIDERS)


def _read_sampling(text: str) -> dict[str, float]:
    numbers = map(_read_number, text.split(","))
    return {
        name: check.real(number, name, low, high)
        for number, (name, low, high) in zip(numbers, SLIDERS, strict=True)
    }


BY_NAME = {  # values of the page's own widgets
    "drawing": Codec(_write_drawing, _read_drawing),
    "drawn": Codec(  # there may be none
        lambda value: _write_drawing(value) if value else "",
        lambda text: _read_drawing(text) if text else "",
    ),
    "point": Codec(lambda point: ",".join(_write_number(point[a]) for a in "xy"), _read_point),
    "gap": Codec(_write_gap, _read_gap),
    "image": Codec(_write_image, _read_image),
    "token": _place("token", 9_999),
    "part": _place("part", 99),
    "moment": _place("moment", 99),
    "sampling": Codec(_write_sampling, _read_sampling),
}


@dataclass
class Opened:
    """A link that was read: the values it names, and the parameters that could not be read."""

    values: dict[str, Any] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)  # of ABOUT, as the link has it
    left_out: list[str] = field(default_factory=list)  # parameters that could not be read


def encode(about: Mapping[str, str], values: Mapping[str, Any], codecs: Mapping[str, Codec]) -> str:
    """The query of a result: what is said of each, then its own values in their order."""
    pairs = {**about, **{name: codecs[name].write(values[name]) for name in values}}
    return urlencode(pairs, quote_via=quote, safe="~,/@:")


def decode(query: Any, codecs: Mapping[str, Codec]) -> Opened:
    """Reads a query; parameters that are damaged, unknown or twice are left out."""
    opened = Opened()
    try:
        text = check.text(query, "tab", LARGEST)
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=60)
    except ValueError:
        return Opened(left_out=["tab"])
    for name, text in pairs:
        if ELSEWHERE.fullmatch(name):
            continue
        try:
            if name in opened.values or name in opened.about or "\ufffd" in text:
                raise ValueError(f"expected {name} once, and whole characters")
            if name in codecs:
                opened.values[name] = codecs[name].read(text)
            elif name in ABOUT:
                opened.about[name] = check.text(text, name, 200)
            else:
                raise ValueError(f"expected a known parameter, got {name[:20]!r}")
        except ValueError:
            opened.left_out.append(name)
    return opened
