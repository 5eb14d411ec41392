"""The page's own widgets. No user text reaches a template: scripts write words as plain text."""

import base64
import hashlib
import json
import re
from typing import Any

import gradio as gr

from aigc_demo.ui.kit.words import Words, static

CLASSES = (  # a colour for each digit, apart for colour-blind eyes too; the digit itself is drawn
    ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")
    + ("#d55e00", "#8c6bb1", "#7f7f7f", "#b8860b", "#117733")
)


GIVEN = "element, props, trigger, server, watch"  # by Gradio, to a widget's script


LARGE = 2_000  # characters of a picture that the page does not hold


def widget(
    script: str,
    template: str,
    shared: tuple[str, ...] = (),
    at_once: bool = False,
    apart: bool = False,
    **props: Any,
) -> gr.HTML:
    """A gr.HTML whose script is kit/common.js, further ones, and its own.

    The page holds each script once, in its head, however many widgets of a name it has. A large
    first picture comes when its tab is opened, see `widget_files`.

    script, shared: "ROOM/NAME", as of ui/ROOM/static/NAME.js.
    props: of any widget: words, as Words.group gives them, which the page holds once, however many
        widgets say them; meaning, {language: what its loss would be by chance and at best}.
    at_once: its first picture is in the page.
    apart: its script is not; it is fetched when the widget's tab opens.
    """
    first: dict[str, bytes] = {}
    if not at_once and len(props.get("strip") or "") > LARGE and "elem_id" in props:
        picture = base64.b64decode(props["strip"].partition(",")[2])
        name = f"pictures/{props['elem_id']}.png"
        first[name] = picture
        props["strip"] = f"{name}?{_digest(picture)}"  # a new one is fetched
    name, text = script.split("/")[1], script_of(script, *shared)
    events = sorted(set(re.findall(r'trigger\(("\w+")', text)))  # Gradio looks for them
    run = f"aigc.{name}({GIVEN});"
    said = json.dumps(props.get("words") or {}, ensure_ascii=False, separators=(",", ":"))
    props["words"] = _digest(said)
    if apart:
        function = f"aigc.{name} = function ({GIVEN}) {{\n{_without_comments(text)}}};\n"
        function += f'aigc.words["{props["words"]}"] = {said};\n'
        path = f"scripts/{name}.{_digest(function)}.js"
        first[path] = function.encode()
        run = f"aigc.fetched('{path}').then(() => {run[:-1]});"
    made = gr.HTML(
        html_template=f'<div class="widget {name}">{template}</div>',
        js_on_load=f"{run} // {' '.join(events)}",
        apply_default_css=False,
        padding=False,
        **{"meaning": None, **props},
    )
    made.script = name, text  # type: ignore[attr-defined]
    made.is_apart = apart  # type: ignore[attr-defined]
    made.said = {} if apart else {props["words"]: said}  # type: ignore[attr-defined]
    made.files = first  # type: ignore[attr-defined]
    return made


