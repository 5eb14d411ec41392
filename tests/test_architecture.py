"""Who may import whom, as docs/house.md says it; read from the source of every file."""

import ast
import os
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from servers import ROOT

PACKAGE = ROOT / "aigc_demo"
FILES = sorted(PACKAGE.rglob("*.py"))

EVERYTHING = "everything"
TABLE: dict[str, set[str] | str] = {  # part -> the parts of ours that it may import
    "names": set(),
    "devices": set(),
    "samples": set(),
    "images": set(),
    "photo": set(),
    "tokenizer": set(),
    "prosody": set(),
    "hub": set(),
    "models": set(),
    "checkpoints": {"models", "tokenizer"},
    "data": {"images", "photo", "tokenizer", "prosody"},
    "weights": {"checkpoints", "devices", "hub", "models", "tokenizer"},
    "inference": {"devices", "images", "models", "prosody", "tokenizer", "weights"},
    "explain": {"images", "inference", "models", "prosody", "samples", "tokenizer", "weights"},
    "evaluation": {
        "data",
        "devices",
        "images",
        "inference",
        "models",
        "prosody",
        "tokenizer",
        "weights",
    },
    "training": {
        "data",
        "devices",
        "evaluation",
        "images",
        "inference",
        "models",
        "names",
        "prosody",
        "samples",
        "tokenizer",
        "weights",
    },
    "benchmark": {
        "data",
        "devices",
        "images",
        "inference",
        "models",
        "names",
        "tokenizer",
        "weights",
    },
    "ui": {
        "explain",
        "hub",
        "images",
        "inference",
        "names",
        "photo",
        "prosody",
        "samples",
        "tokenizer",
        "weights",
    },
    "cli": EVERYTHING,
    "app.py": {"ui"},
}


ROOMS = [
    "kit",
    "catalog",
    "page",
    "plane",
    "TABS",
    "api",
    "serving",
    "top",
]  # of ui/; each knows those before


def imports_of(source: str, package: str = "") -> set[str]:
    """Every module and name that a source imports, wherever: "a.b" for `from a import b` too."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: -node.level + 1 or None] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):  # import_module("a.b"), __import__("a.b")
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("import_module", "__import__"):
                assert isinstance(node.args[0], ast.Constant), "an import whose name is computed"
                found.add(node.args[0].value)
    return found


def file_imports(path: Path) -> set[str]:
    package = ".".join(path.relative_to(ROOT).parent.parts)
    return imports_of(path.read_text(encoding="utf-8"), package)


def ours(imports: set[str]) -> set[str]:
    """The parts of ours among some imports; `__version__` and the like are no part."""
    names = {name.split(".")[1] for name in imports if name.startswith("aigc_demo.")}
    return {name for name in names if not name.startswith("__")}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def whole(imports: set[str], library: str) -> bool:
    return any(name == library or name.startswith(library + ".") for name in imports)


def importers(library: str) -> set[str]:
    """The files, app.py included, that import a library or a part of it."""
    files = [*FILES, ROOT / "app.py"]
    return {str(f.relative_to(ROOT)) for f in files if whole(file_imports(f), library)}


def test_the_reader_of_imports_misses_none():
    source = """
import a.b, c as d
from e import f as g
from . import h
from .i import j
from ..k import l
def inside():
    import m
    if True:
        from aigc_demo.n import o
