"""The page's own widgets. No user text reaches a template: scripts write words as plain text."""

import re
from typing import Any

import gradio as gr

from aigc_demo.ui.words import Words, static

CLASSES = (  # a colour for each digit, apart for colour-blind eyes too; the digit itself is drawn
    ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")
    + ("#d55e00", "#8c6bb1", "#7f7f7f", "#b8860b", "#117733")
)


GIVEN = "element, props, trigger, server, watch"  # by Gradio, to a widget's script
SCRIPTS: dict[str, str] = {}  # of the widgets made so far, by name


def widget(name: str, template: str, scripts: tuple[str, ...] = (), **props: Any) -> gr.HTML:
    """A gr.HTML whose script is static/common.js, further ones, and static/NAME.js.

    The page holds each script once, in its head, however many widgets of a name it has.
    """
    SCRIPTS[name] = script_of(name, *scripts)
    events = sorted(set(re.findall(r'trigger\(("\w+")', SCRIPTS[name])))  # Gradio looks for them
    return gr.HTML(
        html_template=f'<div class="widget {name}">{template}</div>',
        js_on_load=f"aigc.{name}({GIVEN}); // {' '.join(events)}",
        apply_default_css=False,
        padding=False,
        **props,
    )


def script_of(name: str, *scripts: str) -> str:
    """The script of a widget, with what it shares with others before it."""
    return "".join(map(static, ("common.js", *scripts, f"{name}.js")))


def head() -> str:
    """What goes into the page's head: the scripts of all widgets that were made, less comments."""
    functions = ",\n".join(f"{name}({GIVEN}) {{\n{script}}}" for name, script in SCRIPTS.items())
    functions = re.sub(r"^ *//.*\n", "", functions, flags=re.MULTILINE)
    return f"<script>window.aigc = {{\n{functions}\n}};</script>"


def opens_below(folded: str) -> gr.HTML:
    """Nothing to see: it opens an accordion, by its id, when a reader gets there."""
    return gr.HTML(
        html_template="<div></div>",
        js_on_load=static("near.js"),
        apply_default_css=False,
        padding=False,
        below=folded,
    )


CAPTION = '<div class="caption" aria-live="polite"></div>'


def tiles(
    words: Words, columns: int = 0, largest: int = 8, choosing: bool = False, **props: Any
) -> gr.HTML:
    """Digits at a whole scale: lines of so many columns, or, for 0, a field that fits the page.

    Props: strip, count, texts; when choosing: value, the place, and the event pick.
    """
    canvas = '<canvas class="pixels" role="img" data-word="tiles" data-as="label"></canvas>'
    return widget(
        "tiles",
        canvas + CAPTION,
        columns=columns,
        field=columns == 0,
        largest=largest,
        choosing=choosing,
        words=words.group("widget"),
        **props,
    )


def player(words: Words, largest: int = 10, **props: Any) -> gr.HTML:
    """Frames as an animation with a slider and a speed. Props: strip, count, texts."""
    template = (
        '<canvas class="pixels" width="28" height="28" role="img" data-word="player"'
        ' data-as="label"></canvas><div class="row"><button type="button"></button>'
        '<input type="range" min="0" step="1" data-word="frame" data-as="label">'
        '<select data-word="speed" data-as="label"><option value="0.25">¼×</option>'
        '<option value="0.5">½×</option><option value="1" selected>1×</option>'
        '<option value="2">2×</option></select></div>'
    )
    return widget(
        "player", template + CAPTION, largest=largest, words=words.group("widget"), **props
    )


def together(words: Words, **props: Any) -> gr.HTML:
    """A line that tells how many texts are written together now. Server function: writing_now."""
    return widget("together", '<div class="hint"></div>', words=words.group("together"), **props)


def pad(words: Words, value: str = "", **props: Any) -> gr.HTML:
    """A square to draw on or to fill with a photograph. Event: stroke; value: the drawing; prop to
    show back: strip.
    """
    template = (
        '<canvas width="280" height="280" data-word="pad" data-as="label"></canvas>'
        '<input type="file" accept="image/*" hidden>'
        '<div class="row"><button type="button" data-word="clear"></button>'
        '<button type="button" data-word="photo"></button></div>'
    )
    return widget("pad", template + CAPTION, value=value, words=words.group("widget"), **props)


