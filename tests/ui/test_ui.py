"""The page without a browser: words, checks, and handlers called as a client would call them."""

import argparse
import asyncio
import base64
import gc
import hashlib
import io
import math
import re
import string
import time
from html import escape

import gradio as gr
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from servers import finished
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.testclient import TestClient

from aigc_demo.explain import walks
from aigc_demo.images import data_uri, strip, to_bytes
from aigc_demo.inference.writing.steps import SLOTS
from aigc_demo.names import VAES
from aigc_demo.prosody import FORMS, is_regulated, lines_of
from aigc_demo.samples import sample_digits
from aigc_demo.ui.app import TABS, build, files, launch_options, serve
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan import one_step as duel
from aigc_demo.ui.gan import requests as gan
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.drawings import drawn_digit, pixels_of
from aigc_demo.ui.kit.widgets import widget_files
from aigc_demo.ui.kit.words import LANGUAGES, Words
from aigc_demo.ui.page.page import Page
from aigc_demo.ui.serving.files import Files
from aigc_demo.ui.serving.first_paint import Inserted
from aigc_demo.ui.serving.gradio_patches import light_sessions
from aigc_demo.ui.serving.link_preview import preview
from aigc_demo.ui.transformer import requests as transformer
from aigc_demo.ui.transformer.selection import asked
from aigc_demo.ui.transformer.slots import writing_now
from aigc_demo.ui.vae import requests as vae

WORDS = Words()
MODELS = Models(TABS)


def written(texts) -> list:
    """All that a streaming handler yields."""

    async def collect() -> list:
        return [text async for text in texts]

    return finished(collect()) if hasattr(texts, "__anext__") else list(texts)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_locales_have_the_same_keys_and_fields() -> None:
    english, chinese = WORDS.table["en"], WORDS.table["zh"]
    assert list(english) == list(chinese)
    for key, entry in english.items():
        other = chinese[key]
        assert type(entry) is type(other), key
        if isinstance(entry, str):
            assert fields(entry) == fields(other), key
        else:
            assert set(entry) == set(other), key
            values = [[value for _, value in e.get("choices", [])] for e in (entry, other)]
            assert values[0] == values[1], key


def test_every_key_in_the_code_is_in_the_locales() -> None:
    import re
    from pathlib import Path

    folder = Path(check.__file__).parents[1]
    code = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    used = set(re.findall(r'"((?:page|gan|inside|within|vae|transformer|error)\.[a-z_]+)"', code))
    assert used <= set(WORDS.table["en"])
    unused = {key for key in WORDS.table["en"] if key.split(".")[0] in ("gan", "vae", "error")}
    assert unused - used - {f"{tab.name}.tab" for tab in TABS} == {
        f"error.of_{tab.name}" for tab in TABS if tab.models
    }


def test_english_has_no_chinese_and_chinese_is_not_english() -> None:
    titles = {f"transformer.{name}" for name in transformer.TITLES.values()}  # said in both
    for key, entry in WORDS.table["en"].items():
        if key in titles:
            continue
        texts = [entry] if isinstance(entry, str) else [v for v in entry.values() if type(v) is str]
        assert not any("㐀" <= c <= "鿿" for text in texts for c in text), key
    for key, entry in WORDS.table["zh"].items():
        text = entry if isinstance(entry, str) else entry.get("label") or entry.get("value", "")
        if key.startswith("error.") or key.startswith("name.") and not key.endswith(("_k", "_p")):
            assert any("㐀" <= c <= "鿿" for c in text), key


def test_captions_are_plain_in_both_languages() -> None:
    update = gan.draw(MODELS, WORDS, "gan", ["3"], 4, 0, 0.8)
    assert update["count"] == 4
    assert update["strip"].startswith("data:image/png;base64,")
    assert set(update["texts"]) == set(LANGUAGES)
    assert not any("{" in text for text in update["texts"].values())


