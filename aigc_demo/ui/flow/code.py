"""The results of the diffusion tab as code."""

from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.page.classes import in_turn
from aigc_demo.ui.page.code import Code, asked, drawing, source_of, turns


def digits(models: Models, model, wanted, count, seed, ode_steps, guidance) -> Code:
    """Of the wanted classes in turn."""
    source, classes = source_of(models, model), list(map(int, wanted))
    seeds = f"range({seed}, {seed + count})"
    call = f"sample({seeds}, {turns(classes, count)}, {ode_steps}, {guidance})"
    settings = {"seed": seed, "steps": ode_steps, "guidance": guidance}
    options = asked(in_turn(classes, count), count) | settings
    return Code(drawing("FlowSampler", "flow", source, call), source, options)
