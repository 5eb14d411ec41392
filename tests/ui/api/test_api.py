"""The named endpoints, through gradio_client and plain HTTP, against a real server."""

import http.client
import itertools
import json
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from zlib import compress, crc32

import gradio as gr
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from servers import serving
from tabs import ENDPOINTS

from aigc_demo.explain import transformer as inside
from aigc_demo.images import png
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.prosody import is_regulated, lines_of
from aigc_demo.samples import sample_digits
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.api_files import FORMATS
from aigc_demo.ui.serving.middleware import POLICY, SAFETY


@pytest.fixture(scope="module")
def client(server_url: str) -> Iterator[Client]:
    yield Client(server_url, verbose=False, httpx_kwargs={"timeout": 120})


@pytest.fixture
def seven(tmp_path: Path) -> tuple[str, torch.Tensor]:
    """A file with a real 7, and its pixels."""
    images, labels = sample_digits("test")
    image = images[labels == 7][0]
    (tmp_path / "seven.png").write_bytes(png(image))
    return str(tmp_path / "seven.png"), image


def test_the_named_endpoints_and_no_others_are_public(client: Client) -> None:
    named = client.view_api(return_format="dict")["named_endpoints"]
    assert set(named) == ENDPOINTS
    assert all(endpoint["description"] for endpoint in named.values())


def test_the_page_documents_every_parameter_and_its_code_runs(client: Client, server_url) -> None:
    info = json.loads(get(server_url, "/gradio_api/info"))["named_endpoints"]
    for name, endpoint in info.items():
        assert "Returns: " in endpoint["description"], name
        assert endpoint["parameters"][-1]["parameter_name"] == "lang"
        for parameter in endpoint["parameters"]:
            assert parameter["label"] == parameter["parameter_name"]
            assert parameter["python_type"]["description"], (name, parameter)
            assert parameter["python_type"]["type"] not in ("Any", ""), (name, parameter)
        assert all(given["python_type"]["type"] != "Any" for given in endpoint["returns"]), name
        code = endpoint["code_snippets"]
        scope: dict = {"print": lambda result: None}
        patient = '", verbose=False, httpx_kwargs={"timeout": 120})\nresult'
        exec(code["python"].replace('")\nresult', patient), scope)
        assert scope["result"], name
        json.loads(re.search(r"-d '(.*?)' ", code["bash"], re.S)[1])


def test_gan_sample_draws_what_the_library_draws(client: Client) -> None:
    path = client.predict("gan", "2026", 4, 11, 1.0, api_name="/gan_sample")
    expected = DigitSampler.load().sample([11, 12, 13, 14], [2, 0, 2, 6])
    with Image.open(path) as image:
        assert image.size == (4 * 28 * 4, 28 * 4)
        small = image.resize((4 * 28, 28), Image.Resampling.NEAREST)
    pixels = torch.tensor(list(small.get_flattened_data())).view(28, 4, 28).transpose(0, 1)
    assert (pixels - (expected * 255).round()).abs().max() <= 1


def test_the_other_gan_and_the_other_vae_answer_too(client: Client) -> None:
    path = client.predict("gan-mlp", "mixed", 2, 11, 1.0, api_name="/gan_sample")
    expected = DigitSampler.load("gan-mlp").sample([11, 12])
    with Image.open(path) as image:
        small = image.resize((2 * 28, 28), Image.Resampling.NEAREST)
    pixels = torch.tensor(list(small.get_flattened_data())).view(28, 2, 28).transpose(0, 1)
    assert (pixels - (expected * 255).round()).abs().max() <= 1
    morphed = client.predict("gan-mlp", 3, 8, 0, 1, 6, api_name="/gan_morph")
    with Image.open(morphed) as image:
        assert image.n_frames == 10
    decoded = client.predict("vae", [0.0] * 32, api_name="/vae_decode")
    expected = LatentWalker.load("vae").decode([[0.0] * 32])[0]
    with Image.open(decoded) as image:
        pixels = torch.tensor(list(image.get_flattened_data())).view(28, 28)
    assert (pixels - (expected * 255).round()).abs().max() <= 1


