"""All at once: what the page asks of masked diffusion, what it refuses, and what it tells."""

from typing import Any

import pytest
from servers import finished

from aigc_demo.inference.unmask import GapWriter
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.hub_models import HubModels
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.saved_files import make
from aigc_demo.ui.transformer import code, gaps
from aigc_demo.ui.transformer.api import TextEndpoints

MODELS, WORDS = Models(TABS), Words()
ASKED = ("ROMEO: ____ thou", 5, 3, "certain", 0.8, 7)


def streamed(*values: Any) -> list[dict]:
    async def read() -> list[dict]:
        return [update async for update in gaps.fill_gaps(MODELS, WORDS, *values)]

    return finished(read())


def test_the_text_fills_and_at_the_end_stands_what_it_cost() -> None:
    updates = streamed(*ASKED)
    last = updates[-1]
    writer = GapWriter.load("unmask", "cpu")
    assert last["text"] == writer.fill("ROMEO: ____ thou" + 5 * "_", 3, 0.8, seed=7)
    assert last["filled"].count(0) == 12 and max(last["filled"]) == 3
    assert all(one["text"].startswith("ROMEO: ") for one in updates)
    assert updates[0]["texts"] is None
    for text in last["texts"].values():
        assert "9" in text and "3" in text and "–" not in text  # both cards are read
    alone = streamed("_", 0, 1, "random", 0.8, 1)[-1]
    assert len(alone["text"]) == 1 and "Gaps filled: 1; steps: 1;" in alone["texts"]["en"]


WRONG = [
    (place, value)
    for place, values in enumerate(
        (
            (None, 7, "a" * 3_000, ["_"]),
            (-1, 257, 1.5, None, True, float("nan")),
            (0, 129, 2.5, "3", None),
            ("left", None, ["certain"], ""),
            (-0.1, 2.1, float("inf"), "hot", None),
            (-1, 2**53, 0.5, "1"),
        )
    )
    for value in values
]


@pytest.mark.parametrize("place, value", WRONG, ids=str)
def test_a_wrong_field_is_a_sentence(place: int, value: Any) -> None:
    with pytest.raises(UserError):
        streamed(*(value if i == place else given for i, given in enumerate(ASKED)))


def test_no_gap_and_too_many_are_told() -> None:
    with pytest.raises(UserError, match="no_text_gap"):
        streamed("no gap", 0, 3, "certain", 0.8, 7)
    with pytest.raises(UserError, match="long_gaps"):
        streamed("ROMEO:", 255, 3, "certain", 0.8, 7)
    with pytest.raises(ValueError, match="trained on, got '天'"):
        streamed("天_", 0, 3, "certain", 0.8, 7)


def test_the_endpoint_gives_the_same_and_the_table_each_place() -> None:
    async def read() -> list[str]:
        api = TextEndpoints(MODELS, HubModels(MODELS))
        return [text async for text in api.text_fill("ROMEO: ____ thou", 4, 0.8, 7)]

    texts = finished(read())
    writer = GapWriter.load("unmask", "cpu")
    assert texts[-1] == writer.fill("ROMEO: ____ thou", 4, 0.8, seed=7)
    rows = gaps.table(MODELS, *ASKED)
    assert rows[0] == ["place", "character", "step", "probability"]
    assert len(rows) == 1 + 21 and [row[2] for row in rows[1:8]] == [0] * 7


def test_its_code_is_what_the_page_does() -> None:
    said = code.gaps(MODELS, *ASKED)
    found: dict[str, Any] = {}
    exec(said.python.replace("print(", "made = ("), found)
    assert found["made"] == streamed(*ASKED)[-1]["text"]
    assert "'--prompt=ROMEO: ____ thou_____'" in said.command and "--order=certain" in said.command


def test_a_saved_text_is_the_text_with_its_link() -> None:
    from tabs import shares

    share = shares(MODELS, WORDS)["transformer.gaps"]
    saved = make(MODELS, share, ASKED, (streamed(*ASKED)[-1],), "txt").decode()
    assert saved.startswith("ROMEO: ") and "tab=transformer.gaps" in saved
