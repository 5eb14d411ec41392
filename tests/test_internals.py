"""What we take for granted of other packages beyond their documentation, each with its use here.

After an upgrade, what fails here is the list of what to look at.
"""

import inspect
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
import torch
from servers import ROOT

PINNED = dict(
    line.split("==") for line in (ROOT / "requirements.txt").read_text().split() if "==" in line
)


@pytest.mark.parametrize("package", ["gradio", "torch", "huggingface-hub", "onnxruntime"])
def test_the_versions_are_those_that_this_list_was_made_for(package: str) -> None:
    from importlib.metadata import version

    assert version(package).split("+")[0] == PINNED[package]


def test_a_session_begins_with_the_blocks_and_their_default_config() -> None:
    """serving/gradio_patches.py, light_sessions."""
    from gradio.state_holder import SessionState

    from aigc_demo.ui.serving import gradio_patches

    with gr.Blocks() as demo:
        gr.Textbox()
    usual, light = (SessionState.__new__(SessionState) for _ in range(2))
    gradio_patches._begin(usual, demo)
    gradio_patches._begin(light, SimpleNamespace(default_config=demo.default_config, blocks=()))
    assert usual.config_values and light.config_values == {}
    assert usual.blocks_config.blocks.keys() == light.blocks_config.blocks.keys()


def test_what_is_changed_in_the_scripts_of_the_page_stands_in_them_once() -> None:
    """serving/gradio_patches.py, quicker_scripts."""
    from aigc_demo.ui.serving.gradio_patches import ASSETS, QUICKER, quicker_scripts

    changed = quicker_scripts()
    for name, old, new in QUICKER:
        (path,) = ASSETS.glob(name)
        assert path.read_text("utf-8").count(old) == 1, old
        assert new in changed[f"assets/{path.name}"].decode()
    assert {path.split("-")[0] for path in changed} == {"assets/Blocks", "assets/core"}


def test_the_queue_holds_what_turns_by_address_look_at() -> None:
    """serving/limits.py."""
    import inspect

    from gradio.queueing import Event, Queue

    from aigc_demo.ui.serving.limits import in_turn

    with gr.Blocks() as demo:
        demo.queue()
    queue = demo._queue
    assert in_turn(queue) is None and queue.active_jobs is not None
    assert isinstance(queue.event_ids_to_events, dict)
    request = SimpleNamespace(client=SimpleNamespace(host="203.0.113.5"))
    event = Event("s", SimpleNamespace(concurrency_id="a"), request, None)  # type: ignore[arg-type]
    assert event.request is request and event.enqueue_time > 0 and event.session_hash == "s"
    assert "self.get_events()" in inspect.getsource(Queue.start_processing)
    assert "session_hash" in inspect.signature(queue.clean_events).parameters


def test_a_call_without_a_session_has_one_named_like_its_event() -> None:
    """serving/sessions.py."""
    from gradio.queueing import Event
    from gradio.state_holder import StateHolder

    from aigc_demo.ui.serving.sessions import CALL

    with gr.Blocks() as demo:
        demo.queue()
    event = Event(None, SimpleNamespace(concurrency_id="a"), None, None)  # type: ignore[arg-type]
    assert CALL.fullmatch(event._id) and event.session_hash == event._id
    holder, queue = StateHolder(), demo._queue
    kept = (holder.session_data, holder.time_last_used, queue.pending_messages_per_session)
    assert all(isinstance(by_session, dict) for by_session in kept)
    assert queue.pending_event_ids_session == queue.event_ids_to_events == {}


def test_a_component_keeps_what_it_was_made_of() -> None:
    """kit/words.py, Words.tr."""
    with gr.Blocks():
        box = gr.Textbox(label="a", lines=3)
    assert box.constructor_args["label"] == "a" and box.constructor_args["lines"] == 3


def test_an_endpoint_has_numbered_inputs_whose_info_can_be_added_to() -> None:
    """api/wrapping.py, document."""
    from gradio.utils import get_function_description

    def double(count: int = 3) -> int:
        """Double a number.

        Args:
            count: 1 to 9.

        Returns:
            Twice as much.
        """
        return 2 * count

    summary, notes, returns = get_function_description(double)
    assert (summary, notes, returns) == (
        "Double a number.",
        {"count": "1 to 9."},
        ["Twice as much."],
    )
    with gr.Blocks() as demo:
        event = gr.api(double, api_name="double")
        component = demo.blocks[event["inputs"][0]]
        component.label = "count"
        component.api_info()["additional_description"] = "1 to 9."
    (told,) = demo.get_api_info()["named_endpoints"]["/double"]["parameters"]
    assert told["label"] == "count" and "1 to 9." in str(told["python_type"])


def test_the_page_has_one_head_and_its_configuration_is_a_global() -> None:
    """serving/first_paint.py and the tests that read window.gradio_config."""
    templates = Path(gr.__file__).parent / "templates/frontend/index.html"
    text = templates.read_text(encoding="utf-8")
    assert text.count("</head>") == 1 and "window.gradio_config" in text


def test_the_tunnel_has_the_arguments_and_addresses_that_we_use() -> None:
    """serving/tunnel.py, lend."""
    from gradio import networking

    assert len(inspect.signature(networking.setup_tunnel).parameters) == 5
    assert networking.GRADIO_API_SERVER.startswith("https://")
    assert hasattr(networking, "GRADIO_SHARE_SERVER_ADDRESS")


def test_files_of_the_api_lie_where_gradio_serves_them_from(monkeypatch, tmp_path) -> None:
    """page/api_files.py, file_of."""
    from gradio.utils import get_upload_folder

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert Path(get_upload_folder()) == tmp_path


def test_torch_tells_whether_bfloat16_is_fast() -> None:
    """devices.py, multiplies_bfloat16."""
    assert isinstance(torch.cpu._is_avx512_bf16_supported(), bool)


def test_the_clients_cache_is_where_we_look() -> None:
    """hub/cache.py."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    assert repo_folder_name(repo_id="a/b", repo_type="model") == "models--a--b"
    assert constants.ENDPOINT and constants.HF_HUB_CACHE


REPORTS = """
import os
import aigc_demo
import onnxruntime, numpy
from onnx import TensorProto, helper
info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", info[:1], info[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
session = onnxruntime.InferenceSession(model.SerializeToString())
session.run(None, {"x": numpy.ones(1, "float32")})
print(os.listdir(os.environ["TMPDIR"]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="as its Linux package behaves")
def test_onnxruntime_leaves_no_trace_because_we_say_so() -> None:
    """aigc_demo/__init__.py: without it a file .ses appears, of its reports to the web."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": folder}
        for name in ("ORT_DISABLE_TELEMETRY", "ORT_GQA_DISABLE_FLASH_ATTENTION"):
            environment.pop(name, None)
        done = subprocess.run(
            [sys.executable, "-c", REPORTS], env=environment, capture_output=True, text=True
        )
    assert done.stdout == "[]\n", done.stderr


def test_the_pages_status_names_the_queue_as_we_read_it() -> None:
    """page/static/waiting.js."""
    assets = Path(gr.__file__).parent / "templates/frontend/assets"
    (tracker,) = assets.glob("statustracker-*.js")
    text = tracker.read_text(encoding="utf-8")
    assert "`queue: ${" in text and "`processing |`" in text and "progress-text" in text
