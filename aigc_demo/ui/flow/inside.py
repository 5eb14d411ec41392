"""Inside the flow, beside the tasks of its tab: way, loss, paths, guidance, layers, steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from aigc_demo.explain import flow as inside
from aigc_demo.explain.gan import real_digits
from aigc_demo.images import strip
from aigc_demo.inference.flow import FlowSampler
from aigc_demo.names import FLOWS, GUIDANCE
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.flow import formulas
from aigc_demo.ui.flow.requests import HIGHEST_GUIDANCE, sampler_of, settings_of
from aigc_demo.ui.flow.widgets import curves
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import code, gallery, network, tiles
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.classes import digits_only, follow_classes, known_classes, label_of
from aigc_demo.ui.page.digits import digit_field
from aigc_demo.ui.page.inside_views import (
    View,
    add_layers,
    add_views,
    code_of,
    copied,
    group,
    learnt,
    parameters_of,
    settled,
    shown,
    station,
)
from aigc_demo.ui.page.page import FORMULAS, Page, Update, dice
from aigc_demo.ui.page.training_view import build_training

NAMES = {"noise": "state", "generator": "unet", "discriminator": "velocity"}
STRIDE = 2  # steps from one picture of the way to the next
PATHS = 8  # ways that are drawn, of seeds one after the other
STRENGTHS = (0.0, 1.0, 2.0, 3.0, 6.0)
FIRST_PART = 8  # the layers open on a map that a person can read
SPEED = 3.0  # a pixel's velocity that is drawn black or white


@dataclass(frozen=True)
class Asked:
    """The digit that a visitor looks into, and the time on its way."""

    sampler: FlowSampler
    label: int
    seed: int
    guidance: float
    step: int  # of the way's

    @property
    def time(self) -> float:
        return self.step / inside.STEPS

    def image(self) -> Tensor:
        """The digit, (1, 28, 28)."""
        return self.sampler.sample([self.seed], [self.label], inside.STEPS, self.guidance)

    def trajectory(self) -> inside.Trajectory:
        return inside.trajectory(self.sampler, self.seed, self.label, self.guidance)

    def parts(self) -> list[inside.Part]:
        x = self.trajectory().pictures[self.step]
        return inside.layers(self.sampler, x, self.time, self.label)


def _asked(models: Models, model, digit, seed, guidance, time) -> Asked:
    """Checks the fields of an inside view."""
    sampler = sampler_of(models, model)
    label = known_classes(sampler, [label_of(sampler, digit)])[0]
    guidance = settings_of(1, guidance).guidance
    step = round(check.real(time, "time", 0, 0.95) * inside.STEPS)
    return Asked(sampler, label, check.seed(seed), guidance, step)


def _velocity(values: Tensor) -> Tensor:
    """Velocities as pictures: grey stands still, white brightens, black darkens."""
    return (values / (2 * SPEED) + 0.5).clamp(0, 1)


def see_digit(models: Models, words: Words, model, digit, seed, guidance, time) -> Update:
    """The digit itself, which stays in sight."""
    asked = _asked(models, model, digit, seed, guidance, time)
    return gr.update(strip=strip(asked.image()), count=1)


def overview(models: Models, words: Words, model, digit, seed, guidance, time) -> Update:
    """The whole network in one picture, at one time of this digit's way."""
    asked = _asked(models, model, digit, seed, guidance, time)
    stations = [
        station(part, formulas.title(part), "layers", place)
        for place, part in enumerate(asked.parts())
    ]
    told = {
        "size": f"{parameters_of(asked.sampler.loaded.model):,}",
        "steps": str(inside.STEPS),
        "time": f"{asked.time:.2f}",
    }
    texts = learnt(models, words, model, "flowing.network", "flowing.network_own", **told)
    return gr.update(stations=stations, texts=texts)


def see_way(models: Models, words: Words, model, digit, seed, guidance, time) -> tuple[Update, str]:
    """Picture, velocity and the guess of the end at times of the way."""
    asked = _asked(models, model, digit, seed, guidance, time)
    trajectory = asked.trajectory()
    times = [f"{t:.1f}" for t in trajectory.times[::STRIDE].tolist()]
    pictures = torch.cat(
        [
            inside.visible(trajectory.pictures[::STRIDE]),
            _velocity(trajectory.velocities[::STRIDE]),
            inside.visible(trajectory.guesses[::STRIDE]),
        ]
    )
    groups = [
        group(words, "noise", "flowing.state", times),
        group(words, "generator", "flowing.velocity", times),
        group(words, "data", "flowing.guess", times),
    ]
    return gr.update(strip=strip(pictures), groups=groups), formulas.guess(trajectory, asked.step)


