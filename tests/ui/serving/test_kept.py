"""What is kept of the server's answers, and what is asked anew."""

import gzip
import urllib.request
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from aigc_demo.ui.serving import kept
from aigc_demo.ui.serving.kept import Kept


@pytest.fixture
def site() -> SimpleNamespace:
    """A page and a script that count how often they are made."""
    made: list[str] = []

    async def answer(request: Request) -> Response:
        made.append(str(request.url))
        status = 500 if "broken" in request.url.path else 200
        headers = {"set-cookie": "a=b"} if "cookie" in request.url.path else {}
        return Response(f"{request.base_url} {len(made)} " + "x" * 2_000, status, headers)

    routes = [Route("/{path:path}", answer, methods=["GET", "POST"])]
    middleware = [Middleware(Kept), Middleware(GZipMiddleware)]
    app = Starlette(routes=routes, middleware=middleware)
    return SimpleNamespace(app=app, made=made, get=TestClient(app, "http://one.example").get)


def test_the_page_is_made_once_an_address_a_language_and_an_encoding(site: Any) -> None:
    first = site.get("/")
    assert first.headers["content-encoding"] == "gzip"
    for query in ("", "?tab=gan.digits&seed=5", "?lang=fr", "?__theme=dark"):
        again = site.get(f"/{query}")
        assert (again.content, again.headers) == (first.content, first.headers)
    assert len(site.made) == 1
    for other in (
        {"headers": {"host": "two.example"}},
        {"headers": {"x-forwarded-host": "three.example"}},
        {"headers": {"x-forwarded-proto": "https"}},
        {"headers": {"accept-encoding": "identity"}},
        {"params": {"lang": "zh"}},
        {"params": {"deep_link": "abc"}},
    ):
        before = len(site.made)
        assert site.get("/", **other).content != first.content
        assert len(site.made) == before + 1
    plain = site.get("/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for whom in ({"x-forwarded-for": "192.0.2.7"}, {"x-forwarded-access-token": "secret"}):
        assert site.get("/", headers=whom).content == first.content  # nor is it in any key


def test_an_answer_goes_to_those_alone_who_asked_for_its_kind(site: Any) -> None:
    both = [("accept-encoding", "identity"), ("accept-encoding", "gzip")]
    assert "content-encoding" not in site.get("/", headers=both).headers
    assert site.get("/").headers["content-encoding"] == "gzip"
    hosts = [("x-forwarded-host", "evil.example"), ("x-forwarded-host", "good.example")]
    first = site.get("/", headers=hosts)
    assert site.get("/", headers=hosts[::-1]).content != first.content


def test_other_answers_are_asked_anew(site: Any) -> None:
    for path in ("/config", "/gradio_api/info", "/assets/broken.js", "/assets/cookie.js"):
        assert site.get(path).content != site.get(path).content
    assert site.get("/assets/a.js").content == site.get("/assets/a.js").content
    asked = len(site.made)
    for path in ("/assets/sub/a.js", f"/assets/{'x' * 101}.js"):  # other names of a file
        assert site.get(path).content != site.get(path).content
        asked += 2
    site.get("/assets/a.js", headers={"if-none-match": "x"})
    site.get("/assets/a.js", headers={"range": "bytes=0-1"})
    assert len(site.made) == asked + 2


def test_with_a_login_no_page_is_kept(site: Any) -> None:
    site.app.auth = {"ada": "secret"}
    assert site.get("/").content != site.get("/").content


def test_what_was_asked_for_longest_goes(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 4 * 4_200)
    plain = {"accept-encoding": "identity"}
    texts = {name: site.get(f"/assets/{name}.js", headers=plain).text for name in "abc"}
    assert site.get("/assets/a.js", headers=plain).text == texts["a"]
    for name in "de":  # there is room for four of 2 kB
        site.get(f"/assets/{name}.js", headers=plain)
    assert site.get("/assets/a.js", headers=plain).text == texts["a"]
    assert site.get("/assets/b.js", headers=plain).text != texts["b"]


def test_the_real_page_names_its_own_address_each_time(server_url: str) -> None:
    def page(host: str) -> str:
        asked = urllib.request.Request(
            server_url, headers={"host": host, "accept-encoding": "gzip"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return gzip.decompress(answer.read()).decode()

    for host in ("one.example", "two.example", "one.example"):
        other = {"one.example": "two.example", "two.example": "one.example"}[host]
        assert f'"http://{host}' in page(host) and other not in page(host)
    assert page("one.example") == page("one.example")
