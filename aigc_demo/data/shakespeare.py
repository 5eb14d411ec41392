"""Tiny Shakespeare: 1,115,394 characters of his plays, collected by Andrej Karpathy."""

from pathlib import Path

from aigc_demo.data.files import checked, download

URL = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/"
    "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt"
)
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
PLACE = Path("tinyshakespeare/input.txt")


def read_shakespeare(folder: Path) -> str:
    """The whole text.

    Raises:
        ValueError: the file is missing or not the known one.
    """
    return checked(folder / PLACE, SHA256).read_text(encoding="utf-8")


def split_text(text: str) -> tuple[str, str]:
    """The first 90 % to train on and the last 10 % to score on, as nanoGPT splits it."""
    cut = int(len(text) * 0.9)
    return text[:cut], text[cut:]


def download_shakespeare(folder: Path) -> None:
    """Fetches the text from its source, at a fixed commit."""
    download(URL, folder / PLACE, SHA256)
