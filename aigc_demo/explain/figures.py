"""The figures that a model's card states."""

import re

from aigc_demo.weights import find_folder


def training_minutes(source: str) -> str:
    """The minutes that a model's training took, by its card; "–" where it does not say.

    Raises:
        ValueError: an unknown source.
    """
    card = find_folder(source) / "README.md"
    said = card.is_file() and re.search(r"(\d+) minutes", card.read_text(encoding="utf-8"))
    return said[1] if said else "–"


def card_figures(source: str) -> dict[str, str]:
    """The rows of a card's table of figures, as written there: {figure: value}; {} without any.

    Raises:
        ValueError: an unknown source.
    """
    card = find_folder(source) / "README.md"
    if not card.is_file():
        return {}
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", card.read_text(encoding="utf-8"), re.M)
    return {name: value for name, value in rows if re.fullmatch(r"[-\d.]+", value)}
