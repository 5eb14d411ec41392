"""Changes to Gradio itself, made once, before the page is served.

Tested with Gradio 6.31.0; what they take for granted is asserted in tests/test_internals.py.
"""

import sys
from importlib.util import find_spec
from types import SimpleNamespace

import gradio as gr
from gradio.state_holder import SessionState

_begin = SessionState.__init__


def patch_gradio() -> None:
    """Makes all of them; a second call changes nothing."""
    light_sessions()
    no_matplotlib()


def light_sessions() -> None:
    """Gradio's state of a new visitor begins without a configuration of every component.

    It took 26 ms, while all others waited, and 0.7 MB, and is for Gradio's own links, of which the
    page has none. That of a component which an event reads or changes is added by the event.
    """

    def begin(state: SessionState, blocks: gr.Blocks) -> None:
        _begin(state, SimpleNamespace(default_config=blocks.default_config, blocks=()))  # type: ignore[arg-type]

    SessionState.__init__ = begin  # type: ignore[method-assign, assignment]


def no_matplotlib() -> None:
    """Tells Gradio where matplotlib is missing: else it looks on the disk twice an answer."""
    if find_spec("matplotlib") is None:
        sys.modules.setdefault("matplotlib", None)  # type: ignore[arg-type]
