"""The Train tab: what to train on what, and the training while it runs."""

import json

import gradio as gr

from aigc_demo.names import MINUTE, SIZES
from aigc_demo.ui.kit.widgets import CAPTION, pad, widget
from aigc_demo.ui.kit.words import LANGUAGES
from aigc_demo.ui.page.jobs import Jobs
from aigc_demo.ui.page.page import LOCAL, Page
from aigc_demo.ui.page.training_view import history_widget
from aigc_demo.ui.train.data import FEWEST, MOST, ZIP
from aigc_demo.ui.train.requests import DATA, LONGEST, WRITER, looker, starter, stopper, taker


def build_train_tab(page: Page) -> None:
    """Adds the tab's components and events."""
    tr, words = page.words.tr, page.words
    jobs = Jobs(page.models)
    with gr.Row(equal_height=False, elem_id="train"):
        with gr.Column(scale=2, min_width=300):
            tr(gr.Markdown(elem_classes="hint"), "train.hint")
            model = tr(gr.Radio(value=MINUTE[0], elem_id="train-model"), "train.model")
            data = tr(gr.Radio(value=DATA[0], elem_id="train-data"), "train.data")
            data.choices = [choice for choice in data.choices if choice[1] != "text"]
            data.constructor_args["choices"] = data.choices
            with gr.Column(elem_classes="of-sample"):
                tr(gr.Markdown(elem_classes="hint"), "train.sample_hint")
            with gr.Column(elem_classes="of-drawings"):
                tr(gr.Markdown(elem_classes="hint"), "train.drawings_hint")
                pad(words, said="train.pad", elem_id="train-pad")
            collected = _collector(page)
            with gr.Column(elem_classes="of-text"):
                text = tr(gr.Textbox(lines=8, max_lines=8, elem_id="train-text"), "train.text")
            size = tr(gr.Radio(value=SIZES[0], elem_id="train-size"), "train.size")
            minutes = gr.Slider(1, LONGEST, 1, step=1, elem_id="train-minutes")
            minutes = tr(minutes, "train.minutes")
        with gr.Column(scale=3, min_width=300, elem_classes="result"):
            run = _run(page, jobs)
            shown = history_widget(words, bar="", elem_id="train-history")
    of_model = _data_of_model(page)
    model.change(None, [model, data], data, js=of_model, **LOCAL)
    words.after_switch.append((model, data, of_model))
    asked = [model, data, size, minutes, text, collected]
    page.compute(run.start, starter(jobs), asked, run, show_progress="hidden")
    run.show(None, run, shown, js="({ shown }) => shown", **LOCAL)


def _data_of_model(page: Page) -> str:
    """The script that offers what a model can learn from: (model, chosen)."""
    choices = {one: page.words.properties(one, "train.data")["choices"] for one in LANGUAGES}
    return (
        "(model, chosen) => {"
        f" const all = {json.dumps(choices, ensure_ascii=False)};"
        f" const fits = ([, name]) => name === '{DATA[0]}'"
        f" || (name === 'text') === (model === '{WRITER}');"
        " const choices = all[document.documentElement.lang.slice(0, 2)].filter(fits);"
        " const lost = chosen !== undefined && !choices.some(([, name]) => name === chosen);"
        f" return {{ __type__: 'update', choices, ...(lost && {{ value: '{DATA[0]}' }}) }}; }}"
    )


def _collector(page: Page) -> gr.HTML:
    """What a visitor draws or chooses. Value: {drawings, the 28 x 28 grey levels of each in base64;
    zip, where the server put the file}.
    """
    template = (
        '<div class="of-drawings"><div class="row"><button type="button" class="add"'
        ' data-word="add"></button><span class="caption"></span></div>'
        '<div class="shelf"></div></div>'
        '<div class="of-pictures"><p class="hint" data-word="zip_hint"></p>'
        '<button type="button" class="choose" data-word="choose"></button>'
        '<span class="chosen" aria-live="polite"></span>'
        '<input type="file" accept=".zip,application/zip" hidden></div>'
    )
    return widget(
        "train/collect",
        template,
        apart=True,
        value={},
        fewest=FEWEST,
        most=MOST,
        largest=ZIP,
        words=page.words.group("collect"),
        elem_id="train-collect",
    )


def _run(page: Page, jobs: Jobs) -> gr.HTML:
    """The buttons, how the training is going, and what to do with what it made. Events: start;
    show, with value {shown}, the update of the history below. Prop job: {key} of what was started.
    """
    template = (
        '<div class="row"><button type="button" class="start primary" data-word="start"></button>'
        '<button type="button" class="stop" data-word="stop" hidden></button></div>'
        '<progress max="1" value="0" hidden></progress>'
        + CAPTION
        + '<div class="made row" hidden><button type="button" class="use primary" data-word="use">'
        '</button><button type="button" class="inside" data-word="inside"></button>'
        '<button type="button" class="home" data-word="home"></button></div>'
        '<details hidden><summary data-word="again"></summary>'
        '<p class="hint" data-word="shell"></p>'
        '<pre class="shell" tabindex="0"></pre><p class="hint" data-word="cell"></p>'
        '<pre class="cell" tabindex="0"></pre></details>'
    )
    functions = [looker(jobs, page.models, page.words), stopper(jobs), taker(jobs)]
    return widget(
        "train/run",
        template,
        apart=True,
        value=None,
        job=None,
        words=page.words.group("run"),
        elem_id="train-run",
        server_functions=functions,
    )
