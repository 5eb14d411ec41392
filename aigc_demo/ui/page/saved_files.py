"""Saved files: pictures, animations, texts, tables and code, made anew from the result's link.

Every file says where it comes from: the state of the link and the whole hash of the weights.
"""

import base64
import csv
import io
import json
from collections.abc import Callable, Mapping
from inspect import isasyncgenfunction
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from aigc_demo import __version__
from aigc_demo.images import SIDE, animation, grid, png, stickers
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.answers import answers
from aigc_demo.ui.page.page import Page, Update
from aigc_demo.ui.page.share import Share

SCALE, COLUMNS = 4, 8  # of a sheet of digits
FRAME_SCALE = 8  # of an animation
KINDS = {"png": "image/png", "webp": "image/webp", "txt": "text/plain", "csv": "text/csv"}
KINDS["stickers"] = "image/png"
ENDINGS = {"stickers": "-stickers.png"}  # of file names, where it is not the kind
Told = Mapping[str, str]  # what a file says of itself


def as_txt(text: str, told: Told) -> bytes:
    """The text, and below a line what is told."""
    lines = [f"{name}: {value}" for name, value in told.items()]
    return "\n".join([text.rstrip("\n"), "", "---", *lines, ""]).encode()


def as_csv(rows: list[list], told: Told) -> bytes:
    """A table; what is told stands above it, behind #."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerows([[f"# {name}: {value}"] for name, value in told.items()])
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + file.getvalue().encode()  # so that spreadsheets take it for UTF-8


def images_of(update: Update) -> Tensor:
    """The digits of a widget, (B, 28, 28) in [0, 1], as they are shown."""
    with Image.open(io.BytesIO(base64.b64decode(update["strip"].partition(",")[2]))) as strip:
        pixels = torch.from_numpy(np.array(strip.convert("L"))).float() / 255
    return pixels.view(SIDE, -1, SIDE).transpose(0, 1).contiguous()


def text_of(answer: tuple) -> str:
    """The text of a result: a text field's, or a widget's."""
    return answer[0] if isinstance(answer[0], str) else answer[0]["text"]


def told_of(models: Models, share: Share, query: str) -> dict[str, str]:
    """The metadata of a saved file."""
    state = dict(parse_qsl(query, keep_blank_values=True))
    name = state.get("model", share.link.model)
    full = {"model": name, "weights": models.hash(name)}
    return {**state, **full, "software": f"AIGC Demo {__version__}", "link": f"?{query}"}


def make(models: Models, share: Share, values: tuple, answer: tuple, kind: str) -> bytes:
    """A result as a file. answer: what the handler gave for the values, last."""
    told = told_of(models, share, share.link.query(values))
    if kind == "txt":
        return as_txt(text_of(answer), told)
    if kind == "csv":
        assert share.table is not None
        return as_csv(share.table(models, *values), told)
    pictures = images_of(next(update for update in reversed(answer) if update.get("strip")))
    if kind == "png":
        return png(grid(pictures, COLUMNS), SCALE, told)
    if kind == "stickers":
        return stickers(pictures, COLUMNS, told)
    return animation(pictures, scale=FRAME_SCALE, description=json.dumps(told))


def add_files(page: Page) -> None:
    """Makes the buttons of every bar save their files."""
    for share in page.shares:
        if not share.kinds:
            continue
        page.compute(
            share.bar.save, _saving(share), [share.bar, page.language], share.bar, **share.options
        )


def _saving(share: Share) -> Callable:
    """The handler that makes a file of a result."""

    def coded(models: Models, values: tuple, asked: Any) -> Update:
        assert share.code is not None
        code = share.code(models, *values)
        told = {"kind": "python", "command": code.command, "python": code.python}
        return {"file": {**told, "number": asked.get("number")}, "__type__": "update"}

    def begin(words: Words, asked: Any, language: Any) -> tuple[tuple, str]:
        asked = asked if isinstance(asked, dict) else {}
        values, _ = share.link.restore(asked.get("query"), words, language)
        return values, check.one_of(asked.get("kind"), "kind", share.kinds)

    def give(models: Models, values: tuple, answer: Any, kind: str, asked: Any) -> Update:
        data = make(models, share, values, answers(answer), kind)
        file = {
            "name": f"aigc-{share.tab.replace('.', '-')}{ENDINGS.get(kind, f'.{kind}')}",
            "kind": KINDS[kind],
            "data": base64.b64encode(data).decode(),
            "number": asked.get("number"),
        }
        return {"file": file, "__type__": "update"}

    def save(models: Models, words: Words, asked, language) -> Update:
        """One file, of a picture; or the code that makes it."""
        values, kind = begin(words, asked, language)
        if kind == "python":
            share.handler(models, words, *values)  # which checks what a client sends
            return coded(models, values, asked)
        return give(models, values, share.handler(models, words, *values), kind, asked)

    async def save_text(models: Models, words: Words, asked, language):
        """One file, of a text that is written anew; or the code that makes it."""
        values, kind = begin(words, asked, language)
        if kind == "python":
            async for _ in share.handler(models, words, *values):
                break  # it has checked what a client sends
            yield coded(models, values, asked)
            return
        texts = [answer async for answer in share.handler(models, words, *values)]
        yield give(models, values, texts[-1], kind, asked)

    return save_text if isasyncgenfunction(share.handler) else save
