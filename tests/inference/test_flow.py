"""The flow: its arithmetic by hand, and its samples whatever they stand beside."""

import pytest
import torch

from aigc_demo.inference.flow import FlowSampler
from aigc_demo.models.flow import Flow, FlowConfig, between, flow_loss, waves


@pytest.fixture(scope="module")
def tiny_flow(tiny_folders):
    return FlowSampler.load(tiny_folders["flow"], "cpu")


def test_the_line_and_its_loss_are_those_of_the_paper() -> None:
    noise, digit = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, -2.0]])
    assert between(noise, digit, torch.tensor([0.25])).tolist() == [[0.25, 1.0]]
    velocity = torch.tensor([[2.0, -4.0]])
    assert flow_loss(velocity, noise, digit).item() == pytest.approx((1 + 0) / 2)
    found = waves(torch.tensor([0.0, 0.5]), 4)
    assert found[0].tolist() == [0, 0, 1, 1] and found.shape == (2, 4)


def test_a_network_that_has_learnt_nothing_stands_still() -> None:
    flow = Flow(FlowConfig(channels=8, blocks=1)).eval()
    x = torch.randn(3, 1, 28, 28)
    assert flow(x, torch.rand(3), torch.tensor([0, 4, 10])).abs().max() == 0  # its last layer is 0


def test_the_stages_are_the_forward_pass(tiny_flow) -> None:
    model = tiny_flow.loaded.model
    x, t, label = torch.randn(2, 1, 28, 28), torch.tensor([0.1, 0.8]), torch.tensor([3, 10])
    stages = model.stages(x, t, label)
    assert list(stages)[0] == "fold" and list(stages)[-1] == "velocity"
    assert torch.equal(stages["velocity"], model(x, t, label))
    assert stages["block7.0"].shape == (2, 16, 7, 7)


@pytest.mark.parametrize("solver", ["euler", "heun"])
def test_a_digit_depends_on_its_own_seed_alone(tiny_flow, solver: str) -> None:
    seeds, labels = list(range(11)), [seed % 10 for seed in range(11)]
    settings = {"steps": 3, "guidance": 2.0, "solver": solver}
    together = tiny_flow.sample(seeds, labels, **settings)
    assert together.shape == (11, 28, 28) and 0 <= together.min() <= together.max() <= 1
    for place in (0, 7, 8, 10):
        alone = tiny_flow.sample([seeds[place]], [labels[place]], **settings)
        assert torch.equal(alone[0], together[place])
    assert torch.equal(tiny_flow.sample(seeds[::-1], labels[::-1], **settings).flip(0), together)


def test_the_solvers_follow_the_velocity(tiny_flow) -> None:
    noise, labels = tiny_flow.noise([5])
    first = tiny_flow.velocity(noise, 0.0, labels)
    path = tiny_flow.path([5], steps=2)
    x = noise + first / 2
    torch.testing.assert_close(path[1], (x / 2 + 0.5).clamp(0, 1))
    x = x + tiny_flow.velocity(x, 0.5, labels) / 2
    torch.testing.assert_close(path[2], (x / 2 + 0.5).clamp(0, 1))
    there = tiny_flow.velocity(noise + first / 2, 0.5, labels)
    heun = noise + (first + there) / 4
    heun = heun + tiny_flow.velocity(heun, 0.5, labels) / 2  # Euler's: the last step is the end
    found = tiny_flow.sample([5], steps=2, solver="heun")
    torch.testing.assert_close(found, (heun / 2 + 0.5).clamp(0, 1))


def test_guidance_goes_from_no_class_through_the_class_and_beyond(tiny_flow) -> None:
    noise, _ = tiny_flow.noise([1])
    untold, told, twice = (tiny_flow.velocity(noise, 0.3, [4], g) for g in (0.0, 1.0, 2.0))
    torch.testing.assert_close(twice - told, told - untold, atol=1e-5, rtol=1e-4)
    assert not torch.equal(told, untold)


def test_a_drawing_is_varied_and_completed(tiny_flow) -> None:
    images = torch.rand(2, 28, 28, generator=torch.Generator().manual_seed(0))
    again = tiny_flow.redraw(images, 1.0, [1, 2], [3, 4], steps=3)
    torch.testing.assert_close(again, images)  # at the end nothing is left to change
    anew = tiny_flow.redraw(images, 0.0, [1, 2], [3, 4], steps=3)
    assert torch.equal(anew, tiny_flow.sample([1, 2], [3, 4], steps=3))  # nothing of them is left
    keep = torch.zeros(2, 28, 28)
    keep[:, :14] = 1
    filled = tiny_flow.fill(images, keep, [1, 2], [3, 4], steps=3)
    assert torch.equal(filled[:, :14], images[:, :14])
    assert not torch.equal(filled[:, 14:], images[:, 14:])


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"steps": 51},
        {"guidance": float("nan")},
        {"guidance": 11},
        {"solver": "magic"},
        {"labels": [10]},
        {"labels": [1, 2]},
    ],
)
def test_what_is_out_of_range_is_refused(tiny_flow, wrong: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        tiny_flow.sample([0], **wrong)
