"""Inside the GAN, beside the tasks of its tab: layers, scores and loss, directions, neighbours."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from aigc_demo.explain import gan as inside
from aigc_demo.images import MEASURES, strip
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.names import GANS, SMALL_GAN, TRUNCATION
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan import formulas
from aigc_demo.ui.gan.meaning import hinge_meaning, signed
from aigc_demo.ui.gan.then_and_now import build_then
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.drawings import drawn_digit
from aigc_demo.ui.kit.widgets import code, gallery, network, pad, tiles
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.classes import digits_only, follow_classes, known_classes, label_of, names_of
from aigc_demo.ui.page.digits import digit_field
from aigc_demo.ui.page.inside_views import (
    View,
    add_layers,
    add_views,
    code_of,
    copied,
    learnt,
    parameters_of,
    scored,
    settled,
    shown,
    station,
)
from aigc_demo.ui.page.page import FORMULAS, Page, Update, dice, several
from aigc_demo.ui.page.training_view import Again, build_training, in_line

BATCH = 8  # fakes, and as many real digits, that the discriminator is asked about
FURTHEST = 3.0  # standard deviations that a direction can be followed
AGAIN = 8  # digits at a moment of the training
FIRST_PART = 4  # the one that is open at first: the digit itself


@dataclass(frozen=True)
class Asked:
    """The digit that a visitor looks into, as the tab that draws has it."""

    sampler: DigitSampler
    digit: int  # the class asked for; a model without classes draws what the seed brings
    seed: int
    truncation: float

    @property
    def label(self) -> int | None:
        return self.digit if self.sampler.classes else None

    @property
    def labels(self) -> list[int]:
        return [] if self.label is None else [self.label]

    def noise(self) -> Tensor:
        """Its noise, (D,)."""
        return self.sampler.noise([self.seed], self.labels or None)[0][0] * self.truncation

    def parts(self) -> list[inside.Part]:
        return inside.layers(self.sampler, self.noise(), self.label)


def _asked(models: Models, model, digit, seed, truncation) -> Asked:
    """Checks the fields of an inside view."""
    sampler = models.gan(models.known(model, GANS))
    digit = label_of(sampler, digit)
    if sampler.classes:
        known_classes(sampler, [digit])
    truncation = check.real(truncation, "truncation", 0, 1)
    return Asked(sampler, digit, check.seed(seed), truncation)


def see_digit(models: Models, words: Words, model, digit, seed, truncation) -> Update:
    """The digit itself, which stays in sight."""
    asked = _asked(models, model, digit, seed, truncation)
    image = asked.sampler.draw(asked.noise()[None], asked.labels)
    return gr.update(strip=strip(image), count=1)


def overview(models: Models, words: Words, model, digit, seed, truncation) -> Update:
    """The whole network in one picture: what each layer made of this digit's noise."""
    asked = _asked(models, model, digit, seed, truncation)
    stations = [
        station(part, formulas.title(part), "layers", place)
        for place, part in enumerate(asked.parts())
    ]
    players = {name: getattr(asked.sampler, name) for name in ("generator", "discriminator")}
    sizes = {name: f"{parameters_of(player):,}" for name, player in players.items()}
    texts = learnt(models, words, model, "inside.network", "inside.network_own", **sizes)
    return gr.update(stations=stations, texts=texts)


def look(
    models: Models, words: Words, model, digit, seed, truncation, place
) -> tuple[Update, str, Update]:
    """The whole way from noise to score, with formula and code of the part at one place."""
    asked = _asked(models, model, digit, seed, truncation)
    found = asked.parts()
    asked_for, place = place, min(check.whole(place or 0, "place", 0, 99), len(found) - 1)
    parts = [shown(part, formulas.title(part)) for part in found]
    return settled(asked_for, place, parts=parts), *_part(asked, found, place)


def look_at_part(
    models: Models, words: Words, model, digit, seed, truncation, place
) -> tuple[str, Update]:
    """Formula and code of one part."""
    asked = _asked(models, model, digit, seed, truncation)
    found = asked.parts()
    return _part(asked, found, check.whole(place, "place", 0, len(found) - 1))


def _part(asked: Asked, found: list[inside.Part], place: int) -> tuple[str, Update]:
    path, name, marks = formulas.place_in_code(asked.sampler, found[place])
    formula = formulas.part(asked.sampler, found, place, asked.label, asked.truncation)
    return formula, code_of(path, name, marks)


