"""Writes text, one token at a time, and Chinese verse in its forms."""

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from aigc_demo.inference.check import HIGHEST_SEED, real, whole
from aigc_demo.inference.verse import ANSWERING, PLANNED, Verses, answer_at
from aigc_demo.inference.writing.loop import Engine
from aigc_demo.inference.writing.model_steps import ModelSteps
from aigc_demo.inference.writing.sampler import Batch, Sampler
from aigc_demo.inference.writing.steps import steps_for
from aigc_demo.inference.writing.text import Generation
from aigc_demo.models.transformer import Cache
from aigc_demo.prosody import FORMS, Form, set_in_lines
from aigc_demo.tokenizer import (
    POEM_END,
    CharacterTokenizer,
    Tokenizer,
    UnknownCharacters,
    begin_alike,
    characters_of,
    control,
    fit_script,
    fit_title,
    poem_ids,
)
from aigc_demo.weights import Loaded, find_folder, load_model

PROMPT = "ROMEO:\n"  # to open with, where a model knows no better
LONGEST_PROMPT = 20_000  # characters
LONGEST_TITLE = 16
LONGEST_LINE = 40  # with all marks
MOST_TOKENS = 5_000
MOST_GUIDANCE = 10.0
MOST_LOGITS = 50_000_000  # at once: 200 MB