NAN = math.nan
GOOD_POEM = {
    "model": "poems",
    "form": "五绝",
    "title": "",
    "heads": "",
    "regulated": True,
    "script": "simplified",
    "line": "",
    "guidance": 3,
    "temperature": 0.8,
    "top_k": 0,
    "top_p": 1,
    "penalty": 1,
    "seed": 0,
}
BAD_POEMS = [
    tuple({**GOOD_POEM, **change}.values())
    for change in (
        {"model": "shakespeare"},
        {"model": "a/b@" + 40 * "0"},
        {"form": "七古"},
        {"form": None},
        {"line": "x"},
        {"title": "春" * 17},
        {"line": "春" * 6},
        {"line": "春" * 21},
        {"heads": "春" * 5},
        {"heads": None},
        {"heads": "夜", "line": "春"},
        {"regulated": "yes"},
        {"regulated": 1},
        {"script": "klingon"},
        {"guidance": 7},
        {"guidance": "much"},
        {"penalty": 9},
        {"seed": -1},
    )
]
BAD = [
    (gan.draw, ("gan", ["3"], 0, 0, 0.8)),
    (gan.draw, ("gan", ["3"], 65, 0, 0.8)),
    (gan.draw, ("gan", ["3"], 2.5, 0, 0.8)),
    (gan.draw, ("gan", ["3"], None, 0, 0.8)),
    (gan.draw, ("gan", ["3"], True, 0, 0.8)),
    (gan.draw, ("gan", ["ten"], 4, 0, 0.8)),
    (gan.draw, ("gan", "3", 4, 0, 0.8)),
    (gan.draw, ("gan", [3], 4, 0, 0.8)),
    (gan.draw, ("gan", ["3"] * 11, 4, 0, 0.8)),
    (gan.draw, ("gan", ["3"], 4, -1, 0.8)),
    (gan.draw, ("gan", ["3"], 4, NAN, 0.8)),
    (gan.draw, ("gan", ["3"], 4, 1e300, 0.8)),
    (gan.draw, ("gan", ["3"], 4, "0", 0.8)),
    (gan.draw, ("gan", ["3"], 4, 0, NAN)),
    (gan.draw, ("gan", ["3"], 4, 0, 1.5)),
    (gan.draw, ("gan-pro", ["3"], 4, 0, 0.8)),
    (gan.draw, (None, ["3"], 4, 0, 0.8)),
    (gan.write_number, ("gan", "", 0)),
    (gan.write_number, ("gan", "12345678901234567", 0)),
    (gan.write_number, ("gan", "12a", 0)),
    (gan.write_number, ("gan", "１２", 0)),
    (gan.write_number, ("gan", 2026, 0)),
    (gan.write_number, ("gan", "9" * 1_000_000, 0)),
    (gan.morph, ("gan", "3", "x", 0, 8)),
    (gan.morph, ("gan", None, "8", 0, 8)),
    (gan.morph, ("gan", "3", "8", 0, 1)),
    (gan.morph, ("gan", "3", "8", 0, 65)),
    (vae.decode_point, (None,)),
    (vae.decode_point, ({"x": 0},)),
    (vae.decode_point, ({"x": NAN, "y": 0},)),
    (vae.decode_point, ({"x": 100, "y": 0},)),
    (vae.decode_point, ({"x": "0", "y": 0},)),
    (vae.rebuild, ("vae", "", 0)),
    (vae.rebuild, ("vae", "no base64!", 0)),
    (vae.rebuild, ("vae", base64.b64encode(b"short").decode(), 0)),
    (vae.rebuild, ("vae", base64.b64encode(bytes(784)).decode(), 0)),
    (vae.rebuild, ("vae", base64.b64encode(bytes(140 * 140)).decode(), 0)),
    (vae.rebuild, ("vae", "A" * 1_000_000, 0)),
    (vae.rebuild, ("vae", {"a": 1}, 0)),
    (vae.rebuild_picked, ("vae", 30, 0)),
    (vae.rebuild_picked, ("vae", NAN, 0)),
    (vae.rebuild_picked, ("vae", None, 0)),
    (vae.walk, ("vae", "3", "straight", 0, 8)),
    (vae.compare_walks, ("vae", "3x", "straight", 0)),
    (vae.compare_walks, ("vae", "38", "crooked", 0)),
    (vae.compare_walks, ("vae-3d", "38", "straight", 0)),
    (vae.walk, ("vae", "3x", "straight", 0, 8)),
    (vae.walk, ("vae", "012345", "straight", 0, 8)),
    (vae.walk, ("vae", "38", "crooked", 0, 8)),
    (vae.walk, ("vae-3d", "38", "straight", 0, 8)),
    (vae.draw, ("gan", 7, 0)),
    (vae.draw, ("vae", 0, 0)),
    (vae.draw, ("vae", "7", 0)),
    (transformer.continue_text, ("poems", "A", 9, 0.8, 0, 1, 1, 0)),
    (transformer.continue_text, ("", "A", 9, 0.8, 0, 1, 1, 0)),
    (transformer.continue_text, ("shakespeare", "", 9, 0.8, 0, 1, 1, 0)),
    (transformer.continue_text, ("shakespeare", "x" * 2_001, 9, 0.8, 0, 1, 1, 0)),
    (transformer.continue_text, ("shakespeare", None, 9, 0.8, 0, 1, 1, 0)),
    (transformer.continue_text, ("shakespeare", "你好", 9, 0.8, 0, 1, 1, 0)),
    (transformer.continue_text, ("shakespeare", "A", 0, 0.8, 0, 1, 1, 0)),
    (transformer.continue_text, ("shakespeare", "A", 9, NAN, 0, 1, 1, 0)),
    (transformer.continue_text, ("shakespeare", "A", 9, 9, 0, 1, 1, 0)),
    (transformer.continue_text, ("shakespeare", "A", 9, 0.8, -1, 1, 1, 0)),
    (transformer.continue_text, ("shakespeare", "A", 9, 0.8, 0, 0, 1, 0)),
    (transformer.continue_text, ("shakespeare", "A", 9, 0.8, 0, 1, 1, None)),
    (transformer.continue_text, ("shakespeare", "A", 9, 0.8, 0, 1, 0.5, 0)),
    *((transformer.write_poem, values) for values in BAD_POEMS),
    (transformer.change_script, (["春"], "simplified")),
    (transformer.change_script, ("春", None)),
]


