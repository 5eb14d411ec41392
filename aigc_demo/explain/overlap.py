"""Invented or copied? The longest passages that a text shares with the training text."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from aigc_demo.inference.grams import gram_hashes, unpack
from aigc_demo.weights import find_folder, read_tensors

FEWEST = 4  # hashes in a row that must agree
KINDS = {"hashes": torch.uint8, "starts": torch.int32, "names": torch.uint8, "length": torch.int32}


@dataclass(frozen=True)
class Overlap:
    """A passage that stands in the text and in the training text."""

    start: int  # in the text
    length: int  # characters
    place: str  # the speech or poem of the training text that it begins in
    offset: int  # in the training text


class Overlaps:
    """The index of one training text: a hash for each of its passages of `length` characters.

    A hash has 12 bits, so one in 4,096 agrees by chance. Four in a row do so in a text of a
    thousand characters against ten million with a probability of 10^10 / 2^48, 1 in 28,000. One
    shared passage in 2,000 is found a character too long, and the longest of many more often: it
    was for 2 of the 397 held-out poems, of 2,000, that share a passage with the training poems.
    """

    def __init__(
        self, hashes: NDArray[np.uint16], starts: NDArray[np.int32], names: list[str], length: int
    ) -> None:
        self.starts, self.names, self.length = starts, names, length
        keys = _rows(hashes)
        self.order = np.argsort(keys, kind="stable").astype(np.int32)
        self.keys = keys[self.order]

    @classmethod
    def load(cls, source: str | Path) -> "Overlaps | None":
        """The index of a weights folder, or None where it has none.

        Raises:
            ValueError: an unknown source, or a damaged index.
        """
        path = find_folder(source) / "overlap.safetensors"
        tensors = read_tensors(path)
        if not tensors:
            return None
        for name, kind in KINDS.items():
            if name not in tensors or tensors[name].dtype != kind or tensors[name].ndim != 1:
                raise ValueError(f"{path}: expected a row of {kind} for {name}")
        kept = {name: tensors[name].numpy() for name in KINDS}
        try:
            names = zlib.decompress(kept["names"].tobytes()).decode().split("\n")
        except (zlib.error, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: expected names of places, got {error}") from error
        starts, length = kept["starts"], kept["length"]
        if len(names) != len(starts):
            raise ValueError(f"{path}: expected {len(starts)} names of places, got {len(names)}")
        if len(length) != 1 or length[0] < 1:
            raise ValueError(f"{path}: expected the length of a passage, got {length.tolist()}")
        return cls(unpack(kept["hashes"]), starts, names, int(length[0]))

    def longest(self, text: str, count: int = 3) -> list[Overlap]:
        """The longest shared passages, the longest first, none of which overlap in the text.

        Only those of at least `length` + FEWEST - 1 characters are found.
        """
        keys = _rows(gram_hashes(text, self.length))
        first = np.searchsorted(self.keys, keys, "left")
        hits = np.searchsorted(self.keys, keys, "right") - first
        # All pairs of a place in the text and one in the training text from which hashes agree.
        here = np.repeat(np.arange(len(keys)), hits)
        rank = np.arange(len(here)) - np.repeat(hits.cumsum() - hits, hits)
        there = self.order[np.repeat(first, hits) + rank]
        # A shared passage is a run of pairs along one diagonal.
        along = np.lexsort((here, there - here))
        here, there = here[along], there[along]
        goes_on = (np.diff(here) == 1) & (np.diff(there) == 1)
        begins = np.flatnonzero(np.concatenate([[True], ~goes_on])[: len(here)])
        sizes = np.diff(np.append(begins, len(here))) + FEWEST - 1 + self.length - 1
        found: list[Overlap] = []
        for run in np.lexsort((there[begins], here[begins], -sizes)):
            start, size = int(here[begins[run]]), int(sizes[run])
            if all(start >= o.start + o.length or start + size <= o.start for o in found):
                offset = int(there[begins[run]])
                found.append(Overlap(start, size, self._place(offset), offset))
            if len(found) == count:
                break
        return found

    def _place(self, offset: int) -> str:
        return self.names[max(0, int(np.searchsorted(self.starts, offset, "right")) - 1)]


def _rows(hashes: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """FEWEST hashes in a row as one number, from each place on. (N,) -> (N - FEWEST + 1,)."""
    count = max(0, len(hashes) - FEWEST + 1)
    rows = np.zeros(count, dtype=np.uint64)
    for place in range(FEWEST):
        rows = rows << np.uint64(16) | hashes[place : place + count]
    return rows
