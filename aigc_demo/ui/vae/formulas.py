"""The formulas of the VAE's inside view, filled in with live numbers; symbols alone."""

from aigc_demo.explain.gan import Part
from aigc_demo.explain.vae import Bound, kl_by_hand
from aigc_demo.ui.kit.latex import display, ink, number

Z, X, LOSS = ink("noise", "z"), ink("data", "x"), ink("loss", r"\mathrm{ELBO}")
MU, SIGMA = ink("discriminator", r"\mu"), ink("discriminator", r"\sigma")
P = ink("generator", "p")
Q = ink("discriminator", "q")


def title(part: Part) -> str:
    """The name of a part in the diagram."""
    if part.name in ("x", "z"):
        return part.name
    if part.name in ("mean", "deviation"):
        return {"mean": "μ", "deviation": "σ"}[part.name]
    if part.name == "paint":
        return "p(x|z)"
    return f"{part.shape[-1]}×{part.shape[-1]}" if len(part.shape) == 3 else "h"


def place_in_code(part: Part) -> tuple[str, str, tuple[str, ...]]:
    """Where the package computes a part: file, definition, and words on the lines in question."""
    if part.name == "z":
        return "models/vae.py", "reparameterize", ("return",)
    if part.name in ("mean", "deviation"):
        return "models/vae.py", "Encoder", ("mean, log_var",)
    if part.name == "paint":
        return "models/vae.py", "Decoder", ("return self.layers(z)",)
    player = "Encoder" if part.player in ("data", "discriminator") else "Decoder"
    if part.name == "x":
        return "models/vae.py", player, ("2 * image - 1",)
    marks = {1: ("_dense(",), 3: ("Residual(", "ConvTranspose2d(", "PixelShuffle(", "Conv2d(")}
    return "models/vae.py", player, marks[len(part.shape)]


def part(found: list[Part], place: int) -> str:
    """The formula of one part, with numbers of this very digit."""
    one = found[place]
    named = {each.name: each for each in found}
    mean, deviation, z = (named[name].maps.flatten()[0].item() for name in THREE)
    if one.name == "x":
        return display(rf"{X} &\in [0,1]^{{28\times 28}}")
    if one.name in ("mean", "deviation"):
        return display(
            rf"{Q}({Z}\mid {X}) &= \mathcal N\bigl({MU}({X}),\, {SIGMA}^2({X})\bigr)",
            rf"{MU}_1 &\approx {mean:.3f},\qquad {SIGMA}_1 \approx {deviation:.3f}",
        )
    if one.name == "z":
        noise = (z - mean) / deviation
        return display(
            rf"{Z} &= {MU} + {SIGMA}\odot{ink('noise', 'ε')},\qquad"
            rf" {ink('noise', 'ε')} \sim \mathcal N(0, I)",
            rf"{Z}_1 &\approx {number(mean)} + {number(deviation)}\cdot{number(noise)}"
            rf" \approx {z:.3f}",
        )
    if one.name == "paint":
        return display(
            rf"{P}({X}_i = 1\mid {Z}) &= \operatorname{{sigmoid}}\bigl(f_i({Z})\bigr)",
            rf"\max_i\, {P}({X}_i=1\mid {Z}) &\approx {one.maps.max().item():.3f}",
        )
    below = found[place - 1]
    given = {"x": rf"(2{X} - 1)", "z": Z}.get(below.name, "h")
    if len(one.shape) == 1:
        return display(rf"h &\leftarrow \operatorname{{silu}}(W {given} + b),\qquad {SILU}")
    if one.name.startswith("decoder") and one.shape[-1] == 28:
        shuffled = r"\operatorname{silu}\bigl(\operatorname{shuffle}(W * h + b)\bigr)"
        return display(rf"h &\leftarrow {shuffled},\qquad {SILU}")
    product = rf"W {given} + b" if len(below.shape) == 1 else rf"W * {given} + b"
    return display(
        rf"a &= {product},\qquad {SILU}",
        r"h &\leftarrow \operatorname{silu}\bigl(a + W_2 * \operatorname{silu}("
        r"W_1 * \operatorname{silu}(a) + b_1) + b_2\bigr)",
    )


SILU = r"\operatorname{silu}(a) = a\cdot\operatorname{sigmoid}(a)"
THREE = ("mean", "deviation", "z")


def elbo(found: Bound) -> str:
    """The bound of one digit: its two terms and their difference, and the tighter estimate."""
    likelihood = found.log_likelihood.mean().item()
    count = len(found.z)
    return display(
        rf"{LOSS} &= \mathbb E_{{{Q}}}[\log {P}({X}\mid {Z})]"
        rf" - D_{{\mathrm{{KL}}}}\bigl({Q}({Z}\mid {X})\,\|\,p({Z})\bigr)",
        rf"&\approx {number(likelihood)} - {number(found.divergence)}"
        rf" \approx {found.elbo:.2f}\ \text{{nat}}",
        rf"\log p({X}) &\gtrsim \log\tfrac1{{{count}}}\textstyle\sum_s"
        rf" \frac{{{P}({X}\mid {Z}_s)\,p({Z}_s)}}{{{Q}({Z}_s\mid {X})}}"
        rf" \approx {found.importance:.2f}\ \text{{nat}}",
    )


def divergence_by_hand(found: Bound, dimension: int) -> str:
    """The KL of one dimension, down to sums to redo by hand; the sampled total where the prior
    is learned."""
    if found.kl is None:
        return display(
            rf"D_{{\mathrm{{KL}}}} &\approx \tfrac1{{{len(found.z)}}}\textstyle\sum_s"
            rf" \bigl(\log {Q}({Z}_s\mid {X}) - \log p({Z}_s)\bigr) \approx {found.divergence:.2f}"
        )
    mean, deviation = found.mean[dimension].item(), found.deviation[dimension].item()
    squared, variance, log_var, kl = kl_by_hand(mean, deviation)
    i = dimension + 1
    return display(
        rf"{MU}_{i} &\approx {mean:.3f},\qquad {SIGMA}_{i} \approx {deviation:.3f}",
        rf"D_{{\mathrm{{KL}},{i}}} &= \tfrac12\bigl({MU}_{i}^2 + {SIGMA}_{i}^2 - 1"
        rf" - \log {SIGMA}_{i}^2\bigr)",
        rf"&\approx \tfrac12\bigl({squared:.3f} + {variance:.3f} - 1 - {number(log_var)}\bigr)"
        rf" \approx {kl:.3f}",
    )
