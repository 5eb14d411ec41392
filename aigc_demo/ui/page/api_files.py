"""Pictures as programs send and get them."""

import base64
import binascii
import io
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from gradio.data_classes import FileData
from gradio.utils import get_upload_folder
from PIL import Image
from torch import Tensor

from aigc_demo.photo import WORKING, as_digit
from aigc_demo.ui.kit import check

LARGEST_PICTURE = 40  # million pixels
# All that say their size before anything is decoded; an icon holds pictures that say their own.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)  # Pillow's ways


def file_of(data: bytes, kind: str) -> FileData:
    """A file in Gradio's cache, which build() has it empty by itself."""
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, suffix=f".{kind}", delete=False) as file:
        file.write(data)
    return FileData(path=file.name, mime_type=f"image/{kind}")


def uploaded(path: Any) -> Path | None:
    """The file that a client names, if it is in the folder of uploads. Nothing is opened."""
    if not isinstance(path, str):
        return None
    try:
        file = Path(path).resolve()
    except ValueError:  # a NUL, half of a surrogate pair
        return None
    return file if file.is_relative_to(Path(get_upload_folder()).resolve()) else None


def picture_of(value: Any) -> Tensor:
    """An uploaded file of FORMATS, or a data URI, as a digit (28, 28)."""
    source: Path | io.BytesIO
    if isinstance(value, dict) and (file := uploaded(value.get("path"))):
        source = file
    elif isinstance(value, str) and value.startswith("data:image/png;base64,"):
        try:
            source = io.BytesIO(base64.b64decode(value.partition(",")[2], validate=True))
        except binascii.Error:
            raise check.UserError("error.picture") from None
    else:
        raise check.UserError("error.picture")
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > LARGEST_PICTURE * 1_000_000:
                raise check.UserError("error.large_picture", most=LARGEST_PICTURE)
            image.draft("L", (4 * WORKING, 4 * WORKING))  # a JPEG is decoded no larger than needed
            image.load()
    except check.UserError:
        raise
    except UNREADABLE:
        raise check.UserError("error.picture") from None
    try:
        return as_digit(image)
    except ValueError:
        raise check.UserError("error.blank_photo") from None