@pytest.mark.parametrize(("handler", "values"), BAD)
@pytest.mark.parametrize("language", ["zh", "en", None])
def test_bad_input_gets_one_sentence_in_the_visitors_language(handler, values, language) -> None:
    page = Page(MODELS, WORDS, language=None)  # type: ignore[arg-type]
    with pytest.raises(gr.Error) as caught:
        answer = page.bind(handler)(*values, language)
        written(answer)
    sentence = str(caught.value).strip("'")
    assert sentence != WORDS.say(language, "error.fault")  # it is the input that is wrong
    assert "{" not in sentence
    assert 5 < len(sentence) < 160
    quoted = "".join(map(str, values)) + "".join(FORMS)  # the values of a form are its Chinese name
    own = "".join(c for c in sentence if c not in quoted)
    assert bool(re.search("[㐀-鿿]", own)) == (language == "zh"), sentence  # no language: English


@pytest.mark.parametrize("fault", [ValueError("expected 3, got 4"), KeyError("x"), OSError("disk")])
def test_a_fault_of_ours_is_logged_with_its_traceback_and_said_to_be_ours(fault, capsys) -> None:
    def draw(models, words):
        raise fault

    async def write(models, words):
        yield "begun"
        raise fault

    page = Page(MODELS, WORDS, language=None)  # type: ignore[arg-type]
    for handler in (draw, write):
        with pytest.raises(gr.Error) as caught:
            written(page.bind(handler)("zh"))
        assert caught.value.message == WORDS.say("zh", "error.fault")
        logged = capsys.readouterr().err
        assert "Traceback" in logged and f"in {handler.__name__}" in logged and str(fault) in logged


def test_what_a_pad_sends_is_read_and_nothing_else() -> None:
    small = pixels_of(base64.b64encode(bytes(range(196)) * 4).decode())
    assert small.shape == (28, 28) and small[0, 5] == 5
    assert pixels_of(base64.b64encode(bytes(112 * 112)).decode()).shape == (112, 112)
    wide = "photo:224x2:" + base64.b64encode(bytes(448)).decode()
    assert pixels_of(wide).shape == (2, 224)
    ninety = base64.b64encode(bytes(90)).decode()
    for wrong in (f"raw:{ninety}", ninety, f"photo:9x9:{ninety}", f"photo:225x1:{ninety}", "é"):
        with pytest.raises(check.UserError, match=r"error\.drawing"):
            pixels_of(wrong)
    for nothing in ("", None, base64.b64encode(bytes(112 * 112)).decode()):
        with pytest.raises(check.UserError, match=r"error\.empty_drawing"):
            drawn_digit(nothing)


