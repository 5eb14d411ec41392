"""Every word of the page in both languages, and the switch between them."""

import json
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

HERE = Path(__file__).parent
LANGUAGES = ("zh", "en")
Component = TypeVar("Component", bound=gr.blocks.Block)


def static(name: str) -> str:
    """The text of a file under static/."""
    return (HERE / "static" / name).read_text(encoding="utf-8")


class Words:
    """Locale files as one table: a key gives a sentence or the worded properties of a component."""

    def __init__(self) -> None:
        self.table: dict[str, dict[str, Any]] = {
            language: json.loads((HERE / f"locales/{language}.json").read_text(encoding="utf-8"))
            for language in LANGUAGES
        }
        self.components: list[tuple[gr.blocks.Block, str]] = []
        self._groups: dict[str, dict[str, dict[str, str]]] = {}

    def tr(self, component: Component, key: str) -> Component:
        """Names the component's label, text, choices, ... and renames them at every switch."""
        for name, value in self.properties("en", key).items():
            setattr(component, name, value)
            component.constructor_args[name] = value  # of it Gradio makes a session's own copies
        self.components.append((component, key))
        return component

    def properties(self, language: str, key: str) -> dict[str, Any]:
        """The worded properties of one component; a lesson's text comes from lessons/."""
        entry = self.table[language][key]
        if "lesson" in entry:
            path = HERE / "lessons" / f"{entry['lesson']}.{language}.md"
            return {"value": path.read_text(encoding="utf-8")}
        if "choices" in entry:
            return {**entry, "choices": [tuple(choice) for choice in entry["choices"]]}
        return entry

    def say(self, language: Any, key: str, **values: Any) -> str:
        """A sentence in the visitor's language; English where the client names no known one."""
        known = language if language in LANGUAGES else "en"
        return self.table[known][key].format(**values)

    def both(self, key: str, **values: Any) -> dict[str, str]:
        """A sentence in both languages, for a widget that switches by itself."""
        return {language: self.say(language, key, **values) for language in LANGUAGES}

    def group(self, prefix: str) -> dict[str, dict[str, str]]:
        """The sentences under a prefix, as the widgets want them: {name: {language: text}}."""
        if prefix not in self._groups:
            sentences = [key for key, entry in self.table["en"].items() if isinstance(entry, str)]
            keys = [key for key in sentences if key.startswith(prefix + ".")]
            self._groups[prefix] = {key.removeprefix(prefix + "."): self.both(key) for key in keys}
        return self._groups[prefix]

    def connect(self, demo: gr.Blocks, switch: gr.Radio) -> Any:
        """Makes the switch work, by the browser alone, and sets it when the page opens.

        Returns the event of the page's opening.
        """
        table = {
            language: {
                "title": self.say(language, "page.title"),
                "updates": [
                    {**self.properties(language, key), "__type__": "update"}
                    for _, key in self.components
                ],
            }
            for language in LANGUAGES
        }
        script = static("language.js").replace("__TABLE__", json.dumps(table, ensure_ascii=False))
        outputs = [component for component, _ in self.components]
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        switch.change(None, switch, outputs, js=script, **private)
        return demo.load(None, None, switch, js=static("first_language.js"), **private)
