"""The formulas of the flow's inside view, filled in with live numbers; symbols alone."""

from torch import Tensor

from aigc_demo.explain.flow import Lesson, Trajectory
from aigc_demo.explain.gan import Part
from aigc_demo.ui.kit.latex import display, ink, number

X, X0, X1 = ink("noise", "x_t"), ink("noise", "x_0"), ink("data", "x_1")
V, LOSS = ink("generator", "v"), ink("loss", "L")


def title(part: Part) -> str:
    """The name of a part in the diagram."""
    if part.name == "x":
        return "x"
    if part.name == "velocity":
        return "v"
    return f"{part.shape[-1]}×{part.shape[-1]}"


def place_in_code(part: Part) -> tuple[str, str, tuple[str, ...]]:
    """Where the package computes a part: file, definition, and words on the lines in question."""
    if part.name.startswith("block7"):
        marks: tuple[str, ...] = ("h = block(h, condition)",)
        if part.name == "block7.0":
            marks += ("h = self.attention(h)",)
        return "models/flow.py", "Flow.stages", marks
    return "models/flow.py", "Flow.stages", MARKS[part.name]


MARKS: dict[str, tuple[str, ...]] = {
    "x": ("condition = ",),
    "fold": ("fold = ",),
    "down14": ("down = ",),
    "shrink": ("h = self.shrink",),
    "up14": ("up = down", "self.up14"),
    "velocity": ("velocity = ",),
}
SHIFT = (
    r"\operatorname{shift}(h) &= \operatorname{norm}(h)\odot(1 + a) + b,\qquad"
    r" (a, b) = W\,\operatorname{silu}\bigl(\operatorname{time}(t) + e_c\bigr) + w"
)


def _block(before: str) -> list[str]:
    """A residual block on what came before."""
    inner = r"W_1 * \operatorname{silu}\bigl(\operatorname{shift}(" + before + r")\bigr) + b_1"
    return [
        rf"h &= {before} + W_2 * \operatorname{{silu}}\bigl({inner}\bigr) + b_2",
        SHIFT,
    ]


def part(found: list[Part], place: int, time: float) -> str:
    """The formula of one part."""
    one = found[place]
    if one.name == "x":
        return display(rf"{X} &\in \mathbb R^{{28\times 28}},\qquad t = {time:.2f}")
    if one.name == "fold":
        return display(
            rf"h &= W * \operatorname{{unshuffle}}({X}) + b,\qquad"
            r" \mathbb R^{28\times 28} \to \mathbb R^{4\times 14\times 14}"
        )
    if one.name == "shrink":
        return display(r"h &\leftarrow W *_{\text{stride } 2}\, h + b")
    if one.name == "block7.0":
        attention = r"h + W\,\operatorname{softmax}\bigl(QK^{\top}/\sqrt d\bigr)V + b"
        return display(*_block("h_{\\text{in}}"), rf"h &\leftarrow {attention}")
    if one.name == "up14":
        return display(
            r"u &= h_{14} + \operatorname{shuffle}(W * h_7 + b)",
            *_block("u"),
        )
    if one.name == "velocity":
        rms = one.maps.square().mean().sqrt().item()
        return display(
            rf"{V}({X}, t, c) &= \operatorname{{shuffle}}\bigl(W * \operatorname{{silu}}("
            r"\operatorname{norm}(h)) + b\bigr)",
            rf"\sqrt{{\overline{{{V}^2}}}} &\approx {rms:.3f}",
        )
    return display(*_block("h_{\\text{in}}"))


def guess(trajectory: Trajectory, step: int) -> str:
    """The guess of the end at one time, for the pixel that moves most."""
    moved = trajectory.velocities[step].abs().flatten()
    at = int(moved.argmax())
    t = trajectory.times[step].item()
    x, v, end = (
        values[step].flatten()[at].item()
        for values in (trajectory.pictures, trajectory.velocities, trajectory.guesses)
    )
    return display(
        rf"\hat{{{X1}}} &= {X} + (1 - t)\,{V}({X}, t, c)",
        rf"&\approx {number(x)} + {number(1 - t)}\cdot{number(v)} \approx {end:.3f}"
        rf"\qquad (\text{{row }} {at // 28 + 1}, \text{{column }} {at % 28 + 1})",
    )


def loss(found: Lesson, time: float) -> str:
    """The loss of one digit, one noise and one time, and the pixel that costs most by hand."""
    errors = found.errors.flatten()
    at = int(errors.argmax())
    x0, x1, xt, v = (
        values.flatten()[at].item()
        for values in (found.noise, found.digit, found.between, found.velocity)
    )
    return display(
        rf"{X} &= (1 - t)\,{X0} + t\,{X1},\qquad t = {time:.2f}",
        rf"{LOSS} &= \tfrac1{{784}}\sum_i \bigl({V}({X}, t, c)_i - ({X1} - {X0})_i\bigr)^2"
        rf" \approx {found.loss:.3f}",
        rf"x_{{t,i}} &\approx {number(1 - time)}\cdot{number(x0)} + {number(time)}\cdot{number(x1)}"
        rf" \approx {xt:.3f}",
        rf"\bigl(v_i - (x_{{1,i}} - x_{{0,i}})\bigr)^2 &\approx"
        rf" \bigl({number(v)} - ({number(x1)} - {number(x0)})\bigr)^2"
        rf" \approx {errors[at].item():.3f}",
    )


def guidance(told: Tensor, untold: Tensor, weight: float) -> str:
    """The guided velocity of the pixel where the two velocities differ most."""
    at = int((told - untold).abs().flatten().argmax())
    a, b = told.flatten()[at].item(), untold.flatten()[at].item()
    return display(
        rf"{V}_w &= {V}({X}, t) + w\,\bigl({V}({X}, t, c) - {V}({X}, t)\bigr)",
        rf"&\approx {number(b)} + {weight:g}\cdot\bigl({number(a)} - {number(b)}\bigr)"
        rf" \approx {b + weight * (a - b):.3f}",
    )
