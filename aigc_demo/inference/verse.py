"""The rule of a poem: its plan, then its characters, held to the form or free.

A poet settles the tone pattern and the rhyme first; so does the model, with two control tokens.
"""

import unicodedata
from collections.abc import Callable
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from aigc_demo.inference.writing.text import Rule
from aigc_demo.prosody import (
    COMMA,
    FORMS,
    FREE,
    LEVEL,
    OBLIQUE,
    PATTERNS,
    STOP,
    asked,
    fits,
    level_groups,
    readings,
    rhymes_in,
    tone_of,
)
from aigc_demo.tokenizer import (
    POEM_END,
    SAME,
    CharacterTokenizer,
    UnknownCharacters,
    control,
    to_simplified,
    to_traditional,
)

Mask = NDArray[np.bool_]  # (V,), the tokens that are forbidden
PLANNED = 2  # control tokens before the text: tone pattern and rhyme
ANSWERING = {5: "五律", 7: "七律"}  # whose third and fourth line are a couplet (对仗)
ANSWERED = 2  # the third
OPPOSITE = {LEVEL: (OBLIQUE,), OBLIQUE: (LEVEL,)}


@cache
def _sound(character: str) -> tuple[str, str, str]:
    """A character as it is read today: initial, final, number of the tone; "" where unknown."""
    from pypinyin import Style, pinyin  # only where a character is not known
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    sounds = pinyin(character, Style.TONE3, heteronym=True)[0]
    sound = next((one for one in sounds if one[-1].isdigit()), sounds[0])
    if not sound.isascii():  # pypinyin does not know it
        return "", "", ""
    return to_initials(sound, strict=False), to_finals(sound, strict=False), sound[-1:]


@cache
def _is_common(character: str) -> bool:
    """True for one of the 3,755 characters of everyday (GB 2312, level 1)."""
    return b"\xb0" <= to_simplified(character).encode("gb2312", "ignore") < b"\xd8"


def answer_at(length: int) -> int:
    """The number of new tokens before the line that answers one of so many characters."""
    return PLANNED + (ANSWERED + 1) * (length + 1)


