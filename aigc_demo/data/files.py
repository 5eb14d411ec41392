"""Where the corpora lie, and a download that is checked by hash."""

import hashlib
import os
import shutil
import urllib.request
from pathlib import Path


def data_folder(folder: str | Path | None = None) -> Path:
    """The folder with the corpora: as named, else $AIGC_DATA, else the user's cache.

    Raises:
        ValueError: a folder was named and is not there, or the user has no home.
    """
    named = folder or os.environ.get("AIGC_DATA")
    if named is None:
        try:
            return Path.home() / ".cache" / "aigc_demo" / "data"
        except RuntimeError:  # a user without one
            raise ValueError("expected a folder for the data: name one in AIGC_DATA") from None
    if not Path(named).is_dir():
        raise ValueError(f"expected a folder with the data, got {str(named)!r}")
    return Path(named)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(path: Path, digest: str) -> Path:
    """The path, once the file there has the digest.

    Raises:
        ValueError: it is missing or holds something else.
    """
    if not path.is_file():
        raise ValueError(f"expected {path}; get it with: python -m aigc_demo data")
    found = sha256(path)
    if found != digest:
        raise ValueError(f"{path}: expected SHA-256 {digest}, got {found}")
    return path


def download(url: str, path: Path, digest: str, timeout: float = 30.0) -> Path:
    """Fetches a file unless it is there already; what does not fit the digest is not kept.

    Raises:
        ValueError: the file that came has another digest.
        OSError: no network, or the server refuses.
    """
    if path.is_file() and sha256(path) == digest:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".tmp")
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer, open(part, "wb") as file:
            shutil.copyfileobj(answer, file)
        checked(part, digest)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
