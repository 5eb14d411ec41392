"""The source that really runs, read from the package's own files."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Code:
    """A piece of a file: a class, a function or a method."""

    path: str  # within the package, such as "models/gan.py"
    first: int  # number of its first line in the file, from 1
    lines: tuple[str, ...]

    def marked(self, words: tuple[str, ...]) -> list[int]:
        """The numbers of the lines in which one of some words stands."""
        hits = [any(word in line for word in words) for line in self.lines]
        return [self.first + i for i, hit in enumerate(hits) if hit]


@cache
def read(path: str, name: str) -> Code:
    """The piece of a package file that a dotted name means, such as "Generator.stages".

    Raises:
        ValueError: no such file in the package, or no such name in it.
    """
    file = PACKAGE / path
    if not file.is_file():
        raise ValueError(f"expected a file of the package, got {path!r}")
    text = file.read_text(encoding="utf-8")
    node: ast.AST = ast.parse(text)
    for part in name.split("."):
        kinds = (ast.ClassDef, ast.FunctionDef)
        inside = [child for child in ast.iter_child_nodes(node) if isinstance(child, kinds)]
        named = [child for child in inside if child.name == part]
        if not named:
            raise ValueError(f"{path}: expected a definition of {name}, got none")
        node = named[0]
    assert isinstance(node, ast.ClassDef | ast.FunctionDef)
    lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
    return Code(path, node.lineno, tuple(lines))
