"""The model card as the Hub wants it: task, language and figures in its metadata too."""

import json
import re
from pathlib import Path
from typing import Any

# family -> the Hub's name of its task; all others draw
TASKS = {"judge": "image-classification", "transformer": "text-generation"}
DRAWS = "unconditional-image-generation"
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
    from huggingface_hub import EvalResult, ModelCard
    from yaml import YAMLError

    path = folder / "README.md"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if not re.match(r"---\n.*?\n---\n", text, re.DOTALL):
        raise ValueError(f"{path}: expected a model card that begins with its metadata")
    language, data, identifier = DATA.get(config["name"], MNIST)
    try:
        card, task = ModelCard(text), TASKS.get(config["family"], DRAWS)
    except YAMLError as error:
        raise ValueError(f"{path}: expected metadata in YAML, got {error}") from error
    head: Any = card.data  # a ModelCardData
    head.pipeline_tag = head.pipeline_tag or task
    head.language = head.language or language or None
    if head.eval_results is None and (figures := _figures(card.text)):
        head.model_name = config["name"]
        head.eval_results = [
            EvalResult(
                task_type=task,
                dataset_type=identifier,
                dataset_name=data,
                metric_type=METRICS.get(name, re.sub(r"\W+", "-", name)),
                metric_value=value,
                metric_name=name,
            )
            for name, value in figures.items()
        ]
    return str(card)


def _figures(body: str) -> dict[str, float]:
    """The figures of a card's first table, by name."""
    table = re.search(r"\| figure \| value \|\n\| --- \| --- \|\n((?:\|.*\|\n)+)", body)
    found = {}
    for row in table[1].splitlines() if table else []:
        name, value = (cell.strip() for cell in row.strip("|").split("|"))
        if not NO_METRIC.fullmatch(name) and re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", value):
            found[name] = float(value)
    return found
