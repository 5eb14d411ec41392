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
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(MMAP_THRESHOLD, LARGE)
        libc.mallopt(ARENA_MAX, os.cpu_count() or 1)


def collect_once() -> None:
    """Frees what the start left, and looks for garbage among what stays no more: modules and the
    page, hundreds of thousands of objects, through which every later collection would go.
    """
    gc.collect()
    gc.freeze()
