"""One training step of a small GAN in slow motion; each visitor has one for the visit."""

import math
import re
from collections.abc import Callable
from functools import wraps
from itertools import groupby
from typing import Any

import gradio as gr
from torch import Tensor

from aigc_demo.explain.duel import Duel, Look, Step
from aigc_demo.images import strip
from aigc_demo.names import SMALL_GAN
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan.formulas import D, G
from aigc_demo.ui.gan.meaning import hinge_meaning, signed
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.kit.latex import ink
from aigc_demo.ui.kit.widgets import widget
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.link import Fields
from aigc_demo.ui.page.page import FORMULAS, Page, Update
from aigc_demo.ui.page.query import Codec
from aigc_demo.ui.page.share import Share

ROUNDS = 20  # of both players, when fast
CLICKS: dict[str, tuple[tuple[str, ...], int]] = {  # a click in a link: players and rounds
    "d": (("discriminator",), 1),
    "g": (("generator",), 1),
    "b": (("discriminator", "generator"), 1),
    "f": (("discriminator", "generator"), ROUNDS),
}
REPLAYED = 160  # steps, at most, that the server takes again for a link
IDLE_SECONDS = 1800  # seconds that an idle visitor's duel is kept
Answer = tuple[Duel, Update, str]


def open_duel(models: Models, words: Words, duel) -> Answer | tuple:
    """Shows what both players make when the tab opens; a game that is on goes on."""
    if isinstance(duel, Duel):
        return gr.skip(), gr.skip(), gr.skip()
    return _looked(words, _mine(models, duel))


def train_d(models: Models, words: Words, duel) -> Answer:
    """One step of the discriminator."""
    return _played(models, words, duel, "d")


def train_g(models: Models, words: Words, duel) -> Answer:
    """One step of the generator."""
    return _played(models, words, duel, "g")


def train_both(models: Models, words: Words, duel) -> Answer:
    """One step of each, as the training does."""
    return _played(models, words, duel, "b")


def train_fast(models: Models, words: Words, duel) -> Answer:
    """Many rounds of both; the last one is shown."""
    return _played(models, words, duel, "f")


def start_over(models: Models, words: Words, duel) -> Answer:
    """The snapshot again, whatever was there."""
    return _looked(words, Duel(models.snapshot))


def replay(models: Models, words: Words, clicks) -> Answer:
    """A new duel in which a link's clicks were made; the last one is shown as it was."""
    duel = Duel(models.snapshot)
    if not clicks:
        return _looked(words, duel)
    for click in clicks[:-1]:
        _take(duel, click)
    return _played(models, words, duel, clicks[-1])


def steps_of(clicks: str) -> int:
    """The number of training steps that some clicks take."""
    return sum(len(CLICKS[click][0]) * CLICKS[click][1] for click in clicks)


def write_clicks(clicks: str) -> str:
    """Clicks in a row, each with how often: "d", "b3f2"."""
    runs = ((click, len(list(run))) for click, run in groupby(clicks))
    return "".join(f"{click}{count if count > 1 else ''}" for click, count in runs)


def read_clicks(text: str) -> str:
    """The clicks that `write_clicks` was given.

    Raises:
        ValueError: something else, or more steps than are taken again.
    """
    if not re.fullmatch(r"([dgbf]([1-9]\d{0,2})?){0,160}", text, re.ASCII):
        raise ValueError(f"expected clicks such as b3f2, got {text[:20]!r}")
    clicks = "".join(c * int(n or 1) for c, n in re.findall(r"([dgbf])(\d*)", text))
    if steps_of(clicks) > REPLAYED:
        raise ValueError(f"expected at most {REPLAYED} steps, got {steps_of(clicks)}")
    return clicks


def _take(duel: Duel, click: str) -> list[Step]:
    """The steps of one click. Returns those of its last round."""
    players, rounds = CLICKS[click]
    steps: list[Step] = []
    for _ in range(rounds):
        steps = [getattr(duel, f"train_{player}")() for player in players]
    duel.clicks += click
    return steps


