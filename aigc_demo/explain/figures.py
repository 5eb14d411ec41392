"""The figures that a model's card states."""

import re

from aigc_demo.weights import find_folder


def training_minutes(source: str) -> str:
    """The minutes that a model's training took, by its card; "–" where it does not say.

    Raises:
        ValueError: an unknown source.
    """
    said = re.search(r"(\d+) minutes", _card(source))
    return said[1] if said else "–"


def title_and_licence(source: str) -> tuple[str, str]:
    """The heading and the licence of a model's card, at most 60 characters of each; "" without.

    Raises:
        ValueError: an unknown source.
    """
    text = _card(source)
    head = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    licence = head and re.search(r"^license: *(\S[^\n]*)$", head[1], re.M)
    title = re.search(r"^# +(\S[^\n]*)$", text[head.end() :] if head else text, re.M)
    return (title[1].strip()[:60] if title else ""), (licence[1].strip()[:60] if licence else "")


def card_figures(source: str) -> dict[str, str]:
    """The rows of a card's table of figures, as written there: {figure: value}; {} without any.

    Raises:
        ValueError: an unknown source.
    """
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", _card(source), re.M)
    return {name: value for name, value in rows if re.fullmatch(r"[-\d.]+", value)}


def _card(source: str) -> str:
    """The beginning of a model's card, 20,000 characters; "" where there is none."""
    path = find_folder(source) / "README.md"
    return path.read_text(encoding="utf-8", errors="replace")[:20_000] if path.is_file() else ""
