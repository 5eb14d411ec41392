"""The page's JavaScript under a linter, joined as it runs: each widget's files make one script."""

import json
import re
import subprocess
import sysconfig
from pathlib import Path

import gradio as gr
import pytest

from aigc_demo.ui.app import build
from aigc_demo.ui.kit.widgets import GIVEN, head, widget_files
from aigc_demo.ui.kit.words import Words, static
from aigc_demo.ui.serving.first_paint import first_paint

OXLINT = Path(sysconfig.get_path("scripts"), "oxlint")
SHARED = re.findall(r"^(?:function|const|let) (\w+)", static("kit/common.js"), re.MULTILINE)
RULES = {
    "no-undef": "error",
    "unicorn/consistent-function-scoping": "off",  # a script is one function,
    "no-shadow": "off",  # and its pieces name their own variables
    "no-unused-vars": ["error", {"varsIgnorePattern": f"^({'|'.join(SHARED)})$"}],
    "prefer-const": "error",
    "eqeqeq": "error",
    "no-shadow-restricted-names": "error",
    "no-var": "error",
}


def complaints(folder: Path, script: str) -> str:
    """What the linter says of one script, or nothing."""
    (folder / "script.js").write_text(script, encoding="utf-8")
    settings = {
        "categories": {"correctness": "error", "suspicious": "error"},
        "rules": RULES,
        "env": {"browser": True, "es2024": True},
        "globals": dict.fromkeys(GIVEN.split(", "), "readonly"),
    }
    (folder / "rules.json").write_text(json.dumps(settings))
    command = [OXLINT, "-c", "rules.json", "--deny-warnings", "script.js"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


PAGE = build()


def widget_scripts() -> dict[str, str]:
    """Of all widgets of the page, as they run."""
    found = {}
    for block in PAGE.blocks.values():
        name = isinstance(block, gr.HTML) and re.match(
            r'<div class="widget (\w+)"', str(block.html_template)
        )
        if name:
            _, found[name[1]] = getattr(block, "script", ("", block.js_on_load))
    return found


WIDGETS = widget_scripts()


def test_the_head_holds_every_script_once(tmp_path):
    script = head(PAGE).removeprefix("<script>").removesuffix("</script>")
    assert "</script" not in script
    assert complaints(tmp_path, script) == ""
    apart = {one.script[0] for one in PAGE.blocks.values() if getattr(one, "is_apart", False)}
    assert apart == {
        *(
            "book",
            "collect",
            "game",
            "guess",
            "history",
            "lab",
            "flowlab",
            "lessons",
            "questions",
            "run",
        ),
    }
    for name in WIDGETS.keys() - {"bar"}:
        found = len(re.findall(rf"^{name}\({GIVEN}\)", script, re.MULTILINE))
        assert found == (name not in apart)
        files = [path for path in widget_files(PAGE) if path.startswith(f"scripts/{name}.")]
        assert bool(files) == (name in apart)


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widgets_script_is_clean(tmp_path, name):
    assert complaints(tmp_path, f"export async function script() {{\n{WIDGETS[name]}\n}}\n") == ""


@pytest.mark.parametrize("name", ["page/language.js", "page/first_language.js", "page/route.js"])
def test_the_scripts_of_the_page_are_clean(tmp_path, name):
    script = static(name).replace("__TABLE__", "{}").replace("__TABS__", "{}")
    assert complaints(tmp_path, f"export default {script.lstrip()}") == ""


def test_the_first_paints_script_is_clean(tmp_path):
    script = first_paint(Words()).partition("<script>")[2].partition("</script>")[0]
    assert "__" not in script.replace("__theme", "")
    assert complaints(tmp_path, script) == ""


def test_every_shared_piece_is_used_by_some_widget():
    for name in SHARED:
        assert any(len(re.findall(rf"\b{name}\b", script)) > 1 for script in WIDGETS.values()), name


@pytest.mark.parametrize("fault", ["missing();", "let unused = 1;", "if (props == 1) trigger();"])
def test_the_linter_sees_a_fault(tmp_path, fault):
    assert "script.js" in complaints(tmp_path, fault)
