"""One address that asks for more than its share, and others that notice nothing."""

import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from gradio.queueing import Event
from servers import serving
from ui.serving.calls import answer, asked

from aigc_demo.inference.writing.steps import SLOTS
from aigc_demo.ui.serving.limits import MOST, limited, next_of

HASTY, OTHER = "203.0.113.5", "203.0.113.6"
LONG = ("shakespeare", "ROMEO:", 1000, 0.8, 0, 1.0, 1.0)


def event(address: str) -> Event:
    request = SimpleNamespace(client=SimpleNamespace(host=address))
    return Event(None, SimpleNamespace(concurrency_id="a"), request, None)  # type: ignore[arg-type]


def test_turns_go_by_address() -> None:
    hasty, other, near = ([event(one) for _ in range(4)] for one in (HASTY, OTHER, "127.0.0.1"))
    assert next_of([*hasty, other[0]], [], 4) is hasty[0]
    assert next_of([*hasty[1:], other[0]], hasty[:1], 4) is other[0]
    assert next_of(hasty[2:], hasty[:2], 4) is None  # half of the places
    assert next_of([*hasty[2:], near[0]], [*hasty[:2], *near[1:]], 4) is near[0]
    assert next_of(hasty[1:], hasty[:1], None) is hasty[1]  # of work without a limit
    assert next_of(hasty[1:], hasty[:1], 1) is None and next_of(hasty, other[:1], 1) is hasty[0]


@pytest.mark.parametrize("public", [False, True])
def test_loopback_has_no_limits_unless_the_page_is_public(monkeypatch, public: bool) -> None:
    monkeypatch.setenv("AIGC_PUBLIC", "1" if public else "")
    for address in ("127.0.0.1", "::1", "127.8.0.1"):
        assert limited(address) == (address if public else "")
    assert limited("testclient") == ("testclient" if public else "")
    assert limited(HASTY) == HASTY and limited("2001:db8::1") == "2001:db8::1"


def waiting(url: str) -> int:
    with urllib.request.urlopen(f"{url}gradio_api/queue/status", timeout=60) as reply:
        return json.load(reply)["queue_size"]


def test_a_hasty_address_is_told_so_and_others_are_served() -> None:
    refused: list[str] = []

    def ask(seed: int) -> None:
        try:
            asked(url, "text_write", *LONG, seed, address=HASTY)
        except urllib.error.HTTPError as error:
            refused.append(f"{error.code} {error.read().decode()}")

    with serving() as url:
        answer(url, "text_write", asked(url, "text_write", *LONG[:2], 5, address=OTHER))
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(ask, range(MOST + 60)))
        assert len(refused) >= 15 and {one[:3] for one in refused} == {"429"}
        assert "expected at most" in refused[0]
        assert waiting(url) >= MOST - SLOTS // 2  # it gets at most half the places
        begun = time.monotonic()
        for name, data in (
            ("text_write", ("shakespeare", "ROMEO:", 30)),
            ("vae_decode", ("vae-2d", [0, 0])),
        ):
            assert "event: complete" in answer(url, name, asked(url, name, *data, address=OTHER))
        assert waiting(url) > 0  # others came first
        assert time.monotonic() - begun < 10  # not after all of those
        while waiting(url):  # nobody listens to them
            assert time.monotonic() - begun < 60
            time.sleep(0.2)
        asked(url, "text_write", *LONG[:2], 5, address=HASTY)