def _mine(models: Models, duel: Any) -> Duel:
    """The visitor's duel; a new one where none was begun, or it was idle for too long.

    Raises:
        UserError: something else.
    """
    if duel is None:
        return Duel(models.snapshot)
    if not isinstance(duel, Duel):
        raise UserError("error.duel")
    return duel


def _looked(words: Words, duel: Duel) -> Answer:
    with duel.lock:
        look = duel.look()
    return duel, gr.update(shown=outlook(words, look)), formulas([])


def _played(models: Models, words: Words, duel: Any, click: str) -> Answer:
    duel, rounds = _mine(models, duel), CLICKS[click][1]
    with duel.lock:
        before, steps = duel.pictures(), _take(duel, click)
    scenes = [scene(words, step, before, rounds) for step in steps]
    paid = {step.player[0]: signed(step.loss_after, 3) for step in steps}
    told = {"steps": scenes, "play": rounds == 1}
    return duel, gr.update(shown=told, meaning=hinge_meaning(words, paid)), formulas(steps)


def outlook(words: Words, look: Look) -> dict[str, Any]:
    """The scene before any step."""
    means = {"real": mean(look.real_scores), "fake": mean(look.fake_scores)}
    return {
        "steps": [],
        "reals": strip(look.reals),
        "fakes": strip(look.fakes),
        "before": {"real": numbers(look.real_scores), "fake": numbers(look.fake_scores)},
        "text": words.both("duel.look", **means),
    }


def scene(words: Words, step: Step, before: Tensor, rounds: int = 1) -> dict[str, Any]:
    """One step as the widget shows it. before: what the generator drew before the click."""
    mine = "d" if step.player == "discriminator" else "g"
    loss, after = signed(step.loss_before, 3), signed(step.loss_after, 3)
    moved = {"gradient": figure(step.gradient), "change": figure(step.change)}
    real = {"real": mean(step.real_before)} if mine == "d" else {}
    paid = {"real": mean(step.real_terms, 3)} if mine == "d" else {}
    if mine == "d":
        paid["fake"] = mean(step.fake_terms, 3)
    told = [
        words.both(f"duel.noise_{mine}", number=step.number, size=step.noise.shape[1]),
        words.both(f"duel.fakes_{mine}"),
        words.both(f"duel.judge_{mine}", fake=mean(step.fake_before), **real),
        words.both(f"duel.loss_{mine}", loss=loss, **paid),
        words.both("duel.update", before=loss, after=after, weights=figure(step.weights), **moved),
    ]
    if rounds > 1:
        said = words.both("duel.rounds", rounds=rounds)
        told = [{key: f"{said[key]} {text[key]}" for key in text} for text in told]
    return {
        "player": mine.upper(),
        "noise": strip(cells(step.noise)),
        "side": cells(step.noise).shape[1],
        "reals": strip(step.reals) if len(step.reals) else "",
        "fakes": strip(step.fakes),
        "before": {"real": numbers(step.real_before), "fake": numbers(step.fake_before)},
        "after": {"real": numbers(step.real_after), "fake": numbers(step.fake_after)},
        "terms": {"real": numbers(step.real_terms), "fake": numbers(step.fake_terms)},
        "loss": [loss, after],
        **moved,
        "pictures": [strip(before), strip(step.pictures_after)],
        "texts": told,
    }


def cells(noise: Tensor) -> Tensor:
    """Noise (B, D) as squares of grey cells (B, S, S): -3 black, 3 white; cells left over black."""
    side = math.ceil(math.sqrt(noise.shape[1]))
    grey = noise.new_zeros(len(noise), side * side)
    grey[:, : noise.shape[1]] = (noise / 6 + 0.5).clamp(0, 1)
    return grey.view(-1, side, side)


def numbers(values: Tensor) -> list[float]:
    return [round(value, 4) for value in values.tolist()]


def mean(values: Tensor, digits: int = 2) -> str:
    return signed(values.mean().item(), digits)


def figure(value: float) -> str:
    """Three digits that count."""
    return f"{value:.3g}"


