"""The n-gram models of the plays: counted when first needed, from the text that is bundled."""

from aigc_demo.inference.ngram import ORDERS, NGram
from aigc_demo.samples import sample_text
from aigc_demo.ui.catalog.models import Models


def ngram_model(models: Models, order: int) -> NGram:
    """The n-gram model of an order; all share the counts of the bundled sample of the plays."""

    def count(_: object) -> NGram:
        text = sample_text("shakespeare.txt")
        return NGram(text, ORDERS[-1], "".join(sorted({*text, *sample_text("unseen.txt")})))

    return models.get("shakespeare n-grams", count).shortened(order)


def ngram_losses(models: Models) -> list[float]:
    """Nats a character of each order on the excerpt that no model has seen."""

    def measured(_: object) -> list[float]:
        unseen = sample_text("unseen.txt")
        return [float(ngram_model(models, order).nats(unseen).mean()) for order in ORDERS]

    return models.get("shakespeare n-gram nats", measured)
