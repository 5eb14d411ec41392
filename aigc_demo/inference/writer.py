"""Writes text, one token at a time."""

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from aigc_demo.inference.check import HIGHEST_SEED, real, whole
from aigc_demo.inference.writing.loop import Engine
from aigc_demo.inference.writing.model_steps import ModelSteps
from aigc_demo.inference.writing.sampler import Batch, Sampler
from aigc_demo.inference.writing.steps import steps_for
from aigc_demo.inference.writing.text import Generation
from aigc_demo.models.transformer import Cache
from aigc_demo.tokenizer import Tokenizer, UnknownCharacters
from aigc_demo.weights import Loaded, find_folder, load_model

PROMPT = "ROMEO:\n"  # to open with, where a model knows no better
LONGEST_PROMPT = 20_000  # characters
MOST_TOKENS = 5_000
MOST_LOGITS = 50_000_000  # at once: 200 MB


class Writer:
    """Continues a text. The same seed gives the same text, whoever else is writing."""

    def __init__(self, loaded: Loaded, again: Callable[[], Loaded] | None = None) -> None:
        """again: reads the same weights once more, after `release_weights`."""
        self.loaded, self._again = loaded, again
        self._reading = threading.Lock()
        if loaded.tokenizer is None:
            raise ValueError("expected a model with a tokenizer, got one without")
        self.tokenizer: Tokenizer = loaded.tokenizer
        self.context = loaded.model.config.context

    @classmethod
    def load(cls, source: str | Path = "shakespeare", device: str | None = None) -> Self:
        """The Transformer of a bundled name, a folder or owner/repo@revision, GPT-2s among them.

        Raises:
            ValueError: unknown source, wrong family or damaged weights.
        """
        folder = find_folder(source)

        def read() -> Loaded:
            return load_model(folder, "transformer", device)

        return cls(load_model(source, "transformer", device), read)

    @property
    def model(self) -> Any:
        """The model in single precision, as the inside views need it.

        Raises:
            ValueError: it was put away, and its files are others now.
        """
        with self._reading:
            if self.loaded.model is None and self._again:
                again, digest = self._again(), self.loaded.digest
                if again.digest != digest:
                    raise ValueError(f"expected weights of SHA-256 {digest}, got {again.digest}")
                self.loaded = again
            return self.loaded.model

    def release_weights(self) -> None:
        """Gives back the memory of `model` until it is asked for: what writes has weights of its
        own, laid out for the machine.
        """
        if self._again and not isinstance(self.engine.loops[0].steps, ModelSteps):
            with self._reading:
                self.loaded = replace(self.loaded, model=None)

    @property
    def opening(self) -> str:
        """A prompt that it can read: of its own text, else the first of some that it knows."""
        known = (one for one in (self.loaded.opening, PROMPT, "\n", "春") if self.reads(one))
        return next(known, self.tokenizer.characters[:1])

    def reads(self, prompt: str) -> bool:
        """True if there is something in a prompt, and its vocabulary has it all."""
        try:
            return bool(prompt and self.tokenizer.encode(self.tokenizer.fold(prompt)))
        except UnknownCharacters:
            return False

    def write(self, prompt: str, max_new_tokens: int = 200, **settings: Any) -> str:
        """The continuation alone; arguments as for `begin`."""
        return self.begin(prompt, max_new_tokens, **settings).whole()

    def stream(self, prompt: str, max_new_tokens: int = 200, **settings: Any) -> Iterator[str]:
        """The continuation, one piece of text at a time; arguments and errors as for `begin`."""
        return self.begin(prompt, max_new_tokens, **settings).pieces()

    def begin(
        self,
        prompt: str,
        max_new_tokens: int = 200,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        repetition_penalty: float = 1.0,
        seed: int | None = None,
    ) -> Generation:
        """A continuation, written beside those of others.

        Args:
            prompt: what goes before, at least one character that the model knows.
            max_new_tokens: 1 to 5,000.
            temperature: 0 (always the likeliest) to 5.
            top_k: draw from the k likeliest only; None from all.
            top_p: draw from the fewest that reach this probability only; above 0, up to 1.
            repetition_penalty: 1 (none) to 5, on tokens of the text so far
                (Keskar et al. 2019, arXiv:1909.05858, section 4.1).
            seed: None draws one.

        Raises:
            ValueError: something out of range, at once and not with the first piece.
            UnknownCharacters: the prompt holds characters that the model has no token for.
        """
        prompt = self.tokenizer.fold(text_of(prompt, "prompt", LONGEST_PROMPT))
        ids = self.tokenizer.encode(prompt)
        if not ids:
            raise ValueError("expected a prompt of at least one character, got an empty one")
        count = whole(max_new_tokens, "max_new_tokens", 1, MOST_TOKENS)
        sampler = sampler_of(temperature, top_k, top_p, repetition_penalty, seed)
        given = [*self.tokenizer.start, *ids]
        text = self._text(given, count, sampler, end=self.tokenizer.end)
        text.prompt = prompt
        return text

    def extend(
        self, ids: list[int], count: int, temperature: float = 1.0, seed: int | None = None
    ) -> list[int]:
        """So many tokens after some tokens, control tokens among them; arguments as for `begin`.

        Alone and step by step, by the model itself: what `begin` does for many at once.

        Raises:
            ValueError: something out of range, or no token to go on from.
        """
        if not ids:
            raise ValueError("expected at least one token to go on from, got none")
        count = whole(count, "count", 1, MOST_TOKENS)
        return list(islice(self._draws(ids, sampler_of(temperature, seed=seed)), count))

    @torch.inference_mode()
    def log_probabilities(self, text: str) -> Tensor:
        """The log-probability of each token.

        Args:
            text: T tokens, at least two.

        Returns:
            (T - 1,) nats, of each token after the first given all before it, at most the
            model's context of them.

        Raises:
            ValueError: a shorter or much too long text.
            UnknownCharacters: characters without a token.
        """
        ids = self.tokenizer.encode(self.tokenizer.fold(text_of(text, "text", LONGEST_PROMPT)))
        if len(ids) < 2:
            raise ValueError(f"expected a text of at least 2 tokens, got {len(ids)}")
        tokens = torch.tensor(ids, device=self.loaded.device)
        first = self.model(tokens[None, : self.context][:, : len(ids) - 1])[0].log_softmax(1)
        picked = [first.gather(1, tokens[1 : len(first) + 1, None])[:, 0]]
        if len(ids) - 1 > self.context:  # beyond: each from its own full window
            windows = tokens[:-1].unfold(0, self.context, 1)[1:]
            targets = tokens[self.context + 1 :]
            logits = self.context * len(self.tokenizer)  # of a window
            count = max(1, min(32, MOST_LOGITS // logits))
            for rows, target in zip(windows.split(count), targets.split(count), strict=True):
                last = self.model(rows)[:, -1].log_softmax(1)
                picked.append(last.gather(1, target[:, None])[:, 0])
        return torch.cat(picked).cpu()

    @cached_property
    def engine(self) -> Engine:
        """The engine that writes for all who ask this writer."""
        return Engine(steps_for(self.model, self.loaded.device))

    def _text(self, ids: list[int], count: int, sampler: Sampler, **settings: Any) -> Generation:
        return Generation(ids, count, sampler, lambda: self.engine, self.tokenizer, **settings)

    @torch.inference_mode()
    def _step(self, tokens: list[int], cache: Cache) -> Tensor:
        """Logits (V,) after some new tokens."""
        return self.model(torch.tensor([tokens], device=self.loaded.device), cache)[0, -1].cpu()

    def _draws(self, ids: list[int], sampler: Sampler) -> Iterator[int]:
        """New tokens without end."""
        text, batch = list(ids), Batch([sampler])
        cache = Cache(self.model.config, 1, self.loaded.device)
        logits = self._step(text[-self.context :], cache)
        while True:
            text += batch.draw(logits[None].numpy(), [len(text) - len(ids)])
            yield text[-1]
            if cache.length == self.context:  # full: go on from the later half of the text
                cache = Cache(self.model.config, 1, self.loaded.device)
                logits = self._step(text[-self.context // 2 :], cache)
            else:
                logits = self._step(text[-1:], cache)


def sampler_of(
    temperature: float,
    top_k: int | None = None,
    top_p: float | None = None,
    penalty: float = 1.0,
    seed: int | None = None,
    spared: frozenset[int] = frozenset(),
) -> Sampler:
    """The settings of a text, checked."""
    temperature = real(temperature, "temperature", 0, 5)
    if top_k is not None:
        top_k = whole(top_k, "top_k", 1, 1_000_000)
    if top_p is not None and real(top_p, "top_p", 0, 1) == 0:
        raise ValueError("expected top_p above 0 and up to 1, got 0")
    penalty = real(penalty, "repetition_penalty", 1, 5)
    seed = secrets.randbelow(2**63) if seed is None else whole(seed, "seed", 0, HIGHEST_SEED)
    return Sampler(temperature, top_k, top_p, penalty, seed, spared)


def text_of(value: Any, name: str, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected {name} as text, got {type(value).__name__}")
    if len(value) > longest:
        raise ValueError(f"expected {name} of at most {longest} characters, got {len(value)}")
    return value