def see_loss(
    models: Models, words: Words, model, digit, seed, guidance, time
) -> tuple[Update, str, Update]:
    """The one-line loss on a real digit, with its numbers."""
    asked = _asked(models, model, digit, seed, guidance, time)
    digits_only(asked.sampler)
    image = real_digits([asked.label], asked.seed)[0]
    found = inside.lesson(asked.sampler, image, asked.seed, asked.label, asked.time)
    errors = found.errors
    pictures = torch.stack(
        [
            image,
            inside.visible(found.noise),
            inside.visible(found.between),
            _velocity(found.target),
            _velocity(found.velocity),
            errors / errors.max().clamp(min=1e-6),
        ]
    )
    groups = [
        group(words, "data", "flowing.real", ["x₁"]),
        group(words, "noise", "flowing.noise", ["x₀"]),
        group(words, "noise", "flowing.between", [f"t = {asked.time:.2f}"]),
        group(words, "data", "flowing.target", ["x₁ − x₀"]),
        group(words, "generator", "flowing.said", ["v"]),
        group(words, "loss", "flowing.errors", [f"0 – {errors.max().item():.2f}"]),
    ]
    still = (found.target**2).mean().item()
    paid = {"chance": f"{still:.3f}", "now": f"{found.loss:.3f}"}
    return (
        gr.update(strip=strip(pictures), groups=groups, meaning=words.both("meaning.flow", **paid)),
        formulas.loss(found, asked.time),
        code_of("models/flow.py", "flow_loss", ("return",)),
    )


def see_paths(models: Models, words: Words, model, digit, seed, guidance, time) -> Update:
    """Ways of this digit and of others of its class, seen from the side."""
    asked = _asked(models, model, digit, seed, guidance, time)
    seeds = range(asked.seed, asked.seed + PATHS)
    noise, labels = asked.sampler.noise(seeds, [asked.label] * PATHS)
    ways = torch.stack([*asked.sampler.follow(noise, labels, inside.STEPS, asked.guidance)], 1)
    lines = [
        {
            "role": "noise" if place else "generator",
            "points": inside.seen_from_the_side(way).tolist(),
            "thin": place > 0,
        }
        for place, way in enumerate(ways)
    ]
    straight = [inside.straightness(way) for way in ways]
    texts = words.both(
        "flowing.straight",
        own=f"{straight[0]:.3f}",
        mean=f"{sum(straight) / PATHS:.3f}",
        count=PATHS,
    )
    return gr.update(lines=lines, texts=texts)


def see_guidance(
    models: Models, words: Words, model, digit, seed, guidance, time
) -> tuple[Update, str]:
    """The share of the class in a velocity, and the same noise with more and more of it."""
    asked = _asked(models, model, digit, seed, guidance, time)
    x = asked.trajectory().pictures[asked.step]
    told, untold = inside.told_and_untold(asked.sampler, x, asked.time, asked.label)
    digits = inside.strengths(asked.sampler, asked.seed, asked.label, STRENGTHS)
    pictures = torch.cat(
        [inside.visible(x)[None], _velocity(torch.stack([untold, told, told - untold])), digits]
    )
    groups = [
        group(words, "noise", "flowing.between", [f"t = {asked.time:.2f}"]),
        group(words, "generator", "flowing.untold", ["v(x, t)"]),
        group(words, "generator", "flowing.told", ["v(x, t, c)"]),
        group(words, "loss", "flowing.added", ["v(x, t, c) − v(x, t)"]),
        group(words, "data", "flowing.strengths", [f"w = {w:g}" for w in STRENGTHS]),
    ]
    formula = formulas.guidance(told, untold, asked.guidance)
    return gr.update(strip=strip(pictures), groups=groups), formula


def see_steps(
    models: Models, words: Words, model, digit, seed, guidance, time
) -> tuple[Update, Update]:
    """The same digit by fewer steps, and how the error falls with them."""
    asked = _asked(models, model, digit, seed, guidance, time)
    exact, few = inside.few_steps(asked.sampler, asked.seed, asked.label, asked.guidance)
    groups, lines = [group(words, "data", "flowing.exact", [""])], []
    for solver, role in (("euler", "generator"), ("heun", "discriminator")):
        own = [one for one in few if one.solver == solver]
        captions = [f"{one.steps}: {one.error:.3f}" for one in own]
        groups.append(group(words, role, f"flowing.{solver}", captions))
        points = [[one.looks, one.error] for one in own]
        lines.append({"role": role, "points": points, "name": solver.title()})
    pictures = torch.stack([exact, *(one.digit for one in few)])
    return gr.update(strip=strip(pictures), groups=groups), gr.update(lines=lines)


def look(
    models: Models, words: Words, model, digit, seed, guidance, time, place
) -> tuple[Update, str, Update]:
    """From the picture on its way to its velocity, with formula and code of one part."""
    asked = _asked(models, model, digit, seed, guidance, time)
    found = asked.parts()
    asked_for, place = place, min(check.whole(place or 0, "place", 0, 99), len(found) - 1)
    parts = [shown(part, formulas.title(part)) for part in found]
    update = settled(asked_for, place, parts=parts)
    return update, *_part(asked, found, place)


