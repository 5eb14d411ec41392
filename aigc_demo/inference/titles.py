"""A poem's title as the model reads it; for modern words, what poets of old wrote of instead."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from aigc_demo.tokenizer import (
    SAME,
    Tokenizer,
    UnknownCharacters,
    characters_of,
    fit_script,
    to_simplified,
)

MODERN = Path(__file__).with_name("modern.txt")  # "<word> <its classical neighbour>" a line


@dataclass(frozen=True)
class Title:
    """A title: it only steers the poem, so what has no token can be left out."""

    shown: str  # above the poem
    inside: str  # as the model reads it, in its own script
    left_out: str  # characters that are in neither
    neighbours: Mapping[str, str]  # a modern word that is shown -> what is inside


@cache
def neighbours() -> Mapping[str, str]:
    """A modern word -> its classical neighbour, both in simplified characters."""
    lines = MODERN.read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if not line.startswith("#"))


@cache
def _modern_words() -> re.Pattern[str]:
    longest_first = sorted(neighbours(), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def fit_title(title: str, tokenizer: Tokenizer) -> Title:
    """A title, simplified or traditional, for a model with this tokenizer."""
    written = characters_of(title)
    shown, inside, left_out, used = "", "", "", {}
    for piece in _pieces(written):
        neighbour = neighbours().get(to_simplified(piece).upper(), "")
        if neighbour and _can_read(neighbour, tokenizer):
            shown, inside, used[piece] = shown + piece, inside + neighbour, neighbour
            continue
        for character in piece:
            read = SAME.get(character, character)
            if _can_read(read, tokenizer):
                shown, inside = shown + character, inside + read
            else:
                left_out += character
    return Title(shown, fit_script(inside, tokenizer), left_out, used)


def _pieces(title: str) -> list[str]:
    """A title cut before and after its modern words."""
    plain = to_simplified(title)
    if len(plain) != len(title):
        return [title]
    cuts = {place for word in _modern_words().finditer(plain) for place in word.span()}
    return [title[i:j] for i, j in pairwise(sorted({0, *cuts, len(title)}))]


def _can_read(text: str, tokenizer: Tokenizer) -> bool:
    try:
        fit_script(text, tokenizer)
    except UnknownCharacters:
        return False
    return True
