"""Writes what most often follows a few tokens: the guesses that speed up writing."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save

from aigc_demo.inference.guesses import FILE, ORDER, keys_of
from aigc_demo.weights import replace_file

FEWEST = 4  # times that the tokens must occur to be listed


def write_guesses(folder: Path, ids: list[int], size: int) -> None:
    """Writes guesses.safetensors beside the weights.

    ids: (N,) the training text; size: of the vocabulary.
    """
    text = np.array(ids, dtype=np.int64)
    keys, following = [], []
    for length in range(1, ORDER + 1):
        before = keys_of(text, length, size)[:-1]  # nothing follows the last
        pairs, times = np.unique(np.stack([before, text[length:]], 1), axis=0, return_counts=True)
        first = np.unique(pairs[:, 0], return_index=True)[1]
        often = np.add.reduceat(times, first) >= FEWEST
        by_times = np.lexsort((-times, pairs[:, 0]))[first]  # of each the likeliest, the lowest id
        keys.append(pairs[by_times, 0][often])
        following.append(pairs[by_times, 1][often])
    order = np.argsort(np.concatenate(keys))
    arrays = {
        "keys": np.concatenate(keys)[order],
        "following": np.concatenate(following)[order].astype(np.int16),
    }
    replace_file(folder / FILE, save(arrays))
