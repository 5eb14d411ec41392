"""The forms of regulated Chinese verse: line, tone (平仄) and rhyme (平水韻).

A character may have several readings; any that fits counts. The rules are those of Wang Li,
诗词格律 (1962), chapter 2, in the usual short version: the even places of a line and its last one
decide, the others are free.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

COMMA, STOP = "，", "。"
RHYMES = Path(__file__).with_name("rhymes.txt")
LEVEL, OBLIQUE, FREE = "平", "仄", "中"

# How the first line opens (the tone of its second character), and whether it rhymes too.
PATTERNS = ("平起入韻", "平起", "仄起入韻", "仄起")
UNREGULATED, UNRHYMED = "古體", "無韻"  # the plan of a poem that follows no pattern or rhyme


@dataclass(frozen=True)
class Form:
    """So many lines of so many characters; a comma ends odd lines, a full stop even ones."""

    lines: int
    characters: int

    def slot(self, position: int) -> str | None:
        """The mark at a position of the poem, or None for a character of a line.

        Raises:
            IndexError: the poem is over.
        """
        line, column = divmod(position, self.characters + 1)
        if line >= self.lines:
            raise IndexError(f"expected a position below {len(self)}, got {position}")
        if column < self.characters:
            return None
        return STOP if line % 2 else COMMA

    def __len__(self) -> int:
        """Characters and marks of a whole poem."""
        return self.lines * (self.characters + 1)

    def tones(self, pattern: str) -> list[str]:
        """The tone that each character of each line needs: 平, 仄, or 中 where either will do.

        Tones alternate along a line; the lines of a couplet are opposite (对), and a couplet opens
        like the line before it (粘). Rhymed lines end level, others oblique.
        """
        opening = pattern[0]
        lines = []
        for index in range(self.lines):
            if index % 2:  # opposite within a couplet; the next one opens alike
                opening = OBLIQUE if opening == LEVEL else LEVEL
            other = OBLIQUE if opening == LEVEL else LEVEL
            rhymed = index % 2 == 1 or (index == 0 and pattern.endswith("入韻"))
            evens = [opening, other, opening][: self.characters // 2]
            last = LEVEL if rhymed else OBLIQUE
            lines.append("".join(FREE + tone for tone in evens) + last)
        return lines


FORMS = {
    "五绝": Form(lines=4, characters=5),
    "七绝": Form(lines=4, characters=7),
    "五律": Form(lines=8, characters=5),
    "七律": Form(lines=8, characters=7),
}


@cache
def _table() -> dict[str, frozenset[str]]:
    """Character -> the rhyme groups of its readings, each as tone and name, such as 平東."""
    table: dict[str, set[str]] = defaultdict(set)
    for line in RHYMES.read_text(encoding="utf-8").splitlines():
        kind, *words = line.split()
        if kind == "variants":
            for pair in words:
                table[pair[0]] |= table[pair[1]]
        elif kind != "#":
            name, characters = words
            for character in characters:
                table[character].add(kind + name)
    return {character: frozenset(groups) for character, groups in table.items()}


def readings(character: str) -> frozenset[str]:
    """The rhyme groups of a character's readings, such as {平東, 去送}; none if it is unknown."""
    return _table().get(character, frozenset())


@cache
def level_groups() -> tuple[str, ...]:
    """The thirty groups of the level tone, in which regulated verse rhymes, in a fixed order."""
    groups = {group for found in _table().values() for group in found if group[0] == LEVEL}
    return tuple(sorted(groups))


def fits(character: str, tone: str) -> bool:
    """True if a reading of the character has the tone: 平, 仄, or 中 for either."""
    if tone == FREE:
        return True
    return any((group[0] == LEVEL) == (tone == LEVEL) for group in readings(character))


def rhymes_in(character: str, group: str) -> bool:
    """True if a reading of the character belongs to the rhyme group."""
    return group in readings(character)


def rhyme_of(lines: Sequence[str]) -> str | None:
    """The group that the last characters of the even lines share, a level one first, or None."""
    ends = [readings(line[-1]) for line in lines[1::2] if line]
    shared = frozenset.intersection(*ends) if ends else frozenset()
    return min(shared, key=lambda group: (group[0] != LEVEL, group), default=None)


