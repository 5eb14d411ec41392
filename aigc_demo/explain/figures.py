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


def title_and_licence(source: str) -> tuple[str, str]:
    """The heading and the licence of a model's card, at most 60 characters of each; "" without.

    Raises:
        ValueError: an unknown source.
    """
    card = find_folder(source) / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace")[:20_000] if card.is_file() else ""
    head = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    licence = head and re.search(r"^license: *(\S[^\n]*)$", head[1], re.M)
    title = re.search(r"^# +(\S[^\n]*)$", text[head.end() :] if head else text, re.M)
    return (title[1].strip()[:60] if title else ""), (licence[1].strip()[:60] if licence else "")


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
