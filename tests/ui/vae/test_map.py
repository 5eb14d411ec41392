"""The VAE's map: its mathematics in the browser against PyTorch, and visits."""

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from browser.pages import (
    DESKTOP,
    PHONE,
    assert_only,
    open_tab,
    painted,
    wait_for_other,
    words,
)
from playwright.sync_api import Browser, Page, expect
from servers import serving
from torch.distributions import Normal

from aigc_demo.explain.decoder import decoder_layers
from aigc_demo.images import strip
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.models.vae import VAE, VAEConfig
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import ENCODED, Models
from aigc_demo.ui.kit.words import static
from aigc_demo.ui.vae import requests as tab
from aigc_demo.weights import BUNDLED, save_model

MODELS = Models(TABS)
PLANE, DECODED, REAL = "#vae-map .plane", "#vae-map .decoded", "#vae-map .real"
CAPTION = "#vae-map .found > :first-child .caption"
browser_test = pytest.mark.browser


def test_the_decoder_is_sent_as_it_is_stored() -> None:
    walker = MODELS.vae()
    layers = decoder_layers(walker)
    state = walker.decoder.state_dict()
    assert layers.bits == 16
    assert layers.sizes == [2, *[len(value) for key, value in state.items() if "bias" in key]]
    sent = torch.frombuffer(bytearray(layers.data), dtype=torch.float16).float()
    assert torch.equal(sent, torch.cat([value.flatten() for value in state.values()]))


def test_single_precision_is_sent_where_half_would_lose(tiny_vae: LatentWalker) -> None:
    layers = decoder_layers(tiny_vae)
    assert (layers.bits, layers.sizes) == (32, [3, 16, 16, 784])
    sent = torch.frombuffer(bytearray(layers.data), dtype=torch.float32)
    stored = [value.flatten() for value in tiny_vae.decoder.state_dict().values()]
    assert torch.equal(sent, torch.cat(stored))


def test_a_decoder_that_convolves_is_refused(tiny_coupled: LatentWalker) -> None:
    with pytest.raises(ValueError, match="expected Linear layers with SiLU between, got Conv2d"):
        decoder_layers(tiny_coupled)


def test_nothing_of_the_map_is_in_the_page_itself() -> None:
    digits, decoder = tab.map_digits(MODELS), tab.map_decoder(MODELS)
    assert digits is not None and decoder is not None
    assert len(digits["points"]) == ENCODED
    assert len(decoder["data"]) == pytest.approx(1.7e6, rel=0.05)  # base64; 1.27 MB of numbers
    from aigc_demo.ui.app import build

    text = str(build().get_config_file())
    assert decoder["data"][:100] not in text and digits["sheet"][:100] not in text


@pytest.fixture(scope="module")
def sums(browser: Browser) -> Iterator[Page]:
    """A blank page that knows the mathematics alone."""
    page = browser.new_page()
    page.add_script_tag(content=static("vae/decode.js"))
    yield page
    page.close()


DECODE = """({sent, points}) => {
  const layers = readDecoder(sent);
  return points.map((point) => Array.from(decode(layers, point)));
}"""


@browser_test
def test_the_browser_decodes_what_the_server_decodes(sums: Page) -> None:
    torch.manual_seed(0)
    reach = tab.REACH
    corners = [[x, y] for x in (-reach, reach) for y in (-reach, reach)]
    points = ((torch.rand(300, 2) * 2 - 1) * reach).tolist() + corners + [[0.0, 0.0]]
    sent = tab.map_decoder(MODELS)
    mine = torch.tensor(sums.evaluate(DECODE, {"sent": sent, "points": points}))
    theirs = MODELS.vae().decode(points).flatten(1)
    assert (mine - theirs).abs().max() < 1e-4  # 1/255 is asked for


@browser_test
def test_single_precision_and_odd_widths_decode_too(sums: Page, tiny_vae: LatentWalker) -> None:
    layers = decoder_layers(tiny_vae)
    sent: dict[str, Any] = {"sizes": layers.sizes, "bits": layers.bits}
    sent["data"] = base64.b64encode(layers.data).decode()
    points = torch.randn(20, 3).tolist()
    mine = torch.tensor(sums.evaluate(DECODE, {"sent": sent, "points": points}))
    torch.testing.assert_close(mine, tiny_vae.decode(points).flatten(1), atol=1e-5, rtol=0)


