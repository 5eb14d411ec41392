"""Changes to Gradio itself, made once, before the page is served.

Tested with Gradio 6.31.0; what they take for granted is asserted in tests/test_internals.py.
"""

import sys
from collections import ChainMap
from importlib.util import find_spec
from types import SimpleNamespace

import gradio as gr
from gradio.blocks import BlocksConfig
from gradio.queueing import Queue
from gradio.state_holder import SessionState

from aigc_demo.ui.serving.limits import in_turn

_begin = SessionState.__init__


def patch_gradio() -> None:
    """Makes all of them; a second call changes nothing."""
    light_sessions()
    no_matplotlib()
    Queue.get_events = in_turn  # type: ignore[method-assign, assignment]


def light_sessions() -> None:
    """Gradio's state of a new visitor begins without copies of what the page consists of.

    A configuration of every component took 26 ms, while all others waited, and 0.7 MB, and is for
    Gradio's own links, of which the page has none. That of a component which an event reads or
    changes is added by the event. Copies of the tables of components and events took 50 kB.
    """

    def begin(state: SessionState, blocks: gr.Blocks) -> None:
        _begin(state, SimpleNamespace(default_config=_Shared(blocks.default_config), blocks=()))  # type: ignore[arg-type]

    SessionState.__init__ = begin  # type: ignore[method-assign, assignment]


class _Shared:
    """A page's components and events, of which a copy holds only what was put into it."""

    def __init__(self, config: BlocksConfig) -> None:
        self.config = config

    def __copy__(self) -> BlocksConfig:
        own = BlocksConfig(self.config.root_block)
        own.blocks = ChainMap({}, self.config.blocks)  # type: ignore[assignment]
        own.fns = ChainMap({}, self.config.fns)  # type: ignore[assignment]
        own.fn_id, own.renderables = self.config.fn_id, list(self.config.renderables)
        return own


def no_matplotlib() -> None:
    """Tells Gradio where matplotlib is missing: else it looks on the disk twice an answer."""
    if find_spec("matplotlib") is None:
        sys.modules.setdefault("matplotlib", None)  # type: ignore[arg-type]
