"""Scripts in all that a visitor can write and all that weights can say: none of them runs."""

import json
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser
from servers import serving
from torture.scale import TIMES

from aigc_demo.weights import BUNDLED

pytestmark = pytest.mark.browser
RUN = "window.ran = 1"
SCRIPTS = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror='{RUN}'>",
    f"<svg onload='{RUN}'>",
    f'\'"><iframe srcdoc="<script>parent.{RUN}</script>">',
    f"[x](javascript:{quote(RUN)})",
    f"![x](x){{onerror={RUN}}}",
    f"</textarea></script><script>{RUN}</script>",
    f"$$\\href{{javascript:{RUN}}}{{x}}$$",
    f"<a href='javascript:{RUN}' autofocus onfocus='{RUN}'>x</a>",
    f"<details open ontoggle='{RUN}'>",
]
FIELDS = [  # the texts of the page, as a link fills them in
    "tab=transformer.shakespeare&length=1&prompt={}",
    "tab=transformer.poems&title={}",
    "tab=transformer.poems&line={}",
    "tab=transformer.poems&heads={}",
    "tab=transformer.ngram&prompt={}",
    "tab=transformer.gaps&more=1&text={}",
    "tab=transformer.inside&look=overview&text={}",
    "tab=transformer.inside&look=surprise&text={}",
    "tab=gan.number&number={}",
    "tab=learn.chapter&chapter={}",
]


def test_no_script_of_a_link_runs(browser: Browser, server_url: str) -> None:
    page = browser.new_page()
    for place in range(10 * TIMES):
        field, script = FIELDS[place % len(FIELDS)], SCRIPTS[(place // 10 + place) % len(SCRIPTS)]
        page.goto(f"{server_url}?lang=en&{field.format(quote(script))}")
        page.locator("#models").wait_for()
        page.wait_for_timeout(1_500)
        assert page.evaluate("window.ran") is None, (field, script)
        for frame in page.frames[1:]:
            assert frame.evaluate("window.ran") is None, (field, script)
    page.close()


def test_no_script_of_weights_runs(browser: Browser, tmp_path: Path) -> None:
    """In the card, the config, the examples and the names of classes of somebody's model."""
    for number, script in enumerate(SCRIPTS[: max(2, TIMES)]):
        folder = tmp_path / f"own{number}"
        shutil.copytree(BUNDLED / "broken-order", folder)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        said = {"opening": script[:200], "examples": [script[:200]], "name": "own"}
        (folder / "config.json").write_text(json.dumps({**config, **said}), encoding="utf-8")
        card = f"---\nlicense: {script}\n---\n# {script}\n\n{script}\n"
        (folder / "README.md").write_text(card, encoding="utf-8")
    with serving("--weights", str(tmp_path)) as url:
        page = browser.new_page()
        page.goto(f"{url}?lang=en&tab=transformer.shakespeare")
        labels = page.locator("#shakespeare-model label")
        labels.nth(1).wait_for(state="attached")
        for place in range(1, labels.count()):
            labels.nth(place).click()
            page.wait_for_timeout(800)
            assert page.evaluate("window.ran") is None
        page.close()