@browser_test
def test_every_half_precision_number_is_read(sums: Page) -> None:
    expected = torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(torch.float16)
    expected = expected[expected.isfinite()]  # 63,488: a weight is never anything else
    data = base64.b64encode(expected.numpy().astype("<f2").tobytes()).decode()
    sent = {"sizes": [247, 256], "bits": 16, "data": data}  # 248 * 256 numbers
    script = "sent => readDecoder(sent).flatMap(l => [...l.weight, ...l.bias])"
    assert torch.equal(torch.tensor(sums.evaluate(script, sent)), expected.float())


@browser_test
@pytest.mark.parametrize(("x", "y", "half"), [(0.0, 0.0, 3.5), (1.2, -0.4, 0.875)])
def test_the_density_is_the_mean_of_the_posteriors(
    sums: Page, x: float, y: float, half: float
) -> None:
    digits = tab.map_digits(MODELS)
    assert digits is not None
    points, side = digits["points"], 40
    given = {"points": points, "view": {"x": x, "y": y, "half": half}, "side": side}
    mine = sums.evaluate("({points, view, side}) => Array.from(density(points, view, side))", given)
    numbers = torch.tensor(points, dtype=torch.float64)
    edges = torch.linspace(-half, half, side + 1, dtype=torch.float64)[:, None]
    posterior = Normal(numbers[:, :2], numbers[:, 3:])
    columns = posterior.cdf(torch.cat([x + edges, edges + y], 1)[:, None]).diff(dim=0)
    across, down = columns[..., 0], columns[..., 1].flip(0)  # shares of a cell, (side, N) each
    field = down @ across.T / len(points) / (2 * half / side) ** 2
    torch.testing.assert_close(
        torch.tensor(mine).double().view(side, side), field, atol=1e-4, rtol=0
    )
    if half == 3.5:
        assert field.sum() * (7 / side) ** 2 == pytest.approx(0.99, abs=0.01)


def ready(page: Page, by: str = "browser") -> None:
    """Opens the map and waits for what it fetches."""
    open_tab(page, "vae", "map")
    painted(page, DECODED)
    page.locator(f"{PLANE}[data-ready={by}]").wait_for()


def questions(page: Page) -> list[str]:
    """Fills with the events that reach the server from now on."""
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.url) if "queue/join" in request.url else None,
    )
    return asked


def spot(page: Page, x: float, y: float, zoom: int = 1) -> tuple[float, float]:
    """Where a latent point lies on the screen; the view must be centred on 0."""
    box = page.locator(PLANE).bounding_box()
    assert box is not None
    across, down = 0.5 + zoom * x / 7, 0.5 - zoom * y / 7
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def valuetext(page: Page) -> str:
    return page.locator(PLANE).get_attribute("aria-valuetext") or ""


def shown(page: Page, canvas: str) -> torch.Tensor:
    """The grey values of a canvas of one digit."""
    return torch.tensor(
        page.locator(canvas).evaluate(
            """c => Array.from(c.getContext("2d").getImageData(0, 0, 28, 28).data)
              .filter((_, i) => i % 4 == 0)"""
        )
    ).view(28, 28)


def language_of(page: Page) -> str:
    return "zh" if page.title() == words("zh")["page.title"] else "en"


def lonely() -> tuple[int, list[float]]:
    """A test digit without neighbours near the middle of the map: its place and row."""
    digits = tab.map_digits(MODELS)
    assert digits is not None
    places = torch.tensor(digits["points"])[:, :2]
    apart = torch.cdist(places, places).fill_diagonal_(9).min(1).values
    apart[places.abs().max(1).values > 1.6] = 0
    index = int(apart.argmax())
    return index, digits["points"][index]


@browser_test
@pytest.mark.parametrize("visit", [("zh", PHONE)], indirect=True)
def test_a_drag_asks_nothing_until_it_ends(visit: Page) -> None:
    ready(visit)
    visit.locator(PLANE).scroll_into_view_if_needed()
    asked = questions(visit)
    before = painted(visit, DECODED)
    visit.mouse.move(*spot(visit, 0, 0))
    visit.mouse.down()
    for step in range(12):
        visit.mouse.move(*spot(visit, step / 8, -step / 6))
        before = wait_for_other(visit, DECODED, before)
    expect(visit.locator(CAPTION)).to_have_text(re.compile(r"^z = \(1\.\d\d, -1\.\d\d\)$"))
    assert asked == []
    x, y = map(float, re.findall(r"-?\d\.\d\d", valuetext(visit))[:2])
    near = (255 * MODELS.vae().decode([[x, y]])[0]).round()
    assert (shown(visit, DECODED) - near).abs().mean() < 3  # of the rounded point
    visit.mouse.up()
    expect(visit.locator(CAPTION)).to_contain_text(re.compile(r"(judge reads a|裁判认为这是) \d"))
    assert len(asked) == 1
    box = visit.evaluate(
        "() => document.querySelector('#vae-map .plane').getBoundingClientRect().x"
    )
    assert box >= 0
    assert_only(visit, language_of(visit))


