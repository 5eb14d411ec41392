"""The code that the page shows of a result makes the same result."""

import contextlib
import io
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tabs
from PIL import Image
from servers import finished

from aigc_demo.cli import main
from aigc_demo.tokenizer import to_simplified
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.answers import answers
from aigc_demo.ui.page.code import Code, source_of
from aigc_demo.ui.page.saved_files import make, text_of
from aigc_demo.ui.page.share import Share

WORDS, MODELS = Words(), Models(TABS)


SHARES = {tab: share for tab, share in tabs.shares(MODELS, WORDS).items() if share.code}
POEM = ("poems", "七绝", "", "春夏秋冬", True, "simplified", "", 3, 0.8, 0, 0.9, 1, 5)
MORE = {  # beside those of every task
    "gan.digits": [("gan", ["3", "7"], 5, 8, 0.35), ("gan", [], 4, 8, 1)],
    "transformer.shakespeare": [("shakespeare", "It's $; -- & !\n\nRO", 40, 0.5, 20, 0.9, 1.2, 3)],
    "transformer.poems": [POEM],
}
CASES = [(tab, case) for tab in SHARES for case in (tabs.RESULTS[tab], *MORE.get(tab, []))]


def shown(share: Share, values: tuple) -> Any:
    """The last answer of the page."""
    given = share.handler(MODELS, WORDS, *values)
    if not hasattr(given, "__aiter__"):
        return answers(given)

    async def last() -> Any:
        return [answer async for answer in given][-1]

    return answers(finished(last()))


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.array(picture.convert("L"))


def printed(run: Any) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        run()
    return out.getvalue()


@pytest.mark.parametrize(("tab", "values"), CASES, ids=lambda value: str(value)[:40])
def test_python_and_command_make_what_the_page_shows(
    tab: str, values: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = SHARES[tab]
    assert share.code is not None
    code, answer = share.code(MODELS, *values), shown(share, values)
    monkeypatch.chdir(tmp_path)
    said = printed(lambda: exec(compile(code.python, "cell", "exec"), {}))
    argv = shlex.split(code.command)[3:]
    assert argv or tab == "gan.morph", "no command"
    if tab.startswith("transformer"):
        text = text_of(answer).split("》\n")[-1]
        assert said == text + "\n"
        told = printed(lambda: main(argv))
        assert (to_simplified(told) if "simplified" in values else told) == said
        return
    drawn = pixels(make(MODELS, share, values, answer, "png"))
    assert np.array_equal(pixels((tmp_path / "digits.png").read_bytes()), drawn)
    if argv:
        printed(lambda: main([*argv, "--output", "other.png"]))
        assert np.array_equal(pixels((tmp_path / "other.png").read_bytes()), drawn)


def test_a_prompt_is_no_command_of_its_own() -> None:
    code = Code("", "shakespeare", {"prompt": "'; rm -rf / #\n$(x) `y`", "free": True})
    words = shlex.split(code.command)
    assert words[:4] == ["python", "-m", "aigc_demo", "sample"] and words[-1] == "--free"
    assert words[5] == "--prompt='; rm -rf / #\n$(x) `y`"
    assert Code("x").command == ""


def test_the_folder_of_a_users_own_weights_is_not_told(tmp_path: Path) -> None:
    class Own:
        own = "mine"

    models = Models(TABS)
    models.others["own/mine@1"] = Own()  # type: ignore[assignment]
    assert source_of(models, "own/mine@1") == "path/to/mine" and source_of(models, "gan") == "gan"
