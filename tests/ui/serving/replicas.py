"""Replicas of the page behind a real nginx, and visitors who call it as the page does."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers import ROOT, free_port, wait_for

COOKIE = "aigc_visitor"
PAGE = {"Accept": "text/html,application/xhtml+xml"}  # as a browser asks for one
ALONE = ["shakespeare", "ROMEO:\n", 300, 0.8, 0, 1.0, 1.0]  # of text_write, but for the seed
DIGITS = ["gan", "2026", 8, 5, 1.0]  # of gan_sample
ENOUGH = 120  # seconds; a busy machine is slow, not wrong


class Replica:
    """app.py in a process of its own, with files of its own, as on another machine."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.environment, self.port = folder, environment, free_port()
        folder.mkdir()
        self.start()

    def start(self) -> None:
        command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(self.port)]
        environment = {**os.environ, "TMPDIR": str(self.folder), **self.environment}
        with open(f"{self.folder}.log", "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def ready(self) -> None:
        with open(f"{self.folder}.log", "rb") as log:
            wait_for(self.url, self.process, log)
        self.name = httpx.get(f"{self.url}gradio_api/app_id").json()["app_id"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def kill(self) -> None:
        """SIGKILL: it can say good-bye to nobody."""
        self.process.kill()
        self.process.wait(20)

    def mend(self) -> None:
        """It is there again, if it was not."""
        if self.process.poll() is not None:
            self.start()
            self.ready()


@contextmanager
def balancer(nginx: str, folder: Path, text: str) -> Iterator[Callable[[], None]]:
    """nginx with a server's configuration; gives what makes it forget who has failed."""
    text = text.replace("/var/log/nginx", str(folder))
    (folder / "aigc-demo.conf").write_text(text)
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {folder}/{name};" for name in places)
    main = folder / "nginx.conf"
    main.write_text(
        f"user root; daemon off; pid {folder}/pid; events {{}}\n"
        f"http {{ {paths} include {folder}/aigc-demo.conf; }}\n"
    )
    command = [nginx, "-e", "stderr", "-p", str(folder), "-c", str(main)]
    with tempfile.TemporaryFile() as log:
        started: list[subprocess.Popen] = []

        def begin() -> None:
            started.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
            wait_for(address_of(text) + "gradio_api/app_id", started[-1], log)

        def end() -> None:
            started[-1].terminate()
            started[-1].wait(20)

        def again() -> None:  # not a reload, after which the old workers still answer for a while
            end()
            begin()

        try:
            begin()
            yield again
        finally:
            end()


def address_of(text: str) -> str:
    """Where a configuration serves the page."""
    listen, path = re.search(r"listen (\d+)", text), re.search(r"^ +location (/\S*) {", text, re.M)
    assert listen and path
    return f"http://127.0.0.1:{listen[1]}{path[1]}"


class Visitor(httpx.Client):
    """Keeps its cookie, and calls the endpoints as the page calls them."""

    def __init__(self, url: str, cookie: str = "") -> None:
        self.url = url
        super().__init__(timeout=ENOUGH, cookies={COOKIE: cookie} if cookie else None)

    def open(self) -> int:
        """Loads the page. Returns the name of the replica that it came from."""
        page = self.get(self.url, headers=PAGE).raise_for_status().text
        found = re.search(r'"app_id":\s*(\d+)', page)
        assert found
        return int(found[1])

    def replica(self) -> int:
        """The name of the replica that answers."""
        return self.get(f"{self.url}gradio_api/app_id").raise_for_status().json()["app_id"]

    def stream(self, name: str, values: list) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        """The events of a call, and what each holds."""
        address = f"{self.url}gradio_api/call/{name}"
        event = self.post(address, json={"data": values}).raise_for_status().json()["event_id"]
        with super().stream("GET", f"{address}/{event}") as answer:
            kind = ""
            for line in answer.iter_lines():
                key, _, value = line.partition(": ")
                if key == "event":
                    kind = value
                elif key == "data":
                    yield kind, json.loads(value)

    def call(self, name: str, values: list, began: Callable[[], Any] = lambda: None) -> Any:
        """What a call gives at last; its last text for one that streams.

        Raises:
            ValueError: an error, or an end before the end.
        """
        kind = ""
        for kind, data in self.stream(name, values):
            if kind == "error":
                raise ValueError(f"expected an answer, got the error {data}")
            if kind == "generating":
                began()
        if kind != "complete":
            raise ValueError(f"expected a whole answer, got one that ends with {kind!r}")
        return data[0]

    def text(self, seed: int, began: Callable[[], Any] = lambda: None) -> str:
        return self.call("text_write", [*ALONE, seed], began)

    def picture(self) -> bytes:
        return self.get(self.call("gan_sample", DIGITS)["url"]).raise_for_status().content


class Pair:
    """Two replicas, and where nginx serves them."""

    def __init__(
        self, replicas: list[Replica], url: str, forget: Callable[[], None], log: Path
    ) -> None:
        self.replicas, self.url, self.forget, self.log = replicas, url, forget, log

    def mend(self) -> None:
        for replica in self.replicas:
            replica.mend()
        self.forget()

    def visitors(self, count: int) -> list[list[Visitor]]:
        """So many new visitors of each replica, who have loaded the page."""
        found: dict[int, list[Visitor]] = {replica.name: [] for replica in self.replicas}
        for _ in range(60 * count):
            visitor = Visitor(self.url)
            mine = found[visitor.open()]
            if len(mine) < count:
                mine.append(visitor)
            if all(len(visitors) == count for visitors in found.values()):
                return list(found.values())
        pytest.fail(f"expected visitors on both replicas, got {found}")
