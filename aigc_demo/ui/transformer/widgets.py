"""The widgets of the Transformer tab."""

from typing import Any

import gradio as gr

from aigc_demo.names import TEMPERATURE, TOP_P
from aigc_demo.ui.kit.widgets import CAPTION, widget
from aigc_demo.ui.kit.words import Words


def together(words: Words, **props: Any) -> gr.HTML:
    """How many texts are written together now, and, unfolded, each of them in its slot.

    Server function: writing_now. Event: watch; value: how many texts to begin. Prop: engine, a list
    of {model, number, slots, read, decoded, waiting, texts: [{given, new, most, cache, name}]}, a
    loop each.
    """
    template = (
        '<div class="hint"></div><details><summary data-word="heading"></summary>'
        '<p data-word="about"></p><button type="button" data-word="begin"></button>'
        '<div class="loops"></div></details>'
    )
    group = words.group("together")
    return widget("transformer/together", template, words=group, engine=None, value=0, **props)


def filling(words: Words, **props: Any) -> gr.HTML:
    """A text whose gaps were filled step by step; a slider goes back to any step, a legend tells
    the colours. Props: text; filled, of each place the step that filled it, 0 where it was given
    and -1 where it is a gap yet; sure, the probability of what stands there; texts.
    """
    template = (
        '<div class="row"><button type="button"></button>'
        '<input type="range" min="0" max="0" step="1" data-word="step" data-as="label">'
        '<output aria-live="off"></output></div><div class="list" tabindex="0" role="img"></div>'
        '<p class="scale"><span data-word="first"></span><i></i><span data-word="last"></span></p>'
        '<p class="reading" aria-live="polite"></p>'
    )
    group = {**words.group("widget"), **words.group("filling")}
    return widget("transformer/filling", template + CAPTION, words=group, **props)


def tokens(words: Words, choosing: bool = False, **props: Any) -> gr.HTML:
    """A text token by token. Props: tokens, a list of {text, note, shade, role, breaks}; texts.

    When choosing: value, the place, and the event pick.
    """
    template = '<div class="list"></div>' + CAPTION
    return widget("transformer/tokens", template, choosing=choosing, words={}, **props)


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
    return widget("transformer/heads", template, words=words.group("heads"), **props)


def stream(words: Words, **props: Any) -> gr.HTML:
    """The whole network in one picture. Event: pick; value: {look, fields: [token, layer, head]}.

    Prop: network {tokens, first (the position of the first of them), strips, layers {before, after,
    attended, fed, weights, neurons, guess}, sheet, heads, best, open}; texts.
    """
    template = (
        '<div class="stream-picture"><div class="read"><h4 data-word="text"></h4>'
        '<svg class="arcs" aria-hidden="true"></svg><div class="words"></div>'
        '<canvas class="strips pixels" role="img" data-word="strips" data-as="label"></canvas>'
        '<p class="note" data-word="strips"></p></div>'
        '<div class="through"><h4 data-word="stream"></h4><div class="layers"></div></div>'
        '<div class="out"><h4 data-word="best"></h4><ol class="best"></ol></div></div>' + CAPTION
    )
    return widget("transformer/stream", template, value=None, words=words.group("stream"), **props)


def poem(words: Words, **props: Any) -> gr.HTML:
    """A poem with tones or pinyin at its characters, or set vertically as a picture to save.

    Prop: poem {title, look, lines of {name, tone, foot, kept, sound}}, or nothing.
    """
    template = (
        '<div class="page"></div><canvas hidden></canvas><p class="note"></p>'
        '<button type="button" class="save" data-word="save" hidden></button>'
    )
    return widget("transformer/poem", template, words=words.group("poem"), **props)


def candidates(words: Words, **props: Any) -> gr.HTML:
    """The candidates for the next token, under sliders that need no server. Event: pick.

    Props: next {names, ids, controls (which cannot be picked), logits (all, falling)}; value
    {temperature, top_k, top_p, tokens (that were picked)}; bar, whose link holds the sliders.
    """
    value = {"temperature": TEMPERATURE, "top_k": 0, "top_p": TOP_P}
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
    return widget("transformer/next", template, value=value, words=words.group("next"), **props)


def tree(words: Words, **props: Any) -> gr.HTML:
    """Continuations as a tree. Event: pick; value: the tokens on the way to a node.

    Prop: tree, a list of {id, name, path, parent, control}.
    """
    return widget("transformer/tree", '<div class="root"></div>', words={}, **props)
