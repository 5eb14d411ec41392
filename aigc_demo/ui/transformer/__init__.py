"""The Transformer tab."""

from aigc_demo.inference.transformer import TextWriter
from aigc_demo.names import WRITERS
from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.transformer.api import TextEndpoints
from aigc_demo.ui.transformer.tab import build_transformer_tab

TAB = Tab(
    "transformer",
    build=build_transformer_tab,
    models=WRITERS,
    families=("transformer",),
    load=TextWriter.load,
    endpoints=TextEndpoints,
    about=lambda writer: {"verse": bool(writer.forms), "opening": writer.opening},
)
