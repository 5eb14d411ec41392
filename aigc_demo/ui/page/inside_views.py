"""The inside views of a tab: one is shown at a time, and only that one is computed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import gradio as gr
import torch
from torch import Tensor, nn

from aigc_demo.explain import gan, source
from aigc_demo.images import strip
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import ROLES, code, parts
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.answers import answers
from aigc_demo.ui.page.link import Fields
from aigc_demo.ui.page.page import FORMULAS, LOCAL, Page, Update, several
from aigc_demo.ui.page.share import Share

NEAREST = 6  # training digits beside a drawn one
FEW = 4  # numbers that are written and not drawn
VIEW = ".view"  # what the words of a choice of views end with
GO = "(to) => [to.look, ...to.fields]"


class View(NamedTuple):
    """A view: what computes it, of which fields, and for which widgets."""

    handler: Callable
    inputs: list
    outputs: list
    own: Mapping[str, Any] = {}  # the fields that are its own, by the names that a link gives them
    events: Sequence[tuple[Callable, dict[str, Any]]] = ()  # of these, with options of Page.compute
    parts: Sequence[tuple[Callable, Callable, list]] = ()  # events that change some widgets only
    goes: Sequence[tuple[Any, tuple[str, ...]]] = ()  # widgets that open other views, and fields


def add_views(
    page: Page,
    key: str,
    build: Mapping[str, Callable[[Page, Any], View]],
    asked: Any,
    fields: Mapping[str, Any],
    sight: View | None = None,
    changes: Sequence[Any] = (),
    **opening: Any,
) -> Share:
    """Adds a choice of views, all of them, and the bar with the link. Returns what computes the
    open one.

    The choice and the plain events of all views are one trigger, so that each waits for the answer
    to the one before: on a busy server two of them may start in another order than they were sent.

    A widget that goes elsewhere has the event pick and the value {look, fields}: the view that
    opens, and what the fields of the link's names that stand beside it become.

    key: of the words: KEY.view has the choices, KEY.NAME_hint the line above a view.
    asked: what is looked at, as the builders of the views want it; fields: by a link's names.
    sight: what stays in sight whichever view is open.
    changes: events after which the open view is computed; the builders may add some to a list.
    opening: first and examples of Fields.

    Not tabs: Gradio drops the properties of a widget that is updated before its tab opens. All
    views are there at once, and `view_styles` shows the one that is chosen.
    """
    view, views = _lay_out(page, key, build, asked)
    controls = dict(fields)
    for built in views.values():
        assert not controls.keys() & built.own.keys(), "a link's names are different ones"
        controls |= built.own
    given = {"look": view, **controls}  # "view" is Gradio's in an address

    def call(handler: Callable, built: View, models: Models, words: Words, values: tuple) -> tuple:
        held = dict(zip(controls.values(), values, strict=True))
        return answers(handler(models, words, *(held[field] for field in built.inputs)))

    def show(models: Models, words: Words, name, *values) -> dict:
        """Updates the widgets of the open view; the others stay as they are."""
        shown: dict = {}
        for built in (views[check.one_of(name, "view", tuple(views))], sight):
            if built is not None:
                answer = call(built.handler, built, models, words, values)
                shown |= dict(zip(built.outputs, answer, strict=True))
        return shown

    def used(values: Mapping[str, Any]) -> list[str]:
        look = check.one_of(values["look"], "view", tuple(views))
        return ["look", *fields, *views[look].own]

    outputs = [widget for built in views.values() for widget in built.outputs]
    outputs += sight.outputs if sight else []
    held = Fields(given, used=used, **opening)
    share = Share(page, "inside", show, held, outputs, saves=(), there=False)
    plain = [event for built in views.values() for event, settings in built.events if not settings]
    for event in several(view.input, *changes, *plain):
        share.compute(event)
    for built in views.values():
        for event, settings in built.events:
            if settings:
                share.compute(event, **settings)
        for widget, names in built.goes:
            opened = [view, *(controls[name] for name in names)]
            share.compute(widget.pick(None, widget, opened, js=GO, **LOCAL).then)
        for event, handler, widgets in built.parts:

            def part(models, words, _, *values, handler=handler, built=built) -> tuple:
                return call(handler, built, models, words, values)

            page.compute(event, share.linked(part), share.inputs, [*widgets, share.bar])
    return share


def _lay_out(
    page: Page, key: str, build: Mapping[str, Callable[[Page, Any], View]], asked: Any
) -> tuple[gr.Radio, dict[str, View]]:
    """Adds the choice of views and all of them, one below the other."""
    tr, views = page.words.tr, {}
    radio = gr.Radio(
        value=next(iter(build)),
        show_label=False,
        container=False,
        elem_classes="views",
        elem_id=f"{key}-view",
    )
    view = tr(radio, f"{key}{VIEW}")
    for name, add in build.items():
        with gr.Column(elem_classes=["view", f"view-{name}"]):
            tr(gr.Markdown(elem_classes="hint"), f"{key}.{name}_hint")
            views[name] = add(page, asked)
    return view, views


def view_styles(words: Words) -> str:
    """Of each choice of views, the rule that shows the chosen one."""
    choices = (
        entry["choices"]
        for key, entry in words.table["en"].items()
        if key.endswith(VIEW) and isinstance(entry, dict)
    )
    names = dict.fromkeys(name for choice in choices for _, name in choice)
    rules = (f':has(> .views input[value="{name}"]:checked) > .view-{name}' for name in names)
    return ",\n".join(rules) + " { display: flex; }\n"


def add_layers(
    page: Page, key: str, look: Callable, look_at_part: Callable, asked: list, first: int, **props
) -> View:
    """Adds the view of a model's parts, with formula and code of the chosen one.

    look: what shows all of it; look_at_part: its formula and code alone; first: the part that is
    open at first.
    """
    flow = parts(page.words, parts=[], value=first, elem_id=f"{key}-parts", **props)
    formula = gr.Markdown(
        latex_delimiters=FORMULAS, elem_classes="formula", elem_id=f"{key}-formula"
    )
    lines = code(code=None, elem_id=f"{key}-code")
    parts_of = [(flow.pick, look_at_part, [formula, lines])]
    return View(look, [*asked, flow], [flow, formula, lines], own={"part": flow}, parts=parts_of)


def settled(asked: Any, found: Any, **props: Any) -> Update:
    """An update of a control that was asked with one value and settled for another.

    The value is told only where it is another one: what the visitor has set while the answer was
    on its way stays.
    """
    return gr.update(**props) if asked == found else gr.update(value=found, **props)


def shape_of(part: gan.Part) -> str:
    """The shape of a layer's output, as "64 × 14 × 14"."""
    return " × ".join(map(str, part.shape or (1,)))


