"""How a server writes for many at once: one loop, and one step of the model for all texts.

A text joins and leaves between two tokens. All texts share every matrix product, so its weights are
read from memory once a step however many are writing; attention looks at each text alone. A text
comes out the same whoever else is writing: each has its own cache and random generator, and a row
of a matrix product does not depend on the other rows. Where this machine's products are not like
that (`rows_are_alone`), texts take turns.
"""

import atexit
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from aigc_demo.inference.gpt2_steps import steps_for
from aigc_demo.models.transformer import Transformer

SLOTS = 32  # texts that are written at once; others wait
PATIENCE = 1.0  # seconds without work after which the loop's thread ends

# The logits (V,) and the ids so far -> the next token.
Draw = Callable[[Tensor, list[int]], int]


class Text:
    """One text that is being written. Iterate for its new tokens."""

    def __init__(self, ids: list[int], count: int, draw: Draw, end: int | None) -> None:
        self.ids, self.count, self.draw, self.end = list(ids), count, draw, end
        self.given = len(ids)
        self.slot = -1
        self.length = 0  # tokens in its slot's cache
        self.left = self.done = False
        self.error: Exception | None = None
        self.changed = threading.Condition()

    @property
    def new(self) -> list[int]:
        """The new tokens so far."""
        return self.ids[self.given :]

    def leave(self) -> None:
        """Frees its place before the next token."""
        self.left = True

    def __iter__(self) -> Iterator[int]:
        place = self.given
        while True:
            with self.changed:
                while len(self.ids) == place and not self.done:
                    self.changed.wait()
            if place == len(self.ids):
                if self.error is not None:
                    raise self.error
                return
            yield self.ids[place]
            place += 1


_engines: "weakref.WeakSet[Engine]" = weakref.WeakSet()


@atexit.register
def close_all() -> None:
    """No thread computes while the interpreter is taken down."""
    for engine in list(_engines):
        engine.close()


def compute_on_one_core() -> None:
    """This thread's products take one core, those of other threads as many as before.

    A step is many small products: cores lose more by waiting for each other than they gain.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # of this thread, and of every thread that begins later: so ...
    other = threading.Thread(target=torch.set_num_threads, args=(threads,))
    other.start()  # ... another one says what those shall begin with
    other.join()


class Engine:
    """Writes many texts with one model, in a thread of its own that runs while there is work."""

    def __init__(self, model: Transformer, device: torch.device, slots: int = SLOTS) -> None:
        self.steps = steps_for(model, device, slots)
        self.free = list(range(slots))[::-1]
        self.waiting: deque[Text] = deque()
        self.writing: list[Text] = []
        self.lock = threading.Condition()
        self.running = self.closing = False
        self.thread: threading.Thread | None = None
        _engines.add(self)

    def join(self, ids: list[int], count: int, draw: Draw, end: int | None = None) -> Text:
        """Begins to write at most `count` tokens after some others; `end`, if drawn, is the last
        and is left out.
        """
        text = Text(ids, count, draw, end)
        with self.lock:
            self.waiting.append(text)
            self.lock.notify()
            if not self.running:
                self.running = True
                self.thread = threading.Thread(target=self._run, name="writing", daemon=True)
                self.thread.start()
        return text

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
        while self._admit():
            if not self.writing:
                continue
            try:
                logits = self.steps.read([self._piece(text) for text in self.writing]).cpu()
            except Exception as error:
                for text in list(self.writing):
                    self._end(text, error)
                continue
            for text, row in zip(list(self.writing), logits, strict=True):
                self._go_on(text, row)

    def _admit(self) -> bool:
        """Lets waiting texts in; waits for one if none is writing. False: the thread may end."""
        with self.lock:
            if not (self.writing or self.waiting or self.closing):
                self.lock.wait(PATIENCE)
            if self.closing or not (self.writing or self.waiting):
                self.running = False
                return False
            while self.free and self.waiting:
                text = self.waiting.popleft()
                text.slot = self.free.pop()
                self.writing.append(text)
        for text in [text for text in self.writing if text.left]:
            self._end(text)
        return True

    def _piece(self, text: Text) -> tuple[int, int, list[int]]:
        """Slot, tokens already in its cache, and those to read now."""
        context = self.steps.context
        if text.length == 0:
            read = text.ids[-context:]
        elif text.length == context:  # full: go on from the later half of the text
            text.length, read = 0, text.ids[-(context // 2) :]
        else:
            read = text.ids[-1:]
        start, text.length = text.length, text.length + len(read)
        return text.slot, start, read

    def _go_on(self, text: Text, logits: Tensor) -> None:
        try:
            token = text.draw(logits, text.ids)
        except Exception as error:  # its own rule failed: the others go on
            self._end(text, error)
            return
        if token == text.end:
            self._end(text)
            return
        with text.changed:
            text.ids.append(token)
            text.changed.notify_all()
        if len(text.ids) - text.given == text.count:
            self._end(text)

    def _end(self, text: Text, error: Exception | None = None) -> None:
        self.writing.remove(text)
        self.free.append(text.slot)
        self.free.sort(reverse=True)
        with text.changed:
            text.error, text.done = error, True
            text.changed.notify_all()
