"""Work shared by the cores in chunks of a fixed size, each computed by one core alone: a result
depends neither on how many others are computed with it, nor on the load.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache

import torch
from torch import Tensor

Rows = tuple[Tensor, ...]  # inputs of as many rows each
_starting = threading.Lock()


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compute_on_one_core() -> None:
    """This thread's products take one core, those of other threads as many as before.

    Many small products: cores lose more by waiting for each other than they gain.
    """
    with _starting:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # of this thread, and of every thread that begins later: so ...
        other = threading.Thread(target=torch.set_num_threads, args=(threads,))
        other.start()  # ... another one says what those shall begin with
        other.join()


def give_way() -> None:
    """This thread computes with what other threads of this process leave (Linux)."""
    if sys.platform == "linux":
        own = os.PRIO_PROCESS, threading.get_native_id()
        with suppress(OSError):  # where it is not allowed, or gives way further already
            os.setpriority(*own, max(10, os.getpriority(*own)))


@cache
def workers() -> ThreadPoolExecutor:
    """A thread a core."""
    return ThreadPoolExecutor(os.cpu_count(), "core", initializer=compute_on_one_core)


class Chunks:
    """Runs `compute` on rows by a thread pool, a chunk of fixed `size` at a time, on the CPU.

    The rows that are left of a request after its full chunks share a chunk with those of other
    requests that wait meanwhile; the rest of that chunk is zero-padded.
    """

    def __init__(self, compute: Callable[..., Tensor], size: int, device: torch.device) -> None:
        """compute: (size, ...) of each input -> (size, ...)."""
        self.compute, self.size, self.device = compute, size, device
        self.rests: dict[Future[Tensor], Rows] = {}  # in the order of their turns
        self.taking = threading.Lock()

    def __call__(self, *inputs: Tensor) -> Tensor:
        """inputs: (B, ...) each -> (B, ...)."""
        parts = zip(*(x.split(self.size) for x in inputs), strict=True)
        if self.device.type != "cpu":
            return torch.cat([self._chunk(part) for part in parts])
        return torch.cat([done.result() for done in [self._begin(part) for part in parts]])

    def _begin(self, part: Rows) -> "Future[Tensor]":
        if len(part[0]) == self.size:
            return workers().submit(self._chunk, part)
        done: Future[Tensor] = Future()
        with self.taking:
            self.rests[done] = part
        workers().submit(self._share, done)
        return done

    def _share(self, done: "Future[Tensor]") -> None:
        """Computes a rest, with as many others as fit into its chunk."""
        with self.taking:
            if done not in self.rests:  # it went with another
                return
            taken = {done: self.rests.pop(done)}
            room = self.size - len(taken[done][0])
            for other, part in list(self.rests.items()):
                if len(part[0]) <= room:
                    taken[other] = self.rests.pop(other)
                    room -= len(part[0])
        try:
            rows = self._chunk(tuple(map(torch.cat, zip(*taken.values(), strict=True))))
            parts = rows.split([len(part[0]) for part in taken.values()])
        except Exception as error:
            for one in taken:
                one.set_exception(error)
            return
        for one, made in zip(taken, parts, strict=True):
            one.set_result(made)

    @torch.inference_mode()
    def _chunk(self, part: Rows) -> Tensor:
        """(B, ...) each, B up to `size` -> (B, ...)."""
        count = len(part[0])
        full = [torch.cat([x, x.new_zeros(self.size - count, *x.shape[1:])]) for x in part]
        return self.compute(*(x.to(self.device) for x in full))[:count].cpu()
