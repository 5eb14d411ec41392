"""The laboratory: its mathematics against PyTorch, and visits in a browser."""

import re
from collections.abc import Iterator

import pytest
import torch
from browser.pages import DESKTOP, assert_only, drag, open_tab, painted, switch, words
from planes import STATIC, flatten, modules, same
from playwright.sync_api import Browser, Page, expect
from torch import Tensor, nn
from torch.nn import functional as F

pytestmark = pytest.mark.browser
LOSSES = ["minimax", "saturating_not", "squares", "wasserstein", "relativistic"]
PLANE = "#lab .plane"


@pytest.fixture(scope="module")
def net(browser: Browser) -> Iterator[Page]:
    """A blank page that knows the mathematics alone."""
    page = browser.new_page()
    for name in ("net.js", "points.js", "gan.js"):
        page.add_script_tag(path=STATIC / name)
    yield page
    page.close()


def loss_of_d(loss: str, D: nn.Module, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Written down from the papers, not from the script."""
    r, f = D(real)[:, 0], D(fake)[:, 0]
    if loss in ("minimax", "saturating_not"):
        return F.binary_cross_entropy_with_logits(
            r, torch.ones_like(r)
        ) + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))
    if loss == "squares":
        return (F.mse_loss(r, torch.ones_like(r)) + f.square().mean()) / 2
    if loss == "relativistic":
        return -F.logsigmoid(r - f).mean()
    between = (mix * real + (1 - mix) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
    return f.mean() - r.mean() + 0.1 * (slope.norm(dim=1) - 1).square().mean()


def loss_of_g(loss: str, D: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    r, f = D(real)[:, 0], D(fake)[:, 0]
    return {
        "minimax": torch.log1p(-f.sigmoid()).mean(),
        "saturating_not": -f.sigmoid().log().mean(),
        "squares": (f - 1).square().mean() / 2,
        "wasserstein": -f.mean(),
        "relativistic": -(f - r).sigmoid().log().mean(),
    }[loss]


STEPS = """({loss, layers, steps}) => {
  const shape = {loss, layers, width: 16, seed: 5, data: "ring", drawn: []};
  const game = new Game({...shape, rateD: 0.01, rateG: 0.003, turns: 1});
  const list = (values) => Array.from(values);
  const start = {D: list(game.D.theta), G: list(game.G.theta)};
  const taken = [];
  for (let i = 0; i < steps; i++) {
    const batches = [game.batch(), game.batch()];
    const gradients = [list(game.learnD(batches[0])), list(game.learnG(batches[1]))];
    taken.push({
      batches: batches.map((batch) =>
        Object.fromEntries(Object.entries(batch).map(([name, values]) => [name, list(values)]))),
      gradients,
      losses: [game.lossD, game.lossG],
      D: list(game.D.theta),
      G: list(game.G.theta),
    });
  }
  return {start, taken};
}"""


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_steps_of_d_and_g_are_those_of_pytorch(net: Page, loss: str, layers: int) -> None:
    run = net.evaluate(STEPS, {"loss": loss, "layers": layers, "steps": 3})
    D = modules(layers, 16, 1, run["start"]["D"])
    G = modules(layers, 16, 2, run["start"]["G"])
    of_d = torch.optim.Adam(D.parameters(), 0.01, betas=(0.5, 0.99))
    of_g = torch.optim.Adam(G.parameters(), 0.003, betas=(0.5, 0.99))
    for taken in run["taken"]:
        for k, (model, optimizer) in enumerate([(D, of_d), (G, of_g)]):
            batch = {
                name: torch.tensor(values, dtype=torch.float64).view(64, -1)
                for name, values in taken["batches"][k].items()
            }
            fake = G(batch["noise"])
            if model is D:
                value = loss_of_d(loss, D, batch["real"], fake.detach(), batch["mix"])
            else:
                value = loss_of_g(loss, D, batch["real"], fake)
            optimizer.zero_grad()
            value.backward()
            same(taken["losses"][k], value.detach())
            same(taken["gradients"][k], flatten(model, gradient=True))
            optimizer.step()
            same(taken["DG"[k]], flatten(model))


def test_the_energy_distance_is_that_of_its_definition(net: Page) -> None:
    a, b = torch.randn(50, 2).double(), torch.randn(70, 2).double() * 2 + 1
    distance = "([a, b]) => energyDistance(Float64Array.from(a), Float64Array.from(b))"
    ours = net.evaluate(distance, [a.flatten().tolist(), b.flatten().tolist()])
    between, within = torch.cdist(a, b).mean(), torch.cdist(a, a).mean() + torch.cdist(b, b).mean()
    assert ours == pytest.approx((2 * between - within).sqrt().item(), rel=1e-6)
    assert net.evaluate(distance, [a.flatten().tolist()] * 2) == 0


def test_a_seed_repeats_a_run_and_another_gives_another(net: Page) -> None:
    values = {"loss": "wasserstein", "layers": 2, "steps": 5}
    first = net.evaluate(STEPS, values)
    assert net.evaluate(STEPS, values) == first
    assert net.evaluate(STEPS.replace("seed: 5", "seed: 6"), values) != first


def test_the_data_lie_within_the_plane_and_noise_fills_its_square(net: Page) -> None:
    for name in ("ring", "moons", "spiral", "grid", "gaussian"):
        drawn = f"Array.from(drawData('{name}', seeded(1), 2000, []))"
        points = torch.tensor(net.evaluate(drawn)).view(-1, 2)
        assert 0.3 < points.abs().max() < 1.6
        assert points.std(0).min() > 0.2
    own = torch.tensor(net.evaluate("Array.from(drawData('own', seeded(1), 500, [0.5, -0.5]))"))
    assert (own.view(-1, 2).mean(0) - torch.tensor([0.5, -0.5])).abs().max() < 0.01
    noise = torch.tensor(net.evaluate("Array.from(drawNoise(seeded(1), 2000))"))
    assert noise.abs().max() <= 1 and abs(noise.mean()) < 0.05
    assert noise.std().item() == pytest.approx(3**-0.5, abs=0.02)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_brings_g_near_the_data(net: Page, loss: str) -> None:
    before, after = net.evaluate(
        """(loss) => {
          const { rates, turns } = LOSSES[loss];
          const game = new Game({loss, layers: 2, width: 16, seed: 1, data: "moons", drawn: [],
            rateD: rates[0], rateG: rates[1], turns});
          const random = seeded(9);
          const [real, noise] = [drawData("moons", random, 200, []), drawNoise(random, 200)];
          const distance = () => energyDistance(real, output(game.G, noise));
          const before = distance();
          for (let i = 0; i < 600; i++) game.advance("both");
          return [before, distance()];
        }""",
        loss,
    )
    assert after < 0.6 * before


def step_of(page: Page) -> int:
    return int(page.locator(PLANE).get_attribute("data-step") or -1)


def press(page: Page, name: str) -> None:
    page.locator(f"#lab [data-do={name}]").click()


def wait_for_step(page: Page, step: int) -> None:
    page.wait_for_function(
        "([plane, step]) => Number(document.querySelector(plane).dataset.step) >= step",
        arg=[PLANE, step],
    )


@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_a_visitor_trains_a_gan_without_a_request(visit: Page) -> None:
    open_tab(visit, "gan", "lab")
    first = painted(visit, PLANE)
    assert step_of(visit) == 0
    visit.wait_for_timeout(1_000)
    asked: list[str] = []
    visit.on("request", lambda request: asked.append(request.url))
    for count, name in enumerate(("D", "G", "both"), 1):
        press(visit, name)
        assert step_of(visit) == count
    press(visit, "play")
    wait_for_step(visit, 20)
    expect(visit.locator("#lab .loss-d")).to_have_text(re.compile(r"^−?\d+\.\d{3}$"))
    press(visit, "play")  # pause
    held = step_of(visit)
    visit.wait_for_timeout(300)
    assert step_of(visit) == held
    press(visit, "reset")
    assert step_of(visit) == 0
    assert painted(visit, PLANE) == first
    # Parts of the page may still be on their way; nothing else is asked.
    assert [url for url in asked if "heartbeat" not in url and "/assets/" not in url] == []

    language = "zh" if visit.title() == words("zh")["page.title"] else "en"
    visit.locator("#lab summary").click()
    assert_only(visit, language)
    switch(visit, {"zh": "en", "en": "zh"}[language])
    assert_only(visit, {"zh": "en", "en": "zh"}[language])


@pytest.mark.parametrize("visit", [("zh", DESKTOP)], indirect=True)
def test_a_visitor_draws_own_data(visit: Page) -> None:
    open_tab(visit, "gan", "lab")
    painted(visit, PLANE)
    action = "plane => getComputedStyle(plane).touchAction"
    assert visit.locator(PLANE).evaluate(action) == "auto"  # a finger may scroll the page
    visit.locator("#lab [name=data]").select_option("own")
    expect(visit.locator("#lab [data-do=play]")).to_be_disabled()
    assert visit.locator(PLANE).evaluate(action) == "none"
    empty = painted(visit, PLANE)
    drag(visit, PLANE, [(0.2, 0.3), (0.8, 0.3), (0.8, 0.7)])
    assert painted(visit, PLANE) != empty
    press(visit, "draw")  # done
    assert visit.locator(PLANE).evaluate(action) == "auto"
    press(visit, "play")
    wait_for_step(visit, 5)
    press(visit, "clear")
    expect(visit.locator("#lab [data-do=play]")).to_be_disabled()
    visit.locator(PLANE).press("ArrowRight")
    visit.locator(PLANE).press("Enter")  # a point by keyboard
    expect(visit.locator("#lab [data-do=play]")).to_be_enabled()


@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_keys_move_the_probe_and_play(visit: Page) -> None:
    open_tab(visit, "gan", "lab")
    plane = visit.locator(PLANE)
    painted(visit, PLANE)
    plane.press("ArrowUp")
    expect(plane).to_have_attribute("aria-valuetext", re.compile(r"x = \(0\.00, 0\.05\) · D\(x\)"))
    expect(visit.locator("#lab .caption")).to_contain_text("x = (0.00, 0.05)")
    plane.press(" ")
    wait_for_step(visit, 3)
    plane.press(" ")
    held = step_of(visit)
    visit.wait_for_timeout(300)
    assert step_of(visit) == held


@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_the_clock_stands_while_another_tab_is_open(visit: Page) -> None:
    open_tab(visit, "gan", "lab")
    painted(visit, PLANE)
    press(visit, "play")
    wait_for_step(visit, 3)
    open_tab(visit, "vae")
    visit.wait_for_timeout(500)
    frames = visit.locator(PLANE).get_attribute("data-frames")
    visit.wait_for_timeout(500)
    assert visit.locator(PLANE).get_attribute("data-frames") == frames
    held = step_of(visit)
    open_tab(visit, "gan")
    wait_for_step(visit, held + 3)  # and goes on


@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_slow_motion_takes_the_same_steps(visit: Page) -> None:
    open_tab(visit, "gan", "lab")
    painted(visit, PLANE)
    press(visit, "both")
    numbers = visit.locator("#lab .numbers").inner_text()
    press(visit, "reset")
    press(visit, "slow")
    said = []
    for phase in range(1, 7):
        expect(visit.locator("#lab .caption")).to_contain_text(f"{phase}/6", timeout=60_000)
        said.append(visit.locator("#lab .caption").inner_text())
    assert len(set(said)) == 6
    wait_for_step(visit, 1)
    press(visit, "play")  # pause
    assert visit.locator("#lab .numbers").inner_text() == numbers


@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_settings_start_a_new_game_and_rates_do_not(visit: Page) -> None:
    open_tab(visit, "gan", "lab")
    first = painted(visit, PLANE)
    visit.locator("#lab summary").click()
    press(visit, "both")
    visit.locator("#lab [name=rateD]").select_option("0.01")
    assert step_of(visit) == 1
    for name, value in (
        ("layers", "3"),
        ("width", "8"),
        ("loss", "wasserstein"),
        ("data", "moons"),
    ):
        press(visit, "both")
        visit.locator(f"#lab [name={name}]").select_option(value)
        assert step_of(visit) == 0
        assert painted(visit, PLANE) != first
    visit.locator("#lab [name=seed]").fill("-3.7e400")
    visit.locator("#lab [name=seed]").press("Tab")
    press(visit, "both")
    expect(visit.locator("#lab .distance")).to_have_text(re.compile(r"^\d\.\d{3}$"))