def shown(part: gan.Part, title: str) -> dict[str, Any]:
    """A part as the widget wants it: its maps as one grey picture from lowest to highest."""
    maps = part.maps
    low, high = maps.min().item(), maps.max().item()
    ranges = zip(maps.amin((1, 2)).tolist(), maps.amax((1, 2)).tolist(), strict=True)
    return {
        "title": title,
        "player": part.player,
        "shape": shape_of(part),
        "sheet": strip(_grey(maps)),
        "count": len(maps),
        "width": maps.shape[2],
        "height": maps.shape[1],
        "range": [f"{low:.2f}", f"{high:.2f}"],
        "ranges": [[f"{a:.2f}", f"{b:.2f}"] for a, b in ranges],
    }


def _grey(values: Tensor) -> Tensor:
    """From the lowest value, 0, to the highest, 1."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low).clamp(min=1e-9)


def parameters_of(network: nn.Module) -> int:
    """The number of a network's parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def learnt(
    models: Models, words: Words, model: str, bundled: str, other: str, **sizes: str
) -> dict[str, str]:
    """The sentence on a network's size and data, and what the card of a user's own model says.

    bundled, other: its key, by whether the model is a bundled one.
    """
    if models.is_bundled(model):
        return words.both(bundled, **sizes)
    texts = words.both(other, **sizes)
    title, licence = models.card(model)
    if not (title and licence):
        return texts
    card = words.both("page.card", title=title, licence=licence)
    return {language: f"{text} {card[language]}" for language, text in texts.items()}


def station(part: gan.Part, title: str, look: str = "", *fields: Any) -> dict[str, Any]:
    """A part as the network's widget wants it: the map that varies most, drawn to scale.

    look, fields: the view that it opens, if any.
    """
    found: dict[str, Any] = {"title": title, "player": part.player, "shape": shape_of(part)}
    if look:
        found["go"] = {"look": look, "fields": list(fields)}
    values = part.maps.flatten()
    if len(values) <= FEW:
        return found | {"numbers": [f"{value:.2f}" for value in values.tolist()]}
    vector = len(part.shape) == 1
    drawn = values[:, None] if vector else part.maps[part.maps.std((1, 2)).argmax()]
    return found | {
        "sheet": strip(_grey(drawn)[None]),
        "width": drawn.shape[1],
        "height": drawn.shape[0],
        "depth": len(part.maps),
    }


def code_of(path: str, name: str, marks: tuple[str, ...]) -> Update:
    """A piece of the package's source for the widget, the lines with these words marked."""
    text = source.read(path, name)
    lines = {"path": path, "first": text.first, "lines": list(text.lines)}
    return gr.update(code={**lines, "marked": text.marked(marks), "roles": ROLES})


def group(words: Words, role: str, title: str, texts: list[str], **values: Any) -> dict[str, Any]:
    """Digits of one kind with a caption each, as the gallery wants them."""
    items = [{"text": text, "score": None} for text in texts]
    return {"role": role, "title": words.both(title, **values), "items": items}


def copied(models: Models, words: Words, image: Tensor) -> Update:
    """A drawn digit (1, 28, 28) and the training digits nearest to it, for the gallery."""
    near = models.index.nearest(image, NEAREST)
    distances = near.distances[0].tolist()
    groups = [
        group(words, "generator", "copied.drawn", [""]),
        group(words, "data", "copied.nearest", [f"{distance:.2f}" for distance in distances]),
    ]
    texts = words.both(
        "copied.told",
        nearest=f"{distances[0]:.2f}",
        typical=f"{models.index.typical:.2f}",
        share=f"{100 * models.index.share_of_real_nearer(distances[0]):.0f}",
    )
    return gr.update(strip=strip(torch.cat([image, near.pictures[0]])), groups=groups, texts=texts)


def scored(words: Words, role: str, title: str, scores: list[float]) -> dict[str, Any]:
    """Digits of one kind with their scores, which go on the number line too."""
    found = group(words, role, title, [f"{score:.2f}" for score in scores])
    for item, score in zip(found["items"], scores, strict=True):
        item["score"] = score
    return found
