"""Links without a browser: what goes in comes out, what is damaged is left out and named."""

import base64
import csv
import hashlib
import io
import json
import random
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from inspect import isasyncgen
from typing import Any

import gradio as gr
import numpy as np
import pytest
import tabs
import torch
from PIL import Image
from servers import ROOT, finished

from aigc_demo.explain.duel import Duel
from aigc_demo.images import DESCRIPTION, SIDE, to_bytes
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan import one_step as duel
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.drawings import drawn_digit
from aigc_demo.ui.kit.qr import qr_code
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page import query as links
from aigc_demo.ui.page import saved_files as files
from aigc_demo.ui.page.link import MODES
from aigc_demo.ui.page.route import about_line, base_address
from aigc_demo.ui.vae import requests as vae
from aigc_demo.weights import BUNDLED

WORDS, MODELS = Words(), Models(TABS)


SHARES = tabs.shares(MODELS, WORDS)


def _whole(tab: str, state: Any) -> tuple:
    """All values of a result's fields, of which an inside view names those that differ."""
    link = SHARES[tab].link
    if isinstance(state, tuple):
        return state
    return tuple(state.get(name, link.first[name]) for name in link.names)


RESULTS = {tab: _whole(tab, state) for tab, state in tabs.RESULTS.items()}


def model_of(tab: str) -> str:
    share = SHARES[tab]
    return dict(zip(share.link.names, RESULTS[tab], strict=True)).get("model", share.link.model)


def changed(tab: str, /, **values: str) -> str:
    """The link of a result with some parameters replaced by other texts."""
    pairs = dict(links.parse_qsl(SHARES[tab].link.query(RESULTS[tab]), keep_blank_values=True))
    return links.urlencode({**pairs, **values})


@pytest.mark.parametrize("model", ["alice/digits", "/tmp", "gan-huge", ["gan"], 3, None])
@pytest.mark.parametrize("look", ["directions", "then"])  # views that do not read it
def test_a_model_that_is_not_here_is_looked_for_nowhere(hub, look: str, model: object) -> None:
    share = SHARES["gan.inside"]
    values = dict(zip(share.link.names, RESULTS["gan.inside"], strict=True))
    assert share.link.query(tuple({**values, "look": look}.values()))
    assert share.link.query(tuple({**values, "look": look, "model": model}.values())) == ""
    assert hub.asked == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("look", "nowhere"), ("look", []), ("seed", 10**400), ("seed", "x"), ("digit", {"a": 1})],
)
def test_nonsense_in_a_field_makes_no_link(name: str, value: object) -> None:
    share = SHARES["gan.inside"]
    values = dict(zip(share.link.names, RESULTS["gan.inside"], strict=True))
    assert share.link.query(tuple({**values, name: value}.values())) == ""


def test_every_task_with_a_result_has_a_link() -> None:
    assert list(SHARES) == list(RESULTS)


@pytest.mark.parametrize("tab", RESULTS)
def test_a_link_restores_its_very_state_and_says_which_weights(tab: str) -> None:
    share = SHARES[tab]
    query = share.link.query(RESULTS[tab])
    assert share.link.restore(query + "&lang=zh&__theme=dark", WORDS, "en") == (RESULTS[tab], [])
    assert query.isascii() and len(query) < 900
    assert f"tab={tab}" in query
    if tab in ("gan.lab", "flow.lab", "learn.fault"):  # which none, or many, have to do with
        assert "weights" not in query and "model" not in query
        return
    name = model_of(tab)
    digest = hashlib.sha256((BUNDLED / name / "model.safetensors").read_bytes()).hexdigest()
    assert f"weights={digest[:8]}" in query


def test_on_a_space_the_last_line_leads_to_the_code() -> None:
    for space, told in (("", False), ("ada/demo", True)):
        with gr.Blocks():
            line = about_line(Words(), {"SPACE_ID": space})
        address = "https://huggingface.co/spaces/ada/demo/tree/main"
        assert (address in line.value) == told and "Apache-2.0" in line.value


