"""The forms of regulated Chinese verse: line, tone (平仄) and rhyme (平水韻).

The rules are those of Wang Li, 诗词格律 (1962), chapter 2. The even places of a line and its last
one decide, the others are free, but for two faults: 孤平, a level tone alone among oblique ones,
and 三平調, three level tones at the end. Two turns against the pattern count as regular: 平平仄平仄
for 平平平仄仄 (特拗), and an oblique fourth of the last five that the next line makes up for
(对句相救). A character may have several readings; any that fits counts, but within a line none that
poets hardly ever use there.
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
FIVE = 5  # the last places of a line, in which a line of seven is as one of five

# Groups that sound alike: the first line may rhyme in one beside the poem's own (邻韵). Wang Li,
# 汉语诗律学 (1958), section 5.
NEIGHBOURS = (
    "東冬",
    "江陽",
    "支微齊",
    "魚虞",
    "佳灰",
    "真文元",
    "元寒刪先",
    "蕭肴豪",
    "庚青蒸",
    "覃鹽咸",
)

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

    def tones(self, pattern: str, oblique: bool = False) -> list[str]:
        """The tone that each character of each line needs: 平, 仄, or 中 where either will do.

        Tones alternate along a line; the lines of a couplet are opposite (对), and a couplet opens
        like the line before it (粘). Rhymed lines end level, others oblique; the other way round
        where the rhyme is oblique.
        """
        opening = pattern[0]
        lines = []
        for index in range(self.lines):
            if index % 2:  # opposite within a couplet; the next one opens alike
                opening = _other(opening)
            evens = [opening, _other(opening), opening][: self.characters // 2]
            level = self.rhymed(index, pattern) != oblique
            lines.append("".join(FREE + tone for tone in evens) + (LEVEL if level else OBLIQUE))
        return lines

    def rhymed(self, line: int, pattern: str) -> bool:
        """True for the lines that rhyme: the even ones, and the first where the pattern says so."""
        return line % 2 == 1 or (line == 0 and pattern.endswith("入韻"))


def _other(tone: str) -> str:
    return OBLIQUE if tone == LEVEL else LEVEL


def asked(tones: str, before: str, turned: bool = True) -> str:
    """The tone that the next character of a line needs.

    tones: of the whole line; before: its characters so far; turned: whether 特拗 is allowed.
    """
    here, five = len(before), len(tones) - FIVE
    opens_level, ends_level = tones[five + 1] == LEVEL, tones[-1] == LEVEL
    if here == five + 2 and ends_level:
        if not opens_level:
            return OBLIQUE  # or three level tones would end the line: 三平調
        if not fits(before[five], LEVEL):
            return LEVEL  # or the second of the five would stand alone: 孤平
    may_turn = turned and here == five + 3 and opens_level and not ends_level
    if may_turn and fits(before[five], LEVEL) and not fits(before[five + 2], LEVEL):
        return FREE  # 平平仄平仄
    return tones[here]


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
    for kind, *words in _lines():
        if kind == "variants":
            for pair in words:
                table[pair[0]] |= table[pair[1]]
        elif kind != "seldom":
            name, characters = words
            for character in characters:
                table[character].add(kind + name)
    return {character: frozenset(groups) for character, groups in table.items()}


def _lines() -> list[list[str]]:
    """The words of each line of the tables."""
    text = RHYMES.read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line[0] != "#"]


@cache
def _seldom() -> dict[str, str]:
    """Character -> the tone that it hardly ever has within a line."""
    found = (words for kind, *words in _lines() if kind == "seldom")
    return {character: tone for tone, characters in found for character in characters}


def readings(character: str) -> frozenset[str]:
    """The rhyme groups of a character's readings, such as {平東, 去送}; none if it is unknown."""
    return _table().get(character, frozenset())


@cache
def level_groups() -> tuple[str, ...]:
    """The thirty groups of the level tone, in which regulated verse rhymes, in a fixed order."""
    groups = {group for found in _table().values() for group in found if group[0] == LEVEL}
    return tuple(sorted(groups))


def fits(character: str, tone: str) -> bool:
    """True if a usual reading of the character has the tone: 平, 仄, or 中 for either."""
    return tone == FREE or tone in tone_of(character)


def rhymes_in(character: str, group: str, line: int = 1) -> bool:
    """True if a reading of the character belongs to the rhyme group, or beside it in line 0."""
    groups = {group} if line else neighbours(group)
    return not groups.isdisjoint(readings(character))


def opposes(first: str, second: str) -> bool:
    """True if two lines are as long, and opposite in tone at the even places and the last (对)."""
    return len(first) == len(second) and all(
        fits(answer, _other(tone_of(given)))
        for column, (given, answer) in enumerate(zip(first, second, strict=True), 1)
        if len(tone_of(given)) == 1 and (column % 2 == 0 or column == len(first))
    )


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
    pattern, rhyme = nearest_plan(lines, form)
    return None if _broken(lines, form.tones(pattern, is_oblique(rhyme))) else pattern


