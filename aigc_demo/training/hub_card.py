"""The model card as the Hub wants it: task, language and figures in its metadata too."""

import json
import re
from pathlib import Path

from aigc_demo.weights import read_config

TASKS = {  # family -> the Hub's name of the task
    "judge": "image-classification",
    "transformer": "text-generation",
    **dict.fromkeys(("gan", "gan-mlp", "vae"), "unconditional-image-generation"),
}
DATA = {  # name -> language, what it was scored on: name, and the Hub's or our own identifier
    "shakespeare": ("en", "Tiny Shakespeare, the last 10 %", "tiny_shakespeare"),
    "poems": ("zh", "Tang and Song verse, held out", "chinese-poetry"),
}
MNIST = ("", "MNIST, test digits", "mnist")
METRICS = {"accuracy": "accuracy", "tang perplexity": "perplexity", "song perplexity": "perplexity"}
# Rows of a card that are no figures of the model: how much was scored, and what real data score.
NO_METRIC = re.compile(r"samples|digits|windows|(tang|song) poems|poems a form|real .*|.* tang .*")


def hub_card(folder: Path) -> str:
    """The text of a folder's README.md with the metadata that the Hub shows and searches.

    What its head says already stays. The figures are those of its table, if it has been scored.

    Raises:
        ValueError: there is no card, or it does not begin with metadata.
    """
    path, config = folder / "README.md", read_config(folder)
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    parts = re.fullmatch(r"---\n(.*?\n)---\n(.*)", text, re.DOTALL)
    if parts is None:
        raise ValueError(f"{path}: expected a model card that begins with its metadata")
    head, body = parts.groups()
    language, data, identifier = DATA.get(config["name"], MNIST)
    task, metrics = TASKS[config["family"]], _metrics(body)
    more: dict[str, object] = {"pipeline_tag": task}
    if language:
        more["language"] = language
    if metrics:
        dataset = {"name": data, "type": identifier}
        results = [{"task": {"type": task}, "dataset": dataset, "metrics": metrics}]
        more["model-index"] = [{"name": config["name"], "results": results}]
    for key, value in more.items():
        if not re.search(rf"^{key}:", head, re.MULTILINE):
            head += f"{key}: {json.dumps(value, ensure_ascii=False)}\n"  # JSON is YAML
    return f"---\n{head}---\n{body}"


def _metrics(body: str) -> list[dict[str, object]]:
    """The figures of a card's first table."""
    table = re.search(r"\| figure \| value \|\n\| --- \| --- \|\n((?:\|.*\|\n)+)", body)
    found: list[dict[str, object]] = []
    for row in table[1].splitlines() if table else []:
        name, value = (cell.strip() for cell in row.strip("|").split("|"))
        if not NO_METRIC.fullmatch(name) and re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", value):
            kind = METRICS.get(name, re.sub(r"\W+", "-", name))
            found.append({"type": kind, "name": name, "value": float(value)})
    return found
