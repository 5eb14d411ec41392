"""Views inside the VAE: what a visitor sets while an answer is on its way stays."""

import pytest

from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.vae.inside import look, see_dimension

WORDS = Words()


@pytest.mark.parametrize(("model", "rank", "told"), [("vae", 2, None), ("vae-2d", 9, 2)])
def test_a_rank_is_told_only_where_it_is_another_than_asked(
    model: str, rank: int, told: int | None
) -> None:
    update = see_dimension(Models(TABS), WORDS, model, "#0", 7, rank)[2]
    assert update.get("value") == told


@pytest.mark.parametrize(("place", "told"), [(1, None), (None, 0), (99, 11)])
def test_a_part_is_told_only_where_it_is_another_than_asked(
    place: int | None, told: int | None
) -> None:
    update = look(Models(TABS), WORDS, "vae", "#0", 7, place)[0]
    assert update.get("value") == told
