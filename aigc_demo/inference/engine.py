"""How a server writes for many at once: a loop a core, and one step of the model for all its texts.

A text joins and leaves between two tokens. All texts of a loop share every matrix product, so its
weights are read from memory once a step however many are writing; attention looks at each text
alone. A text comes out the same whoever else is writing: each has its own cache and random
generator, and a row of a matrix product does not depend on the other rows. Where this machine's
products are not like that (`rows_are_alone`), texts take turns.

Each text also tries a guess of the token to come, and more where rows would only fill a product up;
a guess that is drawn then needs no step of its own, and one that is not is forgotten.
"""

import atexit
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from aigc_demo.inference.attention import Piece
from aigc_demo.inference.cores import compute_on_one_core, give_way
from aigc_demo.inference.gpt2_steps import GPT2Steps, steps_for
from aigc_demo.inference.guesses import Guesses
from aigc_demo.inference.steps import ROWS, BatchedSteps
from aigc_demo.models.gpt2 import GPT2
from aigc_demo.models.transformer import Transformer

SLOTS = 32  # texts that are written at once; others wait
GPT2_SLOTS = 4  # of a GPT-2, whose texts take turns and hold tens of megabytes each
PATIENCE = 1.0  # seconds without work after which a loop's thread ends

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


_loops: "weakref.WeakSet[Loop]" = weakref.WeakSet()


@atexit.register
def close_all() -> None:
    """No thread computes while the interpreter is taken down."""
    for loop in list(_loops):
        loop.close()


class Engine:
    """Writes many texts with one model."""

    def __init__(
        self,
        model: Transformer | GPT2,
        device: torch.device,
        slots: int | None = None,
        guesses: Guesses | None = None,
    ) -> None:
        slots = slots or (GPT2_SLOTS if isinstance(model, GPT2) else SLOTS)
        self.steps = steps_for(model, device, slots)
        count = min(slots, os.cpu_count() or 1) if device.type == "cpu" else 1
        shares = [list(range(first, slots, count)) for first in range(count)]
        self.loops = [Loop(self.steps, share, guesses) for share in shares]

    @property
    def writing(self) -> list[Text]:
        """The texts that have a place."""
        return [text for loop in self.loops for text in loop.writing]

    def join(self, ids: list[int], count: int, draw: Draw, end: int | None = None) -> Text:
        """Begins to write at most `count` tokens after some others; `end`, if drawn, is the last
        and is left out.
        """
        text = Text(ids, count, draw, end)
        min(self.loops, key=Loop.load).join(text)
        return text


class Loop:
    """A thread that runs while there is work, with some of the slots."""

    def __init__(
        self, steps: BatchedSteps | GPT2Steps, slots: list[int], guesses: Guesses | None
    ) -> None:
        self.steps, self.guesses = steps, guesses
        self.free = slots[::-1]
        self.waiting: deque[Text] = deque()
        self.writing: list[Text] = []
        self.lock = threading.Condition()
        self.running = self.closing = False
        self.thread: threading.Thread | None = None
        _loops.add(self)

    def load(self) -> int:
        """How many texts it writes or has waiting."""
        return len(self.writing) + len(self.waiting)

    def join(self, text: Text) -> None:
        """Writes it as soon as there is a place."""
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
            if not self.writing:
                continue
            try:
                pieces = self._pieces()
                read = [rows.cpu() for rows in self.steps.read(pieces)]
            except Exception as error:
                for text in list(self.writing):
                    self._end(text, error)
                continue
            for text, piece, rows in zip(list(self.writing), pieces, read, strict=True):
                self._go_on(text, piece, rows)

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

    def _pieces(self) -> list[Piece]:
        """What each text has to read now: its first tokens, or the last one and guesses."""
        context = self.steps.context
        pieces: list[Piece] = []
        going = sum(0 < text.length < context for text in self.writing)
        spare = going + -2 * going % ROWS  # a guess each, and what fills the rows up
        for text in self.writing:
            if text.length == 0:
                pieces.append((text.slot, 0, text.ids[-context:]))
            elif text.length == context:  # full: go on from the later half of the text
                pieces.append((text.slot, 0, text.ids[-(context // 2) :]))
            else:
                room = min(-(-spare // going), context - text.length - 1)
                guesses = self.guesses.after(text.ids, room) if self.guesses and room else []
                going, spare = going - 1, spare - len(guesses)
                pieces.append((text.slot, text.length, [text.ids[-1], *guesses]))
        return pieces

    def _go_on(self, text: Text, piece: Piece, rows: Iterable[Tensor]) -> None:
        """Draws the next token, and those after it for as long as the guesses were right."""
        _, start, read = piece
        guesses = read[1:] if start else []
        text.length = start + len(read) - len(guesses)
        for logits, guess in zip(rows, [*guesses, None], strict=True):
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
                return
            if token != guess or text.left:
                return
            text.length += 1  # what was read of the guess stays

    def _end(self, text: Text, error: Exception | None = None) -> None:
        self.writing.remove(text)
        self.steps.forget(text.slot)
        self.free.append(text.slot)
        self.free.sort(reverse=True)
        with text.changed:
            text.error, text.done = error, True
            text.changed.notify_all()
