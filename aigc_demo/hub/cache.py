"""The client's cache, as it lays it out: what a repository holds at one commit, and its files."""

import hashlib
import json
import os
import uuid
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """A file on the Hub, without its content."""

    size: int  # bytes
    blob: str  # git's SHA-1, of a large file's pointer only
    sha256: str = ""  # of a large file


@dataclass(frozen=True)
class Repository:
    """A repository at one commit."""

    name: str  # owner/repo
    commit: str  # 40 hex digits
    files: dict[str, Entry]
    recalled: bool = False  # from an earlier look

    def __str__(self) -> str:
        return f"{self.name}@{self.commit}"


def entries(siblings: Any) -> dict[str, Entry]:
    """ModelInfo.siblings or SpaceInfo.siblings of the client -> {file name: Entry}."""
    return {
        file.rfilename: Entry(file.size or 0, file.blob_id or "", file.lfs.sha256)
        if file.lfs
        else Entry(file.size or 0, file.blob_id or "")
        for file in siblings
    }


def is_content(content: Path | bytes, entry: Entry) -> bool:
    """True if a file is the Hub's by size and hash; False if there is none."""
    if isinstance(content, Path) and not content.is_file():
        return False
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    if size != entry.size:
        return False
    with BytesIO(content) if isinstance(content, bytes) else open(content, "rb") as file:
        if entry.sha256:
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256
        blob = hashlib.sha1(b"blob %d\0" % entry.size)  # git hashes this, then the content
        return hashlib.file_digest(file, lambda: blob).hexdigest() == entry.blob


def folder_of(repo: str) -> Path:
    """The client's folder for a repository: snapshots/COMMIT/, refs/ and trees/."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"


def address_of(repo: str, commit: str) -> str:
    """Where a browser finds a repository at a commit."""
    from huggingface_hub import constants

    return f"{constants.ENDPOINT.rstrip('/')}/{repo}/tree/{commit}"


def remember(found: Repository, revision: str) -> None:
    """Writes the listing as the client does, and which commit a branch or tag meant."""
    files = {}
    for name, entry in sorted(found.files.items()):
        files[name] = {"size": entry.size, "blob_id": entry.blob}
        if entry.sha256:
            files[name] |= {"lfs_sha256": entry.sha256, "lfs_size": entry.size}
    listing = json.dumps({"format_version": 1, "files": files}, indent=1)
    written = {f"trees/{found.commit}.json": listing}
    if revision != found.commit:
        written[f"refs/{revision}"] = found.commit
    for name, text in written.items():
        place = folder_of(found.name) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f"{place.name}.{uuid.uuid4().hex[:8]}.tmp")
        part.write_text(text, encoding="utf-8")
        os.replace(part, place)


def recall(repo: str, revision: str) -> Repository | None:
    """The remembered listing of a repository at a branch, tag or commit."""
    folder, commit = folder_of(repo), revision
    try:
        if len(revision) != 40:
            commit = (folder / "refs" / revision).read_text(encoding="utf-8").strip()
        listing = json.loads((folder / "trees" / f"{commit}.json").read_text(encoding="utf-8"))
        files = {
            name: Entry(info["size"], info["blob_id"], info.get("lfs_sha256") or "")
            for name, info in listing["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Repository(repo, commit, files, recalled=True)
