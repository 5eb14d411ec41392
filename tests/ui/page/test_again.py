"""What models make with the weights of moments of their training: the very pictures."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.samples import sample_digits
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan.inside import draw_again as draw_gan
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.training_view import Again, _making
from aigc_demo.ui.vae.inside import draw_again as draw_vae
from aigc_demo.weights import BUNDLED, SNAPSHOTS

MODELS, WORDS = Models(TABS), Words()
GAN = _making(("gan", "gan-mlp"), Again(draw_gan, DigitSampler.load, [], "gan-small"))
VAE = _making(("vae-2d", "vae"), Again(draw_vae, LatentWalker.load, []))


def pictures(update: dict) -> torch.Tensor:
    """(N, 28, 28), as bytes."""
    data = base64.b64decode(update["strip"].partition(",")[2])
    sheet = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    found = torch.from_numpy(sheet.copy())
    return torch.stack(found.split(28, 1)) if found.shape[0] == 28 else found.view(-1, 28, 28)


def alike(found: torch.Tensor, images: torch.Tensor) -> bool:
    return bool(((images.cpu() * 255).round() - found.float()).abs().max() <= 1)


def folders(name: str) -> list:
    return sorted((BUNDLED / name / SNAPSHOTS).iterdir())


def test_a_gan_draws_the_digit_and_the_seed_with_the_weights_of_each_moment() -> None:
    update = GAN(MODELS, WORDS, "gan", 11, "3", 7, 0.8)
    found = pictures(update)
    assert update["count"] == len(found) == 16
    for place, folder in enumerate(folders("gan-small")):
        drawn = DigitSampler.load(folder).sample([7], [3], 0.8)
        assert alike(found[place], drawn[0])
    last = DigitSampler.load("gan-small").sample(range(7, 15), [3] * 8, 0.8)
    assert alike(found[8:], last)
    assert "gan-small" in update["texts"]["zh"]
    early = pictures(GAN(MODELS, WORDS, "gan", 0, "3", 7, 0.8))
    assert torch.equal(early[:8], found[:8]) and not torch.equal(early[8:], found[8:])


def test_a_vae_decodes_the_z_of_a_digit_at_each_moment_and_shows_the_map_of_one() -> None:
    found = pictures(VAE(MODELS, WORDS, "vae-2d", 11, "#0", 0))
    assert len(found) == 8 + 64
    whole = LatentWalker.load("vae-2d")
    z = whole.encode(sample_digits("test")[0][:1])[0]
    for place, folder in enumerate(folders("vae-2d")):
        assert alike(found[place], LatentWalker.load(folder).decode(z)[0])
    corners = whole.decode([[-2.0, 2.0], [2.0, 2.0], [-2.0, -2.0], [2.0, -2.0]])
    assert alike(found[[8, 15, 64, 71]], corners)


def test_a_model_whose_weights_were_not_kept_shows_nothing() -> None:
    update = VAE(MODELS, WORDS, "vae", 3, "#0", 0)
    assert update["count"] == 0 and not any(update["texts"].values())


@pytest.mark.parametrize("wrong", [("10", 7, 0.8), ("3", -1, 0.8), ("3", 7, 2), (None, None, None)])
def test_wrong_fields_are_refused(wrong: tuple) -> None:
    with pytest.raises(UserError):
        GAN(MODELS, WORDS, "gan", 3, *wrong)
