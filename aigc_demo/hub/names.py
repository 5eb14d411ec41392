"""Which repositories there can be, and which of them a visitor of a public page may name."""

import os
import re
import unicodedata
from urllib.parse import unquote

from aigc_demo.hub.errors import HubUnavailable

FAMILY = (  # GPT-2 checkpoints that the Transformer reads
    "openai-community/gpt2",
    "distilbert/distilgpt2",
    "uer/gpt2-chinese-poem",
    "uer/gpt2-chinese-cluecorpussmall",
)
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_-])?"
_REPO = re.compile(rf"{_PART}/{_PART}")
_REVISION = re.compile(r"(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,254}[A-Za-z0-9_-])?")


_SHORT = {  # names of before there were owners
    **{
        name: f"openai-community/{name}"
        for name in ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
    },
    "distilgpt2": "distilbert/distilgpt2",
}
_ADDRESS = re.compile(
    r"(?:hf:/|(?:huggingface\.co|hf\.co|hf-mirror\.com)[/:](?:api/)?)"
    r"/?(?:models/)?([\w%@#?&=+:./-]+)",
    re.I | re.ASCII,
)
_AT_REVISION = ("tree", "blob", "resolve", "raw", "commit", "commits", "edit", "blame")
_NO_MODELS = {
    *("datasets", "spaces", "docs", "blog", "papers", "collections", "organizations", "api"),
    *("settings", "learn", "tasks", "chat", "join", "login", "new", "pricing", "posts"),
}
_OPENING, _CLOSING = "\"'“‘<([{`《「『【 \n\t", "\"'”’>)]}`》」』】,;:.。、!? \n\t"


def named(text: str) -> str:
    """Reads a text as a person means it: owner/repo or owner/repo@revision.

    An address of the Hub that was pasted, with its branch or not, in a sentence or a command, wide
    letters, marks around it, and GPT-2s by their short names. Anything else stays as it is.
    """
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    source = plain.lstrip(_OPENING).rstrip(_CLOSING)
    if source.startswith(("/", "~", ".")):  # a folder that is not there
        return source
    address = _ADDRESS.search(source)
    if not address:
        words = [word.rstrip(".-/") for word in re.findall(r"[\w.@/-]+", source, re.ASCII)]
        names = [word for word in words if _REPO.fullmatch(word.partition("@")[0])]
        source = names[0] if len(names) == 1 else source
    path = re.split(r"[?#]", address[1].rstrip(_CLOSING) if address else source)[0]
    parts = [unquote(part).strip() for part in path.split("/") if part]
    parts = parts[0].split("/") if len(parts) == 1 else parts
    if not parts or (address and parts[0].lower() in _NO_MODELS):
        return source
    short, at, revision = parts[0].partition("@")
    if short.lower() in _SHORT and (len(parts) == 1 or parts[1] in _AT_REVISION):
        parts[:1] = f"{_SHORT[short.lower()]}{at}{revision}".split("/")
    if len(parts) < 2 or (len(parts) > 2 and not address and parts[2] not in _AT_REVISION):
        return path.rstrip("/")
    found = "/".join(parts[:2]).removesuffix(".git")
    if len(parts) > 3 and parts[2] in _AT_REVISION:
        found += "@" + "/".join(parts[3:6] if parts[3] == "refs" else parts[3:4])
    return found


def split_source(source: str) -> tuple[str, str]:
    """owner/repo and the revision, "main" by default, of "owner/repo" or "owner/repo@revision".

    Raises:
        HubUnavailable: it is neither.
    """
    repo, at, revision = source.partition("@")
    revision = revision if at else "main"
    if not _REPO.fullmatch(repo) or not _REVISION.fullmatch(revision):
        raise HubUnavailable(repr(source), "name", "expected owner/repo or owner/repo@revision")
    return repo, revision


def default_repositories(space: str) -> tuple[str, ...]:
    """The repositories that visitors of a Space may name: its owner's, and the GPT-2 family."""
    return (f"{space.partition('/')[0]}/*", *FAMILY)


def named_repositories() -> tuple[str, ...] | None:
    """The patterns, owner/repo or owner/*, of what visitors may name; None: whatever they like.

    They stand in AIGC_REPOS, between commas; on Spaces and public pages there is a default.
    """
    text, space = os.environ.get("AIGC_REPOS"), os.environ.get("SPACE_ID")
    if text is not None:
        return tuple(pattern.strip() for pattern in text.split(",") if pattern.strip())
    if space:
        return default_repositories(space)
    return FAMILY if is_public() else None


def is_public() -> bool:
    """True where the page is for strangers: limits then hold for all, and few repositories."""
    return os.environ.get("AIGC_PUBLIC") == "1"


def may_be_named(repo: str) -> bool:
    """True if a visitor may name owner/repo, without a revision."""
    patterns = named_repositories()
    return patterns is None or any(
        repo == pattern or (pattern.endswith("/*") and repo.startswith(pattern[:-1]))
        for pattern in patterns
    )
