"""The widgets of the VAE tab."""

from typing import Any

import gradio as gr

from aigc_demo.ui.kit.widgets import CAPTION, CLASSES, widget
from aigc_demo.ui.kit.words import Words


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
        '</div><div class="found"><div><div class="plate"><canvas class="decoded pixels" width="28"'
        ' height="28" role="img" data-word="decoded" data-as="label"></canvas></div>'
        + CAPTION
        + "</div>"
        '<div><div class="plate"><canvas class="real pixels empty" width="28" height="28"'
        ' role="img"></canvas></div>'
        '<div class="about"></div></div></div></div>'
    )
    return widget(
        "vae/map",
        template,
        shared=("vae/decode", "vae/map_ground"),
        reach=reach,
        colours=list(CLASSES),
        words=words.group("widget"),
        **props,
    )


def posterior(words: Words, reach: float, **props: Any) -> gr.HTML:
    """A Gaussian in a plane of the latent space. Props: mean, deviation [x, y], samples, points."""
    template = '<canvas role="img"></canvas>' + CAPTION
    return widget("vae/posterior", template, reach=reach, words=words.group("parts"), **props)


def betas(words: Words, **props: Any) -> gr.HTML:
    """Maps of the same data under different weights of the KL term, and their rate and distortion.

    Prop: models, a list of {beta, rate, distortion, reach, points [x, y, class], mean, deviation}.
    """
    template = '<div class="maps"></div><canvas class="chart" role="img"></canvas>'
    return widget("vae/betas", template, colours=list(CLASSES), words=words.group("betas"), **props)
