"""The n-gram model against counts made another way."""

import math

import numpy as np
import pytest

from aigc_demo.inference.ngram import ORDERS, NGram
from aigc_demo.inference.writing.sampler import Sampler
from aigc_demo.samples import sample_text

TEXT = "abracadabra"


def by_hand(context: str, character: str) -> float:
    """Witten & Bell's p(c | h), over all places of the text."""
    shorter = by_hand(context[1:], character) if context else 1 / len(set(TEXT))
    after = [
        TEXT[i + len(context)]
        for i in range(len(TEXT) - len(context))
        if TEXT[i : i + len(context)] == context
    ]
    if not after:
        return shorter
    kinds = len(set(after))
    return (after.count(character) + kinds * shorter) / (len(after) + kinds)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("context", ["", "a", "br", "abra", "dabra", "zzz", "xa", "cadabra"])
def test_probabilities_are_those_of_the_paper(order: int, context: str) -> None:
    model = NGram(TEXT, order, "".join(sorted(set(TEXT))))
    found = model.probabilities(context)
    seen = context[len(context) - min(order - 1, len(context)) :]
    expected = [by_hand(seen, character) for character in model.characters]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert math.isclose(found.sum(), 1)


def test_a_longer_context_is_better_until_it_never_occurred() -> None:
    text, unseen = sample_text("shakespeare.txt"), sample_text("unseen.txt")
    characters = "".join(sorted({*text, *unseen}))
    nats = [NGram(text, order, characters).nats(unseen).mean() for order in ORDERS]
    assert nats[0] > nats[1] > nats[2] > nats[3] < nats[4] < nats[5]
    seen = [NGram(text, order, characters).nats(text[:5_000]).mean() for order in ORDERS]
    assert seen == sorted(seen, reverse=True)  # of what it has read it knows ever more by heart


def test_the_same_seed_writes_the_same_and_the_beginning_stays() -> None:
    text = sample_text("shakespeare.txt")
    model = NGram(text, 5, "".join(sorted(set(text))))
    sampler = Sampler(0.8, top_p=0.95, seed=7)
    assert model.write("ROMEO:\n", 60, sampler) == model.write("ROMEO:\n", 90, sampler)[:60]
    assert model.write("ROMEO:\n", 60, sampler) != model.write("ROMEO:\n", 60, Sampler(seed=8))
    greedy = Sampler(temperature=0)
    assert model.write("First Citi", 3, greedy) == "zen"
    assert len(model.write("", 5, greedy)) == 5
    assert len(model.write("Ω", 5, greedy)) == 5  # of a context that it cannot know


def test_a_lower_order_by_the_same_counts_is_the_model_of_that_order() -> None:
    text = sample_text("shakespeare.txt")[:5_000]
    whole = NGram(text, 6, "".join(sorted(set(text))))
    for order in ORDERS:
        alone = NGram(text, order, whole.characters)
        np.testing.assert_array_equal(
            whole.shortened(order).nats(text[:500]), alone.nats(text[:500])
        )
    assert whole.order == 6
    with pytest.raises(ValueError, match="from 1 to 3"):
        whole.shortened(3).shortened(4)


def test_what_cannot_be_counted_is_refused() -> None:
    for order in (0, 7, 2.0, True, "3"):
        with pytest.raises(ValueError, match="order from 1 to 6"):
            NGram(TEXT, order, "abcdr")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="vocabulary"):
        NGram(TEXT, 2, "abc")
