"""The games: real or made, who drew it, the next character. Each follows from its seed.

The browser plays a game by itself, static/game.js and static/guess.js; a link holds what was
played, and the server only checks it.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np
import torch
from torch import Tensor

from aigc_demo.explain.branches import candidates, each_logits
from aigc_demo.images import strip
from aigc_demo.inference import text_mode
from aigc_demo.inference.flow import FlowSampler
from aigc_demo.names import TRUNCATION
from aigc_demo.samples import sample_digits, sample_text
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.catalog.ngrams import ngram_model
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import widget
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.link import Fields
from aigc_demo.ui.page.page import DRAWING, Page, Update, dice, several, throw
from aigc_demo.ui.page.query import Codec
from aigc_demo.ui.page.share import Share

ROUNDS = 10  # of the games with digits
GUESSES = 12  # characters to guess
CONTEXT = 160  # characters before them
ORDER = 4  # of the n-gram model
EXPECTED = 3  # likeliest characters that are told of each model
ARTISTS = ("real", "gan", "vae", "flow")
SURE = (25, 50, 75, 95)  # percent that a guess may stake
SIDES = ("left", "right")  # of a pair


def real_or_made(models: Models, words: Words, seed, picks) -> Update:
    """Pairs of a real test digit and one of the GAN's, and which one the discriminator takes."""
    chance = np.random.default_rng(check.seed(seed))
    labels = chance.integers(0, 10, ROUNDS).tolist()
    real = _real_digits(chance, labels)
    seeds = chance.integers(0, 2**31, ROUNDS).tolist()
    made = models.gan().sample(seeds, labels, TRUNCATION)
    right = chance.integers(0, 2, ROUNDS).tolist()  # the side of the real one
    scores = [models.gan().realness(images, labels) for images in (real, made)]
    taken = (scores[0] > scores[1]).tolist()  # D takes the real one for real
    rounds = [
        {
            "shown": [2 * k + side, 2 * k + 1 - side],
            "right": side,
            "rival": side if correct else 1 - side,
            "scores": [round(one[k].item(), 2) for one in (scores if side == 0 else scores[::-1])],
        }
        for k, (side, correct) in enumerate(zip(right, taken, strict=True))
    ]
    pairs = torch.stack([real, made], 1).flatten(0, 1)
    return gr.update(game={"strip": strip(pairs), "rounds": rounds, "picks": picks})


def who_drew_it(models: Models, words: Words, seed, picks) -> Update:
    """One digit a round, real or by one of three models."""
    chance = np.random.default_rng(check.seed(seed))
    artists = chance.integers(0, len(ARTISTS), ROUNDS).tolist()
    labels = chance.integers(0, 10, ROUNDS).tolist()
    seeds = chance.integers(0, 2**31, ROUNDS).tolist()
    drawn = torch.zeros(ROUNDS, 28, 28)
    for place, name in enumerate(ARTISTS):
        mine = [k for k, artist in enumerate(artists) if artist == place]
        if mine:
            asked, wanted = [seeds[k] for k in mine], [labels[k] for k in mine]
            drawn[mine] = _drawn_by(models, name, asked, wanted, chance).cpu()
    rounds = [{"shown": [k], "right": artist} for k, artist in enumerate(artists)]
    return gr.update(game={"strip": strip(drawn), "rounds": rounds, "picks": picks})


def _real_digits(chance: np.random.Generator, labels: list[int]) -> Tensor:
    """A test digit of each of some classes, (B, 28, 28)."""
    images, known = sample_digits("test")
    return torch.stack(
        [images[chance.choice(torch.nonzero(known == label)[:, 0].numpy())] for label in labels]
    )


def _drawn_by(
    models: Models, name: str, seeds: list[int], labels: list[int], chance: np.random.Generator
) -> Tensor:
    match name:
        case "gan":
            return models.gan().sample(seeds, labels, TRUNCATION)
        case "vae":
            return models.vae("vae").sample(seeds)  # it knows no classes
        case "flow":
            return models.get("flow", FlowSampler.load).sample(seeds, labels)
    return _real_digits(chance, labels)


