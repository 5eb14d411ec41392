"""Memory does not grow with the number of calls and visits."""

import re
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
from gradio.state_holder import SessionState
from servers import served_by
from ui.serving.calls import answer, asked

from aigc_demo.ui.serving.sessions import AFTER, Sessions

CALL, RUNNING, FRESH = "0" * 32, "1" * 32, "2" * 32


def _memory(process: int) -> float:
    """Resident megabytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def _call(url: str, name: str, *data: object) -> str:
    return answer(url, name, asked(url, name, *data))


def test_calls_without_a_session_leave_nothing_behind() -> None:
    with served_by() as (url, process):
        for _ in range(60):
            assert "event: complete" in _call(url, "vae_decode", "vae-2d", [0.1, 0.2])
            assert "event: error" in _call(url, "vae_decode", "no such model", [0.1, 0.2])
            assert "event: complete" in _call(url, "text_write", "shakespeare", "ROMEO:", 5)
        before = _memory(process)
        for _ in range(300):
            _call(url, "vae_decode", "vae-2d", [0.1, 0.2])
            _call(url, "vae_decode", "no such model", [0.1, 0.2])
        for _ in range(60):
            _call(url, "text_write", "shakespeare", "ROMEO:", 5)
        assert _memory(process) - before < 12  # 50 kB a call before: 33 MB


def test_what_is_over_is_forgotten_after_a_while_and_nothing_else() -> None:
    with gr.Blocks() as demo:
        gr.Textbox()
    demo.state_holder = SimpleNamespace(session_data={}, time_last_used={})
    demo.queue()
    queue = demo._queue
    for session in ("open", "closed", "stateful", CALL, RUNNING):
        demo.state_holder.session_data[session] = SessionState(demo)
        demo.state_holder.time_last_used[session] = queue.pending_messages_per_session[session] = 0
        queue.pending_event_ids_session[session] = set()
    for session in ("closed", "stateful"):
        demo.state_holder.session_data[session].is_closed = True
    demo.state_holder.session_data["stateful"].state_data[3] = "a game"
    queue.pending_event_ids_session[CALL] = {CALL}  # its end was never told: no one listened
    queue.pending_event_ids_session[RUNNING] = {RUNNING}
    queue.event_ids_to_events[RUNNING] = object()

    sessions = Sessions(demo)
    sessions.look(100.0)
    sessions.look(100.0 + AFTER / 2)
    assert len(demo.state_holder.session_data) == 5
    queue.pending_event_ids_session[FRESH] = {FRESH}
    sessions.look(100.0 + AFTER)
    for kept in (demo.state_holder.session_data, demo.state_holder.time_last_used):
        assert set(kept) == {"open", "stateful", RUNNING}
    assert set(queue.pending_messages_per_session) == {"open", "stateful", RUNNING}
    assert set(queue.pending_event_ids_session) == {"open", "stateful", RUNNING, FRESH}
    del queue.event_ids_to_events[RUNNING]
    sessions.look(200.0 + AFTER)
    sessions.look(200.0 + 2 * AFTER)
    assert set(demo.state_holder.session_data) == {"open", "stateful"}
