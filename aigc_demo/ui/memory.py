"""How much memory the process keeps."""

import ctypes
import gc
import os
import sys

MMAP_THRESHOLD, ARENA_MAX = -3, -8  # mallopt's names
LARGE = 256 * 1024  # bytes


def return_memory() -> None:
    """Makes the C library give memory back to the system where it would keep it for later.

    glibc keeps freed blocks of up to 32 MB, in eight heaps a core. Weights are read into large
    blocks, which are freed once they are laid out for the machine: these get pages of their own.
    """
    if hasattr(library := _c_library(), "mallopt"):
        library.mallopt(MMAP_THRESHOLD, LARGE)
        library.mallopt(ARENA_MAX, os.cpu_count() or 1)


def collect_once() -> None:
    """Frees what the start left, and from then on collects garbage without what stays.

    Whoever starts the page may forbid collection before: to look through hundreds of thousands of
    objects again and again while modules are imported takes a fifth of the time.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    if hasattr(library := _c_library(), "malloc_trim"):
        library.malloc_trim(0)


def _c_library() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if sys.platform == "linux" else None
