"""Guesses of the next tokens by what most often follows the last few, looked up in a table.

Speculative decoding, Leviathan et al. 2023, arXiv:2211.17192, with a table for the small model: the
large one checks several guesses in the time of one step, and only what it would have drawn anyway
is kept. So guesses change how long a text takes, never the text.
"""

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from aigc_demo.weights import read_tensors

ORDER = 4  # tokens at most that a guess looks back on
FILE = "guesses.safetensors"
FORM = {"keys": (torch.int64, 1), "following": (torch.int16, 1)}  # what training writes


def keys_of(ids: NDArray[np.int64], length: int, size: int) -> NDArray[np.int64]:
    """A number for the `length` tokens before each place: the last one counts 1, each further back
    size + 1 times as much, and no token is 0, so that no two contexts share a number.

    ids: (N,) below size -> (N - length + 1,), of the places length..N.
    """
    count = len(ids) - length + 1
    keys = np.zeros(count, dtype=np.int64)
    for place in range(length):
        keys = keys * (size + 1) + ids[place : place + count] + 1
    return keys


class Guesses:
    """What most often follows a few tokens, in the text that a model was trained on."""

    def __init__(self, keys: NDArray, following: NDArray, size: int) -> None:
        """keys: by `keys_of`, rising; following: the token after each; size: of the vocabulary."""
        self.keys, self.tokens = keys.data, following.data
        self.size = size

    def following(self, key: int) -> int | None:
        """What most often follows."""
        place = bisect_left(self.keys, key)
        known = place < len(self.keys) and self.keys[place] == key
        return self.tokens[place] if known else None

    @classmethod
    def beside(cls, folder: Path, size: int) -> "Guesses | None":
        """Those that training wrote beside the weights; none for models without.

        Raises:
            ValueError: it is no file of such a table.
        """
        tensors = read_tensors(folder / FILE)
        if not tensors:
            return None
        found = {name: (t.dtype, t.dim()) for name, t in tensors.items()}
        if found != FORM or len(tensors["keys"]) != len(tensors["following"]):
            raise ValueError(f"{folder / FILE}: expected keys and following, equally many integers")
        keys, following = tensors["keys"].numpy(), tensors["following"].numpy()
        if not (following < size).all() or not (following >= 0).all():
            raise ValueError(f"{folder / FILE}: expected tokens below {size}")
        if not (keys[1:] > keys[:-1]).all():
            raise ValueError(f"{folder / FILE}: expected rising keys")
        return cls(keys, following, size)

    def after(self, ids: Sequence[int], count: int) -> list[int]:
        """The next tokens, each by the most tokens before it that the table knows; fewer than
        `count` where it knows none.
        """
        last = list(ids[-ORDER:])
        guesses: list[int] = []
        while len(guesses) < count:
            guess, key, worth = None, 0, 1
            for token in reversed(last[-ORDER:]):
                key += (token + 1) * worth
                worth *= self.size + 1
                found = self.following(key)
                guess = guess if found is None else found
            if guess is None:
                break
            guesses.append(guess)
            last.append(guess)
        return guesses
