"""Writes text and, where the model has learnt its forms, Chinese verse."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, cast

from aigc_demo.inference.check import real
from aigc_demo.inference.titles import fit_title
from aigc_demo.inference.verse import ANSWERING, PLANNED, Verses, answer_at
from aigc_demo.inference.writer import Writer, sampler_of, text_of
from aigc_demo.inference.writing.sampler import Sampler
from aigc_demo.inference.writing.text import Generation
from aigc_demo.prosody import FORMS, Form, set_in_lines
from aigc_demo.tokenizer import (
    POEM_END,
    CharacterTokenizer,
    UnknownCharacters,
    begin_alike,
    characters_of,
    control,
    fit_script,
    poem_ids,
)

LONGEST_TITLE = 16
LONGEST_LINE = 40  # with all marks
MOST_GUIDANCE = 10.0


class TextWriter(Writer):
    """Continues a text, or writes a poem or the second line of a couplet."""

    @cached_property
    def forms(self) -> list[str]:
        """The forms of verse that its model knows."""
        return [form for form in FORMS if control(form) in self.tokenizer.ids]

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
            title: up to 16 characters, simplified or traditional; it steers the poem. What the
                model does not know of it is left out; modern words are read as their classical
                neighbours.
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
        text_of(characters_of(text_of(title, "title", LONGEST_LINE)), "title", LONGEST_TITLE)
        heading = fit_title(title, self.tokenizer)
        opening = poem_ids(self.tokenizer, form, heading.inside)
        sampler = sampler_of(
            temperature, top_k, top_p, repetition_penalty, seed, self.verses.spared
        )
        guidance = real(guidance, "guidance", 0, MOST_GUIDANCE)
        length = len(FORMS[form]) if regulated else self.context
        end = self.tokenizer.ids[POEM_END]
        inside = {place: stand_ins.get(c, c) for place, c in given.items()}
        about: dict[str, Any] = {"rule": self.verses.rule(form, inside, regulated)}
        about["written"] = {place: c for place, c in given.items() if c in stand_ins}
        if heading.inside and guidance != 1:  # it has read a poem in ten without the title
            untitled = poem_ids(self.tokenizer, form, "")
            about["beside"] = self._text(untitled, PLANNED + length, Sampler())
            about["guidance"] = guidance
        text = self._text(opening, PLANNED + length, sampler, end=end, skipped=PLANNED, **about)
        text.heading, text.stand_ins = heading, stand_ins
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
        line = characters_of(text_of(first_line, "first_line", LONGEST_LINE))
        form = ANSWERING.get(len(line))
        if form is None:
            raise ValueError(f"expected a first line of 5 or 7 characters, got {len(line)}")
        if form not in self.forms:
            raise ValueError(f"expected a model that knows {form}, got {self.forms or 'none'}")
        fitted, stand_ins = self.fitted(line)
        inside = "".join(stand_ins.get(c, c) for c in fitted)
        starts = answer_at(len(line))
        about: dict[str, Any] = {"rule": self.verses.answering(inside), "skipped": starts}
        sampler = sampler_of(temperature, top_k, top_p, seed=seed)
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
        line = characters_of(text_of(first_line, "first_line", LONGEST_LINE))
        heads = characters_of(text_of(acrostic, "acrostic", LONGEST_LINE))
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
