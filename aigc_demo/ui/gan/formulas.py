"""The formulas of the inside views, filled in with live numbers. Symbols alone, so no language."""

import math

from aigc_demo.explain.gan import Part, Verdict, score_terms
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.ui.kit.latex import display, ink, number

Z, X, LOSS = ink("noise", "z"), ink("data", "x"), ink("loss", "L")
G, D = ink("generator", "G"), ink("discriminator", "D")


def title(part: Part) -> str:
    """The name of a part in the diagram."""
    if part.name == "z":
        return "z"
    if part.name == "paint":
        return "G(z)"
    if part.name == "score":
        return f"D = {part.maps.item():.2f}"
    if part.name == "seen":
        return "Σ"
    return f"{part.shape[-1]}×{part.shape[-1]}" if len(part.shape) == 3 else "h"


def place_in_code(sampler: DigitSampler, part: Part) -> tuple[str, str, tuple[str, ...]]:
    """Where the package computes a part: file, definition, and words on the lines in question."""
    if not sampler.classes:
        player = "MLPDiscriminator" if part.player == "discriminator" else "MLPGenerator"
        return "models/gan_mlp.py", player, MLP_MARKS[player][part.name]
    if part.player == "discriminator":
        return "models/gan.py", "Discriminator", MARKS[part.name]
    return "models/gan.py", "Generator.stages", MARKS[part.name]


MARKS: dict[str, tuple[str, ...]] = {
    "z": ("torch.cat([z",),
    "project": ("self.project", "unflatten", "self.norm7"),
    "grow14": ("self.grow14",),
    "grow28": ("self.grow28",),
    "paint": ("self.paint",),
    "look0": ("Conv2d(1, width // 2", "x = layer(x)"),
    "look1": ("Conv2d(width // 2, width,", "x = layer(x)"),
    "look2": ("Conv2d(width, width,", "x = layer(x)"),
    "look3": ("Conv2d(width, 2 * width,", "x = layer(x)"),
    "look4": ("Conv2d(2 * width, 2 * width,", "x = layer(x)"),
    "seen": ("seen = ",),
    "score": ("score = ",),
}
MLP_MARKS: dict[str, dict[str, tuple[str, ...]]] = {
    "MLPGenerator": {
        "z": ("Linear(config.latent_size",),
        "layer0": ("Linear(config.latent_size",),
        "layer1": ("Linear(width, 2 * width)",),
        "layer2": ("Linear(2 * width, 4 * width)",),
        "paint": ("Linear(4 * width", "nn.Tanh()", "digit = "),
    },
    "MLPDiscriminator": {
        "layer0": ("Linear(28 * 28",),
        "layer1": ("Linear(2 * width, width)",),
        "score": ("Linear(width, 1)", '"score":'),
    },
}


def part(
    sampler: DigitSampler, found: list[Part], place: int, label: int | None, truncation: float
) -> str:
    """The formula of one part, with numbers of this very digit."""
    one = found[place]
    if one.name == "z":
        size, length = one.maps.numel(), one.maps.norm().item()
        return display(
            rf"{Z} &\sim {truncation}\cdot\mathcal N(0, I_{{{size}}})",
            rf"\lVert {Z}\rVert &= {length:.2f} \quad"
            rf"({truncation}\sqrt{{{size}}} \approx {truncation * math.sqrt(size):.1f})",
        )
    if one.name == "score":
        return _score(sampler, found, label)
    if not sampler.classes:
        return _mlp_part(one, found[place - 1])
    if one.player == "generator":
        before = {"project": f"W[{Z};c] + b", "grow14": r"W^{\top} * h_7 + b", "grow28": ""}
        before["grow28"] = r"W^{\top} * h_{14} + b"
        if one.name == "paint":
            high = one.maps.max().item()
            logit = math.log(high / (1 - high)) if high < 1 else math.inf
            return display(
                rf"{G}({Z}, c) &= \sigma(W * h_{{28}} + b),\qquad \sigma(a) = 1/(1 + e^{{-a}})",
                rf"\max\,{G}({Z}, c) &= \sigma({logit:.2f}) = {high:.3f}",
            )
        side = one.shape[-1]
        return display(
            rf"a &= {before[one.name]}",
            rf"h_{{{side}}} &= \max\bigl(0,\;\gamma_c({Z})\,\tfrac{{a - \mu}}{{\sigma}}"
            rf" + \beta_c({Z})\bigr)",
        )
    if one.name == "seen":
        return display(rf"h &= \textstyle\sum_{{i,j}} h_5[i, j] \in \mathbb R^{{{one.shape[0]}}}")
    step = int(one.name.removeprefix("look")) + 1
    below = rf"(2{G}({Z}, c) - 1)" if step == 1 else f"h_{step - 1}"
    return display(
        rf"h_{step} &= \operatorname{{LeakyReLU}}_{{0.1}}"
        rf"\bigl(\tfrac{{W_{step}}}{{\lVert W_{step}\rVert_2}} * {below} + b_{step}\bigr)"
    )


