"""The decoding step of a Transformer as an ONNX graph, its matrix products in 8-bit integers.

The same mathematics as models/transformer.py and models/gpt2.py. Weights are rounded to integers
from -63 to 63 with one scale an output (post-training quantisation, Jacob et al. 2018,
arXiv:1712.05877), activations to 8 bits with one scale a row, found as the row is computed (dynamic
quantisation, as in Dettmers et al. 2022, arXiv:2208.07339, section 2.1). The product is then a sum
of integers: exact, so that it depends neither on the rows beside it, nor on the number of threads,
nor on the processor.

63 and not 127: on processors without VNNI two products are added in 16 bits (vpmaddubsw) and cut
off at 32,767; 2 x 255 x 63 stays below.
"""

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from aigc_demo.models.gpt2 import GPT2
from aigc_demo.models.gpt2 import Block as GPT2Block
from aigc_demo.models.transformer import Block, Transformer, angles

STEPS = 63  # of a weight, each way from 0
RMS_EPSILON = float(torch.finfo(torch.float32).eps)  # torch's own, of RMSNorm
IN_MEMORY = "*/in memory"  # marks tensors that the session gets apart from the graph
TINY = 1e-30  # a column of zeros has scale 0


def quantized(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A matrix (O, I) as integers (I, O) and a scale an output (O,): weight = integers x scale."""
    scale = np.abs(weight).max(1) / STEPS
    whole = np.rint(weight / np.maximum(scale, TINY)[:, None])
    return np.ascontiguousarray(whole.T.astype(np.int8)), scale.astype(np.float32)


def array(tensor: Tensor) -> NDArray[np.float32]:
    """A parameter as float32 numbers in memory."""
    return tensor.detach().float().cpu().numpy()


@dataclass
class Graph:
    """An ONNX graph that grows. Values are known by their names.

    The large tensors are kept apart from the graph, in `weights`: a session takes them as they are.
    """

    fine: bool = False  # activations in 16 bits: two 8-bit parts, as if they were twice the rows
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, TensorProto] = field(default_factory=dict)
    names: dict[tuple, str] = field(default_factory=dict)  # of constants, by what they hold
    weights: dict[str, NDArray] = field(default_factory=dict)

    def constant(self, value: Any, kind: Any = np.float32) -> str:
        """Adds a small initializer and returns its name; equal tensors share one."""
        data = np.asarray(value, kind)
        key = (data.dtype.name, data.shape, data.tobytes())
        name = self.names.setdefault(key, f"c{len(self.names)}")
        self.constants.setdefault(name, numpy_helper.from_array(data, name))
        return name

    def weight(self, data: NDArray) -> str:
        """A large tensor."""
        name = f"w{len(self.weights)}"
        self.weights[name] = np.ascontiguousarray(data)
        return name

    def node(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        """Adds an operator with outputs of given names."""
        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Adds an operator; its output's name."""
        name = f"v{len(self.nodes)}"
        self.node(kind, list(inputs), [name], **attributes)
        return name

    def split(self, x: str, sizes: list[int], axis: int) -> list[str]:
        """Parts of given sizes along an axis."""
        names = [f"v{len(self.nodes)}_{i}" for i in range(len(sizes))]
        self.node("Split", [x, self.constant(sizes, np.int64)], names, axis=axis)
        return names

    def slice(self, x: str, start: int, end: int, axis: int) -> str:
        """x[start:end] along an axis."""
        edges = [self.constant([value], np.int64) for value in (start, end, axis)]
        return self.op("Slice", x, *edges)

    def reshape(self, x: str, *shape: int) -> str:
        """0 keeps a dimension, -1 takes what is left."""
        return self.op("Reshape", x, self.constant(shape, np.int64))

    def product(
        self, x: str, weight: Tensor, bias: Tensor | None = None, positive: bool = False
    ) -> str:
        """x W^T + b. x: (B, S, I), positive: from 0 on; weight: (O, I); bias: (O,) -> (B, S, O).

        A row of zeros has size 0, and whatever 0 / 0 is rounded to becomes 0 again times that size.
        """
        integers, scale = quantized(array(weight))
        zero, most = (0, 255) if positive else (128, 127)
        size = x if positive else self.op("Abs", x)
        size = self.op("ReduceMax", size, self.constant([-1], np.int64), keepdims=1)
        x, unit = self.op("Div", x, size), 1 / most
        if self.fine:  # x = upper + rest, both rounded
            x = self.op("Mul", x, self.constant(most))
            upper = self.op("Round", x)
            rest = self.op("Mul", self.op("Sub", x, upper), self.constant(2 * most))
            x, unit = self.op("Concat", upper, rest, axis=0), 1
        nought = self.constant(zero, np.uint8)
        y = self.op(
            "MatMulIntegerToFloat",
            self.op("QuantizeLinear", x, self.constant(unit), nought),
            self.weight(integers),
            self.constant(1),
            self.constant(scale / most),
            nought,
            domain="com.microsoft",
        )
        if self.fine:
            upper, rest = f"v{len(self.nodes)}_upper", f"v{len(self.nodes)}_rest"
            self.node("Split", [y], [upper, rest], axis=0, num_outputs=2)
            y = self.op("Add", upper, self.op("Mul", rest, self.constant(0.5 / most)))
        y = self.op("Mul", y, size)
        return y if bias is None else self.op("Add", y, self.constant(array(bias)))

    def rms_norm(self, x: str, gain: NDArray[np.float32]) -> str:
        """x over its root mean square along the last dimension, times a gain."""
        gained = self.constant(gain)
        return self.op(
            "SimplifiedLayerNormalization", x, gained, axis=-1, epsilon=RMS_EPSILON, stash_type=1
        )

    def added(self, x: str, y: str, gain: NDArray[np.float32]) -> tuple[str, str]:
        """x + y, and its RMSNorm."""
        both, normed = f"v{len(self.nodes)}", f"v{len(self.nodes)}_normed"
        self.node(
            "SkipSimplifiedLayerNormalization",
            [x, y, self.constant(gain)],
            [normed, "", "", both],
            domain="com.microsoft",
            epsilon=RMS_EPSILON,
        )
        return both, normed

    def attention(self, layer: int, qkv: list[str], heads: int, **attributes: Any) -> str:
        """Softmax(Q K^T) V over the cache of a layer, in which keys and values stay.

        The factor 1 / sqrt(d_k) is in the queries: ONNX Runtime has a fast product for one query,
        but only without a factor.

        qkv: (B, S, C) each, or packed in the first -> (B, S, C).
        """
        past = [f"keys{layer}", f"values{layer}"]
        rotary = ["cosine", "sine"] if attributes else []
        mixed = f"attention{layer}"
        self.node(
            "GroupQueryAttention",
            [*qkv, *past, "last", "total", *rotary],
            [mixed, *(f"new_{name}" for name in past)],
            domain="com.microsoft",
            num_heads=heads,
            kv_num_heads=heads,
            scale=1.0,
            **attributes,
        )
        return mixed

    def model(self, config: Any, earlier: tuple[int, int] | None) -> bytes:
        """The whole, as ONNX Runtime reads it. earlier: shape (2L, shifted) of a text's."""
        size = config.width // config.heads
        real, whole = TensorProto.FLOAT, TensorProto.INT32
        cache = ["B", config.heads, config.context, size]
        inputs = [
            ("x", real, ["B", "S", config.width]),
            ("last", whole, ["B"]),
            ("total", whole, []),
        ]
        outputs = [("logits", real, ["B", config.vocabulary_size])]
        for layer in range(config.layers):
            for name in (f"keys{layer}", f"values{layer}"):
                inputs.append((name, real, cache))
                outputs.append((f"new_{name}", real, cache))
        if earlier:
            inputs.append(("earlier", real, ["B", *earlier]))
            outputs.append(("new_earlier", real, ["B", *earlier]))
        graph = helper.make_graph(
            self.nodes,
            "decoding step",
            [helper.make_tensor_value_info(*value) for value in inputs],
            [helper.make_tensor_value_info(*value) for value in outputs],
            [*self.constants.values(), *map(_apart, self.weights.items())],
        )
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def _apart(weight: tuple[str, NDArray]) -> TensorProto:
    """The description of a tensor whose numbers the session gets apart."""
    name, data = weight
    described = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(data.dtype))
    described.dims.extend(data.shape)
    described.data_location = TensorProto.EXTERNAL
    described.external_data.add(key="location", value=IN_MEMORY)
    return described


