"""The benchmark: its arithmetic, and that each measure measures what it says."""

import io
import json
import subprocess
import sys
import time

import httpx
import pytest
from PIL import Image
from servers import finished

from aigc_demo.benchmark import benchmark, text
from aigc_demo.benchmark.plot import plot
from aigc_demo.benchmark.rows import as_data, as_table, row, seconds
from aigc_demo.benchmark.server import call
from aigc_demo.inference.transformer import TextWriter


def test_a_row_states_median_worse_end_and_how_often_better_than_the_peer():
    taken = row("call", "ms", [1.0, 2.0, 3.0, 4.0, 100.0], "peer", [6.0, 6.0])
    assert (taken.median, taken.p95, taken.ratio) == (3.0, 100.0, 2.0)
    speed = row("text", "tokens/s", [10.0, 30.0, 20.0], "peer", [5.0], higher_is_better=True)
    assert (speed.median, speed.p95, speed.ratio) == (20.0, 10.0, 4.0)
    assert row("alone", "s", [1.0]).ratio is None
    assert "| call | 3 ms | 100 ms | peer: 6 ms | 2.00 x |" in as_table([taken])
    assert json.loads(json.dumps(as_data([speed])))[0]["ratio"] == 4.0


def test_seconds_times_every_call_but_those_to_warm_up():
    calls = []

    def work():
        calls.append(time.sleep(0.02))

    taken = seconds(work, 3, warm=2)
    assert len(calls) == 5
    assert len(taken) == 3
    assert all(0.02 <= value < 2 for value in taken)


def test_an_unknown_subject_is_refused():
    with pytest.raises(ValueError, match="expected one of gan"):
        benchmark("cat")


@pytest.fixture(scope="module")
def writer():
    return TextWriter.load("shakespeare", "cpu")


def test_texts_are_measured_alone_and_in_a_crowd(writer):
    assert text.throughput(writer, 2, tokens=10) > 0
    assert len(text.first_tokens(writer, 3, times=4)) == 4
    assert len(text.free_places(writer, 3, times=2)) == 2
    deadline = time.monotonic() + 20
    while writer.engine.writing and time.monotonic() < deadline:
        time.sleep(0.05)
    assert writer.engine.writing == []  # the crowd has been sent away


def test_the_model_without_a_cache_and_the_peer_write_as_many_tokens(writer, monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.setattr(text, "TOKENS", 5)
    prompt = len(text.PROMPT)
    generate = text.peer(writer)
    assert generate(True).shape == generate(False).shape == (1, prompt + 5)
    text.without_cache(writer, 2)
    parameters = sum(p.numel() for p in writer.model.parameters())
    found = generate.__closure__
    peer = next(cell.cell_contents for cell in found if hasattr(cell.cell_contents, "generate"))
    assert sum(p.numel() for p in peer.parameters()) == pytest.approx(parameters, rel=0.05)


def test_the_int8_peer_writes_as_many_tokens_of_any_size(writer):
    pytest.importorskip("ctranslate2")
    assert text.int8_peer(text.transformers_like(writer.model.config))(3, 4) > 0


def test_a_call_of_the_api_gives_its_answer_and_its_failures(server_url):
    async def go():
        async with httpx.AsyncClient(base_url=server_url, timeout=60) as client:
            values = ["shakespeare", "ROMEO:\n", 30, 0.8, 0, 1.0, 1.0, 1]
            first, whole, answer = await call(client, "text_write", values, "visitor")
            assert 0 < first <= whole
            assert len(answer[0]) == 30
            with pytest.raises(ValueError, match="text_write"):
                await call(client, "text_write", ["no model", "a", 30, 0.8, 0, 1.0, 1.0, 1])

    finished(go())


def test_the_command_prints_hardware_and_a_table_and_draws_how_cost_grows(tmp_path):
    command = [sys.executable, "-m", "aigc_demo", "benchmark", "gan", "--plot", tmp_path / "a.png"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "threads" in done.stdout
    assert done.stdout.count("| gan draws") == 4
    assert Image.open(tmp_path / "a.png").size == (640, 220)


def test_a_plot_has_a_panel_a_series_with_points_where_the_values_are():
    def grows(series, at, *values):
        return row(f"{series} {at}", "ms", list(values), series=series, at=at)

    rows = [grows("a", 1, 10.0), grows("a", 8, 40.0), grows("b", 1, 1.0, 3.0), row("c", "s", [1.0])]
    sheet = Image.open(io.BytesIO(plot(rows))).convert("RGB")
    assert sheet.size == (640, 2 * 220)
    blue, orange = (0, 0x72, 0xB2), (0xE6, 0x9F, 0)
    first, second = sheet.crop((0, 0, 640, 220)), sheet.crop((0, 220, 640, 440))
    line = _places(first, blue)
    assert line and not _places(first, orange)  # there, all values are the same
    assert _places(second, blue) and _places(second, orange)  # median and p95 differ
    (left, low), (right, high) = min(line), max(line)
    assert right - left > 400 and low - high > 80  # from a quarter of the height to its top
    with pytest.raises(ValueError, match="grow"):
        plot(rows[-1:])


def _places(picture, colour):
    """The points of a picture that have a colour."""
    width, height = picture.size
    pixels = picture.load()
    return [(x, y) for x in range(width) for y in range(height) if pixels[x, y] == colour]