class Verses:
    """The characters of one tokenizer by tone and rhyme, as masks (V,) of those forbidden."""

    def __init__(self, tokenizer: CharacterTokenizer) -> None:
        self.tokenizer = tokenizer
        first = len(tokenizer.controls)
        marks = COMMA + STOP

        def but(wanted: Callable[[str, str], bool], name: str) -> Mask:
            return np.array(
                [True] * first + [c in marks or not wanted(c, name) for c in tokenizer.characters]
            )

        self.tone = cache(partial(but, fits))  # made when first asked for
        self.rhyme = cache(partial(but, rhymes_in))
        self.free = np.array([True] * first + [False] * len(tokenizer.characters))
        self.free[tokenizer.ids[POEM_END]] = False
        self.marks = {tokenizer.ids[COMMA], tokenizer.ids[STOP]}
        self.spared = frozenset({*range(first), *self.marks})  # no repetition penalty on these

    def stand_in(self, character: str) -> str:
        """A known character of the same tone, and as near in rhyme and sound as there is one.

        Rhyme is by the tables' groups. Of a character that they lack tone and sound are today's
        (pypinyin): the first and second tone are level.

        Raises:
            UnknownCharacters: it is no Chinese character, or nobody knows how it sounds.
        """
        if character in SAME and SAME[character] in self.tokenizer.ids:
            return SAME[character]
        if unicodedata.name(character, "")[:3] != "CJK":
            raise UnknownCharacters(character)
        groups = readings(character) or readings(to_traditional(character))
        initial, final, tone = _sound(character)
        if not groups and not final:
            raise UnknownCharacters(character)
        level = {group[0] == LEVEL for group in groups} or {tone in ("1", "2")}

        def in_tables(known: str) -> tuple[bool, ...]:
            found = readings(known)
            same_tone = {group[0] == LEVEL for group in found} == level
            return same_tone, found == groups, not groups.isdisjoint(found)

        def in_sound(known: str) -> tuple[bool, ...]:
            sound = _sound(known)
            same_rhyme = sound[1].lstrip("iuv") == final.lstrip("iuv")
            alike = sound[1] == final, same_rhyme
            return (*alike, _is_common(known), sound[0] == initial, sound[2] == tone)

        letters = [c for c in self.tokenizer.characters if readings(c)]
        if not letters:
            raise UnknownCharacters(character)
        best = max(map(in_tables, letters))
        return max((c for c in letters if in_tables(c) == best), key=in_sound)

    def _only(self, tokens: list[str]) -> Mask:
        """Forbids all but some tokens."""
        mask = np.ones(len(self.tokenizer), bool)
        mask[[self.tokenizer.ids[token] for token in tokens]] = False
        return mask

    def _named(self, token: int) -> str:
        return self.tokenizer.tokens[token][1:-1]

    def answering(self, first: str) -> Rule:
        """The tokens that may come next in a poem of eight lines whose third is given, and whose
        fourth answers it (对联).

        Its tones are opposite at the even places and at the last. A character that the given line
        repeats is repeated there; no other one is, nor any of the given line.
        """
        last, starts = len(first) - 1, answer_at(len(first))
        given = {(ANSWERED, column): character for column, character in enumerate(first)}
        before = self.rule(ANSWERING[len(first)], given, regulated=True)

        def rule(new: list[int]) -> Mask:
            answer = new[starts:]
            column = len(answer)
            if len(new) < starts:
                return before(new)
            twin = first.index(first[column])
            if twin < column:
                return self._only([self.tokenizer.tokens[answer[twin]]])
            used = np.zeros(len(self.tokenizer), bool)
            used[[*answer, *(self.tokenizer.ids[character] for character in first)]] = True
            places = [place for place, one in enumerate(first) if one == first[column]]
            tones = [FREE]
            if any(place % 2 for place in places) or last in places:
                tones = [*OPPOSITE.get(tone_of(first[column]), (LEVEL,) * (last in places)), FREE]
            masks = [*(self.tone(tone) | used for tone in tones), self.tone(FREE)]
            return next(mask for mask in masks if not mask.all())  # the strictest that leaves any

        return rule

    def rule(self, form: str, given: dict[tuple[int, int], str], regulated: bool) -> Rule:
        """The tokens that may come next in a poem.

        Both ways the plan is a regulated one that fits the given characters best. Regulated: line
        lengths, marks, tones and rhyme are then held to it, and no character rhymes twice. Else
        the model is on its own, and only the given characters are forced.

        given: (line, column) -> the character that the visitor wants there.
        """
        shape = FORMS[form]

        def misfits(pattern: str) -> int:
            tones = shape.tones(pattern)
            return sum(not fits(c, tones[line][column]) for (line, column), c in given.items())

        fewest = min(map(misfits, PATTERNS))
        patterns = [pattern for pattern in PATTERNS if misfits(pattern) == fewest]

        def rhymes(pattern: str) -> list[str]:
            """The groups that the given characters at the ends of rhymed lines leave."""
            groups = list(level_groups())
            for line, tones in enumerate(shape.tones(pattern)):
                end = given.get((line, shape.characters - 1), "")
                if tones[-1] == LEVEL and end:
                    groups = [group for group in groups if rhymes_in(end, group)] or groups
            return groups

        def held(new: list[int]) -> Mask:
            text = new[PLANNED:]
            slot = shape.slot(len(text))
            line, column = divmod(len(text), shape.characters + 1)
            wanted = given.get((line, column), slot)
            if wanted:
                return self._only([wanted])
            pattern, rhyme = (self._named(token) for token in new[:PLANNED])
            before = "".join(self.tokenizer.tokens[token] for token in text[len(text) - column :])
            tone = asked(shape.tones(pattern)[line], before)
            masks = [self.tone(tone), self.tone(FREE)]
            if column == shape.characters - 1 and tone == LEVEL:
                fresh = self.rhyme(rhyme).copy()
                fresh[text[column :: shape.characters + 1]] = True  # no character rhymes twice
                masks = [fresh, self.rhyme(rhyme), *masks]
            return next(mask for mask in masks if not mask.all())  # the strictest that leaves any

        def alone(new: list[int]) -> Mask:
            text = new[PLANNED:]
            breaks = [index for index, token in enumerate(text) if token in self.marks]
            column = len(text) - (breaks[-1] + 1 if breaks else 0)
            wanted = given.get((len(breaks), column))
            return self._only([wanted]) if wanted else self.free

        def rule(new: list[int]) -> Mask:
            if len(new) == 0:
                return self._only([control(pattern) for pattern in patterns])
            if len(new) == 1:
                return self._only([control(group) for group in rhymes(self._named(new[0]))])
            return held(new) if regulated else alone(new)

        return rule