def transformer_graph(model: Transformer) -> tuple[bytes, dict[str, NDArray]]:
    """The graph of our own Transformer, and its weights by name.

    Inputs: x (B, S, C), embeddings of the next S tokens of B texts; last (B,), the position of each
    text's last one; total, the most tokens that a text has then; keys and values of each layer
    (B, H, context, C/H); earlier (B, 2L, shifted), what token shift keeps of the token before.
    Outputs: logits (B, V) after the last token; keys, values and earlier anew.
    """
    config, graph = model.config, Graph()
    half = config.width // config.heads // 2
    tables = angles(torch.arange(config.context) * (1 - config.unordered), half)
    for name, table in zip(("cosine", "sine"), tables, strict=True):
        graph.constants[name] = numpy_helper.from_array(array(table), name)
    shifted = int(config.width * config.token_shift)
    gain = np.full(2 * half, (2 * half) ** -0.25, np.float32)  # of queries and keys alike
    x = "x"
    kept: list[str] = []
    if shifted:
        before = graph.split("earlier", [1] * (2 * config.layers), 1)
        length = graph.op("Shape", "x", start=1, end=2)
        sizes = graph.op("Concat", length, graph.constant([1], np.int64), axis=0)

    def shift(x: str) -> str:
        """The first channels of the token before, in the place of a token's own."""
        if not shifted:
            return x
        own, rest = graph.split(x, [shifted, config.width - shifted], 2)
        row = graph.op("Concat", before[len(kept)], own, axis=1)
        first = f"shifted{len(kept)}"
        kept.append(f"kept{len(kept)}")
        graph.node("Split", [row, sizes], [first, kept[-1]], axis=1)  # all but the last; the last
        return graph.op("Concat", first, rest, axis=2)

    blocks = cast(list[Block], list(model.blocks))
    normed = graph.rms_norm(x, array(blocks[0].attention_norm.weight))
    for layer, block in enumerate(blocks):
        qkv = graph.product(shift(normed), block.attention.qkv.weight)
        qk, v = graph.split(qkv, [2 * config.width, config.width], 2)
        heads = graph.reshape(qk, 0, 0, 2 * config.heads, 2 * half)
        qk = graph.reshape(graph.rms_norm(heads, gain), 0, 0, 2 * config.width)
        q, k = graph.split(qk, [config.width] * 2, 2)
        mixed = graph.attention(layer, [q, k, v], config.heads, do_rotary=1)
        mixed = graph.product(mixed, block.attention.out.weight)
        x, normed = graph.added(x, mixed, array(block.feed_forward_norm.weight))
        wide = graph.op("Relu", graph.product(shift(normed), block.feed_forward.widen.weight))
        wide = graph.op("Mul", wide, wide)
        narrow = graph.product(wide, block.feed_forward.narrow.weight, positive=True)
        after = blocks[layer + 1].attention_norm if layer + 1 < len(blocks) else model.norm
        x, normed = graph.added(x, narrow, array(after.weight))
    if shifted:
        graph.node("Concat", kept, ["new_earlier"], axis=1)
    x = graph.slice(normed, -1, 2**31, 1)
    logits = graph.product(x, model.head.weight)
    if config.logit_cap:
        squeezed = graph.op("Tanh", graph.op("Div", logits, graph.constant(config.logit_cap)))
        logits = graph.op("Mul", squeezed, graph.constant(config.logit_cap))
    graph.node("Squeeze", [logits, graph.constant([1], np.int64)], ["logits"])
    return graph.model(config, (2 * config.layers, shifted) if shifted else None), graph.weights


