"""The switch between the two languages: by the browser alone, without a request."""

import json
from typing import Any

import gradio as gr

from aigc_demo.ui.kit.words import LANGUAGES, Words, static
from aigc_demo.ui.page.page import LOCAL


def connect_switch(words: Words, demo: gr.Blocks, switch: gr.Radio) -> Any:
    """Makes the switch work, and sets it when the page opens.

    Returns the event of the page's opening.
    """
    table = {
        language: {
            "title": words.say(language, "page.title"),
            "updates": [
                {**words.properties(language, key), "__type__": "update"}
                for _, key in words.components
            ],
        }
        for language in LANGUAGES
    }
    script = static("page/language.js").replace("__TABLE__", json.dumps(table, ensure_ascii=False))
    outputs = [component for component, _ in words.components]
    switched = switch.change(None, switch, outputs, js=script, **LOCAL)
    for given, field, script in words.after_switch:
        switched.then(None, given, field, js=script, **LOCAL)
    return demo.load(None, None, switch, js=static("page/first_language.js"), **LOCAL)