def next_characters(models: Models, words: Words, seed, bets) -> Update:
    """A passage that no model has seen, and what two of them expect of each character to guess."""
    text = sample_text("unseen.txt")
    chance = np.random.default_rng(check.seed(seed))
    begin = int(chance.integers(0, len(text) - CONTEXT - GUESSES))
    begin = text.rfind("\n", 0, begin) + 1  # of a line
    first = begin + CONTEXT
    counted, writer = ngram_model(models, ORDER), models.writer("shakespeare")
    logits = each_logits(writer, writer.tokenizer.encode(text[begin : first + GUESSES]))
    rounds = []
    for place in range(first, first + GUESSES):
        before, come = text[begin:place], text[place]
        found = candidates(logits[place - begin - 1], logits.shape[1], 1.0, None, 1.0)
        mine = {writer.tokenizer.decode([token]): share for token, share in found}
        shares = dict(zip(counted.characters, counted.probabilities(before), strict=True))
        rounds.append({"transformer": _expected(mine, come), "ngram": _expected(shares, come)})
    told = {"before": text[begin:first], "come": text[first : first + GUESSES], "rounds": rounds}
    return gr.update(game={**told, "size": logits.shape[1], "sure": SURE, "bets": bets})


def _expected(shares: dict[str, float], come: str) -> dict[str, Any]:
    """The bits that a model loses on what came, and what it held likeliest."""
    best = sorted(shares, key=lambda name: -shares[name])[:EXPECTED]
    told = [[name, round(100 * float(shares[name]))] for name in best]
    return {"bits": round(-math.log2(max(shares.get(come, 0.0), 1e-9)), 2), "best": told}


def read_picks(kinds: int, rounds: int = ROUNDS) -> Callable[[str], str]:
    """Reads the choices of a link: a digit each, below `kinds`, in so many rounds at most."""

    def read(text: str) -> str:
        if not re.fullmatch(rf"[0-{kinds - 1}]{{0,{rounds}}}", text, re.ASCII):
            raise ValueError(f"expected choices such as 0110, got {text[:20]!r}")
        return text

    return read


def read_bets(text: str) -> str:
    """The bets of a link: of each the character's number, three digits, and how sure, one digit.

    Raises:
        ValueError: something else.
    """
    if not re.fullmatch(rf"(\d{{3}}[0-{len(SURE)}]){{0,{GUESSES}}}", text, re.ASCII):
        raise ValueError(f"expected bets such as 1011, got {text[:20]!r}")
    return text


def build_rounds(
    page: Page,
    here: gr.Tab,
    name: str,
    handler: Callable,
    kinds: tuple[str, ...],
    rounds: int = ROUNDS,
) -> None:
    """Adds a game of so many rounds. kinds: the words of the answers."""
    template = '<div class="round"></div><p class="told" role="status"></p><ol class="score"></ol>'
    read = read_picks(len(kinds), rounds)
    _build(page, here, name, handler, "picks", read, template, "learn/game", kinds)


def build_guess(page: Page, here: gr.Tab) -> None:
    """Adds the game of the next character."""
    template = (
        '<p class="passage"></p><div class="bet"></div><div class="told" role="status"></div>'
    )
    _build(page, here, "guess", next_characters, "bets", read_bets, template, "learn/guess")


def _build(
    page: Page,
    here: gr.Tab,
    name: str,
    handler: Callable,
    played: str,
    read: Callable[[str], str],
    template: str,
    script: str,
    kinds: tuple[str, ...] = (),
) -> None:
    """Adds a game. played: the name in links of what was played so far."""
    assert page.tab is not None
    tr, words = page.words.tr, page.words
    tr(gr.Markdown(elem_classes="hint"), f"game.{name}_hint")
    bar = f"{page.tab.id}.{name}"
    curves = {f"curve_{key}": told for key, told in words.group("history").items()}
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            shown = widget(
                script,
                template,
                apart=True,
                game=None,
                bar=bar,
                kind=name,
                kinds=list(kinds),
                words=words.group("game") | curves,
                elem_id=f"game-{name}",
            )
        with gr.Column(scale=2, min_width=240):
            seed, roll = dice(words, 1, f"{name}-seed")
            button = tr(gr.Button(elem_id=f"{name}-new", variant="primary"), "game.new")
    fields = {"seed": seed, played: gr.Textbox("", visible=False)}
    held = Fields(fields, codecs={played: Codec(str, read)})
    model = {"guess": "shakespeare", "fault": ""}.get(name, "gan")
    mode = text_mode() if name == "guess" else "float32"
    about: dict[str, Any] = {"model": model, "mode": mode, "saves": (), "there": False, **DRAWING}
    with left:
        share = Share(page, name, handler, held, [shown], **about)

    def begin(models: Models, words: Words, seed) -> Update:
        """A game that nobody has played yet."""
        return handler(models, words, seed, "")

    fresh = share.linked(begin, lambda seed: (seed, ""))
    share.opens()
    share.compute_first(here.select)
    for event in several(seed.submit, roll.then, throw(button.click, seed).then):
        page.compute(event, fresh, [seed], share.outputs, **DRAWING)
