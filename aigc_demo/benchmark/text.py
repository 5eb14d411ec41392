"""The speed of text: alone, beside others, against `transformers` and CTranslate2."""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aigc_demo.benchmark.rows import Row, row, seconds
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.models.gpt2 import GPT2, GPT2Config
from aigc_demo.tokenizer import CharacterTokenizer
from aigc_demo.weights import Loaded

PROMPT = "ROMEO:\n"
TOKENS = 200
TOGETHER = 32  # visitors who write at once
RUNS = 7
SETTINGS: dict[str, Any] = {"temperature": 0.8}


def measure() -> list[Row]:
    """Tokens a second, and how long the first one and a free slot take."""
    writer = TextWriter.load("shakespeare")
    # Peers and ours take turns: what else the machine does meets both.
    generate, converted = peer(writer), int8_peer(transformers_like(writer.model.config))
    ours: dict[int, list[float]] = {1: [], TOGETHER: []}
    theirs: dict[int, list[float]] = {1: [], TOGETHER: []}
    for count in ours:
        for _ in range(RUNS):
            ours[count].append(throughput(writer, count))
            theirs[count].append(converted(count, TOKENS // 2))
    alone = [TOKENS / s for s in seconds(lambda: write(writer, TOKENS), RUNS, warm=2)]
    cached = [TOKENS / s for s in seconds(lambda: generate(True), 3)]
    anew = [TOKENS / s for s in seconds(lambda: without_cache(writer, TOKENS), 1, warm=0)]
    bound = [1 / s for s in seconds(reading(writer), 30, warm=3)]

    def speed(what: str, values: list[float], rival: str, against: list[float]) -> Row:
        return row(what, "tokens/s", values, rival, against, higher_is_better=True)

    rows = [
        speed("one visitor", alone, "transformers, cache on", cached),
        speed("one visitor", ours[1], "CTranslate2 int8, one thread", theirs[1]),
        speed("one visitor", alone, "the same model without a cache", anew),
        speed("one visitor", alone, "reading the weights once a token", bound),
        speed(f"{TOGETHER} visitors, in all", ours[TOGETHER], "one visitor", alone),
        speed(
            f"{TOGETHER} visitors, in all",
            ours[TOGETHER],
            f"CTranslate2 int8, one thread, {TOGETHER}",
            theirs[TOGETHER],
        ),
        row("first token, 31 others writing", "ms", first_tokens(writer, TOGETHER - 1)),
        row("from Stop to a free slot, 31 others", "ms", free_places(writer, TOGETHER - 1)),
        *gpt2_rows(speed),
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


def transformers_like(config: Any) -> Any:
    """GPT-2 of transformers with as many layers, heads and channels, random weights.

    Raises:
        ValueError: transformers is not installed.
    """
    import aigc_demo.data.vision  # noqa: F401  # cures torchvision beside a CPU build

    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        raise _not_installed("transformers") from None
    like = GPT2Config(
        vocab_size=config.vocabulary_size,
        n_positions=config.context,
        n_embd=config.width,
        n_layer=config.layers,
        n_head=config.heads,
        bos_token_id=0,
        eos_token_id=None,
    )
    return GPT2LMHeadModel(like).eval()


def _not_installed(package: str) -> ValueError:
    return ValueError(f"expected {package} to be installed: pip install -r requirements-dev.txt")


def peer(writer: TextWriter) -> Callable[[bool], Tensor]:
    """generate(cache) of Hugging Face's transformers, by a GPT-2 of the writer's size.

    Its weights are random. It returns the tokens of prompt and continuation, (1, T).

    Raises:
        ValueError: transformers is not installed.
    """
    model = transformers_like(writer.model.config).to(writer.loaded.device)
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


def int8_peer(model: Any) -> Callable[[int, int], float]:
    """Tokens a second of so many texts of so many tokens, by CTranslate2 in int8 on one thread.

    Raises:
        ValueError: ctranslate2 is not installed.
    """
    try:
        import ctranslate2
        from ctranslate2.converters.transformers import GPT2Loader
    except ImportError:
        raise _not_installed("ctranslate2") from None
    spec = GPT2Loader().get_model_spec(model)
    words = [f"t{token}" for token in range(model.config.vocab_size)]
    spec.register_vocabulary(words)
    spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = words[0]
    spec.validate()
    spec.optimize(quantization="int8")
    with tempfile.TemporaryDirectory() as folder:
        spec.save(folder)
        generator = ctranslate2.Generator(
            str(Path(folder)), device="cpu", compute_type="int8", intra_threads=1, inter_threads=1
        )

    def speed(count: int, tokens: int) -> float:
        begun = time.perf_counter()
        found = generator.generate_batch(
            [[words[5]] * len(PROMPT)] * count,
            max_length=tokens,
            min_length=tokens,
            sampling_topk=0,
            sampling_temperature=0.8,
            include_prompt_in_result=False,
            end_token=[],
        )
        made = sum(len(one.sequences_ids[0]) for one in found)
        return made / (time.perf_counter() - begun)

    speed(1, 5)  # warm
    return speed


def gpt2_rows(speed: Callable[..., Row], tokens: int = 30) -> list[Row]:
    """A GPT-2 of 124 M parameters, random weights: one text, and four together."""
    config = GPT2Config()
    torch.manual_seed(0)
    device = torch.device("cpu")
    # One character a token: what the tokenizer of a GPT-2 does is none of the engine's work.
    characters = "".join(map(chr, range(0x4E00, 0x4E00 + config.vocabulary_size)))
    loaded = Loaded("gpt2", "gpt2", GPT2(config).eval(), CharacterTokenizer(characters), device, "")
    writer, theirs = TextWriter(loaded), int8_peer(transformers_like(config))
    prompt, rows = characters[:7], []
    for count in (1, 4):
        throughput(writer, count, tokens, prompt)  # warm
        both = [(throughput(writer, count, tokens, prompt), theirs(count, tokens)) for _ in "abc"]
        values, against = map(list, zip(*both, strict=True))
        what = f"GPT-2 of 124 M, {count} together" if count > 1 else "GPT-2 of 124 M, one visitor"
        rows.append(speed(what, values, "CTranslate2 int8, one thread", against))
    return rows


def reading(writer: TextWriter) -> Callable[[], Any]:
    """A call that reads as many bytes as the weights of a step take, a byte each."""
    size = sum(p.numel() for p in writer.model.blocks.parameters())
    memory = torch.ones(size // 8, dtype=torch.int64, device=writer.loaded.device)
    return lambda: memory.sum().item()


def throughput(
    writer: TextWriter, count: int, tokens: int = TOKENS // 2, prompt: str = PROMPT
) -> float:
    """Tokens a second of so many texts together."""
    begun = time.perf_counter()
    texts = [writer.begin(prompt, tokens, **SETTINGS, seed=seed).start() for seed in range(count)]
    for text in texts:
        text.whole()
    return count * tokens / (time.perf_counter() - begun)


def crowd(writer: TextWriter, count: int) -> list:
    """So many others, who write until they are sent away."""
    others = [writer.begin(PROMPT, 5_000, **SETTINGS, seed=seed).start() for seed in range(count)]
    for text in others:
        next(iter(text))
    return others


def first_tokens(writer: TextWriter, others: int, times: int = 40) -> list[float]:
    """Milliseconds from asking to the first token, so many others writing."""
    them, taken = crowd(writer, others), []
    for seed in range(times):
        begun = time.perf_counter()
        text = writer.begin(PROMPT, 3, **SETTINGS, seed=seed).start()
        next(iter(text))
        taken.append(1_000 * (time.perf_counter() - begun))
        list(text)
    for text in them:
        text.cancel()
    return taken


def free_places(writer: TextWriter, others: int, times: int = 20) -> list[float]:
    """Milliseconds from leaving to the slot being free, so many others writing."""
    them, taken = crowd(writer, others), []
    for seed in range(times):
        text = writer.begin(PROMPT, 5_000, **SETTINGS, seed=seed).start()
        next(iter(text))
        begun = time.perf_counter()
        text.cancel()
        while not text.done:
            time.sleep(0.0005)
        taken.append(1_000 * (time.perf_counter() - begun))
    for text in them:
        text.cancel()
    return taken
