"""How fast text is written: alone, beside others, and against `transformers`."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from aigc_demo.benchmark import Row, row, seconds
from aigc_demo.inference.engine import SLOTS
from aigc_demo.inference.steps import BatchedSteps
from aigc_demo.inference.transformer import TextWriter

PROMPT = "ROMEO:\n"
TOKENS = 200
RUNS = 7
SETTINGS: dict[str, Any] = {"temperature": 0.8}


def measure() -> list[Row]:
    """Tokens a second, and how long the first one and a free place take."""
    writer = TextWriter.load("shakespeare")
    alone = [TOKENS / s for s in seconds(lambda: write(writer, TOKENS), RUNS, warm=2)]
    generate = peer(writer)
    cached = [TOKENS / s for s in seconds(lambda: generate(True), 3)]
    anew = [TOKENS / s for s in seconds(lambda: without_cache(writer, TOKENS), 1, warm=0)]
    bound = [1 / s for s in seconds(reading(writer), 30, warm=3)]
    throughput(writer, SLOTS)  # warm
    many = [throughput(writer, SLOTS) for _ in range(5)]
    rows = [
        row(
            "one visitor",
            "tokens/s",
            alone,
            "transformers, cache on",
            cached,
            higher_is_better=True,
        ),
        row(
            "one visitor",
            "tokens/s",
            alone,
            "the same model without a cache",
            anew,
            higher_is_better=True,
        ),
        row(
            "one visitor",
            "tokens/s",
            alone,
            "reading the weights once a token",
            bound,
            higher_is_better=True,
        ),
        row(
            f"{SLOTS} visitors, in all",
            "tokens/s",
            many,
            "one visitor",
            alone,
            higher_is_better=True,
        ),
        row("first token, 31 others writing", "ms", first_tokens(writer, SLOTS - 1)),
        row("from Stop to a free place, 31 others", "ms", free_places(writer, SLOTS - 1)),
    ]
    for count in (1, 2, 4, 8, 16, 32, 64):
        rows.append(
            row(
                f"{count} visitors, in all",
                "tokens/s",
                [throughput(writer, count)],
                higher_is_better=True,
                series="text, by visitors",
                at=count,
            )
        )
    for length in (50, 100, 200, 400, 800):
        taken = seconds(partial(write, writer, length), 3)
        rows.append(
            row(
                f"text of {length} tokens",
                "tokens/s",
                [length / s for s in taken],
                higher_is_better=True,
                series="text, by length in tokens",
                at=length,
            )
        )
    return rows


def write(writer: TextWriter, tokens: int, seed: int = 1) -> str:
    """A text of so many tokens."""
    return writer.write(PROMPT, tokens, **SETTINGS, seed=seed)


@torch.inference_mode()
def without_cache(writer: TextWriter, tokens: int) -> None:
    """The same model, the whole text read anew for each token."""
    ids = writer.tokenizer.encode(PROMPT)
    device, draw = writer.loaded.device, torch.Generator().manual_seed(1)
    for _ in range(tokens):
        read = torch.tensor([ids[-writer.context :]], device=device)
        logits = writer.model(read)[0, -1].cpu() / 0.8
        ids.append(int(torch.multinomial(logits.softmax(0), 1, generator=draw)))


def peer(writer: TextWriter) -> Callable[[bool], Tensor]:
    """GPT-2 of transformers with as many layers, heads and channels, and its own sampling loop.

    Raises:
        ValueError: transformers is not installed.
    """
    import aigc_demo.data.vision  # noqa: F401  # cures torchvision beside a CPU build

    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        raise ValueError(
            "expected transformers to be installed: pip install -r requirements-dev.txt"
        ) from None
    config = writer.model.config
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocabulary_size,
            n_positions=config.context,
            n_embd=config.width,
            n_layer=config.layers,
            n_head=config.heads,
            bos_token_id=0,
            eos_token_id=None,
        )
    ).eval()
    model.to(writer.loaded.device)
    prompt = torch.tensor([writer.tokenizer.encode(PROMPT)], device=writer.loaded.device)

    def generate(cache: bool) -> Tensor:
        return model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=TOKENS,
            min_new_tokens=TOKENS,
            do_sample=True,
            temperature=0.8,
            top_k=0,
            use_cache=cache,
            pad_token_id=0,
        )

    return generate


def reading(writer: TextWriter) -> Callable[[], Any]:
    """A call that reads as many bytes as the products' weights take, where they would sit."""
    steps = cast(BatchedSteps, writer.engine.steps)
    matrices = [m for one in steps.layers for m in (one.qkv, one.out, one.widen, one.narrow)]
    size = sum(matrix.numel() * matrix.element_size() for matrix in matrices)
    memory = torch.ones(size // 8, dtype=torch.int64, device=writer.loaded.device)
    return lambda: memory.sum().item()


def throughput(writer: TextWriter, count: int, tokens: int = TOKENS // 2) -> float:
    """Tokens a second of so many texts together."""
    begun = time.perf_counter()
    texts = [writer.begin(PROMPT, tokens, **SETTINGS, seed=seed).text for seed in range(count)]
    for text in texts:
        list(text)
    return count * tokens / (time.perf_counter() - begun)


def crowd(writer: TextWriter, count: int) -> list:
    """So many others, who write until they are sent away."""
    others = [writer.begin(PROMPT, 5_000, **SETTINGS, seed=seed).text for seed in range(count)]
    for text in others:
        next(iter(text))
    return others


def first_tokens(writer: TextWriter, others: int, times: int = 40) -> list[float]:
    """Milliseconds from asking to the first token, so many others writing."""
    them, taken = crowd(writer, others), []
    for seed in range(times):
        begun = time.perf_counter()
        text = writer.begin(PROMPT, 3, **SETTINGS, seed=seed).text
        next(iter(text))
        taken.append(1_000 * (time.perf_counter() - begun))
        list(text)
    for text in them:
        text.leave()
    return taken


def free_places(writer: TextWriter, others: int, times: int = 20) -> list[float]:
    """Milliseconds from leaving to the place being free, so many others writing."""
    them, taken = crowd(writer, others), []
    for seed in range(times):
        text = writer.begin(PROMPT, 5_000, **SETTINGS, seed=seed).text
        next(iter(text))
        begun = time.perf_counter()
        text.leave()
        while not text.done:
            time.sleep(0.0005)
        taken.append(1_000 * (time.perf_counter() - begun))
    for text in them:
        text.leave()
    return taken
