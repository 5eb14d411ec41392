"""The results of the Transformer tab as code."""

from typing import Any

from aigc_demo.inference.unmask import GAP
from aigc_demo.names import COUPLETS, POEM_TOP_P
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.page.code import Code, quoted, source_of
from aigc_demo.ui.transformer.requests import begun, by_title

OPENING = """from aigc_demo.inference.transformer import TextWriter
"""
IN_SIMPLIFIED = """from aigc_demo.tokenizer import to_simplified
"""


def play(models: Models, model, prompt, length, *sampling) -> Code:
    """A prompt and its continuation."""
    source = source_of(models, model)
    settings = _settings(*sampling)
    python = f"""{OPENING}
writer = TextWriter.load({quoted(source)})
text = writer.begin(
    {quoted(prompt)}, {length},
    {_as_python(settings)},
)
print(text.prompt + text.whole())
"""
    return Code(python, source, {"prompt": prompt, "length": length, **_options(settings)})


def gaps(models: Models, text, more, steps, order, temperature, seed) -> Code:
    """A text with its gaps filled."""
    whole = text + GAP * more
    settings = {"steps": steps, "temperature": temperature, "seed": seed, "order": order}
    python = f"""from aigc_demo.inference.unmask import GapWriter

gaps = GapWriter.load("unmask")
text = {quoted(text)}{f" + {quoted(GAP)} * {more}" if more else ""}
print(gaps.fill(text, {_as_python(settings)}))
"""
    return Code(python, "unmask", {"prompt": whole, **settings})


def poem(
    models: Models, model, form, title, heads, regulated, script, line, guidance, *sampling
) -> Code:
    """A poem; the command prints it in traditional characters."""
    source = source_of(models, model)
    asked = begun(form, title, line, heads, regulated)
    settings = by_title(guidance) | _settings(*sampling)
    names = ("form", "title", "first_line", "acrostic")
    texts = {name: text for name, text in zip(names, asked[:4], strict=True) if text}
    given = [f"{name}={quoted(str(text))}" for name, text in texts.items()]
    given += [] if regulated else ["regulated=False"]
    shown = "set_in_lines(poem.whole())"
    simplified = script == "simplified"
    python = f"""{OPENING}from aigc_demo.prosody import set_in_lines
{IN_SIMPLIFIED if simplified else ""}
writer = TextWriter.load({quoted(source)})
poem = writer.begin_poem(
    {", ".join(given)},
    {_as_python(settings)},
)
print({f"to_simplified({shown})" if simplified else shown})
"""
    free: dict[str, Any] = {} if regulated else {"free": True}
    return Code(python, source, _options({**texts, **free, **settings}))


def couplet(models: Models, line, script, temperature, seed) -> Code:
    """A first line and, below it, the second ones; the command prints traditional characters."""
    settings = {"temperature": temperature, "top_p": POEM_TOP_P}
    lines, simplified = '"\\n".join([first, "", *seconds])', script == "simplified"
    python = f"""{OPENING}{IN_SIMPLIFIED if simplified else ""}
writer = TextWriter.load("poems")
texts = [
    writer.begin_couplet({quoted(line)}, {_as_python(settings)}, seed=seed)
    for seed in range({seed}, {seed + COUPLETS})
]
first, seconds = texts[0].prompt, [text.whole() for text in texts]
print({f"to_simplified({lines})" if simplified else lines})
"""
    return Code(python, "poems", _options({"couplet": line, **settings, "seed": seed}))


def _settings(temperature, top_k, top_p, penalty, seed) -> dict[str, Any]:
    """The settings by the names of the writer; top_k of 0 is off."""
    kept = {"top_k": top_k} if top_k else {}
    shape = {"temperature": temperature, **kept, "top_p": top_p}
    return {**shape, "repetition_penalty": penalty, "seed": seed}


def _as_python(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())


def _options(settings: dict[str, Any]) -> dict[str, Any]:
    """The same by the names of the command."""
    return {
        "penalty" if name == "repetition_penalty" else name.replace("_", "-"): value
        for name, value in settings.items()
    }
