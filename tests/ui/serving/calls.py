"""Calls of endpoints by plain HTTP."""

import json
import urllib.request


def asked(url: str, name: str, *data: object, address: str = "") -> str:
    """The id of a call's event; for its answer see `answer`. address: whom a proxy speaks for."""
    headers = {"content-type": "application/json"}
    headers |= {"x-forwarded-for": address} if address else {}
    body = json.dumps({"data": data}).encode()
    call = urllib.request.Request(f"{url}gradio_api/call/{name}", body, headers)
    with urllib.request.urlopen(call, timeout=60) as reply:
        return json.load(reply)["event_id"]


def answer(url: str, name: str, number: str) -> str:
    """All that is told of an event, once it is over."""
    with urllib.request.urlopen(f"{url}gradio_api/call/{name}/{number}", timeout=60) as reply:
        return reply.read().decode()
