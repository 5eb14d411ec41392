"""Inside a poem: what form, tone and rhyme forbid at each step, and whether it keeps to them."""

from dataclasses import dataclass

import torch

from aigc_demo.explain.transformer import Reading
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.verse import Verses
from aigc_demo.prosody import (
    COMMA,
    FORMS,
    FREE,
    LEVEL,
    OBLIQUE,
    PATTERNS,
    STOP,
    Form,
    fits,
    pattern_of,
    readings,
    rhymes_in,
)

MARKS = COMMA + STOP


@dataclass(frozen=True)
class Step:
    """One place of a poem, and how much of the model's probability each mask takes there."""

    character: str
    wanted: str  # 平, 仄 or 中 (either), or the mark that belongs here
    tone: str  # of the character: 平, 仄, or 平仄 where it has both; "" for a mark
    rhyme: str  # the group it must rhyme in, such as 平東; "" where none is asked for
    form: float  # the share that the form forbids: a mark within a line, another sign at its end
    tones: float  # the share of characters with the wrong tone, of what the form leaves
    rhymes: float  # the share of characters out of the rhyme, of what form and tone leave
    kept: bool  # whether this character keeps to all of them


def tone_of(character: str) -> str:
    """平, 仄, 平仄 where its readings differ, or "" if it is not in the tables."""
    level = {group[0] == LEVEL for group in readings(character)}
    return (LEVEL if True in level else "") + (OBLIQUE if False in level else "")


def plan_for(lines: list[str]) -> tuple[str, str]:
    """The tone pattern and rhyme that a poem, whole or begun, is held to.

    Its own, or the pattern that it breaks in the fewest places, and the group, "" if there is none,
    that most of its rhyme feet belong to.
    """

    def broken(pattern: str) -> int:
        wanted = zip(lines, form_for(lines).tones(pattern), strict=False)
        return sum(
            not fits(c, tone)
            for line, tones in wanted
            for c, tone in zip(line, tones, strict=False)
        )

    pattern = pattern_of(lines) or min(PATTERNS, key=broken)
    tones = form_for(lines).tones(pattern)
    ends = [line[-1] for line, tone in zip(lines, tones, strict=False) if tone[-1] == LEVEL]
    groups = [group for end in ends for group in sorted(readings(end)) if group[0] == LEVEL]
    shared = {group: sum(rhymes_in(end, group) for end in ends) for group in groups}
    return pattern, max(shared, key=lambda group: shared[group], default="")


def plan_of_reading(reading: Reading, lines: list[str]) -> tuple[str, str]:
    """The plan that the model was given, where it is a regulated one, else as for `plan_for`."""
    pattern, rhyme = (name[1:-1] for name in reading.names[reading.first - 2 : reading.first])
    return (pattern, rhyme) if pattern in PATTERNS else plan_for(lines)


def form_for(lines: list[str]) -> Form:
    """The form of such lines: the shortest that holds them all.

    Raises:
        ValueError: lines of other or of different lengths, or too many.
    """
    width = len(lines[0])
    for form in FORMS.values():
        alike = all(len(line) == width for line in lines[:-1]) and len(lines[-1]) <= width
        if form.characters == width and len(lines) <= form.lines and alike:
            return form
    raise ValueError(f"expected lines of 5 or 7 characters, got {[len(line) for line in lines]}")


@torch.inference_mode()
def steps(writer: TextWriter, reading: Reading, lines: list[str]) -> list[Step]:
    """Each place of a poem in form or begun, in the order of its text.

    lines: without marks, in the tokenizer's characters.

    Raises:
        ValueError: as for `form_for`.
    """
    form, width = form_for(lines), len(lines[0])
    pattern, rhyme = plan_of_reading(reading, lines)
    wanted = form.tones(pattern)
    masks = Verses(writer.tokenizer)
    tokens = torch.tensor([reading.ids], device=writer.loaded.device)
    probability = writer.model(tokens)[0].softmax(-1).cpu()  # (T, V)
    free = masks.tone(FREE)
    found = []
    for place, token in enumerate(reading.ids[reading.first :][: len(form)]):
        share = probability[reading.first + place - 1]
        character = writer.tokenizer.tokens[token]
        line, column = divmod(place, width + 1)
        mark = form.slot(place)
        if mark:
            missed = 1 - share[writer.tokenizer.ids[mark]].item()
            step = Step(character, mark, "", "", missed, 0.0, 0.0, character == mark)
        else:
            tone = wanted[line][column]
            group = rhyme if column == width - 1 and tone == LEVEL else ""
            left = share.masked_fill(free, 0)
            toned = left.masked_fill(masks.tone(tone), 0)
            rhymed = toned.masked_fill(masks.rhyme(group), 0) if group else toned
            step = Step(
                character,
                tone,
                tone_of(character),
                group,
                1 - left.sum().item(),
                _lost(left, toned),
                _lost(toned, rhymed),
                character not in MARKS
                and fits(character, tone)
                and (not group or rhymes_in(character, group)),
            )
        found.append(step)
    return found


def _lost(before: torch.Tensor, after: torch.Tensor) -> float:
    """The share of what was there that is gone."""
    return 1 - (after.sum() / before.sum().clamp(min=1e-12)).item()
