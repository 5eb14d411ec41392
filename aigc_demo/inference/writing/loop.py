"""Continuous batching: a thread writes many texts of a model, a token a text a step."""

import atexit
import threading
import weakref
from collections import deque
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from aigc_demo.inference.cores import compute_on_one_core, give_way
from aigc_demo.inference.writing.sampler import Batch
from aigc_demo.inference.writing.steps import Steps
from aigc_demo.inference.writing.text import Generation

PATIENCE = 1.0  # seconds without work after which the thread ends
PREFILLED = 256  # prompt tokens between two steps, about: no prompt holds the others up for long

_loops: "weakref.WeakSet[Loop]" = weakref.WeakSet()


@atexit.register
def close_all() -> None:
    """No thread computes while the interpreter is taken down."""
    for loop in list(_loops):
        loop.close()


class Engine:
    """Writes all texts of a model, with a loop or several."""

    def __init__(self, steps: Sequence[Steps]) -> None:
        self.loops = [Loop(one) for one in steps]

    @property
    def writing(self) -> list[Generation]:
        """The texts that have a slot, and none that follows another."""
        return [text for loop in self.loops for text in loop.writing if not text.follows]

    @property
    def waiting(self) -> list[Generation]:
        """The texts that wait for one."""
        return [text for loop in self.loops for text in loop.waiting]

    def join(self, text: Generation) -> None:
        """Queues a text; decoding begins as soon as a slot is free."""
        min(self.loops, key=Loop.queue_length).join(text)


class Loop:
    """Writes several texts at once, in a thread that runs while there is work.

    The texts that are being written fill the first slots, in the order of `writing`; when one
    leaves, the last one's cache moves into its slot.
    """

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.waiting: deque[Generation] = deque()
        self.writing: list[Generation] = []
        self.batch: Batch | None = None  # of the texts as they are now
        self.lock = threading.Condition()
        self.read = self.decoded = 0  # prompt tokens, and steps, since the loop was made
        self.running = self.closing = False
        self.thread: threading.Thread | None = None
        _loops.add(self)

    def queue_length(self) -> int:
        """The number of texts that are decoded or queued in this loop."""
        return len(self.writing) + len(self.waiting)

    def join(self, text: Generation) -> None:
        """Queues a text; decoding begins as soon as a slot is free."""
        with self.lock:
            self.waiting.append(text)
            self.lock.notify()
            if not self.running:
                self.running = True
                self.thread = threading.Thread(target=self._run, name="writing", daemon=True)
                self.thread.start()

    def close(self) -> None:
        """Ends every text and the thread; for when the process ends."""
        with self.lock:
            self.closing = True
            self.lock.notify()
        if self.thread is not None:
            self.thread.join(timeout=2)

    @torch.inference_mode()
    def _run(self) -> None:
        compute_on_one_core()
        give_way()
        while self._admit():
            try:
                self._step()
            except Exception as error:
                for text in [text for text in self.writing if not text.follows]:
                    self._end(text, error)

    def _admit(self) -> bool:
        """Lets waiting texts in; waits for one if none is writing. False: the thread may end."""
        for text in [text for text in self.writing if text.left]:
            self._end(text)
        with self.lock:
            if not (self.writing or self.waiting or self.closing):
                self.lock.wait(PATIENCE)
            if self.closing or not (self.writing or self.waiting):
                self.running = False
                return False
            room = PREFILLED
            while self.waiting and room > 0:
                text = self.waiting[0]
                rows = [text] if text.beside is None else [text, text.beside]
                if len(self.writing) + len(rows) > self.steps.slots:
                    break
                self.waiting.popleft()
                room -= sum(len(row.ids) for row in rows)
                self.writing += rows
                self.batch = None
        return True

    def _step(self) -> None:
        """One token more of every text."""
        steps, context = self.steps, self.steps.context
        for slot, text in enumerate(self.writing):
            given: list[int] = []
            if steps.lengths[slot] == 0:
                given = text.ids[-context:-1]
                steps.prefill(slot, given)
            elif steps.lengths[slot] == context:  # full: go on from the later half of the text
                given = text.ids[-(context // 2) : -1]
                steps.prefill(slot, given)
            self.read += len(given)
        self.decoded += 1
        logits = self._guided(steps.decode([text.ids[-1] for text in self.writing]))
        banned, failed = self._banned(logits.shape[1])
        if self.batch is None:
            self.batch = Batch([text.sampler for text in self.writing])
        drawn = [len(text.ids) - text.given for text in self.writing]
        tokens = self.batch.draw(logits, drawn, self._seen(logits.shape[1]), banned)
        for text, token in zip(list(self.writing), tokens, strict=True):
            if not text.follows and (text in failed or text.add(token)):
                self._end(text, failed.get(text))

    def _guided(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Classifier-free guidance (Ho & Salimans 2022, arXiv:2207.12598, equation 6; of texts,
        Sanchez et al. 2023, arXiv:2306.17806). (B, V) -> (B, V).
        """
        guided = logits
        for row, text in enumerate(self.writing):
            if text.beside is not None:
                guided = logits.copy() if guided is logits else guided
                apart = logits[self.writing.index(text.beside)]
                guided[row] = apart + np.float32(text.guidance) * (logits[row] - apart)
        return guided

    def _seen(self, size: int) -> NDArray[np.bool_] | None:
        """The tokens that count as repeated, (B, V); None if no text minds."""
        if all(text.seen is None for text in self.writing):
            return None
        nothing = np.zeros(size, bool)
        return np.stack([nothing if text.seen is None else text.seen for text in self.writing])

    def _banned(self, size: int) -> tuple[NDArray[np.bool_] | None, dict[Generation, Exception]]:
        """The tokens that may not come, (B, V), and the texts whose own rule failed."""
        failed: dict[Generation, Exception] = {}
        if all(text.rule is None for text in self.writing):
            return None, failed
        banned = np.zeros((len(self.writing), size), bool)
        for row, text in zip(banned, self.writing, strict=True):
            if text.rule is not None:
                try:
                    row[:] = text.rule(text.new)
                except Exception as error:
                    failed[text] = error
        return banned, failed

    def _end(self, text: Generation, error: Exception | None = None) -> None:
        """Nothing more of a text, nor of what follows it."""
        for row in filter(None, (text, text.beside)):
            self._leave(row)
        self.batch = None
        text.finish(error)

    def _leave(self, text: Generation) -> None:
        """The last text goes on in its slot."""
        slot, last = self.writing.index(text), len(self.writing) - 1
        if slot < last:
            self.steps.move(last, slot)
            self.writing[slot] = self.writing[last]
        self.writing.pop()
        self.steps.forget(last)