@browser_test
@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_the_picture_at_rest_is_the_servers(visit: Page) -> None:
    ready(visit)
    asked = questions(visit)
    visit.locator(PLANE).focus()
    for _ in range(3):
        visit.locator(PLANE).press("ArrowRight")
        expect(visit.locator(CAPTION)).to_contain_text("The judge reads")
    visit.locator(PLANE).press("ArrowUp", delay=300)
    expect(visit.locator(CAPTION)).to_contain_text("The judge reads")
    assert 1 <= len(asked) <= 4
    x = round(round(round(round(-1.4 + 0.14, 3) + 0.14, 3) + 0.14, 3), 3)
    image = MODELS.vae().decode([[x, 0.94]])
    expect(visit.locator(CAPTION)).to_contain_text(f"({x:.2f}, 0.94)")
    assert strip(image).startswith("data:image/png")
    assert torch.equal(shown(visit, DECODED), (255 * image[0]).round().long())

    # Away and back to the very same point: no further question, the same exact answer.
    visit.mouse.move(*spot(visit, 0.5, 0.5))
    visit.mouse.down()
    visit.mouse.move(*spot(visit, 1, 1))
    visit.mouse.up()
    expect(visit.locator(CAPTION)).to_contain_text("The judge reads")
    rest, count = shown(visit, DECODED), len(asked)
    visit.mouse.down()
    visit.mouse.move(*spot(visit, 0.2, -1))
    expect(visit.locator(CAPTION)).not_to_contain_text("judge")
    visit.mouse.move(*spot(visit, 1, 1))
    visit.mouse.up()
    expect(visit.locator(CAPTION)).to_contain_text("The judge reads")
    assert torch.equal(shown(visit, DECODED), rest)
    assert len(asked) == count


@browser_test
@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_density_grid_and_zoom_change_the_plane_without_a_request(visit: Page) -> None:
    ready(visit)
    visit.wait_for_timeout(500)
    asked = questions(visit)
    plain = painted_plane(visit)
    visit.locator("#vae-map .density").check()
    dense = wait_for_other_plane(visit, plain)
    visit.locator("#vae-map .zoom button").nth(2).click()
    wait_for_other_plane(visit, dense)
    visit.locator("#vae-map .density").uncheck()
    visit.locator("#vae-map .zoom button").nth(0).click()
    visit.wait_for_function(
        "before => document.querySelector('#vae-map .plane').toDataURL() === before", arg=plain
    )
    visit.locator("#vae-map .grid").check()
    visit.wait_for_timeout(1500)  # it grows
    mesh = painted_plane(visit)
    assert mesh != plain
    visit.locator("#vae-map .zoom button").nth(1).click()
    visit.wait_for_timeout(1500)
    assert painted_plane(visit) != mesh
    assert asked == []
    assert_only(visit, language_of(visit))


def painted_plane(page: Page) -> str:
    return page.locator(PLANE).evaluate("canvas => canvas.toDataURL()")


def wait_for_other_plane(page: Page, before: str) -> str:
    page.wait_for_function(
        "before => document.querySelector('#vae-map .plane').toDataURL() !== before", arg=before
    )
    return painted_plane(page)


@browser_test
@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_the_grid_shows_what_the_decoder_draws_there(visit: Page) -> None:
    ready(visit)
    visit.locator("#vae-map .grid").check()
    for _ in range(40):  # it grows a few milliseconds a frame, longer on a busy machine
        visit.wait_for_timeout(500)
        width, cell = visit.locator(PLANE).evaluate(CELL)
        margin = (width % 28) // 2
        x = ((margin + 28 * 5.5) / width - 0.5) * 7
        y = (0.5 - (margin + 28 * 11.5) / width) * 7
        expected = (255 * MODELS.vae().decode([[x, y]])[0]).round()
        apart = (torch.tensor(cell).view(28, 28) - expected).abs().max()
        if apart <= 1:
            break
    assert apart <= 1


