"""Decoding steps on a CPU: a graph run by ONNX Runtime, with a KV cache a slot."""

import mmap
import threading
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from aigc_demo.inference.cores import give_way
from aigc_demo.inference.writing.graph import array, gpt2_graph, transformer_graph
from aigc_demo.models.gpt2 import GPT2
from aigc_demo.models.transformer import Transformer

CHUNK = 64  # tokens of a prompt that are read at once
PAGE = mmap.PAGESIZE


class Memory:
    """Float32 numbers, 0 until they are written, that take memory only where they are written."""

    def __init__(self, *shape: int) -> None:
        """shape: its first dimension is that of the slots."""
        size = 4 * int(np.prod(shape))
        private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if PRIVATE else {}
        self.pages = mmap.mmap(-1, max(size, 1), **private)
        self.numbers = np.frombuffer(self.pages, np.float32, size // 4).reshape(shape)

    def free(self, slot: int) -> None:
        """Gives the whole pages of a slot back to the system, where it takes them."""
        size = self.numbers[0].nbytes
        start, end = -(-slot * size // PAGE) * PAGE, (slot + 1) * size // PAGE * PAGE
        if PRIVATE and start < end:
            self.pages.madvise(mmap.MADV_DONTNEED, start, end - start)


PRIVATE = hasattr(mmap, "MADV_DONTNEED") and hasattr(mmap, "MAP_PRIVATE")


class Bound(NamedTuple):
    """The bound inputs and outputs of a step of B texts: memory that stays where it is."""

    binding: Any
    x: NDArray[np.float32]  # (B, 1, C)
    last: NDArray[np.int32]  # (B,)
    total: NDArray[np.int32]  # ()


class Compiled:
    """A model as ONNX Runtime runs it: several loops may, at the same time."""

    def __init__(self, model: Transformer | GPT2, threads: int = 1) -> None:
        """threads: that a product is shared by; 1: the caller's alone."""
        self.config = model.config
        self.table = array(model.embedding.weight)  # (V, C)
        self.positions: NDArray[np.float32] | None = None  # (context, C)
        self.shifted = 0
        if isinstance(model, GPT2):
            graph, weights = gpt2_graph(model)
            self.positions = array(model.embedding.position)
        else:
            graph, weights = transformer_graph(model)
            self.shifted = int(model.config.width * model.config.token_shift)
        self.session = _session(graph, weights, threads)


class OnnxSteps:
    """The next tokens of up to `slots` texts through the model. Texts fill the first slots.

    Texts in the first B slots are a batch of B by the first B rows of the same memory, without a
    copy; keys and values are written in place.
    """

    def __init__(self, compiled: Compiled, slots: int) -> None:
        config = compiled.config
        self.context, self.slots, self.session = config.context, slots, compiled.session
        self.table, self.positions = compiled.table, compiled.positions
        shifted, size = compiled.shifted, config.width // config.heads
        self.caches = {
            f"{kind}{layer}": Memory(slots, config.heads, config.context, size)
            for layer in range(config.layers)
            for kind in ("keys", "values")
        }
        self.lengths = np.zeros(slots, np.int32)  # tokens in each slot's cache
        self.x = np.zeros((slots, 1, config.width), np.float32)
        self.last = np.zeros(slots, np.int32)
        self.logits = np.zeros((slots, config.vocabulary_size), np.float32)
        # Token shift: each layer's input channels of a text's last token, as read and as written.
        self.earlier = [np.zeros((slots, 2 * config.layers, shifted), np.float32) for _ in range(2)]
        self.bound: dict[int, Bound] = {}  # by the number of texts

    def prefill(self, slot: int, tokens: list[int]) -> None:
        """Reads the beginning of a text into a slot, in chunks of a constant size."""
        self.lengths[slot] = 0
        self.earlier[0][slot] = 0
        for start in range(0, len(tokens), CHUNK):
            part = tokens[start : start + CHUNK]
            end = start + len(part)
            x = self.table[part][None]
            if self.positions is not None:
                x = x + self.positions[start:end]
            last, total = np.array([end - 1], np.int32), np.array(end, np.int32)
            bound = self._bound(slice(slot, slot + 1), x, last, total)
            self.session.run_with_iobinding(bound.binding)
            self.earlier[0][slot] = self.earlier[1][slot]
            self.lengths[slot] = end

    def decode(self, tokens: list[int]) -> NDArray[np.float32]:
        """One more token of the texts in the first B slots -> the logits after each, (B, V)."""
        count = len(tokens)
        if count not in self.bound:
            first = slice(count)
            total = np.zeros((), np.int32)
            self.bound[count] = self._bound(first, self.x[first], self.last[first], total)
        bound, lengths = self.bound[count], self.lengths[:count]
        np.take(self.table, tokens, axis=0, out=bound.x[:, 0], mode="clip")
        if self.positions is not None:
            bound.x[:, 0] += self.positions[lengths]
        bound.last[:] = lengths
        lengths += 1
        bound.total[...] = lengths.max()
        self.session.run_with_iobinding(bound.binding)
        self.earlier[0][:count] = self.earlier[1][:count]
        return self.logits[:count]

    def move(self, source: int, target: int) -> None:
        """The text of a slot goes on in another one."""
        length = self.lengths[target] = self.lengths[source]
        self.earlier[0][target] = self.earlier[0][source]
        for cache in self.caches.values():
            cache.numbers[target, :, :length] = cache.numbers[source, :, :length]

    def forget(self, slot: int) -> None:
        """Nothing is in the slot: its memory is free."""
        self.lengths[slot] = 0
        for cache in self.caches.values():
            cache.free(slot)

    def _bound(self, slots: slice, x: NDArray, last: NDArray, total: NDArray) -> Bound:
        binding = self.session.io_binding()

        def take(name: str, data: NDArray, into: NDArray | None = None) -> None:
            binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(data))
            if into is not None:
                value = onnxruntime.OrtValue.ortvalue_from_numpy(into)
                binding.bind_ortvalue_output(f"new_{name}", value)

        take("x", x)
        take("last", last)
        take("total", total)
        for name, cache in self.caches.items():
            value = onnxruntime.OrtValue.ortvalue_from_numpy(cache.numbers[slots])
            binding.bind_ortvalue_input(name, value)
            binding.bind_ortvalue_output(f"new_{name}", value)
        if self.earlier[0].size:
            take("earlier", self.earlier[0][slots], self.earlier[1][slots])
        logits = onnxruntime.OrtValue.ortvalue_from_numpy(self.logits[slots])
        binding.bind_ortvalue_output("logits", logits)
        return Bound(binding, x, last, total)


def _session(
    graph: bytes, weights: dict[str, NDArray], threads: int
) -> onnxruntime.InferenceSession:
    """A session that runs a graph, with threads of low priority."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_external_initializers(
        list(weights), [onnxruntime.OrtValue.ortvalue_from_numpy(data) for data in weights.values()]
    )
    made: list[onnxruntime.InferenceSession] = []
    failed: list[Exception] = []

    def make() -> None:
        give_way()  # threads begin with the priority of the one that starts them
        try:
            made.append(
                onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            )
        except Exception as error:
            failed.append(error)

    maker = threading.Thread(target=make)
    maker.start()
    maker.join()
    if failed:
        raise failed[0]
    return made[0]
