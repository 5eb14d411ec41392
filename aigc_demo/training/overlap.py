"""Writes the index of a training text: who asks whether a text was copied finds out where from."""

import re
import zlib
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from aigc_demo.data.poems import Poem
from aigc_demo.inference.grams import gram_hashes, pack
from aigc_demo.weights import replace_file

PLAY, VERSE = 8, 3  # characters of a hashed passage

Places = list[tuple[int, str]]  # where something begins in the text, and its name


def write_overlap(folder: Path, text: str, places: Places, length: int) -> None:
    """Writes overlap.safetensors beside the weights: hashes in the order of the text, and places.

    places: in their order, at least one; length: characters of a hashed passage.
    """
    names = "\n".join(name for _, name in places).encode()
    arrays: dict[str, np.ndarray] = {
        "hashes": pack(gram_hashes(text, length)),
        "starts": np.array([start for start, _ in places], dtype=np.int32),
        "names": np.frombuffer(zlib.compress(names, 9), dtype=np.uint8),
        "length": np.array([length], dtype=np.int32),
    }
    replace_file(folder / "overlap.safetensors", save(arrays))


def places_of_play(text: str) -> Places:
    """The speeches of a play, each named by its speaker and the line, from 1, with that name.

    A speech begins with an empty line, which here belongs to it, and a line with the name alone.
    """
    found = [
        (speech.start(), f"{speech[1]}, line {text.count(chr(10), 0, speech.start(1)) + 1}")
        for speech in re.finditer(r"(?:\A|\n\n)([^\n:]+):\n", text)
    ]
    return found or [(0, "line 1")]


def verses_with_places(poems: list[Poem]) -> tuple[str, Places]:
    """All poems one after the other, a line break between them, and where each begins."""
    starts, start = [], 0
    for poem in poems:
        starts.append((start, f"{poem.author}《{poem.title}》" if poem.title else poem.author))
        start += len(poem.text) + 1
    return "\n".join(poem.text for poem in poems), starts