X, Z = ink("data", "x_i"), ink("noise", "z_i")
TEMPLATES = {
    "discriminator": (
        ink("loss", "L_D"),
        rf"\tfrac{{1}}{{n}}\textstyle\sum_i\max(0,1-{D}({X}))",
        rf"+\tfrac{{1}}{{n}}\textstyle\sum_i\max(0,1+{D}({G}({Z})))",
    ),
    "generator": (ink("loss", "L_G"), rf"-\tfrac{{1}}{{n}}\textstyle\sum_i {D}({G}({Z}))", ""),
}


def formulas(steps: list[Step]) -> str:
    """Both losses, with the numbers of the steps that were taken."""
    taken: dict[str, Step] = {step.player: step for step in steps}
    return "\n\n".join(_formula(player, taken.get(player)) for player in TEMPLATES)


def _formula(player: str, step: Step | None) -> str:
    loss, first, second = TEMPLATES[player]
    lines = [rf"{loss}={first}", *([rf"\phantom{{=}}\;{second}"] if second else [])]
    if step is not None:
        fake = step.fake_terms.mean().item()
        parts = f"{step.real_terms.mean():.3f}+{fake:.3f}" if second else ""
        total = ink("loss", f"{step.loss_before:.3f}")
        middle = rf"{parts}={total}" if parts else total
        lines.append(rf"\phantom{{{loss}}}={middle}\;\to\;{step.loss_after:.3f}")
    return "$$\\begin{aligned}&" + r"\\&".join(lines) + "\\end{aligned}$$"


def build_duel(page: Page, tab: gr.Tab) -> None:
    """Adds the tab's components and events. Nothing is computed before the tab is opened."""
    tr, words = page.words.tr, page.words
    duel = gr.State(None, time_to_live=IDLE_SECONDS)
    tr(gr.Markdown(elem_classes="hint"), "duel.hint")
    buttons = {}
    with gr.Row(elem_classes="duel-buttons"):
        for name in ("train_d", "train_g", "both", "fast", "reset"):
            button = gr.Button(
                variant="primary" if name == "both" else "secondary",
                elem_id=f"duel-{name}",
                min_width=80,
            )
            buttons[name] = tr(button, f"duel.{name}")
    shown = widget(
        "gan/duel",
        '<div class="acts"></div><p class="told" aria-live="polite"></p><canvas tabindex="0"'
        ' role="slider" data-word="scene" data-as="label" aria-valuemin="1" aria-valuenow="1">'
        "</canvas>",
        shared=("gan/duel_scenes",),
        elem_id="duel-scene",
        shown=None,
        words=words.group("duel.word"),
    )
    formula = gr.Markdown(
        formulas([]),
        elem_id="duel-formulas",
        latex_delimiters=FORMULAS,
    )
    # One link at a time is played again, so that many of them leave the server to the others.
    share = Share(
        page,
        "duel",
        replay,
        Fields(
            {"clicks": gr.Textbox("", visible=False)},
            codecs={"clicks": Codec(write_clicks, read_clicks)},
        ),
        [duel, shown, formula],
        model=SMALL_GAN,
        saves=(),
        show_progress="minimal",
        concurrency_id="replay",
        concurrency_limit=1,
    )
    hidden: dict[str, Any] = {"show_progress": "hidden"}
    handlers = (train_d, train_g, train_both, train_fast, start_over)
    for button, handler in zip(buttons.values(), handlers, strict=True):
        page.compute(button.click, _linked(share, handler), [duel], share.outputs, **hidden)
    opened = _linked(share, open_duel)
    share.unless_asked(tab.select, opened, [duel], share.outputs, **hidden)
    share.opens()


def _linked(share: Share, handler: Callable) -> Callable:
    """A handler that also puts the link to the duel as it then is into the bar."""

    @wraps(handler)
    def run(models: Models, words: Words, duel) -> tuple:
        answer = handler(models, words, duel)
        if not isinstance(answer[0], Duel):  # nothing happened
            return (*answer, gr.skip())
        clicks = answer[0].clicks
        if steps_of(clicks) > REPLAYED:
            return (*answer, gr.update(link={"query": "", "why": "too_many"}))
        return (*answer, share.said((clicks,)))

    return run
