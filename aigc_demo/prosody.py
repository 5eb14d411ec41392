"""The forms of regulated Chinese verse, as data and pure functions."""

import re
from dataclasses import dataclass

COMMA, STOP = "，", "。"


@dataclass(frozen=True)
class Form:
    """So many lines of so many characters; a comma ends odd lines, a full stop even ones."""

    lines: int
    characters: int

    def slot(self, position: int) -> str | None:
        """What belongs at a position of the poem: a mark, or None for a character of a line.

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


FORMS = {
    "五绝": Form(lines=4, characters=5),
    "七绝": Form(lines=4, characters=7),
    "五律": Form(lines=8, characters=5),
    "七律": Form(lines=8, characters=7),
}


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
