"""Couplets: second lines beside each other, and what is no first line."""

from typing import Any

import pytest
from servers import finished

from aigc_demo.inference.transformer import TextWriter
from aigc_demo.names import COUPLETS
from aigc_demo.prosody import opposes
from aigc_demo.tokenizer import UnknownCharacters, to_simplified
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.transformer.couplets import EXAMPLES, answer_line

MODELS, WORDS = Models(TABS), Words()


def answered(*values: Any) -> list[str]:
    async def read() -> list[str]:
        return [text async for text in answer_line(MODELS, WORDS, *values)]

    return finished(read())


@pytest.mark.parametrize("line", EXAMPLES)
def test_each_example_gets_five_second_lines_in_the_readers_script(line: str) -> None:
    texts = answered(line, "traditional", 0.8, 3)
    first, empty, *seconds = texts[-1].split("\n")
    assert to_simplified(first) == line and empty == "" and len(seconds) == COUPLETS
    assert all(opposes(first, second) and set(first).isdisjoint(second) for second in seconds)
    poet, settings = TextWriter.load("poems", "cpu"), {"temperature": 0.8, "top_p": 0.9}
    assert seconds == [poet.couplet(line, seed=3 + place, **settings) for place in range(COUPLETS)]
    assert answered(line, "simplified", 0.8, 3)[-1] == to_simplified(texts[-1])
    grown = [len(text) for text in texts]
    assert grown == sorted(grown)


@pytest.mark.parametrize(
    "values",
    [
        *(
            (line, "simplified", 0.8, 1)
            for line in (None, 7, "", "白日", "白日依山尽黄", "春" * 41)
        ),
        *((line, "simplified", 0.8, 1) for line in ("white", "白日依山x")),
        *((EXAMPLES[0], script, 0.8, 1) for script in ("seal", None)),
        *((EXAMPLES[0], "simplified", heat, 1) for heat in (-1, 2.1, "hot", float("nan"))),
        *((EXAMPLES[0], "simplified", 0.8, seed) for seed in (-1, 0.5, 2**53)),
    ],
    ids=str,
)
def test_what_cannot_be_answered_is_a_sentence(values: tuple) -> None:
    with pytest.raises((check.UserError, UnknownCharacters)):
        answered(*values)