def test_random_states_come_back() -> None:
    chance, share = random.Random(5), SHARES["transformer.shakespeare"]
    for _ in range(200):
        prompt = "".join(
            chr(chance.choice((9, 10, 32, 37, 38, 43, 61, 126, 0x4E00, 0x1F600))) for _ in range(30)
        )
        numbers = (chance.randint(1, 1000), chance.uniform(0, 2), chance.randint(0, 200))
        state = (
            "shakespeare",
            prompt,
            *numbers,
            chance.uniform(0.05, 1),
            1.5,
            chance.randrange(2**53),
        )
        assert share.link.restore(share.link.query(state), WORDS, "en") == (state, [])


def test_the_longest_prompt_of_the_page_fits_and_a_longer_one_waits_for_a_file() -> None:
    share, chance = SHARES["transformer.shakespeare"], random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ\n!?,.;:'-&"
    for length, fits in ((2_000, True), (6_000, False)):
        prompt = "".join(chance.choices(letters, k=length))
        state = ("shakespeare", prompt, 300, 0.8, 0, 0.95, 1, 1)
        query = share.link.query(state)
        assert (len(query) <= links.MAX_QUERY) == fits
        assert share.link.restore(query, WORDS, "en") == (state, [])


@pytest.mark.parametrize(
    "query", ["x" * 100_000, "seed=1&" * 100, None, 7, {"seed": 1}], ids=lambda q: type(q).__name__
)
def test_what_is_no_query_leaves_the_page_as_it_opens(query) -> None:
    share = SHARES["gan.digits"]
    values, wrong = share.link.restore(query, WORDS, "en")
    assert len(wrong) == 1
    assert dict(zip(share.link.names, values, strict=True)) == share.link.first