@pytest.mark.parametrize("corner", [False, True])
@pytest.mark.parametrize("side", [28, 112])
def test_a_small_digit_anywhere_on_the_pad_is_read(side: int, corner: bool) -> None:
    """300 test digits, 14 of the pad's 28 pixels high."""
    images, labels = sample_digits("test")
    images, labels, place = images[:300], labels[:300], side // 20 if corner else side // 4
    pads = torch.zeros(len(images), side, side)
    small = F.interpolate(
        images[:, None, 4:24, 4:24], side // 2, mode="area" if side < 40 else "bicubic"
    )
    pads[:, place : place + side // 2, place : place + side // 2] = small[:, 0].clamp(0, 1)
    values = [base64.b64encode(to_bytes(one).tobytes()).decode() for one in pads]
    seen = torch.stack([drawn_digit(value) for value in values])
    read = MODELS.judge.classify(seen).argmax(1)
    assert (read == labels).float().mean() >= 0.95


def test_what_is_centred_already_and_what_is_to_be_used_as_drawn_stays() -> None:
    image = sample_digits("test")[0][3]
    value = base64.b64encode(to_bytes(image).tobytes()).decode()
    assert torch.equal(drawn_digit(value), image)
    moved = torch.roll(image, 4, 1)
    shifted = base64.b64encode(to_bytes(moved).tobytes()).decode()
    assert torch.equal(drawn_digit("raw:" + shifted), moved)
    assert not torch.equal(drawn_digit(shifted), moved)


def test_a_picked_digit_is_rebuilt_from_the_posterior() -> None:
    shown, result = vae.rebuild_picked(MODELS, WORDS, "vae-2d", 0, 0)
    image = vae.test_digits()[0][:1]
    mean, deviation = MODELS.vae().encode(image)
    assert f"({mean[0, 0]:.2f}, {mean[0, 1]:.2f})" in result["texts"]["en"]
    assert f"({deviation[0, 0]:.2f}, {deviation[0, 1]:.2f})" in result["texts"]["zh"]
    assert result["count"] == 3 and shown["strip"] != result["strip"]


def test_both_vaes_rebuild_walk_and_sample() -> None:
    for name in VAES:
        _, result = vae.rebuild_picked(MODELS, WORDS, name, 3, 0)
        assert ("…" in result["texts"]["en"]) == (name == "vae")  # 32 numbers are too many to read
        film, frames = vae.walk(MODELS, WORDS, name, "3850", "spherical", 0, 8)
        beside = vae.compare_walks(MODELS, WORDS, name, "3850", "spherical", 0)
        assert [len(group["items"]) for group in beside["groups"]] == [9, 9, 9]
        assert film["count"] == frames["count"] == 8
        assert ("32" in film["texts"]["zh"]) == (name == "vae")
    plain, learned = (vae.draw(MODELS, WORDS, name, 4, 0)["texts"]["en"] for name in VAES)
    assert "standard normal" in plain and "learned" in learned


def test_a_walk_starts_and_ends_at_its_stops_and_blends_real_pictures() -> None:
    stops, pictures = vae.stops_of(MODELS, "vae-2d", [3, 8, 5], 4)
    frames = walks.frames(MODELS.vae(), stops, 9, False)
    ends = MODELS.vae().decode(stops[[0, 1, 2]])
    assert torch.allclose(frames[[0, 4, 8]], ends, atol=1e-5)
    blend = walks.blend(pictures, 9)
    real = vae.test_digits()[0]
    assert all(any(torch.equal(blend[i], image) for image in real) for i in (0, 4, 8))
    assert torch.allclose(blend[2], (blend[0] + blend[4]) / 2)


def test_walks_are_compared_between_the_same_digits() -> None:
    shown = vae.compare_walks(MODELS, WORDS, "vae-2d", "38", "straight", 4)
    _, pictures = vae.stops_of(MODELS, "vae-2d", [3, 8], 4)
    rows = []
    for name in VAES:
        walker = MODELS.vae(name)
        first, last = walker.encode(pictures)[0]
        rows.append(walker.walk(first, last, vae.COMPARED_FRAMES))
    share = torch.linspace(0, 1, vae.COMPARED_FRAMES)[:, None, None]
    rows.append((1 - share) * pictures[0] + share * pictures[1])
    assert shown["strip"] == strip(torch.cat(rows))


def test_the_first_gan_draws_without_classes() -> None:
    plain = gan.draw(MODELS, WORDS, "gan-mlp", [], 4, 0, 1)
    assert plain == gan.draw(MODELS, WORDS, "gan-mlp", ["3"], 4, 0, 1)  # the hidden choice
    assert plain["strip"] != gan.draw(MODELS, WORDS, "gan", [], 4, 0, 1)["strip"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_written_with_its_acrostic(form) -> None:
    heads = "春江花月夜明人在"[: FORMS[form].lines]
    values = {**GOOD_POEM, "form": form, "heads": heads, "script": "traditional"}
    *_, (_, poem) = written(transformer.write_poem(MODELS, WORDS, *values.values()))
    lines = lines_of(poem)
    assert "".join(line[0] for line in lines) == heads
    assert is_regulated(lines)


def test_a_damaged_model_leaves_the_rest_of_the_page_standing(tmp_path, capsys) -> None:
    import shutil

    from aigc_demo.ui.app import build
    from aigc_demo.weights import BUNDLED

    shutil.copytree(BUNDLED / "gan", tmp_path / "gan")
    data = bytearray((tmp_path / "gan/model.safetensors").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "gan/model.safetensors").write_bytes(data)
    demo = build(models=Models(TABS, tmp_path, replace=True))
    assert "SHA-256" in capsys.readouterr().err
    captions = [
        block.props["texts"]["en"]
        for block in demo.blocks.values()
        if isinstance(block, gr.HTML) and "texts" in block.props
    ]
    assert any("“gan” cannot be loaded" in caption for caption in captions)
    assert any("The judge reads" in caption for caption in captions)


def test_the_server_keeps_nothing_of_a_visitor_but_the_gan_in_training() -> None:
    from aigc_demo.ui.app import build

    states = [block for block in build().blocks.values() if isinstance(block, gr.State)]
    assert [state.time_to_live for state in states] == [duel.IDLE_SECONDS]
    assert "this visit" in WORDS.table["en"]["duel.hint"]["value"]  # and the page says so


def test_a_folder_without_weights_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="expected a weights folder"):
        Models(TABS, tmp_path)


def test_paced_ends_with_the_whole_text_and_shows_it_not_too_often() -> None:
    writing = MODELS.writer("shakespeare").begin("A", 200, seed=3)
    begun = time.monotonic()
    shown = written(transformer.paced(writing))
    most = (time.monotonic() - begun) * transformer.UPDATES + 2
    assert shown[-1] == MODELS.writer("shakespeare").write("A", 200, seed=3)
    assert all(np.diff([len(text) for text in shown]) >= 0)
    assert len(shown) <= most


def test_paced_leaves_time_to_others_where_an_update_takes_long() -> None:
    class Endless:
        begun = time.monotonic()

        @property
        def so_far(self) -> str:
            return str(time.monotonic())

        @property
        def done(self) -> bool:
            return time.monotonic() - self.begun > 1

        def cancel(self) -> None: ...

    async def busy() -> int:
        count = 0
        async for _ in transformer.paced(Endless()):  # type: ignore[arg-type]
            count += 1
            await asyncio.sleep(0.03)  # others are served
        return count

    assert 3 <= finished(busy()) <= 1.2 * transformer.FEWEST + 1


def test_a_new_visitor_costs_no_copy_of_the_page(monkeypatch) -> None:
    from gradio.state_holder import SessionState

    monkeypatch.setattr(SessionState, "__init__", SessionState.__init__)  # as before, afterwards
    light_sessions()
    page = build(models=MODELS)
    state = SessionState(page)
    assert not state.config_values
    assert set(state.blocks_config.fns) == set(page.fns)
    assert state.blocks_config.blocks == page.blocks
    number = next(n for n, block in page.blocks.items() if isinstance(block, gr.Slider))
    state._update_value_in_config(number, 3)
    assert state.config_values[number]["props"]["value"] == 3
    changed = gr.Slider(0, 9, 4)
    state[number] = changed
    assert state[number] is changed and SessionState(page)[number] is page.blocks[number]


@pytest.mark.parametrize("prompt", ["", "\u200b", "\ufeff\u200b\u2060"])
def test_a_prompt_of_nothing_that_is_seen_gets_a_sentence(prompt: str) -> None:
    settings = (1.0, 0, 1.0, 1.0, 1)

    async def write() -> None:
        async for _ in transformer.continue_text(
            MODELS, WORDS, "shakespeare", prompt, 5, *settings
        ):
            pass

    with pytest.raises(check.UserError) as caught:
        finished(write())
    assert caught.value.key == "error.empty_prompt"
    with pytest.raises(check.UserError) as caught:
        asked(MODELS, "shakespeare", prompt)
    assert caught.value.key == "error.empty_prompt"


def test_who_goes_away_frees_the_place() -> None:
    writing = MODELS.writer("shakespeare").begin("A", 1_000, seed=3)

    async def leave_early() -> None:
        texts = transformer.paced(writing)
        await anext(texts)
        await texts.aclose()

    finished(leave_early())
    list(writing)  # ends without the rest
    assert len(writing.so_far) < 500
    assert writing not in MODELS.writer("shakespeare").engine.writing


def test_how_many_write_together_and_how_many_wait_is_told() -> None:
    writer = MODELS.writer("shakespeare")
    crowd = [writer.begin("A", 5_000, seed=seed).start() for seed in range(SLOTS + 3)]
    deadline = time.monotonic() + 20
    while len(writer.engine.writing) < SLOTS and time.monotonic() < deadline:
        time.sleep(0.01)
    assert writing_now(MODELS) == {"writing": SLOTS, "waiting": 3}
    for text in crowd:
        text.cancel()
    while any(not text.done for text in crowd) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert writing_now(MODELS) == {"writing": 0, "waiting": 0}


def test_warming_loads_the_writers_and_a_damaged_one_does_no_harm(tmp_path, capsys) -> None:
    import shutil

    from aigc_demo.weights import BUNDLED

    shutil.copytree(BUNDLED / "poems", tmp_path / "poems")
    (tmp_path / "poems/model.safetensors").write_bytes(b"damaged")
    models = Models(TABS, tmp_path, replace=True)
    models.warm()
    assert "error: poems" in capsys.readouterr().err
    assert "shakespeare" in models._loaded
    assert "engine" in vars(models.writer("shakespeare"))
    assert models.writer("shakespeare").loaded.model is None  # writing needs it no more


def test_the_first_paint_is_put_into_the_page_alone_and_only_where_there_is_a_head() -> None:
    page = "<html><head><title>a</title></head><body>é</body></html>"
    answers = {
        "/": HTMLResponse(page),
        "/login": HTMLResponse(page),
        "/bare": PlainTextResponse("no head"),
    }

    async def served(scope, receive, send) -> None:
        await answers[scope["path"].removeprefix("/demo")](scope, receive, send)

    client = TestClient(Inserted(served, lambda scope: "<i>first</i>"))
    answer = client.get("/")
    assert answer.text == page.replace("</head>", "<i>first</i></head>")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert client.get("/login").text == page
    assert client.head("/").headers["content-length"] == str(len(page.encode()))
    behind = TestClient(Inserted(served, lambda scope: "<i>first</i>"), root_path="/demo")
    assert "<i>first</i></head>" in behind.get("/demo/").text
    foreign = '<meta property="og:title" content="Gradio" />'
    answers["/"] = HTMLResponse(page.replace("<title>", foreign + "<title>"))
    assert client.get("/").text == page.replace("</head>", "<i>first</i></head>")
    answers["/"] = answers["/bare"]
    assert client.get("/").text == "no head"


def test_a_link_is_previewed_in_its_language_with_a_picture_that_is_there() -> None:
    async def served(scope, receive, send) -> None:
        await HTMLResponse(preview(WORDS, scope))(scope, receive, send)

    client = TestClient(Files(served, files(build())), base_url="https://demo.example")
    for language in WORDS.table:
        said = client.get(f"/?lang={language}").text
        assert escape(WORDS.say(language, "page.title")) in said
        assert 'content="https://demo.example/preview.png"' in said
    picture = client.get("/preview.png")
    with Image.open(io.BytesIO(picture.content)) as image:
        assert (image.width, image.height) == (1200, 630)
    assert 'content="/preview.png"' in client.get("/", headers={"host": '"><script>'}).text


def test_a_tabs_first_pictures_are_fetched_when_it_opens() -> None:
    demo = build()
    found = {path: data for path, data in widget_files(demo).items() if path[-4:] == ".png"}
    strips = [str(getattr(block, "props", {}).get("strip", "")) for block in demo.blocks.values()]
    assert sum(strip.startswith("data:") and len(strip) > 2_000 for strip in strips) == 1  # seen
    asked = [strip for strip in strips if strip.startswith("pictures/")]
    assert len(asked) == len(found) > 8
    client = TestClient(Files(HTMLResponse("page"), files(demo)), root_path="/demo")
    for address in asked:
        path, _, digest = address.partition("?")
        answer = client.get(f"/demo/{address}")
        assert (answer.content, answer.headers["content-type"]) == (found[path], "image/png")
        assert hashlib.sha256(answer.content).hexdigest().startswith(digest) and len(digest) == 8
    film = gan.morph(MODELS, WORDS, "gan", "3", "8", 5, 24)[0]["strip"]
    assert film == data_uri(found["pictures/gan-film.png"])


def test_a_lesson_is_fetched_when_it_is_opened() -> None:
    client = TestClient(Files(PlainTextResponse("no", 404), files(build())))
    for tab in filter(lambda tab: tab.models, TABS):
        texts = {lang: client.get(f"/lessons/{tab.name}.{lang}.md") for lang in LANGUAGES}
        assert {answer.status_code for answer in texts.values()} == {200}
        assert all(
            answer.headers["content-type"] == "text/markdown; charset=utf-8"
            and answer.text.count("$$") >= 2
            for answer in texts.values()
        )
        assert len({answer.text for answer in texts.values()}) == 2
    assert client.get("/lessons/../app.py").status_code == 404


def test_a_text_that_has_changed_is_fetched_again_and_another_is_not() -> None:
    client = TestClient(Files(PlainTextResponse("no", 404), {"a.md": b"old"}))
    before = client.get("/a.md")
    assert before.headers["cache-control"] == "no-cache"
    asked = {"if-none-match": before.headers["etag"]}
    assert client.get("/a.md", headers=asked).status_code == 304
    client = TestClient(Files(PlainTextResponse("no", 404), {"a.md": b"new"}))
    assert client.get("/a.md", headers=asked).text == "new"
    assert "max-age" in client.get("/a.md?1234").headers["cache-control"]


def test_there_are_threads_for_all_that_the_queue_lets_in() -> None:
    limits: dict[str, int] = {}
    for event in build().fns.values():
        if event.queue and event.concurrency_limit:
            limits[event.concurrency_id] = int(event.concurrency_limit)
    assert len(limits) > 5
    assert sum(limits.values()) <= launch_options(build())["max_threads"]


def test_garbage_is_collected_again_once_the_page_is_served(tmp_path) -> None:
    gc.disable()
    with pytest.raises(ValueError, match="expected"):
        serve(argparse.Namespace(mcp=False, weights=tmp_path / "none", replace=False))
    assert gc.isenabled()


def test_weights_in_the_place_of_bundled_ones_claim_no_data_of_theirs(tmp_path) -> None:
    import shutil

    from aigc_demo.ui.gan.inside import overview as see_gan
    from aigc_demo.ui.transformer.overview import see_overview
    from aigc_demo.ui.vae.inside import overview as see_vae
    from aigc_demo.weights import BUNDLED

    words, seen = Words(), []
    for name in ("gan", "vae-2d", "shakespeare"):
        shutil.copytree(BUNDLED / name, tmp_path / name)
    for models in (Models(TABS), Models(TABS, tmp_path, replace=True)):
        texts = [
            see_gan(models, words, "gan", "3", 7, 1.0)["texts"]["en"],
            see_vae(models, words, "vae-2d", "#3", 7)["texts"]["en"],
            see_overview(models, words, "shakespeare", "ROMEO:", 0, 1, 1)[0]["texts"]["en"],
        ]
        seen.append([bool(re.search("60,000|1.0 million", text)) for text in texts])
    assert seen == [[True] * 3, [False] * 3]
