"""A text that is being written."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from aigc_demo.inference.titles import Title
from aigc_demo.inference.writing.sampler import Sampler
from aigc_demo.prosody import COMMA, STOP
from aigc_demo.tokenizer import Tokenizer

# The new tokens so far -> a mask (V,) of those that may not come.
Rule = Callable[[list[int]], NDArray[np.bool_]]


class Joins(Protocol):
    """An engine, as a text knows it."""

    def join(self, text: "Generation") -> None:
        """Writes it as soon as there is a slot."""


class Generation:
    """A text that is being written; it begins when it is first asked for.

    Iterate for its new tokens; `pieces` and `so_far` give them as text.
    """

    def __init__(
        self,
        ids: list[int],
        count: int,
        sampler: Sampler,
        engine: Callable[[], Joins],
        tokenizer: Tokenizer,
        end: int | None = None,
        rule: Rule | None = None,
        skipped: int = 0,
        written: Mapping[tuple[int, int], str] | None = None,
        beside: "Generation | None" = None,
        guidance: float = 1.0,
    ) -> None:
        """ids: what goes before, not empty; count: new tokens at most; engine: what writes it, made
        when it begins; end: the token that, if drawn, is the last and is left out; rule: what may
        come next; skipped: so many new tokens are no text; written: (line, column) of a poem -> the
        character that a token stands in for there; beside: the same text after other tokens, in
        a slot of its own; guidance: what of a logit the own tokens before change against those,
        counts so many times.
        """
        self.ids, self.given, self.count, self.sampler = list(ids), len(ids), count, sampler
        self.end, self.rule = end, rule
        self.left = self.done_writing = False
        self.error: Exception | None = None
        self.changed = threading.Condition()
        self.seen: NDArray[np.bool_] | None = None  # for the repetition penalty
        self._engine, self._begun = engine, False
        self.beside, self.guidance = beside, guidance
        self.follows = False  # what another one draws
        if beside is not None:
            beside.follows = beside._begun = True
        self._tokenizer, self._skipped, self._written = tokenizer, skipped, written or {}
        self.prompt = ""  # as it was read, where there is one
        self.owner: object = None  # whoever it is written for, where that is told
        self.heading = Title("", "", "", {})  # of a poem
        self.stand_ins: dict[str, str] = {}  # a character that has no token -> the one inside
        if sampler.repetition_penalty != 1:
            self.seen = np.zeros(len(tokenizer), bool)
            self.seen[[token for token in self.ids if token not in sampler.spared]] = True

    @property
    def new(self) -> list[int]:
        """The new tokens so far."""
        return self.ids[self.given :]

    @property
    def so_far(self) -> str:
        """The text written so far."""
        return "".join(self._as_text(self.start().new))

    @property
    def done(self) -> bool:
        """True once nothing more will come.

        Raises:
            Exception: what the writing failed of.
        """
        if self.start().done_writing and self.error is not None:
            raise self.error
        return self.done_writing

    def start(self) -> "Generation":
        """Begins it, if it has not begun."""
        if not self._begun:
            self._begun = True
            self._engine().join(self)
        return self

    def cancel(self) -> None:
        """Ends it, and frees its slot before the next token."""
        self.left = True

    def whole(self) -> str:
        """Waits until it is done.

        Raises:
            Exception: what the writing failed of.
        """
        finished = self.start().changed
        with finished:
            while not self.done:
                finished.wait()
        return self.so_far

    def pieces(self) -> Iterator[str]:
        """One piece of text at a time, as it comes; who stops listening frees the slot."""
        try:
            yield from self._as_text(self)
        finally:
            self.cancel()

    def __iter__(self) -> Iterator[int]:
        place = self.given
        self.start()
        while True:
            with self.changed:
                while len(self.ids) == place and not self.done_writing:
                    self.changed.wait()
            if place == len(self.ids):
                if self.error is not None:
                    raise self.error
                return
            yield self.ids[place]
            place += 1

    def add(self, token: int) -> bool:
        """Goes on by a token that was drawn. Whether the text is over."""
        if token == self.end:
            return True
        if self.seen is not None and token not in self.sampler.spared:
            self.seen[token] = True
        if self.beside is not None:
            self.beside.ids.append(token)
        with self.changed:
            self.ids.append(token)
            self.changed.notify_all()
        return len(self.ids) - self.given == self.count

    def finish(self, error: Exception | None = None) -> None:
        """Nothing more will come; error: what it failed of."""
        with self.changed:
            self.error, self.done_writing = error, True
            self.changed.notify_all()

    def _as_text(self, new: Iterable[int]) -> Iterator[str]:
        """Decodes new tokens; the last one before them may call for a space between."""
        added = self._tokenizer.pieces(chain([self.ids[self.given - 1]], new))
        text = islice(added, 1 + self._skipped, None)
        return self._as_given(text) if self._written else text

    def _as_given(self, pieces: Iterator[str]) -> Iterator[str]:
        """A poem's characters, the visitor's own in the place of those that stand in for them."""
        line = column = 0
        for piece in pieces:
            yield self._written.get((line, column), piece)
            line, column = (line + 1, 0) if piece in (COMMA, STOP) else (line, column + 1)