@pytest.mark.parametrize(
    ("tab", "name", "text"),
    [
        ("gan.digits", "count", "65"),
        ("gan.digits", "count", "2.5"),
        ("gan.digits", "count", "1" * 5_000),
        ("gan.digits", "seed", "-1"),
        ("gan.digits", "seed", "１２"),
        ("gan.digits", "seed", "1_0"),
        ("gan.digits", "seed", str(2**53)),
        ("gan.digits", "truncation", "nan"),
        ("gan.digits", "truncation", "1e99"),
        ("gan.digits", "digits", "3a"),
        ("gan.digits", "digits", "33"),
        ("gan.digits", "model", "gan-pro"),
        ("gan.digits", "weights", "<b>"),
        ("gan.digits", "mode", "float8"),
        ("gan.digits", "tab", "vae.map"),
        ("gan.morph", "first", "100"),
        ("gan.morph", "model", "gan-mlp"),
        ("vae.map", "point", "1"),
        ("vae.map", "point", "1,inf"),
        ("vae.map", "point", "1,2,3"),
        ("vae.map", "point", "101,0"),
        ("vae.rebuild", "drawing", ""),
        ("vae.rebuild", "drawing", "no base64!"),
        ("vae.rebuild", "drawing", links.pack(bytes(784))),
        ("vae.rebuild", "drawing", links.pack(bytes(785))),
        ("vae.rebuild", "drawing", links.pack(bytes(range(196)) * 4)[:-9]),
        ("vae.rebuild", "drawing", links.pack(bytes(50_000_000))),
        ("vae.walk", "path", "crooked"),
        ("transformer.shakespeare", "prompt", "~AAAA"),
        ("transformer.shakespeare", "prompt", "~" + links.pack(b"\xff\xfe")),
        ("transformer.shakespeare", "penalty", "9"),
        ("transformer.poems", "regulated", "1"),
        ("transformer.poems", "form", "七古"),
        ("gan.inside", "look", "outside"),
        ("gan.inside", "truncation", "1.1"),
        ("gan.inside", "thickness", "3.5"),
        ("gan.duel", "clicks", "x"),
        ("gan.duel", "clicks", "b0"),
        ("gan.duel", "clicks", "b81"),
        ("gan.duel", "clicks", "f999" * 160),
        ("gan.lab", "data", "cube"),
        ("gan.lab", "width", "128"),
        ("gan.lab", "rateD", "0.5"),
        ("gan.lab", "seed", "1e3"),
        ("gan.lab", "moves", "b20001"),
        ("gan.lab", "moves", "b1alert(1)"),
        ("gan.lab", "points", "MMe"),
        ("gan.lab", "points", "MM<>"),
        ("vae.inside", "image", "#3"),
        ("vae.inside", "image", "test.100"),
        ("vae.inside", "image", "test.-1"),
        ("vae.inside", "image", ""),
        ("transformer.inside", "token", "1.5"),
        ("transformer.inside", "layer", "0"),
        ("transformer.inside", "head", "100"),
        ("transformer.inside", "character", "123456789"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_damaged_parameter_is_left_out_and_named_and_the_rest_is_used(
    tab: str, name: str, text: str, language: str
) -> None:
    share = SHARES[tab]
    values, wrong = share.link.restore(changed(tab, **{name: text}), WORDS, language)
    expected = dict(zip(share.link.names, RESULTS[tab], strict=True))
    if name in expected:
        expected[name] = share.link.first[name]
    assert dict(zip(share.link.names, values, strict=True)) == expected
    assert WORDS.say(language, f"name.{name}") in wrong[0]
    assert ("略去" in wrong[0]) == (language == "zh")


def test_an_inside_view_links_what_it_needs_and_no_more() -> None:
    share = SHARES["transformer.inside"]
    state = {**share.link.first, **tabs.RESULTS[share.tab]}
    for view, own in (
        ("step", set()),
        ("next", {"sampling"}),
        ("off", {"what", "seed"}),
        ("neurons", {"character"}),
    ):
        values = tuple({**state, "look": view}[name] for name in share.link.names)
        named = dict(links.parse_qsl(share.link.query(values), keep_blank_values=True))
        asked = {"look", "model", "text", "token", "layer", "head"}
        assert named.keys() == {"tab", "weights", "mode"} | asked | own
        assert share.link.restore(share.link.query(values), WORDS, "en")[1] == []


def test_the_sliders_of_the_candidates_come_back_and_nonsense_of_them_has_no_link() -> None:
    share = SHARES["transformer.inside"]
    state = {**share.link.first, "look": "next", "token": 3}
    sliders = {"temperature": 1.25, "top_k": 7, "top_p": 0.5}
    for sampling in (sliders, {**sliders, "tokens": [4]}):
        values = tuple({**state, "sampling": sampling}[name] for name in share.link.names)
        restored, wrong = share.link.restore(share.link.query(values), WORDS, "en")
        assert wrong == []
        assert dict(zip(share.link.names, restored, strict=True)) == {**state, "sampling": sliders}
    for sampling in (None, [], {}, {**sliders, "top_p": "1"}, {**sliders, "temperature": 9}):
        values = tuple({**state, "sampling": sampling}[name] for name in share.link.names)
        assert share.link.query(values) == ""
    for text in ("1,2", "1,2,3,4", "3,0,1", "1,0,nan", "1,0.5x,1"):
        changed = share.link.query(tuple(state[name] for name in share.link.names))
        pairs = {**dict(links.parse_qsl(changed)), "sampling": text}
        restored, wrong = share.link.restore(links.urlencode(pairs), WORDS, "en")
        assert dict(zip(share.link.names, restored, strict=True)) == state
        assert WORDS.say("en", "name.sampling") in wrong[0]


@pytest.mark.parametrize("tab", [tab for tab in RESULTS if tab.endswith(".inside")])
def test_a_link_to_an_inside_view_shows_what_the_visit_showed(tab: str) -> None:
    share, values = SHARES[tab], RESULTS[tab]
    seen = share.linked(share.handler)(MODELS, WORDS, *values)
    query = seen[share.bar]["link"]["query"]
    opened = share._open(MODELS, WORDS, {"query": query, "number": 1}, "en")
    assert opened[share.bar]["link"] == {"query": query, "opened": 1}
    shown = [widget for widget in seen if widget is not share.bar]
    assert shown
    for widget in shown:
        told = dict(opened[widget]) if isinstance(opened[widget], dict) else opened[widget]
        if widget in share.inputs:
            told.pop("value"), seen[widget].pop("value", None)
        assert told == seen[widget]


def test_a_link_to_a_duel_makes_its_clicks_again() -> None:
    share, answer = SHARES["gan.duel"], (None,)
    for click in (duel.train_both, duel.train_d, duel.train_g):
        answer = click(MODELS, WORDS, answer[0])
    query = share.link.query((answer[0].clicks,))
    assert query.endswith("clicks=bdg")
    again = share.handler(MODELS, WORDS, *share.link.restore(query, WORDS, "en")[0])
    assert again[1:] == answer[1:] and again[0] is not answer[0]
    more = duel.train_both(MODELS, WORDS, again[0])
    assert more[1:] == duel.train_both(MODELS, WORDS, answer[0])[1:]
    first = share.handler(MODELS, WORDS, "")
    assert first[1:] == duel.start_over(MODELS, WORDS, None)[1:]


def test_a_duel_of_too_many_steps_has_no_link_and_says_why() -> None:
    share, game = SHARES["gan.duel"], Duel(MODELS.snapshot)
    assert duel.steps_of("f" * 4) == duel.REPLAYED
    for clicks, linked in (("f" * 4, True), ("f" * 4 + "d", False)):
        game.clicks = clicks
        link = duel._linked(share, lambda *_: (game, None, ""))(MODELS, WORDS, game)[-1]["link"]
        assert ("why" not in link) == linked == bool(link["query"])
        if not linked:
            assert WORDS.both(f"link.{link['why']}")


def test_a_text_that_cannot_be_read_leaves_the_models_own_example() -> None:
    share = SHARES["transformer.inside"]
    query = "tab=transformer.inside&model=poems&text=~AA&look=lens"
    values, wrong = share.link.restore(query, WORDS, "en")
    assert "《早发白帝城》" in dict(zip(share.link.names, values, strict=True))["text"]
    assert WORDS.say("en", "name.text") in wrong[0]
    assert share.handler(MODELS, WORDS, *values)


def test_half_a_character_and_a_parameter_given_twice_are_left_out() -> None:
    share = SHARES["transformer.poems"]
    query = share.link.query(RESULTS["transformer.poems"])
    values, wrong = share.link.restore(query.replace("%9C%88", "%9C") + "&seed=6", WORDS, "en")
    assert values[2] == share.link.first["title"] and values[-1] == 5
    assert "Title, Seed" in wrong[0]


def test_a_notice_shows_no_html_of_a_strangers_link() -> None:
    share = SHARES["gan.number"]
    query = changed("gan.number", **{"<img src=x>": "1", "evil</p>": "2", "colour": "3"})
    assert share.link.restore(query, WORDS, "en")[1] == [
        "Left out of the link, as nothing here can read it: ?, ?, colour."
    ]


def test_other_weights_and_another_numeric_mode_are_told() -> None:
    share = SHARES["transformer.shakespeare"]
    assert share.link.mode in MODES
    for other in set(MODES) - {
        share.link.mode
    }:  # those of links of before the int8 engine among them
        query = changed(share.tab, weights="0123abcd", mode=other)
        values, wrong = share.link.restore(query, WORDS, "en")
        assert values == RESULTS[share.tab]
        assert len(wrong) == 2 and "other weights" in wrong[0] and f"({other};" in wrong[1]


def test_a_link_to_weights_from_the_hub_needs_their_commit_and_them_here() -> None:
    share = SHARES["gan.digits"]
    with pytest.raises(check.UserError) as caught:
        share.link.restore(changed("gan.digits", model="alice/digits@" + 40 * "a"), WORDS, "en")
    assert caught.value.key == "error.not_fetched"
    for name in ("alice/digits", "alice/digits@main", "../x@" + 40 * "a"):
        values, wrong = share.link.restore(changed("gan.digits", model=name), WORDS, "en")
        assert values[0] == "gan" and "Model" in wrong[0]


def test_a_photograph_comes_back_as_the_model_saw_it() -> None:
    photo = np.full((180, 140), 220, np.uint8)
    photo[10:90, 60:75] = 25
    value = "photo:140x180:" + base64.b64encode(photo.tobytes()).decode()
    share = SHARES["vae.rebuild"]
    (_, restored, _), wrong = share.link.restore(share.link.query(("vae", value, 0)), WORDS, "en")
    assert wrong == []
    assert torch.equal(drawn_digit(restored), drawn_digit(value))
    seen = vae.rebuild(MODELS, WORDS, "vae", value, 0)
    assert vae.rebuild(MODELS, WORDS, "vae", restored, 0)[1] == seen[1]


def test_a_computed_result_comes_with_its_link() -> None:
    share = SHARES["gan.digits"]
    values = RESULTS[share.tab]
    *shown, bar = share.linked(share.handler)(MODELS, WORDS, *values)
    assert shown == [share.handler(MODELS, WORDS, *values)]
    assert bar["link"]["query"] == share.link.query(values)


def told_in(data: bytes, kind: str) -> dict[str, str]:
    """What a saved file says of itself."""
    if kind in ("png", "webp", "stickers"):
        with Image.open(io.BytesIO(data)) as image:
            if kind != "webp":
                return image.text  # type: ignore[attr-defined]
            return json.loads(image.getexif()[DESCRIPTION])
    lines = data.decode("utf-8-sig").splitlines()
    lines = lines[lines.index("---") + 1 :] if kind == "txt" else lines
    found = (re.fullmatch(r'"?#? ?(\w+): (.*?)"?', line) for line in lines)
    return {match[1]: match[2] for match in found if match}


@pytest.mark.parametrize(
    ("tab", "kind"), [(tab, kind) for tab, share in SHARES.items() for kind in share.saves]
)
def test_a_file_holds_the_result_and_says_how_it_came_about(tab: str, kind: str) -> None:
    share, values = SHARES[tab], RESULTS[tab]
    answer = share.handler(MODELS, WORDS, *values)
    if isasyncgen(answer):

        async def last() -> tuple:
            return [text async for text in answer][-1]

        answer = finished(last())
    data = files.make(MODELS, share, values, files.answers(answer), kind)
    told = told_in(data, kind)
    name = model_of(tab)
    digest = hashlib.sha256((BUNDLED / name / "model.safetensors").read_bytes()).hexdigest()
    assert told["weights"] == digest and told["model"] == name
    assert told["link"] == f"?{share.link.query(values)}"
    if tab != "vae.map":
        assert told["seed"] == str(dict(zip(share.link.names, values, strict=True))["seed"])
    if kind == "txt":
        assert data.decode().startswith(files.text_of(files.answers(answer)).rstrip())


def test_saved_pictures_and_tables_agree_with_the_model() -> None:
    share, values = SHARES["vae.walk"], ("vae-2d", "38", "straight", 4, 9)
    answer = share.handler(MODELS, WORDS, *values)
    stops, _ = vae.stops_of(MODELS, "vae-2d", [3, 8], 4)
    frames = MODELS.vae().walk(*stops, 9)
    sheet = Image.open(io.BytesIO(files.make(MODELS, share, values, answer, "png")))
    assert sheet.size == (8 * SIDE * files.SCALE, 2 * SIDE * files.SCALE)
    first = np.asarray(sheet)[
        : SIDE * files.SCALE : files.SCALE, : SIDE * files.SCALE : files.SCALE
    ]
    assert np.array_equal(first, to_bytes(frames[0]))
    film = Image.open(io.BytesIO(files.make(MODELS, share, values, answer, "webp")))
    assert film.n_frames == 16 and film.size == (SIDE * files.FRAME_SCALE,) * 2  # type: ignore[attr-defined]
    text = files.make(MODELS, share, values, answer, "csv").decode("utf-8-sig")
    rows = [row for row in csv.reader(io.StringIO(text)) if not row[0].startswith("#")]
    assert rows[0][:3] == ["frame", "z1", "z2"] and len(rows) == 10
    assert [float(z) for z in rows[1][1:3]] == pytest.approx(stops[0].tolist())
    read = MODELS.judge.classify(frames)[-1].tolist()
    assert [float(p) for p in rows[-1][3:]] == pytest.approx(read, abs=1e-5)


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, ""),
        ({"SPACE_HOST": "ada-demo.hf.space", "SPACE_ID": "ada/demo"}, "https://ada-demo.hf.space/"),
        ({"SPACE_ID": "Ada/my_demo.v2"}, "https://ada-my-demo-v2.hf.space/"),
    ],
)
def test_on_a_space_the_link_works_outside_the_frame(environment, address) -> None:
    assert base_address(environment) == address


