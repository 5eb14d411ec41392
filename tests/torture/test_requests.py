"""Requests that no page sends: each endpoint and each event of the page with values of any kind.

Whatever comes, the server answers with a result or one sentence, never with a bare error.
"""

import http.client
import itertools
import json
import re
from typing import Any
from urllib.parse import urlparse

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as some
from tabs import ENDPOINTS
from torture.scale import TIMES

LONGEST = 60  # seconds that an answer may take
SHORT = {"length": 5, "count": 2, "steps": 3}  # so that what happens to be right is quick
FILES = [  # what looks like one of Gradio's files
    {"path": path, "meta": {"_type": "gradio.FileData"}}
    for path in (
        "/etc/passwd",
        "file:///etc/passwd",
        "http://127.0.0.1:1/x",
        "../x\x00",
        "x" * 5_000,
    )
]
LIMITS = {
    "deadline": None,
    "database": None,
    "derandomize": TIMES == 1,
    "suppress_health_check": list(HealthCheck),
}


def any_value() -> Any:
    plain = (
        some.none()
        | some.booleans()
        | some.integers(-(2**70), 2**70)
        | some.floats()
        | some.text(some.characters(codec=None), max_size=80)
        | some.sampled_from(
            ["gan", "vae", "shakespeare", "poems", "unmask", "alice/x@main", "_" * 300]
        )
        | some.sampled_from(FILES)
    )
    return some.recursive(
        plain,
        lambda inner: (
            some.lists(inner, max_size=4)
            | some.dictionaries(some.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=6,
    )


def post(url: str, path: str, content: Any) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlparse(url).netloc, timeout=LONGEST)
    body = json.dumps(content).encode()
    connection.request("POST", f"/gradio_api/{path}", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def events(url: str, path: str) -> Any:
    """The lines of an answer that is streamed."""
    connection = http.client.HTTPConnection(urlparse(url).netloc, timeout=LONGEST)
    connection.request("GET", f"/gradio_api/{path}")
    answer = connection.getresponse()
    assert answer.status == 200
    for line in answer:
        yield line.decode().rstrip("\n")
    connection.close()


def is_sentence(text: Any) -> bool:
    return (
        isinstance(text, str)
        and 8 < len(text) < 1_000
        and "Traceback" not in text
        and not re.search(r"\w+Error:", text)
    )


def refused(status: int, body: bytes) -> bool:
    """True for an answer that says in a sentence what was wrong."""
    return status in (404, 413, 422) and is_sentence(json.loads(body)["detail"])


@pytest.fixture(scope="module")
def parameters(server_url: str) -> dict[str, dict[str, Any]]:
    """The endpoints' parameters with values that are right."""
    connection = http.client.HTTPConnection(urlparse(server_url).netloc, timeout=LONGEST)
    connection.request("GET", "/gradio_api/info")
    described = json.loads(connection.getresponse().read())["named_endpoints"]
    assert set(described) == ENDPOINTS
    found = {}
    for name, about in described.items():
        usual = {
            one["parameter_name"]: one.get("parameter_default") or one["example_input"]
            for one in about["parameters"]
        }
        found[name.strip("/")] = {**usual, **{k: v for k, v in SHORT.items() if k in usual}}
    return found


def test_any_call_of_an_endpoint_ends_in_a_result_or_a_sentence(
    server_url: str, parameters: dict[str, dict[str, Any]]
) -> None:
    names = sorted(parameters)

    @seed(7)
    @settings(max_examples=700 * TIMES, **LIMITS)
    @given(
        some.sampled_from(names),
        some.lists(some.tuples(some.integers(0, 20), any_value()), max_size=3),
    )
    def tried(name: str, changes: list[tuple[int, Any]]) -> None:
        values = dict(parameters[name])
        for place, value in changes:
            values[list(values)[place % len(values)]] = value
        status, body = post(server_url, f"call/v2/{name}", values)
        if status != 200:
            assert refused(status, body), (status, body[:300])
            return
        number = json.loads(body)["event_id"]
        told = [line for line in events(server_url, f"call/{name}/{number}") if line]
        kind, data = told[-2].removeprefix("event: "), json.loads(told[-1].removeprefix("data: "))
        assert kind in ("complete", "error"), told[-2:]
        assert kind == "complete" or is_sentence(data["error"]), data

    tried()


def test_any_event_of_the_page_ends_in_an_answer_or_a_sentence(server_url: str) -> None:
    connection = http.client.HTTPConnection(urlparse(server_url).netloc, timeout=LONGEST)
    connection.request("GET", "/config")
    config = json.loads(connection.getresponse().read())
    private = [
        (one["id"], len(one["inputs"]))
        for one in config["dependencies"]
        if one["backend_fn"] and one["api_visibility"] == "private"
    ]
    assert len(private) > 100
    sessions = itertools.count()

    @seed(8)
    @settings(max_examples=300 * TIMES, **LIMITS)
    @given(some.sampled_from(private), some.data())
    def tried(event: tuple[int, int], data: Any) -> None:
        number, count = event
        values = data.draw(some.lists(any_value(), min_size=count, max_size=count))
        session = f"torture{next(sessions)}"
        asked = {"fn_index": number, "data": values, "session_hash": session}
        status, body = post(server_url, "queue/join", asked)
        if status != 200:
            assert refused(status, body), (status, body[:300])
            return
        for line in events(server_url, f"queue/data?session_hash={session}"):
            told = json.loads(line.removeprefix("data: ")) if line else {}
            if told.get("msg") == "process_generating":
                return  # a stream, which ends as nobody listens
            if told.get("msg") == "process_completed":
                answer = told["output"]
                assert told["success"] or is_sentence(answer.get("error")), (number, values, answer)
                return
        pytest.fail(f"event {number} was not answered")

    tried()