__import__("p")
importlib.import_module("q.r")
"""
    found = imports_of(source, "aigc_demo.ui")
    expected = {"a.b", "c", "e.f", "aigc_demo.ui.h", "aigc_demo.ui.i.j", "aigc_demo.k.l", "m"}
    assert expected | {"aigc_demo.n.o", "p", "q.r"} <= found
    assert ours(found) == {"ui", "k", "n"}
    assert ours(imports_of("from aigc_demo import __version__, hub")) == {"hub"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_part_imports_only_what_the_table_allows(path):
    part, imports = part_of(path), ours(file_imports(path))
    if part == "__init__":
        assert not imports
    elif part == "__main__":
        assert imports <= {"cli"}
    else:
        assert part in TABLE, f"{part} has no row in the table"
        if TABLE[part] != EVERYTHING:
            assert imports <= {part, *TABLE[part]}


def test_app_py_imports_the_ui_alone():
    assert ours(file_imports(ROOT / "app.py")) == {"ui"}


def test_every_part_that_a_row_mentions_has_a_row_of_its_own():
    mentioned = set().union(*(row for row in TABLE.values() if row != EVERYTHING))
    assert mentioned <= set(TABLE) - {"app.py", "cli"}


def test_the_table_has_no_cycle():
    rows = {
        part: set(TABLE) - {part, "app.py"} if r == EVERYTHING else r for part, r in TABLE.items()
    }
    order = list(TopologicalSorter(rows).static_order())  # raises CycleError
    assert set(order) == set(TABLE)


def room_of(module: str) -> str:
    """The room of ui/ that a module is in: one of a tab's, or the few files at the top."""
    parts = module.removeprefix("aigc_demo.ui.").split(".")
    return parts[0] if (PACKAGE / "ui" / parts[0]).is_dir() else "top"


@pytest.mark.parametrize("path", sorted((PACKAGE / "ui").rglob("*.py")), ids=lambda path: path.stem)
def test_inside_the_ui_imports_run_one_way_and_no_tab_imports_a_tab(path):
    found = {name for name in file_imports(path) if name.startswith("aigc_demo.ui.")}
    own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for room in {room_of(name) for name in found} - {own}:
        mine, theirs = (ROOMS.index(one if one in ROOMS else "TABS") for one in (own, room))
        assert theirs < mine or path.parent.name == "ui", f"{own} imports {room}"


def test_the_top_of_the_ui_holds_three_files_and_no_room_a_dozen_scripts_and_more():
    assert {path.name for path in (PACKAGE / "ui").glob("*.py")} == {
        "__init__.py",
        "app.py",
        "options.py",
    }
    for folder in (PACKAGE / "ui").glob("*/static"):
        assert len(list(folder.iterdir())) <= 12, folder


def test_no_file_imports_itself_by_way_of_others():
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in FILES}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    graph = {}
    for module, path in modules.items():
        found = {name for name in file_imports(path) if name in modules and name != module}
        # `from a import b` with a file a/b.py means the file, not what a/__init__.py says.
        graph[module] = {name for name in found if not any(f.startswith(f"{name}.") for f in found)}
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)  # or CycleError


@pytest.mark.parametrize("page", ["house.md", "house.zh.md"])
def test_the_documents_show_this_table(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    heading = r"\| (?:part \| may import of ours|部分 \| 可以导入本项目的) \|"
    rows = re.search(heading + r"\n\|[ -|]+\|\n((?:\|.*\|\n)+)", text)
    assert rows, "expected a table of who may import whom"
    shown: dict[str, set[str] | str] = {}
    for line in rows[1].replace("`", "").splitlines():
        parts, imports = (cell.strip() for cell in line.strip("|").split("|"))
        names = re.split(r"\s*[;(；（]|, inside|，在", imports)[0]  # what follows is a remark
        row: set[str] | str = set() if names in ("nothing", "无") else set(names.split(", "))
        whole = names in (EVERYTHING, "全部")
        shown |= dict.fromkeys(parts.split(", "), EVERYTHING if whole else row)
    assert shown == TABLE


LOADED = """
import sys
import aigc_demo
print(sorted({"torch", "gradio", "numpy", "huggingface_hub"} & set(sys.modules)))
"""


def test_importing_the_package_loads_neither_torch_nor_gradio():
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_only_the_ui_imports_gradio():
    found = importers("gradio") | importers("gradio_client")
    assert found
    assert all(name.startswith("aigc_demo/ui/") for name in found)


def test_only_hub_imports_the_client_of_the_hub():
    found = importers("huggingface_hub")
    assert found
    assert all(name.startswith("aigc_demo/hub/") for name in found)


def test_only_data_vision_imports_torchvision():
    assert importers("torchvision") == {"aigc_demo/data/vision.py"}


def test_nothing_imports_pickle():
    for library in ("pickle", "cPickle", "_pickle", "dill", "joblib", "cloudpickle"):
        assert importers(library) == set()


def test_torch_loads_files_as_weights_only():
    calls = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                settings = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                calls.append(settings.get("weights_only"))
    assert calls
    assert set(calls) == {"True"}