def is_regulated(lines: Sequence[str], turned: bool = True) -> bool:
    """True if a poem in form keeps a tone pattern and rhymes in a level group, never twice alike.

    turned: whether 特拗 and 对句相救 are allowed.
    """
    form, rhyme = FORMS.get(form_of("\n".join(lines)) or ""), rhyme_of(lines)
    if form is None or rhyme is None or rhyme[0] != LEVEL:
        return False
    return all(one.kept for row in scan(lines, form, turned) for one in row)


def plan_of(lines: Sequence[str]) -> tuple[str, str]:
    """The plan that a poet settles first: the tone pattern and the rhyme group, or none."""
    rhyme = rhyme_of(lines)
    level = rhyme if rhyme is not None and rhyme[0] == LEVEL else None
    return (pattern_of(lines) if level else None) or UNREGULATED, level or UNRHYMED


def nearest_plan(lines: Sequence[str], form: Form) -> tuple[str, str]:
    """The plan that a poem, whole or begun, comes nearest to.

    The pattern that it keeps, or breaks in the fewest places; and the group that its even lines
    share, else the level one that most of its rhyme feet belong to, "" if there is none.
    """
    shared = rhyme_of(lines) or ""

    def breaks(pattern: str) -> int:
        broken = len(_broken(lines, form.tones(pattern, is_oblique(shared))))
        alone = shared and form.rhymed(0, pattern) and not rhymes_in(lines[0][-1], shared, 0)
        return broken + bool(alone)

    pattern = min(PATTERNS, key=breaks)
    ends = [line[-1] for at, line in enumerate(lines[: form.lines]) if form.rhymed(at, pattern)]
    groups = [group for end in ends for group in sorted(readings(end)) if group[0] == LEVEL]
    feet = {group: sum(rhymes_in(end, group) for end in ends) for group in groups}
    return pattern, shared or max(feet, key=lambda group: feet[group], default="")


@cache
def tone_of(character: str) -> str:
    """平, 仄, 平仄 where both are usual, or "" if it is not in the tables."""
    tones = _any_tone(character)
    return tones.replace(_seldom().get(character, ""), "") if len(tones) == 2 else tones


@cache
def _any_tone(character: str) -> str:
    """The tones of all its readings, as tone_of."""
    level = {group[0] == LEVEL for group in readings(character)}
    return LEVEL * (True in level) + OBLIQUE * (False in level)


def _broken(lines: Sequence[str], tones: Sequence[str], turned: bool = True) -> set[tuple]:
    """The places (line, column) whose tone is against the pattern, of a poem whole or begun."""
    found = set()
    for index, (line, wanted) in enumerate(zip(lines, tones, strict=False)):
        for column, character in enumerate(line[: len(wanted)]):
            if not _in_tone(character, asked(wanted, line[:column], turned), column, wanted):
                found.add((index, column))
        # 对句相救: the third of the next line's last five is level for the fourth of this one's.
        third = len(wanted) - 3
        after = lines[index + 1][third : third + 1] if not index % 2 and lines[index + 1 :] else ""
        if turned and wanted.endswith(FREE + LEVEL + OBLIQUE) and fits(after, LEVEL):
            found.discard((index, third + 1))
    return found


def _in_tone(character: str, tone: str, column: int, tones: str) -> bool:
    """True if a character fits; at the end of a line in any of its readings, for it may rhyme."""
    return fits(character, tone) or (column == len(tones) - 1 and tone in _any_tone(character))


@dataclass(frozen=True)
class Scanned:
    """A character of a poem, held against the plan that the poem comes nearest to."""

    character: str
    tone: str  # as tone_of
    foot: bool  # whether it should rhyme
    kept: bool  # whether tone and rhyme are as they should be


def scan(
    lines: Sequence[str], form: Form, turned: bool = True, plan: tuple[str, str] | None = None
) -> list[list[Scanned]]:
    """The characters of a poem, whole or begun, line by line, as far as the form goes.

    plan: its tone pattern and rhyme group; without it the nearest.
    """
    pattern, rhyme = plan or nearest_plan(lines, form)
    tones = form.tones(pattern, is_oblique(rhyme))
    broken = _broken(lines, tones, turned)
    scanned: list[list[Scanned]] = []
    feet: set[str] = set()
    for index, line in enumerate(lines[: form.lines]):
        row = []
        for column, character in enumerate(line[: form.characters]):
            foot = column == form.characters - 1 and form.rhymed(index, pattern)
            kept = (index, column) not in broken
            if foot:
                kept = kept and character not in feet and rhymes_in(character, rhyme, index)
                feet.add(character)
            row.append(Scanned(character, tone_of(character), foot, kept))
        scanned.append(row)
    return scanned


def is_oblique(group: str) -> bool:
    """True for a rhyme group of an oblique tone."""
    return group[:1] not in ("", LEVEL)


def neighbours(group: str) -> set[str]:
    """A level group and those beside it, in which the first line may rhyme too."""
    near = (names for names in NEIGHBOURS if group[1:] in names)
    return {group, *(LEVEL + name for names in near for name in names if group[:1] == LEVEL)}


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
