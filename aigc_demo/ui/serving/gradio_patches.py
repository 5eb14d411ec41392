"""Changes to Gradio itself, made once, before the page is served.

Tested with Gradio 6.31.0; what they take for granted is asserted in tests/test_internals.py.
"""

import sys
from collections import ChainMap
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
from gradio.blocks import BlocksConfig
from gradio.queueing import Queue
from gradio.state_holder import SessionState

from aigc_demo.ui.serving.limits import in_turn

_begin = SessionState.__init__

ASSETS = Path(gr.__file__).parent / "templates/frontend/assets"
QUICKER = [  # a script, what stands in it, what takes its place
    (  # With each status of an event, every component that any event ever touched was told its own.
        "Blocks-*.js",
        "Object.entries(this.loading_stati.current).map(",
        "Object.entries(this.loading_stati.current).filter(([id,status])=>{"
        "let told=this.told??={},other=told[id]!==(status=JSON.stringify(status));"
        "return told[id]=status,other}).map(",
    ),
    (  # To set none of its arguments, the target of an event was looked for in the whole page.
        "Blocks-*.js",
        "async set_event_args(e,t){",
        "async set_event_args(e,t){if(!Object.keys(t).length)return()=>{};",
    ),
    (  # The events of each component were looked for among all events.
        "core-*.js",
        "find_attached_events(e,t){let n=t.filter(t=>t.targets.find(([t])=>t===e.id)).map(t=>{"
        "let n=t.targets.find(([t])=>t===e.id);return n?n[1]:null}).filter(Boolean);"
        "return e.props.shared_props.attached_events=n,e}",
        "find_attached_events(e,t){if(this.attached?.to!==t){let by={};for(let{targets:n}of t)"
        "for(let[id,name]of new Map([...n].reverse()))name&&(by[id]??=[]).push(name);"
        "this.attached={to:t,by}}"
        "return e.props.shared_props.attached_events=this.attached.by[e.id]??[],e}",
    ),
]


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


def quicker_scripts() -> dict[str, bytes]:
    """Gradio's scripts of the page by their path, so changed that they do the same in less time.

    The more of the page had been seen, the longer each click took, most of it for this. A script
    in which what is to be changed is not found stays as it is.
    """
    changed: dict[str, str] = {}
    for name, old, new in QUICKER:
        for path in ASSETS.glob(name):
            script = changed.get(f"assets/{path.name}") or path.read_text("utf-8")
            if old in script:
                changed[f"assets/{path.name}"] = script.replace(old, new)
    return {path: script.encode() for path, script in changed.items()}
