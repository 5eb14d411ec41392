"""Inside a poem: what form, tone and rhyme forbid at each step, and whether it keeps to them."""

from dataclasses import dataclass

import torch

from aigc_demo.explain.transformer import Reading
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.verse import PLANNED
from aigc_demo.prosody import (
    COMMA,
    FORMS,
    FREE,
    PATTERNS,
    STOP,
    Form,
    asked,
    is_oblique,
    lines_of,
    nearest_plan,
    scan,
    tone_of,
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


def lines_in(reading: Reading) -> list[str]:
    """The lines of a poem without their marks."""
    return lines_of("".join(reading.names[reading.body :]))


def form_in(reading: Reading) -> Form:
    """The form that the model was given."""
    return FORMS[reading.names[0][1:-1]]


def plan_in(reading: Reading) -> tuple[str, str]:
    """The tone pattern and rhyme that a poem, whole or begun, is held to.

    Those that the model was given, where they are regulated; else the nearest.
    """
    given, rhyme = (name[1:-1] for name in reading.names[reading.body - PLANNED : reading.body])
    if given in PATTERNS:
        return given, rhyme
    inside = {ord(one): other for one, other in reading.stand_ins.items()}
    lines = [line.translate(inside) for line in lines_in(reading)]
    return nearest_plan(lines, form_in(reading))


@torch.inference_mode()
def steps(writer: TextWriter, reading: Reading) -> list[Step]:
    """Each place of a poem, whole or begun, in the order of its text."""
    form = form_in(reading)
    pattern, rhyme = plan = plan_in(reading)
    wanted, width = form.tones(pattern, is_oblique(rhyme)), form.characters
    masks = writer.verses
    tokens = torch.tensor([reading.ids], device=writer.loaded.device)
    body = [writer.tokenizer.tokens[one] for one in reading.ids[reading.body :][: len(form)]]
    lines = ["".join(body[at : at + width]) for at in range(0, len(body), width + 1)]
    scanned = scan(lines, form, plan=plan)
    probability = writer.model(tokens)[0].softmax(-1).cpu()  # (T, V)
    free = torch.from_numpy(masks.tone(FREE))
    found = []
    for place, character in enumerate(body):
        share = probability[reading.body + place - 1]
        written = reading.names[reading.body + place]
        line, column = divmod(place, width + 1)
        mark = form.slot(place)
        if mark:
            missed = 1 - share[writer.tokenizer.ids[mark]].item()
            step = Step(written, mark, "", "", missed, 0.0, 0.0, character == mark)
        else:
            tone = asked(wanted[line], lines[line][:column])
            group = rhyme if column == width - 1 and form.rhymed(line, pattern) else ""
            left = share.masked_fill(free, 0)
            toned = left.masked_fill(torch.from_numpy(masks.tone(tone)), 0)
            rhymed = toned
            if group:
                rhymed = toned.masked_fill(torch.from_numpy(masks.rhyme(group)), 0)
            step = Step(
                written,
                tone,
                tone_of(character),
                group,
                1 - left.sum().item(),
                _lost(left, toned),
                _lost(toned, rhymed),
                scanned[line][column].kept,
            )
        found.append(step)
    return found


def _lost(before: torch.Tensor, after: torch.Tensor) -> float:
    """The share of what was there that is gone."""
    return 1 - (after.sum() / before.sum().clamp(min=1e-12)).item()