def latent_map(words: Words, reach: float, **props: Any) -> gr.HTML:
    """The latent plane and a point on it. Event: move, when the point comes to rest.

    Props: value, the point {x, y}; strip, texts and at, the answer and the point it is about.
    Server functions: map_digits and map_decoder, asked when the map is first seen.
    """
    box = '<label><input type="checkbox" class="{0}" disabled><span data-word="{0}"></span></label>'
    zooms = "".join(
        f'<button type="button" value="{zoom}" aria-pressed="{str(zoom == 1).lower()}">{zoom}×'
        "</button>"
        for zoom in (1, 2, 4)
    )
    template = (
        '<div class="sides"><div><canvas class="plane" tabindex="0" role="slider" data-word="map"'
        ' data-as="label"></canvas><div class="keys">'
        + box.format("density")
        + box.format("grid")
        + f'<span class="zoom" role="group" data-word="zoom" data-as="label">{zooms}</span></div>'
        '</div><div class="found"><div><canvas class="decoded pixels" width="28" height="28"'
        ' role="img" data-word="decoded" data-as="label"></canvas>' + CAPTION + "</div>"
        '<div><canvas class="real pixels empty" width="28" height="28" role="img"></canvas>'
        '<div class="about"></div></div></div></div>'
    )
    return widget(
        "map",
        template,
        scripts=("decode.js", "map_ground.js"),
        reach=reach,
        colours=list(CLASSES),
        words=words.group("widget"),
        **props,
    )


def parts(words: Words, **props: Any) -> gr.HTML:
    """A model as a row of parts, the chosen one's maps below it. Event: pick; value: its place.

    Props: parts, a list of {title, shape, player, sheet, count, width, height, range, ranges};
    names: what the players are called here, if not generator and discriminator.
    """
    template = (
        '<div class="flow"></div><canvas class="pixels" tabindex="0" role="slider"'
        ' data-word="maps" data-as="label"></canvas><div class="reading caption"></div>'
    )
    return widget("parts", template, words=words.group("parts"), **props)


def gallery(words: Words, line: bool = False, **props: Any) -> gr.HTML:
    """Digits with a caption each, in groups, and, if wanted, their scores on a number line.

    Props: strip, texts, groups, a list of {role, title, items: [{text, score}]}; times, the scale
    of a digit.
    """
    template = '<canvas class="line" role="img"></canvas><div class="groups"></div>' + CAPTION
    return widget("gallery", template, line=line, words=words.group("parts"), **props)


ROLES = {  # which symbol of the code has which part in the game
    **dict.fromkeys(("z", "noise"), "noise"),
    **dict.fromkeys(("image", "x", "real_score"), "data"),
    **dict.fromkeys(("generator", "digit", "fake", "x7", "x14", "x28"), "generator"),
    **dict.fromkeys(("discriminator", "score", "seen", "fake_score"), "discriminator"),
    **dict.fromkeys(("loss", "value"), "loss"),
}


def code(**props: Any) -> gr.HTML:
    """Source lines as they stand in the package. Prop: code {path, first, lines, marked, roles}."""
    template = '<div class="path"></div><pre tabindex="0"></pre>'
    return widget("code", template, words={}, **props)


def posterior(words: Words, reach: float, **props: Any) -> gr.HTML:
    """A Gaussian in a plane of the latent space. Props: mean, deviation [x, y], samples, points."""
    template = '<canvas role="img"></canvas>' + CAPTION
    return widget("posterior", template, reach=reach, words=words.group("parts"), **props)


def bars(words: Words, **props: Any) -> gr.HTML:
    """A bar a value. Props: bars, a list of {name, value, dead}; texts."""
    template = "<ol></ol>" + CAPTION
    return widget("bars", template, words=words.group("parts"), **props)