def pattern_of(lines: Sequence[str]) -> str | None:
    """The tone pattern that a poem in form keeps in every line, or None."""
    form = FORMS.get(form_of("\n".join(lines)) or "")
    if form is None:
        return None
    for pattern in PATTERNS:
        if all(map(_keeps, lines, form.tones(pattern))):
            return pattern
    return None


def _keeps(line: str, tones: str) -> bool:
    return all(map(fits, line, tones))


def is_regulated(lines: Sequence[str]) -> bool:
    """True if a poem keeps a tone pattern and rhymes in a level group."""
    rhyme = rhyme_of(lines)
    return rhyme is not None and rhyme[0] == LEVEL and pattern_of(lines) is not None


def plan_of(lines: Sequence[str]) -> tuple[str, str]:
    """The plan that a poet settles first: the tone pattern and the rhyme group, or none."""
    rhyme = rhyme_of(lines)
    level = rhyme if rhyme is not None and rhyme[0] == LEVEL else None
    return (pattern_of(lines) if level else None) or UNREGULATED, level or UNRHYMED


def nearest_plan(lines: Sequence[str], form: Form) -> tuple[str, str]:
    """The plan that a poem, whole or begun, comes nearest to.

    The pattern that it keeps, or breaks in the fewest places; and the group, "" if there is none,
    that most of its rhyme feet belong to.
    """

    def broken(pattern: str) -> int:
        wanted = zip(lines, form.tones(pattern), strict=False)
        return sum(
            not fits(c, tone)
            for line, tones in wanted
            for c, tone in zip(line, tones, strict=False)
        )

    pattern = pattern_of(lines) or min(PATTERNS, key=broken)
    tones = form.tones(pattern)
    ends = [line[-1] for line, tone in zip(lines, tones, strict=False) if tone[-1] == LEVEL]
    groups = [group for end in ends for group in sorted(readings(end)) if group[0] == LEVEL]
    shared = {group: sum(rhymes_in(end, group) for end in ends) for group in groups}
    return pattern, max(shared, key=lambda group: shared[group], default="")


def tone_of(character: str) -> str:
    """平, 仄, 平仄 where its readings differ, or "" if it is not in the tables."""
    level = {group[0] == LEVEL for group in readings(character)}
    return (LEVEL if True in level else "") + (OBLIQUE if False in level else "")


@dataclass(frozen=True)
class Scanned:
    """A character of a poem, held against the plan that the poem comes nearest to."""

    character: str
    tone: str  # as tone_of
    foot: bool  # whether it should rhyme
    kept: bool  # whether tone and rhyme are as they should be


def scan(lines: Sequence[str], form: Form) -> list[list[Scanned]]:
    """The characters of a poem, whole or begun, line by line, as far as the form goes."""
    pattern, rhyme = nearest_plan(lines, form)
    scanned = []
    for line, tones in zip(lines, form.tones(pattern), strict=False):
        row = []
        for column, (character, tone) in enumerate(zip(line, tones, strict=False)):
            foot = tone == LEVEL and column == form.characters - 1
            kept = fits(character, tone) and (not foot or rhymes_in(character, rhyme))
            row.append(Scanned(character, tone_of(character), foot, kept))
        scanned.append(row)
    return scanned


def lines_of(text: str) -> list[str]:
    """The lines of a poem without their marks."""
    return [line for line in re.split(r"[，。？！；、\s]+", text) if line]


def form_of(text: str) -> str | None:
    """The name of the form that a poem's line lengths fit, or None."""
    lengths = [len(line) for line in lines_of(text)]
    for name, form in FORMS.items():
        if lengths == [form.characters] * form.lines:
            return name
    return None


def punctuate(lines: list[str]) -> str:
    """Lines as one text with a comma after odd lines and a full stop after even ones."""
    return "".join(line + (STOP if index % 2 else COMMA) for index, line in enumerate(lines))


def set_in_lines(text: str) -> str:
    """A poem's text with a line break after each mark."""
    return re.sub(r"([，。？！；])(?=.)", r"\1\n", text)
