"""A training as a process: the signals that stop it, and the others that share its work."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist

from aigc_demo.devices import choose_device

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Collects signals to stop instead of acting on them; a second one interrupts at once.

    A signal that is ignored stays so, as Ctrl-C in a job that a script starts in the background.
    """
    came: list[int] = []

    def note(number: int, frame: object) -> None:
        if came:
            raise KeyboardInterrupt(number)
        came.append(number)

    mine = threading.current_thread() is threading.main_thread()  # whose signals are
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS if mine}
    before = {number: one for number, one in before.items() if one not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, note)
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def join_processes() -> torch.device:
    """This process's device; started by `torchrun`, it also joins the others there."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return choose_device()
    cuda = torch.cuda.is_available()
    if not dist.is_initialized():
        # The launcher's store outlives a restart (--max-restarts), so each start has its own keys.
        store, rank, world = next(dist.rendezvous("env://"))
        start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        dist.init_process_group(
            "nccl" if cuda else "gloo",
            store=dist.PrefixStore(f"start {start}", store),
            rank=rank,
            world_size=world,
        )
    return torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")


def first_process() -> bool:
    """True in the process that writes; the only one, if not started by `torchrun`."""
    return os.environ.get("RANK", "0") == "0"


def leave_processes() -> None:
    """Ends what `join_processes` began, once every process is done."""
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()
