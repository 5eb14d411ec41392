"""CONTRIBUTING.md's list for a new tab is whole: one that is added by it is on the page."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import gradio as gr
from servers import ROOT

from aigc_demo.ui.api.endpoints import add_endpoints, parameters
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.page import Page

FILES = {
    "__init__.py": """
from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.toy.api import ToyEndpoints
from aigc_demo.ui.toy.tab import build_toy_tab

TAB = Tab("toy", build=build_toy_tab, endpoints=ToyEndpoints)
""",
    "requests.py": """
import gradio as gr

from aigc_demo.ui.kit import check


def double(models, words, count):
    count = check.whole(count, "count", 1, 9)
    return gr.update(texts=words.both("toy.doubled", count=2 * count))
""",
    "tab.py": """
import gradio as gr

from aigc_demo.ui.kit.widgets import CAPTION, widget
from aigc_demo.ui.page.share import Share
from aigc_demo.ui.toy.requests import double


def build_toy_tab(page):
    count = page.words.tr(gr.Slider(1, 9, 3, step=1), "toy.count")
    shown = widget("toy/abacus", CAPTION, words={}, **page.first(double, 3))
    share = Share(page, "toy", double, {"count": count}, [shown], saves=())
    share.opens()
    share.compute(count.release)
    page.lesson("toy")
""",
    "api.py": """
from aigc_demo.ui.kit import check
from aigc_demo.ui.catalog.tab import Endpoints
from aigc_demo.ui.page.page import PICTURES


class ToyEndpoints(Endpoints):
    queue = PICTURES

    def toy_double(self, count: int = 3) -> int:
        \"\"\"Double a number.

        Args:
            count: 1 to 9.

        Returns:
            Twice as much.
        \"\"\"
        return 2 * check.whole(count, "count", 1, 9)
""",
    "static/abacus.js": "say(props.texts);\n",
    "static/style.css": ".abacus { color: var(--data-ink); }\n",
    "lesson.en.md": "Two times.\n",
    "lesson.zh.md": "两倍。\n",
}
WORDS = {
    "en": ["Toy", "Count", "Twice is {count}."],
    "zh": ["玩具", "个数", "两倍是 {count}。"],
}
LOOK = """
import json
from aigc_demo.ui.app import TABS, build, files, launch_options
demo = build()
scripts = {getattr(b, "script", [""])[0]: b for b in demo.blocks.values()}
options = launch_options(demo)
print(json.dumps({
    "tabs": [tab.name for tab in TABS],
    "label": [b.label for b in demo.blocks.values() if getattr(b, "label", "") == "Count"],
    "texts": scripts["abacus"].props["texts"],
    "lesson": files(demo)["lessons/toy.en.md"].decode(),
    "style": ".abacus" in options["css"],
    "script": "abacus(" in options["head"],
    "endpoint": demo.get_api_info()["named_endpoints"]["/toy_double"]["parameters"][0]["label"],
}))
"""


def test_a_tab_that_is_added_by_the_list_is_on_the_page(tmp_path: Path) -> None:
    package = tmp_path / "aigc_demo"
    shutil.copytree(ROOT / "aigc_demo", package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "weights").symlink_to(ROOT / "weights")
    folder = package / "ui/toy"
    (folder / "static").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    for language, (tab, count, doubled) in WORDS.items():
        words = {
            "toy.tab": {"label": tab},
            "toy.count": {"label": count},
            "toy.doubled": doubled,
        }
        path = folder / f"words.{language}.json"
        path.write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
    app = package / "ui/app.py"  # the one file that is edited
    source = app.read_text(encoding="utf-8")
    source = source.replace("ui import flow, gan,", "ui import flow, gan, toy,")
    source, found = re.subn(r"^(TABS = .*)\)$", r"\1, toy.TAB)", source, flags=re.MULTILINE)
    assert found == 1
    app.write_text(source, "utf-8")

    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=tmp_path, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "tabs": [*(tab.name for tab in TABS), "toy"],
        "label": ["Count"],
        "texts": {"zh": "两倍是 6。", "en": "Twice is 6."},
        "lesson": "Two times.\n",
        "style": True,
        "script": True,
        "endpoint": "count",
    }


def test_a_tab_needs_no_endpoints() -> None:
    bare = Tab("bare", build=lambda page: None)
    words = Words()
    with gr.Blocks() as demo:
        add_endpoints(demo, Page(Models([bare]), words, gr.Radio(["zh", "en"])), [bare])
    assert demo.get_api_info()["named_endpoints"] == {}
    assert parameters([bare]) == {}