def judge(
    models: Models, words: Words, model, digit, seed, truncation
) -> tuple[Update, str, str, Update]:
    """Eight fakes beside eight real digits: scores, the loss with its terms, the sums by hand."""
    asked = _asked(models, model, digit, seed, truncation)
    digits_only(asked.sampler)
    seeds, labels = range(asked.seed, asked.seed + BATCH), [asked.digit] * BATCH
    verdict = inside.judge_batch(asked.sampler, seeds, labels, asked.truncation)
    groups = [
        scored(words, "data", "inside.data", verdict.real_scores.tolist()),
        scored(words, "generator", "inside.generator", verdict.fake_scores.tolist()),
    ]
    paid = {"d": verdict.discriminator_loss, "g": verdict.generator_loss}
    told = {player: signed(loss, 3) for player, loss in paid.items()}
    hinge = asked.sampler.classes
    meaning = hinge_meaning(words, told) if hinge else words.both("meaning.minimax", **told)
    scores = gr.update(
        strip=strip(torch.cat([verdict.reals, verdict.fakes])),
        groups=groups,
        meaning=meaning,
    )
    if asked.sampler.classes:
        lines = code_of("models/gan.py", "hinge_terms", ("return",))
    else:
        lines = code_of("models/gan_mlp.py", "minimax_terms", ("return",))
    return (
        scores,
        formulas.loss(asked.sampler, verdict),
        formulas.sums(asked.sampler, verdict),
        lines,
    )


def opinion(models: Models, words: Words, model, drawn) -> tuple[Update, dict[str, float]]:
    """Discriminator's and judge's opinion of a drawn digit; before one is drawn, of a real one."""
    sampler = models.gan(models.known(model, GANS))
    digits_only(sampler)
    if drawn in ("", None):
        image, title = inside.real_digits([5], first=4)[0], "inside.data"
    else:
        image, title = drawn_digit(drawn), "inside.yours"
    read = models.judge.classify(image[None])[0]
    if sampler.classes:
        digit = int(read.argmax())  # what it claims to be: D was trained on true claims only
        score = sampler.realness(image[None], [digit])[0].item()
        texts = words.both("inside.opinion", score=f"{score:.2f}", digit=digit)
    else:
        score = sampler.realness(image[None])[0].item()
        share = torch.sigmoid(torch.tensor(score)).item()
        texts = words.both("inside.opinion_mlp", score=f"{score:.2f}", share=f"{share:.2f}")
    groups = [scored(words, "data", title, [score])]
    verdict = gr.update(strip=strip(image[None]), groups=groups, texts=texts)
    return verdict, {str(i): p for i, p in enumerate(read.tolist())}


def move(models: Models, words: Words, model, digit, seed, truncation, *steps_along) -> Update:
    """One digit of `gan` drawn from moved noise, with its slant, thickness and width measured.

    model: of digits, else there is nothing to compare; steps_along: the directions of these three,
    -FURTHEST to FURTHEST.

    Raises:
        UserError: a step out of range, weights without directions, or a model of other pictures.
    """
    digits_only(models.gan(models.known(model, GANS)))
    asked = _asked(models, "gan", digit, seed, truncation)
    if not asked.sampler.directions:
        raise check.UserError("error.no_directions")
    named = zip(MEASURES, steps_along, strict=True)
    steps = {name: check.real(step, "direction", -FURTHEST, FURTHEST) for name, step in named}
    z = inside.moved(asked.sampler, asked.noise(), steps)
    image = asked.sampler.draw(z[None], asked.labels)
    measured = {name: f"{of(image).item():.2f}" for name, of in MEASURES.items()}
    texts = words.both("inside.moved", **measured)
    return gr.update(strip=strip(image), count=1, texts=texts)


def neighbours(models: Models, words: Words, model, digit, seed, truncation) -> Update:
    """One generated digit and the training digits nearest to it."""
    asked = _asked(models, model, digit, seed, truncation)
    digits_only(asked.sampler)
    image = asked.sampler.draw(asked.noise()[None], asked.labels)
    return copied(models, words, image)


