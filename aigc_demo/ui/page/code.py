"""A result on one's own machine: the command and the Python that make it again."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aigc_demo.ui.catalog.models import Models


@dataclass(frozen=True)
class Code:
    """What makes a result again, in a copy of this project.

    python: as a file or a cell of a notebook.
    source: the model, as `load` and the command know it.
    options: of the command `sample`, by name; none where it cannot make this.
    """

    python: str
    source: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The line for a shell; "" where there is none."""
        if not self.options:
            return ""
        given = [part for name, value in self.options.items() for part in _option(name, value)]
        return shlex.join(["python", "-m", "aigc_demo", "sample", self.source, *given])


def _option(name: str, value: Any) -> list[str]:
    """An option as a shell wants it: a switch alone, any other with its value."""
    return [f"--{name}"] if value is True else [f"--{name}={value}"]


def source_of(models: Models, name: str) -> str:
    """What `load` takes for a model; of a visitor's own only they know the folder."""
    other = models.others.get(name)
    return f"path/to/{other.own}" if other is not None and other.own else name


def quoted(text: str) -> str:
    """A text as Python."""
    return json.dumps(text, ensure_ascii=False)


def drawing(kind: str, module: str, source: str, call: str) -> str:
    """Python that draws into a PNG, as the page saves it. call: what gives the images."""
    return f"""from aigc_demo.images import grid, png
from aigc_demo.inference.{module} import {kind}

sampler = {kind}.load({quoted(source)})
images = sampler.{call}
with open("digits.png", "wb") as file:
    file.write(png(grid(images, columns=8), scale=4))
"""


def asked(labels: list[int] | None, count: int) -> dict[str, Any]:
    """The options of so many pictures: their labels, or only how many there are."""
    return {"classes": ",".join(map(str, labels))} if labels else {"count": count}


def turns(classes: list[int], count: int) -> str:
    """The labels of so many pictures as Python: some classes in turn, or none."""
    if len(classes) == 1:
        return f"{classes} * {count}"
    return f"[{classes}[i % {len(classes)}] for i in range({count})]" if classes else "None"