def look_at_part(
    models: Models, words: Words, model, digit, seed, guidance, time, place
) -> tuple[str, Update]:
    """Formula and code of one part."""
    asked = _asked(models, model, digit, seed, guidance, time)
    found = asked.parts()
    return _part(asked, found, check.whole(place, "place", 0, len(found) - 1))


def _part(asked: Asked, found: list[inside.Part], place: int) -> tuple[str, Update]:
    formula = formulas.part(found, place, asked.time)
    return formula, code_of(*formulas.place_in_code(found[place]))


def see_copied(models: Models, words: Words, model, digit, seed, guidance, time) -> Update:
    """The digit and the training digits nearest to it."""
    asked = _asked(models, model, digit, seed, guidance, time)
    digits_only(asked.sampler)
    return copied(models, words, asked.image())


def build_inside(page: Page, here: gr.Tab) -> tuple[list, Callable]:
    """Adds the view. here: the tab that holds it; nothing is computed before it opens.

    Returns the fields that say which digit is looked at (model, digit, seed, guidance), and a
    function that makes the view follow them after an event.
    """
    tr = page.words.tr
    with gr.Row(elem_classes="asked"):
        model = gr.Radio(value="flow", visible=False, elem_id="flowing-model")
        model = tr(model, "flow.model")
        digit = digit_field(page.words, "3", "flowing-digit")
        seed, roll = dice(page.words, 7, "flowing-seed")
        time = tr(
            gr.Slider(0, 0.95, 0.5, step=0.05, min_width=260, elem_id="flowing-time"),
            "flowing.time",
        )
        in_sight = tiles(page.words, columns=1, largest=2, strip="", count=0, elem_id="flow-sight")
    chosen = follow_classes(page.words, model, digit)
    guidance = tr(
        gr.Slider(0, HIGHEST_GUIDANCE, GUIDANCE, step=0.25, visible=False), "flow.guidance"
    )
    asked: list[Any] = [model, digit, seed, guidance, time]
    fields = dict(zip(("model", "digit", "seed", "guidance", "time"), asked, strict=True))
    sight = View(see_digit, asked, [in_sight])
    changes = [digit.input, time.release, seed.submit, roll.then, chosen]
    share = add_views(page, "flowing", VIEWS, asked, fields, sight, changes)
    share.compute_first(here.select)
    share.opens()
    return asked[:4], share.compute


def _formula(name: str) -> gr.Markdown:
    return gr.Markdown(latex_delimiters=FORMULAS, elem_classes="formula", elem_id=name)


def _build_overview(page: Page, asked: list) -> View:
    picture = network(page.words, stations=[], names=NAMES, elem_id="flowing-network")
    return View(overview, asked, [picture], goes=[(picture, ("part",))])


def _build_way(page: Page, asked: list) -> View:
    pictures = gallery(page.words, strip="", groups=[], times=2, elem_id="flowing-way")
    formula = _formula("flowing-guess")
    return View(see_way, asked, [pictures, formula])


def _build_loss(page: Page, asked: list) -> View:
    pictures = gallery(page.words, strip="", groups=[], times=3, elem_id="flowing-lesson")
    formula = _formula("flowing-loss")
    lines = code(code=None, elem_id="flowing-loss-code")
    return View(see_loss, asked, [pictures, formula, lines])


def _build_paths(page: Page, asked: list) -> View:
    drawn = curves(page.words, "side", lines=[], elem_id="flowing-paths")
    return View(see_paths, asked, [drawn])


def _build_guidance(page: Page, asked: list) -> View:
    pictures = gallery(page.words, strip="", groups=[], times=3, elem_id="flowing-strengths")
    formula = _formula("flowing-guidance")
    return View(see_guidance, asked, [pictures, formula])


def _build_layers(page: Page, asked: list) -> View:
    return add_layers(page, "flowing", look, look_at_part, asked, FIRST_PART, names=NAMES)


def _build_copied(page: Page, asked: list) -> View:
    return View(see_copied, asked, [gallery(page.words, strip="", groups=[], times=3)])


def _build_steps(page: Page, asked: list) -> View:
    pictures = gallery(page.words, strip="", groups=[], times=2, elem_id="flowing-few")
    drawn = curves(page.words, "error", lines=[], elem_id="flowing-error")
    return View(see_steps, asked, [pictures, drawn])


def _build_training(page: Page, asked: list) -> View:
    return build_training(page, "flowing", FLOWS, asked[0])


VIEWS = {
    "overview": _build_overview,
    "way": _build_way,
    "loss": _build_loss,
    "paths": _build_paths,
    "guidance": _build_guidance,
    "layers": _build_layers,
    "copied": _build_copied,
    "steps": _build_steps,
    "training": _build_training,
}
