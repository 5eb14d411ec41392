"""The Transformer tab."""

from typing import Any

from aigc_demo.inference.transformer import TextWriter
from aigc_demo.names import WRITERS
from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.transformer.api import TextEndpoints
from aigc_demo.ui.transformer.requests import PROMPTS
from aigc_demo.ui.transformer.tab import build_transformer_tab


def about(writer: TextWriter) -> dict[str, Any]:
    """Its forms of verse, the prompt that it opens with, and prompts to try."""
    kept = (writer.loaded.opening, *writer.loaded.examples)
    examples = [prompt for prompt in (kept if any(kept) else PROMPTS) if writer.reads(prompt)]
    opening = writer.opening
    return {
        "verse": bool(writer.forms),
        "opening": opening,
        "examples": (examples or [opening])[: len(PROMPTS)],
    }


TAB = Tab(
    "transformer",
    build=build_transformer_tab,
    models=WRITERS,
    families=("transformer",),
    load=TextWriter.load,
    endpoints=TextEndpoints,
    about=about,
)
