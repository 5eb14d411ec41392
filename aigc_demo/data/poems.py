"""Tang and Song verse from github.com/chinese-poetry/chinese-poetry (MIT), traditional script."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from tqdm import tqdm

from aigc_demo.data.files import checked, download
from aigc_demo.prosody import form_of, lines_of, punctuate

COMMIT = "99ebbef7e1345c0985c44b9fd96a3f9e776f117b"
URL = f"https://raw.githubusercontent.com/chinese-poetry/chinese-poetry/{COMMIT}/"
PLACE = Path("chinese-poetry")
LIST = Path(__file__).with_name("poems.sha256")  # "<digest>  <path>" a line

LONGEST_TITLE = 16
RAREST = 20  # a character must occur so often among the poems kept
HELD_OUT = 20  # one poem in so many is never trained on


@dataclass(frozen=True)
class Poem:
    form: str
    title: str
    text: str  # with a comma after odd lines and a full stop after even ones
    dynasty: str  # "tang" or "song"
    author: str = ""

    @property
    def held_out(self) -> bool:
        """True for a held-out poem; decided by a hash of the text alone."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return int.from_bytes(digest[:8], "big") % HELD_OUT == 0


def listed_files() -> list[tuple[str, str]]:
    """Each file of the corpus with its SHA-256: (path, digest)."""
    rows = (line.split("  ", 1) for line in LIST.read_text(encoding="utf-8").splitlines())
    return [(path, digest) for digest, path in rows]


def read_poems(folder: Path, forms: Sequence[str]) -> list[Poem]:
    """Every distinct poem of the given forms, in the order of the files.

    Raises:
        ValueError: a file is missing or not the known one.
    """
    poems: dict[str, Poem] = {}
    for path, digest in tqdm(listed_files(), desc="poems", unit="file"):
        dynasty = "song" if ".song." in path else "tang"
        for row in json.loads(checked(folder / PLACE / path, digest).read_bytes()):
            text = "".join(row["paragraphs"])
            form = form_of(text)
            if form is not None and form in forms and re.fullmatch(r"[㐀-鿿，。？！；、]+", text):
                title, verse = clean_title(row["title"]), punctuate(lines_of(text))
                poems.setdefault(verse, Poem(form, title, verse, dynasty, row.get("author", "")))
    return list(poems.values())


def clean_title(title: str) -> str:
    """The title's Chinese characters, without remarks in brackets or a number at its end."""
    title = re.sub(
        r"[（(].*?[)）]|其[一二三四五六七八九十百]+$|[一二三四五六七八九十]+首.*$", "", title
    )
    return "".join(re.findall(r"[㐀-鿿]", title))


def common_characters(poems: Iterable[Poem], rarest: int = RAREST) -> str:
    """The characters that occur at least so often in the texts, in a fixed order."""
    counts = Counter("".join(poem.text for poem in poems))
    return "".join(sorted(character for character, count in counts.items() if count >= rarest))


def fit_to(poems: Iterable[Poem], characters: str) -> list[Poem]:
    """The poems written in these characters alone; a title that is not, or is long, is emptied."""
    known = set(characters)
    kept = []
    for poem in poems:
        if known.issuperset(poem.text):
            fits = known.issuperset(poem.title) and len(poem.title) <= LONGEST_TITLE
            kept.append(poem if fits else replace(poem, title=""))
    return kept


def download_poems(folder: Path) -> None:
    """Fetches every file from the source, at a fixed commit."""
    for path, digest in tqdm(listed_files(), desc="poems", unit="file"):
        download(URL + quote(path), folder / PLACE / path, digest)
