"""The results of the VAE tab as code."""

from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.page.code import Code, drawing, source_of


def samples(models: Models, model, count, seed) -> Code:
    """Decoded points of the prior."""
    source, call = source_of(models, model), f"sample(range({seed}, {seed + count}))"
    return Code(
        drawing("LatentWalker", "vae", source, call), source, {"count": count, "seed": seed}
    )