CELL = """canvas => {
  const margin = Math.floor((canvas.width % 28) / 2);
  const [column, row] = [5, 11];
  const data = canvas.getContext("2d").getImageData(
    margin + 28 * column, margin + 28 * row, 28, 28).data;
  return [canvas.width, Array.from(data).filter((_, i) => i % 4 == 0)];
}"""


@browser_test
@pytest.mark.parametrize("visit", [("zh", PHONE)], indirect=True)
def test_pointing_at_a_test_digit_shows_it(visit: Page) -> None:
    ready(visit)
    index, (x, y, label, *_) = lonely()
    visit.locator(PLANE).scroll_into_view_if_needed()
    caption = visit.locator("#vae-map .about")
    expected = (255 * tab.test_digits()[0][index]).round().long()
    if visit.viewport_size == {"width": PHONE[0], "height": PHONE[1]}:
        visit.touchscreen.tap(*spot(visit, x, y))
    else:
        point = valuetext(visit)
        asked = questions(visit)
        visit.mouse.move(*spot(visit, x, y))
        expect(caption).to_contain_text(re.compile(rf"(real|真实的) {label}\b"))
        assert valuetext(visit)[:17] == point[:17] and asked == []  # the point stays where it is
    expect(caption).to_contain_text(re.compile(rf"(real|真实的) {label}\b"))
    expect(caption).to_contain_text(f"({x:.2f}, {y:.2f})")
    assert torch.equal(shown(visit, REAL), expected)
    assert_only(visit, language_of(visit))


@browser_test
@pytest.mark.parametrize("visit", [("zh", DESKTOP)], indirect=True)
def test_the_key_n_walks_from_test_digit_to_test_digit(visit: Page) -> None:
    ready(visit)
    digits = tab.map_digits(MODELS)
    assert digits is not None
    known = {f"z = ({x:.2f}, {y:.2f})" for x, y, *_ in digits["points"]}
    visit.locator(PLANE).focus()
    seen = []
    for _ in range(6):
        visit.locator(PLANE).press("n")
        expect(visit.locator(PLANE)).to_have_attribute("aria-valuetext", re.compile("真实的"))
        visit.wait_for_timeout(100)
        seen.append(valuetext(visit).split(" · ")[0])
    assert set(seen) <= known
    assert len(set(seen)) >= 5  # not to and fro between two
    expect(visit.locator(CAPTION)).to_contain_text("裁判")
    visit.locator("#vae-map .zoom button").nth(2).click()
    for _ in range(40):  # the view comes along
        visit.locator(PLANE).press("ArrowLeft")
    expect(visit.locator(PLANE)).to_have_attribute("aria-valuetext", re.compile(r"^z = \(-[23]\."))


@pytest.fixture(scope="module")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a map of another architecture."""
    folder = tmp_path_factory.mktemp("other")
    torch.manual_seed(0)
    model = VAE(VAEConfig(latent_size=2, hidden=16, channels=4)).eval()
    save_model(folder / "vae-2d", "vae-2d", "vae", model)
    with serving("--weights", str(folder), "--replace") as url:
        yield url


@browser_test
def test_a_decoder_of_another_kind_is_asked_on_the_server(
    browser: Browser, other_server: str
) -> None:
    page = browser.new_page(locale="en-US", viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(other_server)
    expect(page).to_have_title(words("en")["page.title"])
    ready(page, by="server")
    expect(page.locator("#vae-map .grid")).to_be_hidden()
    asked = questions(page)
    before = painted(page, DECODED)
    page.mouse.move(*spot(page, 0, 0))
    page.mouse.down()
    page.mouse.move(*spot(page, 2, 2))
    wait_for_other(page, DECODED, before)  # while the point is still held
    assert asked
    page.mouse.up()
    expect(page.locator(CAPTION)).to_contain_text(
        re.compile(r"\((1\.9|2\.0)\d, (1\.9|2\.0)\d\)\. The judge")
    )
    assert errors == []
    page.close()


def test_the_map_of_damaged_weights_has_nothing_to_fetch(tmp_path: Path) -> None:
    shutil.copytree(BUNDLED / "vae-2d", tmp_path / "vae-2d")
    weights = tmp_path / "vae-2d/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    models = Models(TABS, tmp_path, replace=True)
    assert tab.map_digits(models) is None
    assert tab.map_decoder(models) is None
