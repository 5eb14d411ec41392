"""The command line: what the README says works, and wrong input ends in one clear line."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from servers import ROOT

from aigc_demo.cli import main, parser_of_commands
from aigc_demo.cli.sample import _labels
from aigc_demo.names import COUPLETS

COMMANDS = ("train", "evaluate", "sample", "data", "publish", "deploy", "demo", "lesson")


TORCHRUN = shlex.split(  # tests/training/test_several_processes.py starts it
    "torchrun --standalone --nproc-per-node 2 --max-restarts 3 -m aigc_demo train gan"
)


DOCKER = (  # tests/ui/serving/test_deploy.py starts what the image would hold
    shlex.split("docker build -t aigc-demo ."),
    shlex.split("docker run --rm -p 7860:7860 aigc-demo"),
)

NGINX = (  # tests/ui/serving/test_replicas.py starts it with that file
    shlex.split("sudo apt-get install -y nginx-light"),
    shlex.split("sudo cp nginx.conf /etc/nginx/conf.d/aigc-demo.conf"),
    shlex.split("sudo service nginx restart"),
)


def readme_commands() -> list[str]:
    """Every line of the shell blocks of the READMEs and the pages in docs/."""
    lines: list[str] = []
    for path in [*ROOT.glob("README*.md"), *sorted((ROOT / "docs").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        for block in re.findall(r"```sh\n(.*?)```", text, re.S):
            lines += block.strip().splitlines()
    return lines


def test_the_readme_names_every_command() -> None:
    named = {line.split()[3] for line in readme_commands() if line.startswith("python -m")}
    assert named == set(COMMANDS)


@pytest.mark.parametrize("line", sorted(set(readme_commands())))
def test_every_readme_command_parses(line: str) -> None:
    for part in line.split("&&"):
        words = shlex.split(part)
        if words[:3] == ["python", "-m", "aigc_demo"]:
            assert callable(parser_of_commands().parse_args(words[3:]).run)
        elif words[0] == "make":
            result = subprocess.run(["make", "-n", words[1]], cwd=ROOT, capture_output=True)
            assert result.returncode == 0, result.stderr.decode()
        elif words[:2] == ["python", "app.py"]:
            if "--help" in words:
                assert ask("app.py", "--help").returncode == 0
        else:
            install = ["pip", "install", "-r", "requirements.txt"]
            assert words in (install, TORCHRUN, *DOCKER, *NGINX)


def ask(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a process of its own, where no data folder is set."""
    environment = {key: value for key, value in os.environ.items() if key != "AIGC_DATA"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**environment, "HOME": "/nonexistent"},
        timeout=300,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_that_parses(command: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    example = text.split("example: python -m aigc_demo ")[1]
    assert parser_of_commands().parse_args(shlex.split(example)).command == command


def test_sample_draws_a_number_into_a_png(tmp_path: Path) -> None:
    output = tmp_path / "2026.png"
    assert main(["sample", "gan", "--digits", "2026", "--output", str(output)]) == 0
    with Image.open(output) as image:
        assert image.size == (4 * 28 * 4, 28 * 4)


def test_sample_writes_the_same_text_for_the_same_seed(capsys: pytest.CaptureFixture) -> None:
    words = ["sample", "shakespeare", "--length", "40", "--seed", "3"]
    assert main(words) == 0
    first = capsys.readouterr().out
    assert main(words) == 0
    assert capsys.readouterr().out == first
    assert first.startswith("ROMEO:\n")
    assert len(first) == len("ROMEO:\n") + 40 + 1


def test_a_title_alone_asks_for_a_poem(capsys: pytest.CaptureFixture) -> None:
    written = []
    for form in ([], ["--form", "七绝"], ["--form", "七絕"]):
        assert main(["sample", "poems", "--title", "春江", *form]) == 0
        written.append(capsys.readouterr().out)
    assert written[0] == written[1] == written[2] and len(written[0].split()) == 4


def test_a_first_line_gets_its_second_ones(capsys: pytest.CaptureFixture) -> None:
    assert main(["sample", "poems", "--couplet", "白日依山堃"]) == 0
    told = capsys.readouterr()
    first, empty, *seconds = told.out.splitlines()
    assert first == "白日依山堃" and not empty and len(seconds) == COUPLETS
    assert {len(second) for second in seconds} == {5} and "stood in for 堃" in told.err
    for stray in (["--title", "春"], ["--penalty", "1.2"], ["--prompt", "x"], ["--free"]):
        assert main(["sample", "poems", "--couplet", "白日依山盡", *stray]) == 1
        assert f"{stray[0]}: not an option of a couplet" in capsys.readouterr().err
    for name, line in (("poems", "白日"), ("poems", "white"), ("shakespeare", "白日依山盡")):
        assert main(["sample", name, "--couplet", line]) == 1
        assert "Traceback" not in capsys.readouterr().err


def test_classes_stand_between_commas_of_any_kind_and_may_hold_one() -> None:
    loaded = SimpleNamespace(class_names=["cat", "dog, small", "狼"])
    sampler = SimpleNamespace(loaded=loaded, classes=3)
    assert _labels(sampler, "dog, small") == [1]
    assert _labels(sampler, 'cat, "dog, small",狼') == [0, 1, 2]
    assert _labels(sampler, "狼、 cat，0") == [2, 0, 0]
    assert _labels(sampler, " , ") is None
    with pytest.raises(ValueError, match="got 'wolf'"):
        _labels(sampler, "cat,wolf")


BAD = [
    ["train", "gan", "--preset", "smoke", "--data", "/nonexistent/data", "--output", "OUT"],
    ["train", "shakespeare", "--preset", "cpu", "--output", "OUT"],
    ["train", "gan", "--images", "/nonexistent", "--output", "OUT"],
    ["train", "vae", "--images", "/", "--output", "OUT"],
    ["train", "shakespeare", "--text", "/nonexistent.txt", "--output", "OUT"],
    ["train", "gan", "--preset", "smoke", "--tracker", "wandb", "--output", "OUT"],
    ["evaluate", "nothing-of-this-name"],
    ["evaluate", "gan", "--digits", "5"],
    ["evaluate", "judge", "--data", "/nonexistent"],
    ["sample", "gan", "--digits", "20x6"],
    ["sample", "gan", "--classes", "cat"],
    ["sample", "gan-mlp", "--digits", "3"],
    ["sample", "vae", "--digits", "3"],
    ["sample", "gan", "--digits", "3", "--classes", "4"],
    ["sample", "gan", "--title", "春江"],
    ["sample", "shakespeare", "--title", "春江"],
    ["sample", "poems", "--title", "春江", "--prompt", "春"],
    ["train", "gan", "--encoding", "gbk", "--output", "OUT"],
    ["sample", "gan", "--count", "0"],
    ["sample", "gan", "--seed", "-1"],
    ["sample", "gan", "--truncation", "nan"],
    ["sample", "gan", "--device", "abacus"],
    ["sample", "judge"],
    ["sample", "shakespeare", "--prompt", ""],
    ["sample", "shakespeare", "--prompt", "你好"],
    ["sample", "shakespeare", "--temperature", "inf"],
    ["sample", "poems", "--form", "八绝"],
    ["sample", "poems", "--form", "七绝", "--first-line", "hello"],
    ["data", "--data", "/nonexistent"],
    ["publish", "gan", "no-owner"],
    ["publish", "samples", "owner/repo"],
    ["deploy", "no-owner"],
    ["deploy", "owner/space", "--variable", "A"],
    ["demo", "--weights", "/nonexistent"],
]


@pytest.mark.parametrize("words", BAD, ids=" ".join)
def test_bad_input_ends_in_one_line(words: list[str], tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.delenv("AIGC_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    words = [str(tmp_path / "out") if word == "OUT" else word for word in words]
    status = main(words)
    lines = capsys.readouterr().err.strip().splitlines()
    assert status == 1
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    assert len(lines[0]) > 20


@pytest.mark.parametrize(
    "words",
    [["train", "unicorn"], ["train", "gan", "--preset", "huge"], ["data", "x"], [], ["fly"]],
)
def test_an_unknown_word_is_refused_by_the_parser(words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err


def test_own_text_is_learned_and_shown(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("一二三四五\n" * 100, encoding="utf-8")
    output, text = str(tmp_path / "own"), str(tmp_path / "own.txt")
    words = ["train", "shakespeare", "--preset", "smoke", "--text", text, "--output", output]
    trained = ask("-m", "aigc_demo", *words)
    assert trained.returncode == 0, trained.stderr
    card = (tmp_path / "own/README.md").read_text(encoding="utf-8")
    assert "the user's own" in card and "Tiny Shakespeare" not in card
    assert (tmp_path / "own/curves.png").is_file()
    written = ask("-m", "aigc_demo", "sample", output, "--prompt", "一二", "--length", "9")
    assert written.returncode == 0, written.stderr
    assert len(written.stdout) == 2 + 9 + 1


def test_train_evaluate_and_show_in_processes_of_their_own(tmp_path: Path) -> None:
    output = str(tmp_path / "gan")
    trained = ask("-m", "aigc_demo", "train", "gan", "--preset", "smoke", "--output", output)
    assert trained.returncode == 0, trained.stderr
    assert f"python app.py --weights {output}" in trained.stdout
    card = (tmp_path / "gan/README.md").read_text(encoding="utf-8")
    config = json.loads((tmp_path / "gan/config.json").read_text(encoding="utf-8"))
    assert config["sha256"] in card
    drawn = ask("-m", "aigc_demo", "sample", output, "--output", str(tmp_path / "x.png"))
    assert drawn.returncode == 0, drawn.stderr
    again = ask("-m", "aigc_demo", "train", "gan", "--preset", "smoke", "--output", output)
    assert "resumed after step 40 of 40" in again.stdout


def test_every_page_of_the_documents_has_both_languages_and_its_links_lead_somewhere() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert {f"{name[:-3]}.zh.md" for name in pages if not name.endswith(".zh.md")} == {
        name for name in pages if name.endswith(".zh.md")
    }
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
