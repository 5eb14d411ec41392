"""Every word of the page in both languages: each room has its lists, words.zh.json and .en.json."""

import json
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

UI = Path(__file__).parents[1]
LANGUAGES = ("zh", "en")
Component = TypeVar("Component", bound=gr.blocks.Block)


def static(name: str) -> str:
    """The text of a script or a style, "ROOM/FILE": of ui/ROOM/static/FILE."""
    room, file = name.split("/")
    return (UI / room / "static" / file).read_text(encoding="utf-8")


class Words:
    """The word lists of all rooms: a key gives a sentence or a component's worded properties."""

    def __init__(self) -> None:
        self.table = {language: _table(language) for language in LANGUAGES}
        self.components: list[tuple[gr.blocks.Block, str]] = []
        self.after_switch: list[tuple[Any, Any, str]] = []  # what is given, a field, its script
        self._groups: dict[str, dict[str, dict[str, str]]] = {}

    def tr(self, component: Component, key: str) -> Component:
        """Names the component's label, text, choices, ... and renames them at every switch."""
        for name, value in self.properties("en", key).items():
            setattr(component, name, value)
            component.constructor_args[name] = value  # of it Gradio makes a session's own copies
        self.components.append((component, key))
        return component

    def properties(self, language: str, key: str) -> dict[str, Any]:
        """The worded properties of one component."""
        entry = self.table[language][key]
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


def _table(language: str) -> dict[str, Any]:
    """The word lists of one language, together."""
    table: dict[str, Any] = {}
    for path in sorted(UI.glob(f"*/words.{language}.json")):
        for key, entry in json.loads(path.read_text(encoding="utf-8")).items():
            assert key not in table, f"{key} stands in two word lists"
            table[key] = entry
    return table
