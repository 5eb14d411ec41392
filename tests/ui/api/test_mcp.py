"""The endpoints as tools of the Model Context Protocol; without Gradio's extra, a refusal."""

import base64
import io
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import gradio as gr
import pytest
from PIL import Image
from servers import ROOT, finished, serving

from aigc_demo.images import png
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.samples import sample_digits
from aigc_demo.ui.api.endpoints import parameters
from aigc_demo.ui.app import TABS

EXTRA = f"gradio[mcp]=={gr.__version__}"
needs_extra = pytest.mark.skipif(
    find_spec("mcp") is None, reason=f'pip install "{EXTRA}" in an environment of its own'
)


def test_without_the_extra_mcp_ends_with_one_sentence() -> None:
    code = "import sys; sys.modules['mcp'] = None; from aigc_demo.ui import main; main(['--mcp'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    expected = f'expected Gradio\'s mcp extra for --mcp, got none: pip install "{EXTRA}"'
    assert done.stderr == f"error: {expected}\n"


@needs_extra
def test_mcp_with_auth_is_refused() -> None:
    command = [sys.executable, "app.py", "--mcp", "--auth", "ada:secret"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: expected --mcp without --auth, got both: a tool cannot log in\n"


@pytest.fixture(scope="module")
def mcp_url() -> Iterator[str]:
    with serving("--mcp") as url:
        yield url + "gradio_api/mcp/"


def ask(url: str, tool: str = "", **arguments: Any) -> Any:
    """What a tool answers; without one, the list of tools."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def talk() -> Any:
        async with (
            streamablehttp_client(url) as (receive, send, _),
            ClientSession(receive, send) as session,
        ):
            await session.initialize()
            if tool:
                return await session.call_tool(tool, arguments)
            return (await session.list_tools()).tools

    return finished(talk())


@needs_extra
def test_the_tools_are_the_endpoints_and_say_what_they_take(mcp_url: str) -> None:
    tools = ask(mcp_url)
    assert [tool.name for tool in tools] == list(parameters(TABS))
    for tool in tools:
        assert "Returns: " in tool.description
        assert all(field["description"] for field in tool.inputSchema["properties"].values())
    with urllib.request.urlopen(mcp_url + "schema") as answer:
        assert [tool["name"] for tool in json.load(answer)] == list(parameters(TABS))


@needs_extra
def test_a_tool_gives_a_picture_a_text_and_numbers(mcp_url: str) -> None:
    picture = ask(mcp_url, "gan_sample", labels="2026", count=4).content[0]
    with Image.open(io.BytesIO(base64.b64decode(picture.data))) as image:
        assert image.size == (4 * 28 * 4, 28 * 4)
    text = ask(mcp_url, "text_write", prompt="ROMEO:", length=30, seed=5).content[0].text
    assert text == TextWriter.load().write("ROMEO:", 30, temperature=0.8, top_p=0.95, seed=5)
    seven = base64.b64encode(png(sample_digits("test")[0][0])).decode()
    read = ask(mcp_url, "gan_realness", picture=f"data:image/png;base64,{seven}").content[0].text
    assert "'score'" in read


@needs_extra
def test_a_wrong_argument_or_an_unknown_tool_is_an_error(mcp_url: str) -> None:
    wrong = ask(mcp_url, "gan_sample", count=65)
    assert wrong.isError and "How many: please give a number from 1 to 64" in wrong.content[0].text
    assert ask(mcp_url, "draw").isError
