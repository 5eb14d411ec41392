"""Limits to the memory that the process keeps."""

import ctypes
import gc
import sys

ARENA_MAX = -8  # mallopt's name


def one_heap() -> None:
    """Limits glibc's malloc to one arena: by default eight a core keep freed memory in each.

    Threads do not get slower.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(ARENA_MAX, 1)


def return_memory() -> None:
    """Gives freed blocks back to the system, such as those of weights now laid out for the machine.

    Not for every block (M_MMAP_THRESHOLD): pages that come anew for each large tensor took more
    time than the model.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def collect_once() -> None:
    """Frees garbage, and from then on looks for it among new objects only: not again and again
    among the hundreds of thousands of the modules and the page, which stay.
    """
    gc.collect()
    gc.freeze()
    return_memory()
