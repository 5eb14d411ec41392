"""What each tab shows and answers: the lists that a new tab joins."""

from typing import Any

from aigc_demo.images import to_bytes
from aigc_demo.samples import sample_digits
from aigc_demo.ui.kit.drawings import drawing_of

DRAWN = drawing_of(to_bytes(sample_digits("test")[0][4]))
GAP = drawing_of(to_bytes(sample_digits("test")[0][9].gt(0.4).float()))

# A state of each result that is not the one its tab opens with: all values in the order of its
# fields, or, of an inside view, those by name that differ.
RESULTS: dict[str, Any] = {
    "gan.digits": ("gan-mlp", ["3", "7"], 12, 2**53 - 1, 0.35),
    "gan.number": ("gan", "19840615", 8),
    "gan.morph": ("gan", "0", "9", 77, 5),
    "gan.inside": {
        "look": "directions",
        **{"model": "gan-mlp", "digit": "7", "seed": 12, "truncation": 0.35},
        **{"slant": -1.2, "thickness": 0.1, "width": 3},
    },
    "gan.duel": ("bbbdfg",),
    "gan.lab": (
        *("own", "squares", "3", "16", "0.01", "0.0003", "5", "77"),
        *("p2b300D0.003d2T10t1h1p3g12", "MMeeMveaNReV"),
    ),
    "vae.map": ({"x": -0.123, "y": 3.5},),
    "vae.rebuild": ("vae", DRAWN, 12),
    "vae.walk": ("vae", "38501", "spherical", 4, 64),
    "vae.prior": ("vae", 3, 9),
    "vae.inside": {"look": "dimensions", "model": "vae", "image": DRAWN, "seed": 4, "rank": 9},
    "transformer.shakespeare": (
        "shakespeare",
        "HAMLET:\n$3 & more; to be?",
        *(40, 0.05, 3, 0.95, 1.15, 11),
    ),
    "transformer.poems": (
        "poems",
        "五律",
        "月夜",
        "",
        False,
        "traditional",
        "",
        2.5,
        1,
        0,
        0.9,
        1,
        5,
    ),
    "transformer.couplets": ("月落烏啼霜滿天", "traditional", 1.1, 11),
    "transformer.ngram": ("HAMLET:\n$3 & more; to be?", 3, 11),
    "transformer.gaps": ("HAMLET: $3 ____ be?", 12, 5, "random", 1.1, 11),
    "transformer.inside": {
        **{"look": "neurons", "model": "poems", "text": "《月夜》\n床前明月光", "token": 7},
        **{"layer": 3, "head": 2, "character": "月"},
    },
    "flow.digits": ("flow", ["3", "7"], 3, 2**53 - 1, 4, 1.25),
    "flow.path": ("flow", "8", 3, 5, 0),
    "flow.vary": ("flow", DRAWN, 0.65, "4", 3, 2),
    "flow.fill": ("flow", DRAWN, GAP, "none", 12, 1.25),
    "flow.morph": ("flow", "0", "9", 77, 5, 3, 1.25),
    "flow.lab": (
        *("own", "1", "16", "0.01", "bad", "4", "1", "2", "1", "77", "0.35", "40"),
        "MMeeMveaNReV",
    ),
    "flow.compare": ("8", 12),
    "flow.inside": {
        "look": "layers",
        **{"model": "flow", "digit": "7", "seed": 12, "guidance": 1.5, "time": 0.35, "part": 2},
    },
    "learn.real": (12, "0110"),
    "learn.who": (2**53 - 1, "0312"),
    "learn.guess": (7, "1013" * 12),
    "learn.fault": (5, "46"),
}
TASKS: dict[str, list[str]] = {}  # tab -> its tasks, both in the order of the page
for _result in RESULTS:
    _tab, _task = _result.split(".")
    TASKS.setdefault(_tab, []).append(_task)
TASKS["train"] = []  # it has no results, and stands before the course
TASKS["learn"] = [
    "chapter",
    "lesson",
    *TASKS.pop("learn"),
]  # links that the browser reads by itself

ENDPOINTS = {
    "/gan_sample",
    "/gan_morph",
    "/gan_realness",
    "/vae_encode",
    "/vae_decode",
    "/vae_walk",
    "/flow_sample",
    "/flow_path",
    "/flow_redraw",
    "/flow_fill",
    "/text_write",
    "/text_fill",
    "/poem_write",
    "/couplet_write",
    "/text_candidates",
    "/text_attention",
}


def shares(models: Any, words: Any) -> dict[str, Any]:
    """The results of the page by their tabs, built without a server."""
    import gradio as gr

    from aigc_demo.ui.app import TABS
    from aigc_demo.ui.page.page import Page

    with gr.Blocks():
        page = Page(models, words, gr.Radio(["zh", "en"]))
        with gr.Tabs():
            for one in TABS:
                with words.tr(gr.Tab(id=one.name), f"{one.name}.tab") as tab:
                    one.build(page.within(tab))
    return {share.tab: share for share in page.shares}