def test_a_regulated_verse_with_acrostic_comes_by_name(client: Client) -> None:
    poem = client.predict("七律", "", "", "春江花月", True, 0.8, 5, api_name="/poem_write")
    assert [line[0] for line in poem.split("\n")[:4]] == list("春江花月")
    assert is_regulated(lines_of(poem))


def test_gan_morph_is_an_animation(client: Client) -> None:
    path = client.predict("gan", 3, 8, 0, 1, 6, api_name="/gan_morph")
    with Image.open(path) as image:
        assert image.n_frames == 2 * 6 - 2


def test_gan_realness_hears_discriminator_and_judge(client: Client, seven) -> None:
    path, image = seven
    answer = client.predict(handle_file(path), api_name="/gan_realness")
    assert max(range(10), key=answer["probabilities"].__getitem__) == 7
    score = DigitSampler.load().realness(image[None], [7]).item()
    assert answer["score"] == pytest.approx(score, 1e-3)


def test_vae_endpoints_agree_with_the_library(client: Client, seven) -> None:
    path, image = seven
    walker = LatentWalker.load()
    mean, deviation = walker.encode(image[None])
    numbers, rebuilt = client.predict("vae-2d", handle_file(path), api_name="/vae_encode")
    assert numbers["mean"] == pytest.approx(mean[0].tolist(), abs=1e-4)
    assert numbers["standard_deviation"] == pytest.approx(deviation[0].tolist(), abs=1e-4)
    decoded = client.predict("vae-2d", mean[0].tolist(), api_name="/vae_decode")
    with Image.open(rebuilt) as one, Image.open(decoded) as other:
        assert one.size == (28, 28)
        assert list(one.get_flattened_data()) == list(other.get_flattened_data())
    strip, film = client.predict("vae-2d", [-1, 0], [1, 0], 5, api_name="/vae_walk")
    with Image.open(strip) as image_strip, Image.open(film) as animated:
        assert image_strip.size == (5 * 28, 28)
        assert animated.n_frames == 8


def test_text_and_poems_stream_and_end_like_the_library(client: Client) -> None:
    job = client.submit("shakespeare", "ROMEO:\n", 40, 0.8, 0, 1.0, 1.0, 5, api_name="/text_write")
    text = job.result()
    assert text == TextWriter.load().write("ROMEO:\n", 40, temperature=0.8, seed=5)
    assert all(text.startswith(piece) for piece in job.outputs())
    poem = client.predict("五绝", "江雪", "", "", True, 0.9, 5, api_name="/poem_write")
    poet, settings = TextWriter.load("poems"), {"temperature": 0.9, "top_p": 0.9, "seed": 5}
    assert poem == poet.poem("五绝", "江雪", guidance=2, **settings)
    lines = client.predict("白日依山尽", 2, 0.9, 5, api_name="/couplet_write").split("\n")
    assert lines == [poet.couplet("白日依山盡", **{**settings, "seed": seed}) for seed in (5, 6)]


def test_text_candidates_and_attention_are_the_models_own(client: Client) -> None:
    writer = TextWriter.load()
    assert client.predict(length=9, api_name="/text_write") == TextWriter.load().write(
        "ROMEO:\n", 9, temperature=0.8, top_p=0.95, seed=0
    )
    poem = client.predict(model="poems", api_name="/text_attention")
    assert poem["tokens"][-1] == "春"
    table = client.predict("shakespeare", "ROMEO:\nWh", 0.7, 5, 0.9, api_name="/text_candidates")
    logs = writer.log_probabilities("ROMEO:\nWha") / 0.7
    first = next(row for row in table if row["token"] == "a")
    assert 1 <= len(table) <= 5
    assert sum(row["probability"] for row in table) == pytest.approx(1, abs=1e-5)
    shares = [row["probability"] for row in table]
    assert shares == sorted(shares, reverse=True)
    other = next(row["token"] for row in table if row["token"] != "a")
    ratio = logs[-1] - writer.log_probabilities(f"ROMEO:\nWh{other}")[-1] / 0.7
    share = next(row["probability"] for row in table if row["token"] == other)
    assert first["probability"] / share == pytest.approx(ratio.exp().item(), 1e-3)
    found = client.predict("poems", "床前明月光", 2, 3, api_name="/text_attention")
    poet = TextWriter.load("poems")
    weights = inside.trace(poet, inside.read(poet, "床前明月光").ids).weights[1, 2]
    assert torch.tensor(found["weights"]) == pytest.approx(weights, abs=1e-4)
    assert found["tokens"][-1] == "光" and len(found["tokens"]) == len(weights)