def _mlp_part(one: Part, below: Part) -> str:
    sizes = rf"\mathbb R^{{{below.maps.numel()}}} \to \mathbb R^{{{one.maps.numel()}}}"
    if one.name == "paint":
        return display(rf"{G}({Z}) &= \tfrac12\bigl(\tanh(W h + b) + 1\bigr),\qquad {sizes}")
    first = {"noise": Z, "generator": "h", "discriminator": "h"}[below.player]
    if below.name == "paint":
        first = rf"(2{G}({Z}) - 1)"
    return display(rf"h &= \operatorname{{LeakyReLU}}_{{0.2}}(W {first} + b),\qquad {sizes}")


def _score(sampler: DigitSampler, found: list[Part], label: int | None) -> str:
    terms = score_terms(sampler, found, label)
    total = found[-1].maps.item()
    if label is None:
        share = 1 / (1 + math.exp(-total))
        return display(
            r"s &= w\cdot h + b",
            rf"&\approx {number(terms.matter)} + {number(terms.bias)} \approx {total:.3f}",
            rf"{D}({G}({Z})) &= \sigma(s) \approx {share:.3f}",
        )
    return display(
        rf"{D}({G}({Z}, c), c) &= w\cdot h + b + e_c\cdot h",
        rf"&\approx {number(terms.matter)} + {number(terms.bias)} + {number(terms.claim)}"
        rf" \approx {total:.3f}",
    )


def loss(sampler: DigitSampler, verdict: Verdict) -> str:
    """The loss of a batch, its two terms and their sum."""
    count = len(verdict.fake_scores)
    real, fake = verdict.real_terms.mean().item(), verdict.fake_terms.mean().item()
    mean = rf"\tfrac1{count}\sum_i"
    fakes = rf"{G}({Z}_i)"
    filled = rf"&\approx {number(real)} + {number(fake)} \approx "
    if sampler.classes:
        return display(
            rf"{LOSS}_{{{D}}} &= {mean} \max(0,\,1-{D}({X}_i))",
            rf"&\quad + {mean} \max(0,\,1+{D}({fakes}))",
            rf"{filled} {verdict.discriminator_loss:.3f}",
            rf"{LOSS}_{{{G}}} &= -{mean} {D}({fakes}) \approx {verdict.generator_loss:.3f}",
        )
    return display(
        rf"{LOSS} = V({D},{G}) &= {mean} \log {D}({X}_i)",
        rf"&\quad + {mean} \log(1-{D}({fakes}))",
        rf"{filled} {-verdict.discriminator_loss:.3f},\qquad {D} = \sigma(s)",
    )


def sums(sampler: DigitSampler, verdict: Verdict) -> str:
    """The terms of the loss one by one, and their means: a table to redo by hand."""
    count = len(verdict.fake_scores)
    if sampler.classes:
        heads = [rf"{D}({X}_i)", rf"\max(0, 1-{D}({X}_i))"]
        heads += [rf"{D}({G}({Z}_i))", rf"\max(0, 1+{D}({G}({Z}_i)))"]
    else:
        heads = [rf"s({X}_i)", rf"\log \sigma(s({X}_i))"]
        heads += [rf"s({G}({Z}_i))", rf"\log(1-\sigma(s({G}({Z}_i))))"]
    columns = [verdict.real_scores, verdict.real_terms, verdict.fake_scores, verdict.fake_terms]
    rows = [["$i$", *(f"${head}$" for head in heads)], ["---:"] * 5]
    for i in range(count):
        rows.append([str(i + 1), *(f"{column[i]:.3f}" for column in columns)])
    for name, over in ((r"$\sum$", 1), (rf"$\sum / {count}$", count)):
        totals = [f"**{column.sum().item() / over:.3f}**" for column in columns]
        rows.append([name, "", totals[1], "", totals[3]])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
