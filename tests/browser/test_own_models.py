"""Models of a user's own, trained by the real command, as guests on the page."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser.pages import (
    LONG,
    Visitor,
    bar,
    choose,
    copied,
    open_tab,
    painted,
    switch,
    wait_for_other,
    wait_for_parameter,
    words,
)
from PIL import Image
from playwright.sync_api import Browser, expect
from servers import ROOT, serving

from aigc_demo.samples import sample_digits

NAMES = ["a1", "a2", "a10", "cat", "dog", "drei", "ein", "f", "g", "h", "wolf", "zwei"]
OWN = {"gan": "zoo", "gan-mlp": "herd", "flow": "river", "shakespeare": "novel"}
TEXT = "话说天下大势，分久必合，合久必分。周末七国分争，并入于秦。\n及秦灭之后，楚、汉分争。\n" * 40


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """runs/ with a GAN and a flow of twelve named classes, a GAN without classes, a writer of
    Chinese prose, and a damaged one."""
    folder = tmp_path_factory.mktemp("own")
    images, labels = sample_digits("train")
    for place, name in enumerate(NAMES):
        inner = folder / "pictures" / name
        inner.mkdir(parents=True)
        for number, image in enumerate(images[labels == place % 10][:20]):
            Image.fromarray((255 * image.numpy()).astype(np.uint8)).save(inner / f"{number}.png")
    (folder / "novel.txt").write_bytes(TEXT.encode("gbk"))
    for name, own in OWN.items():
        data = "--text=novel.txt" if name == "shakespeare" else "--images=pictures"
        output = folder / "runs" / own
        command = [sys.executable, "-m", "aigc_demo", "train", name, "--preset", "smoke", data]
        subprocess.run(
            [*command, "--output", output], cwd=folder, check=True, env=_environment(), timeout=300
        )
    shutil.copytree(folder / "runs" / "zoo", folder / "runs" / "broken")
    weights = folder / "runs" / "broken" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    return folder / "runs"


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    with serving("--weights", str(runs)) as url:
        yield url


def test_the_folder_knows_its_classes_and_how_to_open(runs: Path) -> None:
    zoo = json.loads((runs / "zoo" / "config.json").read_text())
    assert zoo["class_names"] == NAMES and "digits" not in zoo
    herd = json.loads((runs / "herd" / "config.json").read_text())
    assert herd["digits"] is False and "class_names" not in herd
    novel = json.loads((runs / "novel" / "config.json").read_text())
    assert novel["opening"] == TEXT.splitlines()[0] + "\n"
    assert novel["examples"] == [TEXT.splitlines()[1] + "\n"]
    assert (runs / "novel" / "README.md").read_text().startswith("---\nlicense: apache-2.0\n")
    assert "\n# novel\n" in (runs / "novel" / "README.md").read_text()
    command = [sys.executable, "-m", "aigc_demo", "sample", str(runs / "novel"), "--length", "20"]
    said = subprocess.run(command, capture_output=True, text=True, env=_environment(), timeout=120)
    assert said.returncode == 0 and said.stdout.startswith(novel["opening"])
    drawing = [*command[:4], str(runs / "zoo"), "--classes", "zwei, 2", "--output"]
    said = subprocess.run(
        [*drawing, runs.parent / "two.png"], capture_output=True, text=True, env=_environment()
    )
    assert said.returncode == 0 and said.stdout.startswith("2 pictures in ")
    wrong = [*command, "--prompt", "The"]
    said = subprocess.run(wrong, capture_output=True, text=True, env=_environment(), timeout=120)
    assert said.returncode == 1 and said.stdout == "" and said.stderr.count("\n") == 1


def test_own_models_stand_beside_the_bundled_ones(browser: Browser, address: str) -> None:
    with Visitor(browser, address + "?lang=en") as page:
        before = painted(page, "#gan-digits canvas")
        choices = page.locator("#gan-model label")
        expect(choices).to_have_text([re.compile("by class"), re.compile("2014"), "herd", "zoo"])
        choices.nth(3).click()
        expect(page.locator("#gan-wanted label")).to_have_text(NAMES)
        drawn = wait_for_other(page, "#gan-digits canvas", before)
        page.locator("#gan-wanted label").nth(11).click()
        one = wait_for_other(page, "#gan-digits canvas", drawn)
        link = copied(page, "gan.digits")
        with page.expect_download(timeout=LONG) as table:
            page.locator(f"{bar('gan.digits')} button[value=csv]").click()
        rows = [row.split(",") for row in table.value.path().read_text().splitlines()]
        assert ["seed", "class"] in rows and rows[-1][1] == "zwei"
        assert "own%2Fzoo%40" in link or "own/zoo@" in link
        switch(page, "zh")
        expect(page.locator("#gan-wanted label")).to_have_text(NAMES)
        switch(page, "en")
        page.locator("#gan-wanted label").nth(3).click()
        page.locator("#gan-model label").nth(0).click()  # which knows no class 11
        expect(page.locator("#gan-wanted label")).to_have_text([*"0123456789"])
        wait_for_parameter(page, "digits", "3")
        wait_for_parameter(page, "model", "gan")
        assert page.get_by_test_id("toast-text").count() == 0
        open_tab(page, "gan", "morph")
        before = painted(page, "#gan-frames canvas")
        page.locator("#gan-morph-model label").nth(1).click()
        wait_for_other(page, "#gan-frames canvas", before)
        page.locator("#gan-last input").click()
        page.get_by_role("option", name="zwei").click()
        expect(page.locator("#gan-film .caption")).to_contain_text("zwei")
        assert "last=11" in copied(page, "gan.morph")
        page.locator("#gan-morph-model label").nth(0).click()  # to the last class it knows
        wait_for_parameter(page, "last", "9")
        assert page.get_by_test_id("toast-text").count() == 0
        page.locator("#gan-morph-model label").nth(1).click()
        open_tab(page, "gan", "number")
        page.locator("#gan-number-model label").nth(1).click()
        expect(page.get_by_test_id("toast-text").last).to_contain_text(
            words("en")["error.not_digits"]
        )
        page.get_by_test_id("toast-close").last.click()
        open_tab(page, "gan", "digits")
        bundled = painted(page, "#gan-digits canvas")
        choices.nth(3).click()
        wait_for_other(page, "#gan-digits canvas", bundled)
        page.locator("#gan-digits canvas").click(position={"x": 20, "y": 20})  # looked into
        page.locator(
            "#inside-network[data-painted], #inside-network [data-painted]"
        ).first.wait_for()
        sentence = words("en")["error.not_digits"]
        for view in ("scores", "yours", "copied"):  # which know digits only
            choose(page, view)
            expect(page.get_by_test_id("toast-text").last).to_have_text(sentence)
            page.get_by_test_id("toast-close").last.click()
            expect(page.get_by_test_id("toast-text")).to_have_count(0)

        open_tab(page, "transformer", "shakespeare")
        writers = page.locator("#shakespeare-model label")
        expect(writers).to_have_text(["Shakespeare", "novel"])
        writers.nth(1).click()
        prompt = page.locator("#shakespeare-prompt textarea")
        expect(prompt).to_have_value(TEXT.splitlines()[0] + "\n")
        examples = page.locator("#transformer-tasks .examples:visible button:visible")
        lines = TEXT.splitlines()
        expect(examples).to_have_text([f"{lines[0][:23]}…", lines[1]])
        examples.nth(1).click()
        expect(prompt).to_have_value(lines[1] + "\n")
        examples.nth(0).click()
        expect(prompt).to_have_value(lines[0] + "\n")
        page.locator("#shakespeare-write").click()
        text = page.locator("#shakespeare-text textarea")
        expect(text).to_have_value(re.compile(rf"^{TEXT[:10]}[\s\S]{{100,}}"), timeout=LONG)
    with Visitor(browser, link) as page:  # the link opens it again
        page.wait_for_function(
            "([canvas, wanted]) => document.querySelector(canvas)?.toDataURL() === wanted",
            arg=["#gan-digits canvas", one],
        )


def test_what_a_guest_learnt_is_said_and_what_does_not_apply(
    browser: Browser, address: str
) -> None:
    said = words("en")
    with Visitor(browser, address + "?lang=en") as page:
        page.locator("#gan-model label").nth(2).click()  # herd, that knows no classes
        expect(page.locator("#gan-wanted")).to_be_hidden()
        page.locator("#gan-digits canvas").click(position={"x": 20, "y": 20})
        overview = page.locator("#inside-network .caption")
        card = said["page.card"].format(title="herd", licence="apache-2.0")
        expect(overview).to_contain_text(card, timeout=LONG)
        choose(page, "scores")
        expect(page.get_by_test_id("toast-text").last).to_have_text(said["error.not_digits"])
        page.get_by_test_id("toast-close").last.click()
        page.locator("#gan-others summary").click()
        line = page.locator("#gan-others li").filter(has_text="zoo")
        expect(line).to_have_text("zoo · GAN, convolutional · licence apache-2.0")

        open_tab(page, "flow", "vary")
        page.locator("#flow-vary-model label").nth(1).click()  # river
        page.locator("#flow-vary-as input").click()
        stand_ins = [choice[0] for choice in said["flow.as_digit"]["choices"][:2]]
        expect(page.get_by_role("option")).to_contain_text([*stand_ins, *NAMES])
        before = painted(page, "#flow-varied canvas")
        page.get_by_role("option", name="zwei").click()
        wait_for_other(page, "#flow-varied canvas", before)
        switch(page, "zh")
        page.locator("#flow-vary-as input").click()
        stand_ins = [choice[0] for choice in words("zh")["flow.as_digit"]["choices"][:2]]
        expect(page.get_by_role("option")).to_contain_text([*stand_ins, *NAMES])