BAD = [
    ("/gan_sample", ("nobody", "mixed", 4, 0, 1.0), "Model: please choose one of gan"),
    ("/gan_sample", ("../../etc", "mixed", 4, 0, 1.0), "Model: please choose one of gan"),
    ("/gan_sample", ("gan", "mixed", 65, 0, 1.0), "How many: please give a number from 1 to 64"),
    ("/gan_sample", ("gan", "mixed", "4", 0, 1.0), "How many"),
    ("/gan_sample", ("gan", "12x", 4, 0, 1.0), "0 to 9 only"),
    ("/gan_sample", ("gan", [3, 11], 4, 0, 1.0), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
    ("/gan_sample", ("gan", "mixed", 4, -1, 1.0), "Seed"),
    ("/gan_sample", ("gan", "mixed", 4, 10**400, 1.0), "Seed"),
    ("/gan_sample", ("gan", "mixed", 4, 0, 2.0), "Truncation"),
    ("/gan_sample", ("gan-mlp", "2026", 4, 0, 1.0), "knows no classes"),
    ("/gan_morph", ("gan", 3, 10, 0, 1, 6), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
    ("/gan_realness", ("data:image/png;base64,####",), "give a picture"),
    ("/gan_realness", ({"path": "/etc/passwd"},), "give a picture"),
    ("/vae_encode", ("vae-2d", 5), "give a picture"),
    ("/vae_decode", ("vae", [0.0, 0.0]), "latent point of 32 numbers"),
    ("/vae_decode", ("vae-2d", [0.0]), "latent point of 2 numbers"),
    ("/vae_decode", ("vae-2d", ["a", "b"]), "Latent point"),
    ("/vae_walk", ("vae-2d", [0, 0], [0, 1e9], 5), "Latent point"),
    ("/text_write", ("shakespeare", "\u200b", 4, 0.8, 0, 1.0, 1.0, 5), "at least one character"),
    (
        "/text_write",
        ("shakespeare", "你", 4, 0.8, 0, 1.0, 1.0, 5),
        "vocabulary (poems: Chinese only): 你",
    ),
    ("/text_write", ("shakespeare", "A", 4, 9.0, 0, 1.0, 1.0, 5), "Temperature"),
    ("/poem_write", ("八绝", "", "", "", True, 0.9, 5), "Form: please choose one of 五绝"),
    ("/poem_write", ("七绝", "", "", "", "yes", 0.9, 5), "please switch it on or off"),
    ("/couplet_write", ("白日依山", 5, 0.9, 5), "five or seven Chinese characters; this one has 4"),
    ("/couplet_write", ("白日依山尽", 9, 0.9, 5), "a number from 1 to 8"),
    ("/text_candidates", ("shakespeare", "\u200b", 1.0, 0, 1.0), "at least one character"),
    ("/text_attention", ("shakespeare", "A", 99, 1), "The layer: please give a number from 1 to 6"),
    ("/gan_sample", ("gan", "mixed", 4, 0, 1.0, "fr"), "Language: please choose one of zh, en"),
]


@pytest.mark.parametrize(("endpoint", "values", "sentence"), BAD)
def test_bad_input_gets_one_english_sentence(client: Client, endpoint, values, sentence) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(*values, api_name=endpoint)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value).strip()


def test_lang_says_in_which_language(client: Client) -> None:
    for lang, sentence in (("en", "How many: please"), ("zh", "个数：请填 1 到 64")):
        with pytest.raises(AppError, match=sentence):
            client.predict(count=65, lang=lang, api_name="/gan_sample")


def post(url: str, path: str, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlparse(url).netloc, timeout=60)
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def get(url: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(urlparse(url).netloc, timeout=60)
    connection.request("GET", path)
    return connection.getresponse().read()


def ask(url: str, name: str, values: list) -> tuple[str, object]:
    """The last event of a call by plain HTTP: its kind and its data."""
    asked = json.dumps({"data": values, "session_hash": "asking"}).encode()  # one session: faster
    status, body = post(url, f"/gradio_api/call/{name}", asked)
    assert status == 200, body
    events = get(url, f"/gradio_api/call/{name}/{json.loads(body)['event_id']}").decode()
    kind, data = re.findall(r"event: (\w+)\ndata: (.*)", events)[-1]
    return kind, json.loads(data)


JUNK = [None, True, "", "x", "\ud800", "x" * 5_000, [], [None], {}, {"path": "/etc/passwd"}]
JUNK += [-1, 1.5, 1e308, 10**30, "3"]
QUICK = {"length": 5, "count": 2, "steps": 3}


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
def test_junk_in_any_parameter_gets_one_sentence(client: Client, server_url, name) -> None:
    """An answer where the value happens to be right, else one sentence; never HTTP 500."""
    parameters = client.view_api(return_format="dict")["named_endpoints"][name]["parameters"]
    usual = {
        each["parameter_name"]: each["parameter_default"] or each["example_input"]
        for each in parameters
    }
    usual |= {key: value for key, value in QUICK.items() if key in usual}
    languages = itertools.cycle(("en", "zh"))
    for parameter, value in itertools.product(usual, JUNK):
        values = {**usual, "lang": next(languages), parameter: value}
        kind, answer = ask(server_url, name.strip("/"), list(values.values()))
        if kind == "complete":
            assert answer, (parameter, value)
            continue
        sentence = answer["error"]
        assert isinstance(sentence, str) and 8 < len(sentence) < 300, (parameter, value)
        assert "\n" not in sentence and "Traceback" not in sentence, (parameter, value, sentence)
        chinese = any("㐀" <= c <= "鿿" for c in re.sub("[五七][绝律]", "", sentence))
        assert chinese == (values["lang"] == "zh"), (parameter, value, sentence)


WRONG = [
    ("nobody", b'{"data": []}', 404, "expected one of the endpoints gan_sample, "),
    ("v2/nobody", b"{}", 404, "expected one of the endpoints gan_sample, "),
    ("nobody", b'{"fn_index": 0, "data": []}', 404, "expected one of the endpoints gan_sample, "),
    ("vae_decode", b"[1]", 422, "expected an object with a list"),
    ("vae_decode", b'{"data": 5}', 422, "expected an object with a list"),
    ("vae_decode", b"{", 422, "expected JSON"),
    ("vae_decode", b"[" * 100_000, 422, "expected JSON"),
    ("vae_decode", b'{"data": [1, 2, 3, 4]}', 422, "expected at most 3 values, got 4"),
    ("v2/vae_decode", b'{"y": 1}', 422, "expected arguments of model, z, lang, got 'y'"),
]


@pytest.mark.parametrize(("call", "body", "status", "sentence"), WRONG)
def test_a_call_of_the_wrong_form_gets_a_sentence(server_url, call, body, status, sentence) -> None:
    found, answer = post(server_url, f"/gradio_api/call/{call}", body)
    assert found == status
    assert sentence in json.loads(answer)["detail"]


def test_what_is_left_out_gets_its_default(server_url: str) -> None:
    status, body = post(server_url, "/gradio_api/call/vae_walk", b'{"data": ["vae"]}')
    event = json.loads(body)["event_id"]
    assert status == 200
    assert "32 numbers" in get(server_url, f"/gradio_api/call/vae_walk/{event}").decode()
    assert ask(server_url, "vae_encode", [])[1]["error"].startswith("Model: please choose")
    status, body = post(server_url, "/gradio_api/call/v2/gan_sample", b'{"lang": "zh", "count": 0}')
    event = json.loads(body)["event_id"]
    answer = get(server_url, f"/gradio_api/call/gan_sample/{event}").decode()
    assert status == 200 and "个数" in json.loads(answer.split("data: ")[1])["error"]


def test_plain_http_works_and_a_huge_body_is_refused(server_url: str) -> None:
    data = json.dumps({"data": ["vae-2d", [0.5, 0.5]]}).encode()
    status, body = post(server_url, "/gradio_api/call/vae_decode", data)
    assert status == 200 and "event_id" in json.loads(body)
    huge = json.dumps({"data": ["x" * 300_000]}).encode()
    status, body = post(server_url, "/gradio_api/call/text_write", huge)
    assert status == 413 and b"256 kB" in body
    photograph = json.dumps({"data": ["data:image/png;base64," + "A" * 24_000_000]}).encode()
    status, body = post(server_url, "/gradio_api/call/vae_encode", photograph)
    assert status == 413 and b"256 kB" in body


def test_every_answer_says_what_the_page_never_does(server_url: str) -> None:
    """The exceptions, each with its reason, stand beside POLICY; a new one belongs there."""
    address = urlparse(server_url).netloc
    for method, path in (("GET", "/"), ("GET", "/gradio_api/info"), ("GET", "/none"), ("PUT", "/")):
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request(method, path)
        answer = connection.getresponse()
        answer.read()
        assert {name: answer.headers.get_all(name) for name in SAFETY} == {
            name: [value] for name, value in SAFETY.items()
        }
    allowed = set(" ".join(POLICY.values()).split())
    assert allowed == {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}
    assert "'unsafe" not in POLICY["default-src"] + POLICY["connect-src"] + POLICY["object-src"]


@pytest.mark.browser
def test_a_script_of_another_origin_is_not_run(browser: Browser, server_url: str) -> None:
    with serving() as stranger:
        page = browser.new_page()
        page.goto(server_url)
        blocked = page.evaluate(
            """(address) => new Promise((found) => {
              document.addEventListener("securitypolicyviolation", (e) => found(e.blockedURI));
              const script = document.createElement("script");
              script.src = address + "gradio_api/info";
              document.body.append(script);
            })""",
            stranger,
        )
        assert blocked.startswith(stranger)
        page.close()


@pytest.mark.parametrize("path", ["/gradio_api/run/upload", "/gradio_api/call/upload", "/upload"])
def test_a_huge_body_is_refused_wherever_the_path_ends_in_upload(server_url: str, path) -> None:
    status, body = post(server_url, path, b'{"data": [' + b"[]," * 200_000 + b"0]}")
    assert status == 413 and b"256 kB" in body


def test_an_upload_has_a_limit_before_it_is_read(server_url: str) -> None:
    path, form = "/gradio_api/upload", {"Content-Type": "multipart/form-data; boundary=x"}
    address = urlparse(server_url).netloc
    for headers, body in (
        ({**form, "Content-Length": str(40 * 2**20)}, b"x" * 3 * 2**20),  # the rest never comes
        (form, iter([b"--x\r\n"] * 3)),  # of unknown size
    ):
        connection = http.client.HTTPConnection(address, timeout=60)
        try:
            connection.request("POST", path, body=body, headers=headers)
            answer = connection.getresponse()
            assert answer.status == 413 and b"16 MB" in answer.read()
        finally:
            connection.close()


def test_nan_sent_as_raw_json_is_answered_with_a_sentence(server_url: str) -> None:
    status, body = post(
        server_url, "/gradio_api/call/vae_decode", b'{"data": ["vae-2d", [NaN, 0.0]]}'
    )
    if status == 200:  # the server read it: then the endpoint must refuse it
        event = json.loads(body)["event_id"]
        connection = http.client.HTTPConnection(urlparse(server_url).netloc, timeout=60)
        connection.request("GET", f"/gradio_api/call/vae_decode/{event}")
        assert b"Latent point" in connection.getresponse().read()
    else:
        assert status in (400, 422)


@pytest.mark.browser
def test_the_page_shows_what_each_parameter_is(page: Page, server_url: str) -> None:
    page.goto(server_url)
    page.get_by_role("button", name="Use via API").click()
    panel = page.locator(".api-docs")
    expect(panel.get_by_text(f"{len(ENDPOINTS)} API endpoints")).to_be_visible(timeout=30_000)
    expect(panel).to_contain_text("Draw digits. Returns: A grid of digits, 8 a row, as a PNG.")
    expect(panel).to_contain_text("a whole number from 0; digit i has seed + i.")
    expect(panel).not_to_contain_text("Any Default")


TOLD = Words().table["en"]
LABELS = {
    "truncation": TOLD["gan.truncation"]["label"],
    "steps": TOLD["flow.steps"]["label"],
    "guidance": TOLD["flow.guidance"]["label"],
    "by title": TOLD["transformer.guidance"]["label"],
    **{
        name: TOLD[f"transformer.{name}"]["label"]
        for name in ("temperature", "top_p", "penalty", "top_k")
    },
}


def test_page_api_and_command_begin_with_the_same_settings() -> None:
    """The same seed then makes the same digits, text and poem by each of the three."""
    import inspect

    from aigc_demo.cli import parser_of_commands
    from aigc_demo.names import (
        FLOW_STEPS,
        GAP_STEPS,
        GUIDANCE,
        POEM_TOP_P,
        TEMPERATURE,
        TITLE_GUIDANCE,
        TOP_P,
        TRUNCATION,
    )
    from aigc_demo.ui.app import build
    from aigc_demo.ui.flow.api import FlowEndpoints
    from aigc_demo.ui.gan.api import GANEndpoints
    from aigc_demo.ui.transformer.api import TextEndpoints

    def defaults(endpoint: Any) -> dict[str, Any]:
        parameters = inspect.signature(endpoint).parameters.values()
        return {one.name: one.default for one in parameters}

    sliders = [one for one in build().blocks.values() if isinstance(one, gr.Slider)]
    page = {label: [s.value for s in sliders if s.label == label] for label in LABELS.values()}
    told = vars(parser_of_commands().parse_args(["sample", "gan"]))
    for endpoint in (GANEndpoints.gan_sample, GANEndpoints.gan_morph):
        assert defaults(endpoint)["truncation"] == TRUNCATION
    assert page[LABELS["truncation"]] == [TRUNCATION] and told["truncation"] == TRUNCATION
    for endpoint in (FlowEndpoints.flow_sample, FlowEndpoints.flow_path):
        found = defaults(endpoint)
        assert (found["steps"], found["guidance"]) == (FLOW_STEPS, GUIDANCE)
    found = defaults(TextEndpoints.text_fill)
    assert (found["steps"], found["temperature"]) == (GAP_STEPS, TEMPERATURE)
    assert told["steps"] is None and told["guidance"] is None  # each family has its own
    assert set(page[LABELS["steps"]]) == {FLOW_STEPS, GAP_STEPS}
    assert set(page[LABELS["guidance"]]) == {GUIDANCE}
    for endpoint, top_p in (
        (TextEndpoints.text_write, TOP_P),
        (TextEndpoints.poem_write, POEM_TOP_P),
    ):
        found = defaults(endpoint)
        assert (found["temperature"], found["top_p"]) == (TEMPERATURE, top_p)
        assert (found["top_k"], found["penalty"]) == (0, 1)
    assert defaults(TextEndpoints.poem_write)["guidance"] == TITLE_GUIDANCE
    assert page[LABELS["by title"]] == [TITLE_GUIDANCE]
    assert defaults(TextEndpoints.couplet_write)["temperature"] == TEMPERATURE
    assert page[LABELS["temperature"]] == [TEMPERATURE] * 4 and told["temperature"] == TEMPERATURE
    assert page[LABELS["top_p"]] == [TOP_P, POEM_TOP_P]
    assert page[LABELS["penalty"]] == [1, 1] and told["penalty"] == 1
    assert page[LABELS["top_k"]] == [0, 0] and told["top_k"] is None


def test_the_command_writes_what_page_and_api_write(capsys: pytest.CaptureFixture) -> None:
    from aigc_demo.cli import main
    from aigc_demo.names import POEM_TOP_P, TEMPERATURE, TITLE_GUIDANCE, TOP_P

    assert main(["sample", "poems", "--form", "五绝", "--title", "江雪", "--seed", "5"]) == 0
    poem = TextWriter.load("poems").poem(
        "五绝",
        "江雪",
        temperature=TEMPERATURE,
        top_p=POEM_TOP_P,
        seed=5,
        guidance=TITLE_GUIDANCE,
    )
    assert capsys.readouterr().out.strip() == poem
    assert main(["sample", "shakespeare", "--length", "30", "--seed", "5"]) == 0
    text = TextWriter.load().write("ROMEO:\n", 30, temperature=TEMPERATURE, top_p=TOP_P, seed=5)
    assert capsys.readouterr().out == f"ROMEO:\n{text}\n"


FILE_OBJECTS = (
    "/etc/passwd",
    "../../etc/passwd",
    "file:///etc/passwd",
    "gopher://127.0.0.1:1/x",
    "a\0b",
    "\ud800",
    "a" * 5000,
    None,
    "{listens}",
)


@pytest.mark.parametrize("path", FILE_OBJECTS)
@pytest.mark.parametrize("meta", [{"_type": "gradio.FileData"}, None])
def test_a_file_that_was_not_uploaded_is_refused_and_not_fetched(server_url, path, meta) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        if path == "{listens}":
            path = f"http://127.0.0.1:{trap.getsockname()[1]}/x"
        file: Any = {"path": path, "meta": meta}
        value = {"x": [file]} if meta else file
        named = json.dumps({"data": [value]}).encode()
        number, count = an_event(server_url)
        event = {"fn_index": number, "data": [value] * count, "session_hash": "files"}
        for way, body in (
            ("call/text_write", named),
            ("call/vae_encode", json.dumps({"data": ["vae", value]}).encode()),
            ("call/v2/vae_encode", json.dumps({"picture": value}).encode()),
            ("queue/join", json.dumps(event).encode()),
        ):
            status, answer = post(server_url, f"/gradio_api/{way}", body)
            assert status == 422 and b"a file that was uploaded" in answer
        trap.settimeout(0.1)
        with pytest.raises(TimeoutError):
            trap.accept()


def an_event(server_url: str) -> tuple[int, int]:
    """The number of one of the page's own events, and how many values it takes."""
    events = json.loads(get(server_url, "/config"))["dependencies"]
    return next((e["id"], len(e["inputs"])) for e in events if e["backend_fn"] and e["inputs"])


@pytest.mark.parametrize(
    "wrong",
    [
        '"event_data": NaN',
        '"event_data": {"x": [-Infinity]}',
        '"event_data": 1e400',
        r'"event_data": "\ud800"',
        r'"trigger_id": "\udc00"',
        '"trigger_id": NaN',
        '"trigger_id": "x"',
        '"fn_index": 99999',
        '"fn_index": -1',
        '"fn_index": true',
        '"data": []',
        '"data": [null, null, null, null, null, null, null, null, null]',
        '"data": {}',
        '"data": [NaN]',
        '"data": ' + "[" * 90_000 + "]" * 90_000,
    ],
)
def test_a_private_event_with_nonsense_is_refused_with_a_sentence(server_url, wrong) -> None:
    number, count = an_event(server_url)
    rest = {"data": [None] * count, "fn_index": number, "session_hash": "nonsense"}
    rest.pop(json.loads("{" + wrong.split(":")[0] + ":0}").popitem()[0], None)
    body = json.dumps(rest)[:-1] + f", {wrong}}}"
    status, answer = post(server_url, "/gradio_api/queue/join", body.encode())
    assert status == 422 and len(json.loads(answer)["detail"]) > 0


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/x+json", "a/b", ""]
)
def test_no_kind_of_body_is_exempt(server_url: str, kind: str) -> None:
    number, count = an_event(server_url)
    file = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    event = {"fn_index": number, "data": [None] * count, "session_hash": "kinds", "event_data": 0}
    for path, body in (
        ("call/vae_encode", json.dumps({"data": ["vae", file]})),
        ("run/vae_encode", json.dumps({"data": ["vae", file]})),
        ("queue/join", json.dumps({**event, "data": [file] * count})),
        ("queue/join", json.dumps(event).replace('"event_data": 0', '"event_data": NaN')),
        ("run/nobody", json.dumps({"data": [], "session_hash": "kinds"})),
    ):
        connection = http.client.HTTPConnection(urlparse(server_url).netloc, timeout=60)
        headers = {"Content-Type": kind} if kind else {}
        connection.request("POST", f"/gradio_api/{path}", body, headers)
        answer = connection.getresponse()
        assert answer.status == (404 if path == "run/nobody" else 422)
        assert len(json.loads(answer.read())["detail"]) > 0


def test_an_uploaded_file_is_taken_by_its_path(server_url: str) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    picture = png(torch.zeros(28, 28))
    connection = http.client.HTTPConnection(urlparse(server_url).netloc, timeout=60)
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    connection.request("POST", "/gradio_api/upload", form + picture + b"\r\n--x--\r\n", headers)
    (path,) = json.loads(connection.getresponse().read())
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    body = json.dumps({"data": ["vae-2d", file]}).encode()
    assert post(server_url, "/gradio_api/call/vae_encode", body)[0] == 200
    file["path"] = f"{path}/../../../etc/passwd"
    body = json.dumps({"data": ["vae-2d", file]}).encode()
    assert post(server_url, "/gradio_api/call/vae_encode", body)[0] == 422


def png_of_nothing(side: int) -> bytes:
    """A PNG of side x side black pixels, one bit each: 13,300 squared are 22 kB."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = compress((b"\0" + bytes(-(-side // 8))) * side, 9)
    parts = part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def unfolding() -> dict[str, bytes]:
    """Small files whose pictures are gigantic: by themselves, and inside icons."""
    inner = png_of_nothing(13_300)
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(inner), 22)
    block = b"ic10" + struct.pack(">I", 8 + len(inner)) + inner
    return {
        "large.png": inner,
        "large.ico": struct.pack("<HHH", 0, 1, 1) + entry + inner,
        "large.icns": b"icns" + struct.pack(">I", 8 + len(block)) + block,
    }


OPENING = """
import resource, sys, warnings
from pathlib import Path
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.page import api_files

warnings.simplefilter("ignore")
api_files.get_upload_folder = lambda: sys.argv[1]
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        api_files.picture_of({"path": str(path)})
    except UserError as error:
        print(path.name, error.key)
print(peak() - before)
"""


def test_a_picture_that_unfolds_is_refused_before_it_does(tmp_path: Path) -> None:
    for name, data in unfolding().items():
        (tmp_path / name).write_bytes(data)
    command = [sys.executable, "-c", OPENING, str(tmp_path)]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert found[:-1] == [
        *("large.icns", "error.picture", "large.ico", "error.picture"),
        *("large.png", "error.large_picture"),
    ]
    assert int(found[-1]) < 20_000  # kB


@pytest.mark.parametrize("kind", FORMATS)
def test_each_promised_kind_of_picture_is_read(server_url: str, tmp_path: Path, kind: str) -> None:
    image = Image.new("L", (56, 56))
    image.paste(255, (24, 8, 32, 48))
    image.save(path := tmp_path / f"one.{kind.lower()}", format=kind)
    numbers, _ = Client(server_url, verbose=False).predict(
        "vae-2d", handle_file(path), api_name="/vae_encode"
    )
    assert len(numbers["mean"]) == 2
