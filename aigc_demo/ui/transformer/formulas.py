"""The formulas of the Transformer's inside view, filled in with live numbers; symbols alone."""

import math

from torch import Tensor

from aigc_demo.ui.kit.latex import display, ink, number

Q, K, V = ink("attention", "q"), ink("attention", "k"), ink("attention", "v")
A, H, LOSS = ink("attention", r"\alpha"), ink("generator", "h"), ink("loss", "L")
# What a layer reads: of the normalized stream a quarter of the channels from the token before.
SHIFT = (
    rf"\tilde{{{H}}}_t &= \bigl[\operatorname{{norm}}({H}_{{t-1}})_{{1\dots C/4}},"
    rf" \operatorname{{norm}}({H}_t)_{{C/4+1\dots C}}\bigr]"
)
WRITTEN_OUT = 3  # channels of a vector that are written out


def vector(values: Tensor) -> str:
    """The first channels of a vector."""
    listed = ",\\ ".join(f"{value:.2f}" for value in values[:WRITTEN_OUT].tolist())
    return rf"({listed},\ \dots)"


def embedding(token: int, place: int, row: Tensor, gpt2: bool = False) -> str:
    """A token's row of the embedding matrix, and how query and key come from the residual stream.

    Ours: a quarter of the normalized channels is the previous token's (token shift), query and key
    are normalized, then turned by their positions. A GPT-2 adds a row for the position instead.
    """
    if gpt2:
        return display(
            rf"{H}_0 &= E_{{{token}}} + P_{{{place}}} = {vector(row)},\qquad t = {place}",
            rf"{Q}_t &= W_q\operatorname{{LN}}({H}) + b_q,\qquad"
            rf" {K}_t = W_k\operatorname{{LN}}({H}) + b_k",
        )
    return display(
        rf"{H}_0 &= E_{{{token}}} = {vector(row)},\qquad t = {place}",
        SHIFT,
        rf"{Q}_t &= R_t\operatorname{{norm}}(W_q\, \tilde{{{H}}}_t),\qquad"
        rf" {K}_t = R_t\operatorname{{norm}}(W_k\, \tilde{{{H}}}_t)",
    )


def attention(query: Tensor, key: Tensor, scores: Tensor, weights: Tensor, values: Tensor) -> str:
    """One query against one key, the softmax over all keys it may see, and the mix of values.

    query, key: (d,); scores, weights: (t,) of the t keys; values: (t, d).
    """
    best = int(weights.argmax())
    size = len(query)
    total = (scores - scores.max()).exp().sum().item()
    mixed = (weights @ values)[0].item()
    return display(
        rf"{Q} &= {vector(query)},\qquad {K} = {vector(key)},\qquad d = {size}",
        rf"s &= \frac{{{Q}\cdot {K}}}{{\sqrt{{d}}}} \approx"
        rf" \frac{{{number((query @ key).item())}}}{{{math.sqrt(size):.3f}}}"
        rf" \approx {scores[best].item():.3f}",
        rf"{A} &= \frac{{e^{{s - s_{{\max}}}}}}{{\sum_j e^{{s_j - s_{{\max}}}}}} \approx"
        rf" \frac{{{(scores[best] - scores.max()).exp().item():.3f}}}{{{total:.3f}}}"
        rf" \approx {weights[best].item():.3f}",
        rf"y_1 &= \textstyle\sum_j {A}_j\, {V}_{{j,1}} \approx {mixed:.3f}",
    )


def read_out(logit: float, probability: float, gpt2: bool = False, cap: float = 0.0) -> str:
    """From the last residual stream to the probability of the likeliest token; cap: of logits."""
    read = rf"E\,\operatorname{{LN}}({H}_L)" if gpt2 else rf"W\,\operatorname{{norm}}({H}_L)"
    if cap:
        read = rf"{cap:g}\tanh\bigl({read} / {cap:g}\bigr)"
    return display(
        rf"\ell &= {read} \approx {logit:.3f}",
        rf"p &= \operatorname{{softmax}}(\ell) \approx {probability:.4f}",
    )


def perplexity(nats: Tensor) -> str:
    """The mean surprise of a text and what it amounts to."""
    mean = nats.mean().item()
    return display(
        rf"{LOSS} &= -\tfrac{{1}}{{{len(nats)}}}\textstyle\sum_t"
        rf" \log p(x_t\mid x_{{<t}}) \approx {mean:.3f}\ \text{{nat}}",
        rf"\mathrm{{PPL}} &= e^{{{LOSS}}} \approx {math.exp(mean):.2f}",
    )


def neuron(value: float, gpt2: bool = False) -> str:
    """The formula of a hidden neuron of the feed-forward layer."""
    fires = rf"\max(0,\ w\cdot \tilde{{{H}}}_t)^2"
    if gpt2:
        fires = rf"\operatorname{{GELU}}(w\cdot \operatorname{{LN}}({H}) + b)"
    return display(
        *([] if gpt2 else [SHIFT]),
        rf"a &= {fires} \approx {value:.2f}",
        H + r" &\leftarrow " + H + r" + \textstyle\sum_n a_n\, u_n",
    )
