"""Errors of the Hub, in one sentence each."""

import socket
from typing import Any


class HubUnavailable(ValueError):
    """The Hub did not do what was asked; the message is one sentence that says why.

    kind: network, proxy, mute, slow, cut, damaged, large, offline, token, payment, missing,
    revision, file, gated, forbidden, changed, busy, down, disk, name, space or answer (it makes no
    sense).
    """

    def __init__(self, what: str, kind: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.kind = kind


STATUS = {  # HTTP status -> kind, why
    401: (
        "token",
        "the Hub does not accept the token (HF_TOKEN); a new one is made in its settings",
    ),
    402: ("payment", "the Hub asks for a subscription or for credits (402)"),
    403: ("forbidden", "this account or its token may not do that (403)"),
    404: ("missing", "there is no such thing on the Hub (404)"),
    409: ("changed", "somebody is changing it at this moment; try again (409)"),
    412: ("changed", "somebody changed it meanwhile; try again (412)"),
    429: ("busy", "the Hub has had too many requests from here; try again later (429)"),
}


def explained(what: str, error: Exception) -> HubUnavailable:
    """The client's error as one sentence; it raises from five unrelated families.

    what: what was asked for, such as owner/repo@revision.
    """
    return error if isinstance(error, HubUnavailable) else HubUnavailable(what, *_reason(error))


def _reason(error: Any) -> tuple[str, str]:
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx

    detail = " ".join(str(error).split())[:300] or type(error).__name__
    if isinstance(error, errors.OfflineModeIsEnabled):
        return "offline", "not all of it is in the cache, and HF_HUB_OFFLINE is set"
    if isinstance(error, errors.GatedRepoError):
        return "gated", "its owner gives access on request only: ask on its page, then set HF_TOKEN"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "missing", "there is no such repository, or it is private and HF_TOKEN does not help"
    if isinstance(error, errors.RevisionNotFoundError):
        return "revision", "the repository has no such branch, tag or commit"
    if isinstance(error, errors.EntryNotFoundError):
        return "file", "the repository has no such file"
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code
        if status >= 500:
            return "down", f"the Hub is out of order; try again later ({status})"
        return STATUS.get(status, ("answer", f"the Hub refused: {detail}"))
    if isinstance(error, ImportError | httpx.InvalidURL) or "proxy URL" in detail:
        return "proxy", f"the proxy that the environment names is of no use here ({detail})"
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError | socket.gaierror):
        return "network", f"no connection to the Hub ({detail})"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "mute", "the Hub does not answer"
    if isinstance(error, httpx.TransportError):
        return "cut", f"the connection was lost ({detail})"
    if isinstance(error, OSError):
        return "disk", f"it could not be stored ({detail})"
    return "answer", f"expected an answer of the Hub, got {type(error).__name__}: {detail}"