def build_inside(page: Page, here: gr.Tab) -> tuple[list, Callable]:
    """Adds the view. here: the tab that holds it; nothing is computed before it opens.

    Returns the fields that say which digit is looked at (model, digit, seed, truncation), and a
    function that makes the view follow them after an event.
    """
    tr = page.words.tr
    with gr.Row(elem_classes="asked"):
        model = tr(gr.Dropdown(GANS, value="gan", elem_id="inside-model"), "gan.model")
        digit = digit_field(page.words, "3", "inside-digit")
        seed, roll = dice(page.words, 7, "inside-seed")
        digit_in_sight = tiles(
            page.words, columns=1, largest=2, strip="", count=0, elem_id="inside-sight"
        )
    chosen = follow_classes(page.words, model, digit)
    truncation = gr.Number(TRUNCATION, minimum=0, maximum=1, visible=False)
    asked: list[Any] = [model, digit, seed, truncation]
    fields = dict(zip(("model", "digit", "seed", "truncation"), asked, strict=True))
    sight = View(see_digit, asked, [digit_in_sight])
    changes = [digit.input, seed.submit, roll.then, chosen]
    share = add_views(page, "inside", VIEWS, asked, fields, sight, changes)
    share.compute_first(here.select)
    share.opens()
    return asked, share.compute


def _build_overview(page: Page, asked: list) -> View:
    picture = network(page.words, stations=[], elem_id="inside-network")
    return View(overview, asked, [picture], goes=[(picture, ("part",))])


def _build_layers(page: Page, asked: list) -> View:
    return add_layers(page, "inside", look, look_at_part, asked, FIRST_PART)


def _build_scores(page: Page, asked: list) -> View:
    scores = gallery(page.words, line=True, strip="", groups=[], elem_id="inside-scores")
    formula = gr.Markdown(latex_delimiters=FORMULAS, elem_classes="formula", elem_id="inside-loss")
    with page.words.tr(gr.Accordion(open=False, elem_id="inside-sums"), "inside.arithmetic"):
        sums = gr.Markdown(latex_delimiters=FORMULAS, elem_classes="formula")
        lines = code(code=None, elem_id="inside-loss-code")
    return View(judge, asked, [scores, formula, sums, lines])


def _build_copied(page: Page, asked: list) -> View:
    near = gallery(page.words, strip="", groups=[], times=4, elem_id="inside-neighbours")
    return View(neighbours, asked, [near])


def _build_yours(page: Page, asked: list) -> View:
    words = page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            drawn = pad(words, elem_id="inside-pad")
        with gr.Column(scale=3, min_width=280):
            verdict = gallery(
                words, line=True, strip="", groups=[], times=4, elem_id="inside-verdict"
            )
            read = words.tr(gr.Label(num_top_classes=3, elem_id="inside-read"), "inside.judge")
    events = [(event, {"show_progress": "hidden"}) for event in (drawn.stroke, drawn.cleared)]
    return View(opinion, [asked[0], drawn], [verdict, read], {"drawn": drawn}, events)


def _build_directions(page: Page, asked: list) -> View:
    words = page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            moved = tiles(words, columns=1, largest=10, strip="", count=0, elem_id="inside-moved")
        with gr.Column(scale=3, min_width=280):
            sliders = {
                name: words.tr(
                    gr.Slider(-FURTHEST, FURTHEST, 0, step=0.1, elem_id=f"inside-{name}"),
                    f"inside.{name}",
                )
                for name in MEASURES
            }
    dragging = {"show_progress": "hidden", "concurrency_id": "dragging", "concurrency_limit": 4}
    events = [(event, dragging) for event in several(*(s.input for s in sliders.values()))]
    return View(move, [*asked, *sliders.values()], [moved], sliders, events)


def draw_again(
    models: Models, words: Words, name: str, kept: list[DigitSampler], at: int, *fields
) -> tuple[Tensor, dict[str, str]]:
    """The chosen digit by a GAN as it was at moments of its training, and eight at one of them."""
    digit, seed, truncation = fields
    label, first = label_of(kept[at], digit), check.seed(seed)
    labels = known_classes(kept[at], [label]) if kept[at].classes else None
    sharp = check.real(truncation, "truncation", 0, 1)
    line = in_line([one.sample([first], labels, sharp) for one in kept], AGAIN)
    seeds = [(first + place) % (check.HIGHEST_SEED + 1) for place in range(AGAIN)]
    drawn = kept[at].sample(seeds, labels and labels * AGAIN, sharp)
    told = {"digit": names_of(kept[at])[label], "seed": first, "moments": len(kept)}
    return torch.cat([line, drawn.cpu()]), words.both("inside.drawn_again", **told)


def _build_training(page: Page, asked: list) -> View:
    again = Again(draw_again, DigitSampler.load, asked[1:], SMALL_GAN)
    return build_training(page, "inside", GANS, asked[0], again)


VIEWS = {
    "overview": _build_overview,
    "layers": _build_layers,
    "scores": _build_scores,
    "yours": _build_yours,
    "directions": _build_directions,
    "copied": _build_copied,
    "then": build_then,
    "training": _build_training,
}