def _digest(content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(data).hexdigest()[:8]


def script_of(script: str, *shared: str) -> str:
    """The script of a widget, with what it shares with others before it."""
    return "".join(static(f"{path}.js") for path in ("kit/common", *shared, script))


def head(demo: gr.Blocks) -> str:
    """The page's head: `window.aigc`, the scripts of its widgets by name and, by the prop `words`,
    what these say; of those apart it holds neither.

    Its `page` is what they share: asked, the link of a file that was opened; pending, the link
    that waits for its bar, {tab, query}; bars, of all results; sighted, by tab when its result
    was last in sight; others, by the first bundled model of a field the [label, name] from the Hub
    that stand after it; about, what is known of each of these by its name; code, what makes a
    picture of a bar's link; go, what opens another place by its link; explain, what marks the terms
    in a place; mean, what tells of a loss; hide, what a lesson takes away; guides, the list of
    lessons and what is kept of them; plain, models without classes; trained, the models that were
    trained on this page; weights, by tab what fetches the model that a link names.
    """
    scripts = dict(
        block.script
        for block in demo.blocks.values()
        if isinstance(block, gr.HTML) and not getattr(block, "is_apart", True)
    )
    functions = ",\n".join(f"{name}({GIVEN}) {{\n{text}}}" for name, text in scripts.items())
    whole = f"{static('kit/head.js')},\n{functions}"
    said: dict[str, str] = {}
    for block in demo.blocks.values():
        said |= getattr(block, "said", {})
    words = ",\n".join(f'"{key}":{text}' for key, text in said.items()).replace("</", "<\\/")
    about = f"page: {{}},\nwords: {{\n{words}\n}}"
    return f"<script>window.aigc = {{\n{about},\n{_without_comments(whole)}\n}};</script>"


def _without_comments(script: str) -> str:
    return re.sub(r"^ *//.*\n", "", script, flags=re.MULTILINE)


def widget_files(demo: gr.Blocks) -> dict[str, bytes]:
    """What the page's widgets fetch, first pictures above all, by the path under which they ask."""
    return {
        path: content
        for block in demo.blocks.values()
        for path, content in getattr(block, "files", {}).items()
    }


def opens_below(folded: str) -> gr.HTML:
    """Nothing to see: it opens an accordion, by its id, when a reader gets there."""
    return gr.HTML(
        html_template="<div></div>",
        js_on_load="aigc.near(element, props);",
        apply_default_css=False,
        padding=False,
        below=folded,
    )


CAPTION = '<div class="caption" aria-live="polite"></div>'


def tiles(
    words: Words, columns: int = 0, largest: int = 8, choosing: bool = False, **props: Any
) -> gr.HTML:
    """Digits at a whole scale: lines of so many columns, or, for 0, a field that fits the page.

    Props: strip, count, texts; whole, lines stay whole on a narrow screen; when choosing: value,
    the place, and the event pick.
    """
    canvas = '<canvas class="pixels" role="img" data-word="tiles" data-as="label"></canvas>'
    canvas = f'<div class="plate">{canvas}</div>'
    return widget(
        "kit/tiles",
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
        '<div class="plate"><canvas class="pixels" width="28" height="28" role="img"'
        ' data-word="player" data-as="label"></canvas></div>'
        '<div class="row"><button type="button"></button>'
        '<input type="range" min="0" step="1" data-word="frame" data-as="label">'
        '<select data-word="speed" data-as="label"><option value="0.25">¼×</option>'
        '<option value="0.5">½×</option><option value="1" selected>1×</option>'
        '<option value="2">2×</option></select></div>'
    )
    return widget(
        "kit/player", template + CAPTION, largest=largest, words=words.group("widget"), **props
    )


def pad(
    words: Words, value: str = "", gap: bool = False, said: str = "widget.pad", **props: Any
) -> gr.HTML:
    """A square to draw on or to fill with a photograph. Events: stroke, with value: the drawing
    (drawings.py); cleared. Prop to show what the model sees: strip.

    gap: what is drawn is painted over a digit, the prop under, to say which part of it goes.
    said: the key of what stands on it while it is blank.
    """
    tools = "".join(
        f'<button type="button" data-word="{name}"{more}></button>'
        for name, more in (
            ("undo", " disabled"),
            ("eraser", ' aria-pressed="false"'),
            ("clear", ""),
            ("photo", " hidden" if gap else ""),
        )
    )
    blank = "gap" if gap else "pad"
    template = (
        f'<div class="sheet {blank}"><canvas width="280" height="280" tabindex="0" role="img"'
        f' data-word="{blank}_keys" data-as="label"></canvas>'
        f'<span data-word="{blank}" aria-hidden="true"></span></div>'
        '<input type="file" accept="image/*" hidden>'
        f'<div class="tools">{tools}</div>'
        f'<label{" hidden" * gap}><input type="checkbox"><span data-word="as_drawn"></span></label>'
        '<div class="view-of" hidden><div class="plate"><canvas class="seen pixels" width="28"'
        ' height="28" role="img" data-word="seen" data-as="label"></canvas></div>'
        '<span data-word="seen"></span></div>'
    )
    own = {**words.group("widget"), "pad": words.both(said)}
    return widget("kit/pad", template + CAPTION, value=value, words=own, **props)


def parts(words: Words, **props: Any) -> gr.HTML:
    """A model as a row of parts, the chosen one's maps below it. Event: pick; value: its place.

    Props: parts, a list of {title, shape, player, sheet, count, width, height, range, ranges};
    names: what the players are called here, if not generator and discriminator.
    """
    template = (
        '<div class="flow"></div><canvas class="pixels" tabindex="0" role="slider"'
        ' data-word="maps" data-as="label"></canvas><div class="reading caption"></div>'
    )
    return widget("kit/parts", template, words=words.group("parts"), **props)


def network(words: Words, resample: bool = False, **props: Any) -> gr.HTML:
    """A model as one picture. Event: pick; value: {look, fields}, the view that a station opens.

    Props: stations, a list of {title, shape, player, go, if any} and {sheet, width, height, depth}
    of a layer, {numbers} of a few, or {plane} of a point among others; sign, what stands before;
    names, as of `parts`; texts. resample: with a button; event: again.
    """
    template = '<div class="stations"></div>' + CAPTION
    if resample:
        template += '<button type="button" class="again" data-word="resample"></button>'
    return widget("kit/network", template, value=None, words=words.group("parts"), **props)


def gallery(words: Words, line: bool = False, **props: Any) -> gr.HTML:
    """Digits with a caption each, in groups, and, if wanted, their scores on a number line.

    Props: strip, texts, groups, a list of {role, title, items: [{text, score}]}; times, the scale
    of a digit.
    """
    template = '<canvas class="line" role="img"></canvas><div class="groups"></div>' + CAPTION
    return widget("kit/gallery", template, line=line, words=words.group("parts"), **props)


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
    return widget("kit/code", template, words={}, **props)


def bars(words: Words, **props: Any) -> gr.HTML:
    """A bar a value. Props: bars, a list of {name, value, dead}; texts."""
    template = "<ol></ol>" + CAPTION
    return widget("kit/bars", template, words=words.group("parts"), **props)


def table(words: Words, **props: Any) -> gr.HTML:
    """Words and numbers. Prop: table {head, rows of cells {text, below, shade, bar, mark}}."""
    return widget("kit/table", "<table></table>" + CAPTION, words={}, **props)
