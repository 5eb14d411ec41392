"""Short hashes of the passages of a text, for an index that does not hold the text itself."""

import numpy as np
from numpy.typing import NDArray

BITS = 12  # of a hash


def gram_hashes(text: str, length: int) -> NDArray[np.uint16]:
    """A hash of BITS bits of the `length` characters from each place on. (N - length + 1,).

    A polynomial in the code points modulo 2^64, its bits then mixed, the top ones kept.
    """
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    count = max(0, len(codes) - length + 1)
    total = np.zeros(count, dtype=np.uint64)
    for place in range(length):
        total = total * np.uint64(0x100000001B3) + codes[place : place + count]
    total = (total ^ (total >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15)
    return (total >> np.uint64(64 - BITS)).astype(np.uint16)


def pack(hashes: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Hashes (N,) as bytes, two of them in three. (ceil(1.5 N),)."""
    even, odd = np.pad(hashes, (0, len(hashes) % 2)).reshape(-1, 2).T
    three = np.stack([even >> 4, even << 4 & 0xF0 | odd >> 8, odd & 0xFF], 1)
    return three.astype(np.uint8).ravel()[: (3 * len(hashes) + 1) // 2]


def unpack(packed: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The hashes that `pack` packed. (M,) -> (floor(M / 1.5),)."""
    high, middle, low = np.pad(packed, (0, -len(packed) % 3)).reshape(-1, 3).T.astype(np.uint16)
    both = np.stack([high << 4 | middle >> 4, (middle & 0xF) << 8 | low], 1)
    return both.ravel()[: 2 * len(packed) // 3]