class TextWriter:
    """Continues a text. The same seed gives the same text, whoever else is writing."""

    def __init__(self, loaded: Loaded, again: Callable[[], Loaded] | None = None) -> None:
        """again: reads the same weights once more, after `release_weights`."""
        self.loaded, self._again = loaded, again
        self._reading = threading.Lock()
        if loaded.tokenizer is None:
            raise ValueError("expected a model with a tokenizer, got one without")
        self.tokenizer: Tokenizer = loaded.tokenizer
        self.context = loaded.model.config.context
        self.forms = [form for form in FORMS if control(form) in self.tokenizer.ids]  # of verse

    @classmethod
    def load(cls, source: str | Path = "shakespeare", device: str | None = None) -> "TextWriter":
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
        prompt = self.tokenizer.fold(_checked(prompt, "prompt", LONGEST_PROMPT))
        ids = self.tokenizer.encode(prompt)
        if not ids:
            raise ValueError("expected a prompt of at least one character, got an empty one")
        count = whole(max_new_tokens, "max_new_tokens", 1, MOST_TOKENS)
        sampler = _sampler(temperature, top_k, top_p, repetition_penalty, seed)
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
        return list(islice(self._draws(ids, _sampler(temperature, seed=seed)), count))

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
        ids = self.tokenizer.encode(self.tokenizer.fold(_checked(text, "text", LONGEST_PROMPT)))
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

    def poem(self, form: str, title: str = "", first_line: str = "", **settings: Any) -> str:
        """A whole poem, lines joined by newlines, with punctuation; see `stream_poem`."""
        return set_in_lines(self.begin_poem(form, title, first_line, **settings).whole())

    def stream_poem(self, form: str, *given: Any, **settings: Any) -> Iterator[str]:
        """A poem, one piece of text at a time; arguments and errors as for `begin_poem`."""
        return self.begin_poem(form, *given, **settings).pieces()

    def begin_poem(
        self,
        form: str,
        title: str = "",
        first_line: str = "",
        acrostic: str = "",
        regulated: bool = True,
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        repetition_penalty: float = 1.0,
        seed: int | None = None,
        guidance: float = 1.0,
    ) -> Generation:
        """A poem in traditional characters, written beside others, given characters included.

        Args:
            form: 五绝, 七绝, 五律 or 七律, as far as the model knows it.
            title: up to 16 characters, simplified or traditional; it steers the poem, and what
                the model does not know of it is left out.
            first_line: the poem's first characters, at most one line of them. For one that the
                model does not know another of the same tone and rhyme stands in, inside it.
            acrostic: the first characters of the lines (藏头), at most one a line; likewise.
            regulated: forbid at every step what breaks line length, tone pattern or rhyme (格律);
                else the model is on its own.
            temperature, top_k, top_p, repetition_penalty, seed: as for `begin`; marks are not
                held against the text.
            guidance: 0 to 10, how much the title counts (classifier-free guidance): 0 not at all,
                1 as in training.

        Raises:
            ValueError: something out of range, at once and not with the first piece.
            UnknownCharacters: a line or acrostic with what is no Chinese character.
        """
        if form not in self.forms:
            raise ValueError(f"expected a form of {self.forms or 'a model of poems'}, got {form!r}")
        if not isinstance(regulated, bool):
            raise ValueError(f"expected regulated as True or False, got {regulated!r}")
        given, stand_ins = self._given(FORMS[form], first_line, acrostic)
        _checked(characters_of(_checked(title, "title", LONGEST_LINE)), "title", LONGEST_TITLE)
        shown, fitted, left_out = fit_title(title, self.tokenizer)
        opening = poem_ids(self.tokenizer, form, fitted)
        sampler = _sampler(temperature, top_k, top_p, repetition_penalty, seed, self.verses.spared)
        guidance = real(guidance, "guidance", 0, MOST_GUIDANCE)
        length = len(FORMS[form]) if regulated else self.context
        end = self.tokenizer.ids[POEM_END]
        inside = {place: stand_ins.get(c, c) for place, c in given.items()}
        about: dict[str, Any] = {"rule": self.verses.rule(form, inside, regulated)}
        about["written"] = {place: c for place, c in given.items() if c in stand_ins}
        if fitted and guidance != 1:  # it has read a poem in ten without the title
            untitled = poem_ids(self.tokenizer, form, "")
            about["beside"] = self._text(untitled, PLANNED + length, Sampler())
            about["guidance"] = guidance
        text = self._text(opening, PLANNED + length, sampler, end=end, skipped=PLANNED, **about)
        text.title, text.left_out, text.stand_ins = shown, left_out, stand_ins
        return text

    def couplet(self, first_line: str, **settings: Any) -> str:
        """The second line of a couplet; see `begin_couplet`."""
        return self.begin_couplet(first_line, **settings).whole()

    def begin_couplet(
        self,
        first_line: str,
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
    ) -> Generation:
        """The second line to a first one (对联), in traditional characters, beside others.

        The model takes the first line for the third of a regulated poem of eight lines, writes the
        two before it, which nobody sees, and the fourth, which answers it: as long, with opposite
        tones at the even places and the last, and without any of its characters.

        Args:
            first_line: five or seven characters; for one that the model does not know another of
                the same tone stands in.
            temperature, top_k, top_p, seed: as for `begin`.

        Raises:
            ValueError: something out of range, at once and not with the first piece.
            UnknownCharacters: a line with what is no Chinese character.
        """
        line = characters_of(_checked(first_line, "first_line", LONGEST_LINE))
        form = ANSWERING.get(len(line))
        if form is None:
            raise ValueError(f"expected a first line of 5 or 7 characters, got {len(line)}")
        if form not in self.forms:
            raise ValueError(f"expected a model that knows {form}, got {self.forms or 'none'}")
        fitted, stand_ins = self.fitted(line)
        inside = "".join(stand_ins.get(c, c) for c in fitted)
        starts = answer_at(len(line))
        about: dict[str, Any] = {"rule": self.verses.answering(inside), "skipped": starts}
        sampler = _sampler(temperature, top_k, top_p, seed=seed)
        opening = poem_ids(self.tokenizer, form, "")
        text = self._text(opening, starts + len(line), sampler, **about)
        text.prompt, text.stand_ins = fitted, stand_ins
        return text

    @cached_property
    def verses(self) -> Verses:
        """Its characters by tone and rhyme."""
        return Verses(cast(CharacterTokenizer, self.tokenizer))

    def _given(
        self, rule: Form, first_line: str, acrostic: str
    ) -> tuple[dict[tuple[int, int], str], dict[str, str]]:
        """(line, column) -> the character that the visitor wants there, and what stands in for
        those of them that have no token."""
        line = characters_of(_checked(first_line, "first_line", LONGEST_LINE))
        heads = characters_of(_checked(acrostic, "acrostic", LONGEST_LINE))
        if len(line) > rule.characters:
            raise ValueError(
                f"expected at most {rule.characters} characters in the first line, got {len(line)}"
            )
        if len(heads) > rule.lines:
            raise ValueError(f"expected an acrostic of at most {rule.lines}, got {len(heads)}")
        if line and heads and not begin_alike(line, heads):
            raise ValueError("expected first line and acrostic to begin alike")
        fitted, stand_ins = zip(*map(self.fitted, (heads, line)), strict=True)
        given = {(index, 0): c for index, c in enumerate(fitted[0])}
        given |= {(0, column): c for column, c in enumerate(fitted[1])}
        return given, {**stand_ins[0], **stand_ins[1]}

    def fitted(self, text: str) -> tuple[str, dict[str, str]]:
        """A text in the characters that the poems are written with, and what stands in for those
        that have no token: one of the same tone and, if there is one, the same rhyme.

        Raises:
            UnknownCharacters: what is no Chinese character.
        """
        try:
            return fit_script(text, self.tokenizer), {}
        except UnknownCharacters as error:
            unknown = error.characters
        known = "".join(c for c in text if c not in unknown)
        fitted = iter(fit_script(known, self.tokenizer))
        stand_ins, refused = {}, []
        for character in unknown:
            try:
                stand_ins[character] = self.verses.stand_in(character)
            except UnknownCharacters:
                refused.append(character)
        if refused:
            raise UnknownCharacters(refused)
        return "".join(c if c in unknown else next(fitted) for c in text), stand_ins

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


def _sampler(
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


def _checked(value: Any, name: str, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected {name} as text, got {type(value).__name__}")
    if len(value) > longest:
        raise ValueError(f"expected {name} of at most {longest} characters, got {len(value)}")
    return value