def betas(words: Words, **props: Any) -> gr.HTML:
    """Maps of the same data under different weights of the KL term, and their rate and distortion.

    Prop: models, a list of {beta, rate, distortion, reach, points [x, y, class], mean, deviation}.
    """
    template = '<div class="maps"></div><canvas class="chart" role="img"></canvas>'
    return widget("betas", template, colours=list(CLASSES), words=words.group("betas"), **props)


def tokens(words: Words, choosing: bool = False, **props: Any) -> gr.HTML:
    """A text token by token. Props: tokens, a list of {text, note, shade, role, breaks}; texts.

    When choosing: value, the place, and the event pick.
    """
    template = '<div class="list"></div>' + CAPTION
    return widget("tokens", template, choosing=choosing, words={}, **props)


def heads(words: Words, **props: Any) -> gr.HTML:
    """Attention maps of all heads, and one large. Event: pick; value: [layer, head], from 1.

    Prop: attention {layers, heads, layer, head, sheet, tokens, weights, habits, row, column}.
    """
    template = (
        '<div class="sides"><canvas class="thumbs pixels" tabindex="0" role="slider"'
        ' data-word="all" data-as="label"></canvas><div><canvas class="map" tabindex="0"'
        ' role="slider" data-word="one" data-as="label"></canvas></div></div>'
        '<div class="reading caption" aria-live="polite"></div>'
    )
    return widget("heads", template, words=words.group("heads"), **props)


def candidates(words: Words, **props: Any) -> gr.HTML:
    """What may come next, under sliders that need no server. Event: pick.

    Props: next {names, ids, controls (which cannot be picked), logits (all, falling)}; value
    {temperature, top_k, top_p, tokens (that were picked)}; bar, whose link holds the sliders.
    """
    value = {"temperature": 0.8, "top_k": 0, "top_p": 0.95}
    sliders = "".join(
        f'<label><span data-word="{name}"></span><input type="range" name="{name}" min="{low}"'
        f' max="{high}" step="{step}" value="{value[name]}"><output></output></label>'
        for name, low, high, step in (
            ("temperature", 0, 2, 0.05),
            ("top_k", 0, 200, 1),
            ("top_p", 0.05, 1, 0.05),
        )
    )
    columns = ("token", "logit", "divided", "probability", "share")
    head = "".join(f'<th data-word="{name}"></th>' for name in columns)
    template = (
        f'<div class="sliders">{sliders}</div>{CAPTION}'
        f"<table><thead><tr>{head}</tr></thead><tbody></tbody></table>"
    )
    return widget("next", template, value=value, words=words.group("next"), **props)


def tree(words: Words, **props: Any) -> gr.HTML:
    """Continuations as a tree. Event: pick; value: the tokens on the way to a node.

    Prop: tree, a list of {id, name, path, parent, control}.
    """
    return widget("tree", '<div class="root"></div>', words={}, **props)


def other_weights(words: Words, **props: Any) -> gr.HTML:
    """Weights by the name of their repository. Events: ask, with value {source, linked, number};
    cancel; offer, when they are here, with value {updates} of the fields that list models.

    Props: tab; suggestions; choices, of these fields as bundled; state, of what was asked:
    {number, stage, and what belongs to it}.
    """
    template = (
        '<details><summary data-word="heading"></summary><p class="hint" data-word="hint"></p>'
        '<form class="ask"><input type="text" spellcheck="false" autocapitalize="off"'
        ' autocomplete="off" maxlength="300" placeholder="owner/repo@revision"'
        ' data-word="repository" data-as="label">'
        '<button type="submit" data-word="fetch"></button>'
        '<button type="button" class="cancel" data-word="cancel" hidden></button></form>'
        '<div class="suggested"></div><progress hidden></progress>'
        + CAPTION
        + "<ul></ul></details>"
    )
    return widget("others", template, state=None, value=None, words=words.group("others"), **props)


def table(words: Words, **props: Any) -> gr.HTML:
    """Words and numbers. Prop: table {head, rows of cells {text, below, shade, bar, mark}}."""
    return widget("table", "<table></table>" + CAPTION, words={}, **props)