def gpt2_graph(model: GPT2) -> tuple[bytes, dict[str, NDArray]]:
    """The graph of a GPT-2; as above, x with its positions added, and nothing of token shift.

    A few channels of its activations are a hundred times as large as the others, so that 8 bits a
    row are too coarse (Dettmers et al. 2022, section 3): here they have 16.
    """
    config, graph = model.config, Graph(fine=True)

    def norm(x: str, layer: torch.nn.LayerNorm) -> str:
        gain, bias = graph.constant(array(layer.weight)), graph.constant(array(layer.bias))
        return graph.op("LayerNormalization", x, gain, bias, axis=-1, epsilon=config.epsilon)

    factor = torch.ones(3 * config.width, device=model.norm.weight.device)
    factor[: config.width] = (config.width // config.heads) ** -0.5  # of queries
    x = "x"
    for layer, block in enumerate(cast(list[GPT2Block], list(model.blocks))):
        own = block.attention
        seen = norm(x, block.attention_norm)
        qkv = graph.product(seen, own.qkv.weight * factor[:, None], own.qkv.bias * factor)
        mixed = graph.attention(layer, [qkv, "", ""], config.heads)
        x = graph.op("Add", x, graph.product(mixed, own.out.weight, own.out.bias))
        widen, narrow = block.feed_forward.widen, block.feed_forward.narrow
        wide = graph.product(norm(x, block.feed_forward_norm), widen.weight, widen.bias)
        wide = graph.op("FastGelu", wide, domain="com.microsoft")
        x = graph.op("Add", x, graph.product(wide, narrow.weight, narrow.bias))
    x = norm(graph.slice(x, -1, 2**31, 1), model.norm)
    logits = graph.product(x, model.head.weight)
    graph.node("Squeeze", [logits, graph.constant([1], np.int64)], ["logits"])
    return graph.model(config, None), graph.weights
