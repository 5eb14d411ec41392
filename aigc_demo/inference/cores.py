"""Work shared by the cores in chunks of a fixed size, each computed by one core alone: a result
depends neither on how many others are computed with it, nor on the load.
"""

import os
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import torch
from torch import Tensor

_starting = threading.Lock()


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


@cache
def scripted(compute: Callable[..., Any]) -> Callable[..., Any]:
    """The same without Python between the operations: threads do not wait for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(compute)


@cache
def workers() -> ThreadPoolExecutor:
    """A thread a core."""
    return ThreadPoolExecutor(os.cpu_count(), "core", initializer=compute_on_one_core)


def in_chunks(
    compute: Callable[..., Tensor], inputs: Sequence[Tensor], size: int, device: torch.device
) -> Tensor:
    """What `compute` makes of some rows, `size` of them at a time; noughts fill the last chunk.

    inputs: (B, ...) each; compute: chunks of them -> (size, ...).

    Returns:
        (B, ...), on the CPU.
    """

    @torch.inference_mode()
    def one(*chunk: Tensor) -> Tensor:
        return compute(*chunk)

    count, fill = len(inputs[0]), -len(inputs[0]) % size
    full = [torch.cat([x, x.new_zeros(fill, *x.shape[1:])]).to(device) for x in inputs]
    chunks = [x.split(size) for x in full]
    done = workers().map(one, *chunks) if device.type == "cpu" else map(one, *chunks)
    return torch.cat(list(done))[:count].cpu()