def test_a_qr_code_is_made_of_links_alone() -> None:
    assert qr_code("http://127.0.0.1:7860/?tab=gan.digits").startswith("data:image/svg+xml")
    assert qr_code("https://a.example/?" + "x" * 2_800)
    for wrong in (
        "https://a.example/?" + "x" * 3_000,
        "javascript:alert(1)",
        None,
        7,
        {},
        "http://é",
    ):
        assert qr_code(wrong) == ""


SHARED = """
import httpx, sys
from gradio import networking
networking.GRADIO_SHARE_SERVER_ADDRESS = None
networking.GRADIO_API_SERVER = sys.argv.pop(1)
from aigc_demo.ui import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("tunnel", ["http://127.0.0.1:1/", "http://192.0.2.1/"])
def test_without_a_tunnel_share_shows_the_address_in_the_network(tunnel: str, tmp_path) -> None:
    """Refused at once, and never answered: either way within seconds of the page's start."""
    command = [sys.executable, "-u", "-c", SHARED, tunnel, "--share", "--auth", "ada:secret"]
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        began = None
        while process.poll() is None and time.monotonic() < (began or time.monotonic()) + 30:
            text = log.read_text()
            if began is None and "Running on" in text:
                began = time.monotonic()
            if "in this network" in text:
                break
            time.sleep(0.1)
        text = log.read_text()
        found = re.search(r"(http://[\d.]+:\d+/)  \(in this network\)\n\S", text)
        assert found and "█" in text, text
        assert began is not None and time.monotonic() - began < 15
        with pytest.raises(urllib.error.HTTPError, match="401"):  # it is there, and asks who comes
            urllib.request.urlopen(found[1] + "config", timeout=20)
    finally:
        process.terminate()
        process.wait(20)


OLD = (ROOT / "tests/ui/page/links_of_0.1.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("query", OLD, ids=lambda query: query[4:40])
def test_a_link_of_every_kind_that_version_0_1_made_still_opens(query: str) -> None:
    old = dict(links.parse_qsl(query, keep_blank_values=True))
    share = SHARES[old["tab"]]
    values, wrong = share.link.restore(query, WORDS, "en")
    assert not any(sentence.startswith("Left out") for sentence in wrong)
    new = dict(links.parse_qsl(share.link.query(values), keep_blank_values=True))
    changes = {"weights", "mode"}  # with a new training, and with the device
    assert {name: new[name] for name in old if name not in changes} == {
        name: old[name] for name in old if name not in changes
    }
    usual = dict(zip(share.link.names, share.link.restore("", WORDS, "en")[0], strict=True))
    for name in new.keys() - old.keys():  # what can be asked for since
        assert values[share.link.names.index(name)] == usual[name]
