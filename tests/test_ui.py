"""The page without a browser: words, checks, and handlers called as a client would call them."""

import base64
import math
import string

import gradio as gr
import numpy as np
import pytest

from aigc_demo.ui import check, gan, transformer, vae
from aigc_demo.ui.layout import Page
from aigc_demo.ui.models import Models
from aigc_demo.ui.words import LANGUAGES, Words

WORDS = Words()
MODELS = Models()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_locales_have_the_same_keys_and_fields() -> None:
    english, chinese = WORDS.table["en"], WORDS.table["zh"]
    assert list(english) == list(chinese)
    for key, entry in english.items():
        other = chinese[key]
        assert type(entry) is type(other), key
        if isinstance(entry, str):
            assert fields(entry) == fields(other), key
        else:
            assert set(entry) == set(other), key
            values = [[value for _, value in e.get("choices", [])] for e in (entry, other)]
            assert values[0] == values[1], key


def test_every_key_in_the_code_is_in_the_locales() -> None:
    import re
    from pathlib import Path

    folder = Path(check.__file__).parent
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    used = set(re.findall(r'"((?:page|gan|vae|transformer|error)\.[a-z_]+)"', code))
    assert used <= set(WORDS.table["en"])
    unused = {key for key in WORDS.table["en"] if key.split(".")[0] in ("gan", "vae", "error")}
    assert unused - used - {"gan.tab", "vae.tab"} == set()


def test_english_has_no_chinese_and_chinese_is_not_english() -> None:
    for key, entry in WORDS.table["en"].items():
        texts = [entry] if isinstance(entry, str) else [v for v in entry.values() if type(v) is str]
        assert not any("㐀" <= c <= "鿿" for text in texts for c in text), key
    for key, entry in WORDS.table["zh"].items():
        text = entry if isinstance(entry, str) else entry.get("label") or entry.get("value", "")
        if key.startswith("error.") or key.startswith("name.") and not key.endswith(("_k", "_p")):
            assert any("㐀" <= c <= "鿿" for c in text), key


def test_captions_are_plain_in_both_languages() -> None:
    update = gan.draw(MODELS, WORDS, ["3"], 4, 0, 0.8)
    assert update["count"] == 4
    assert update["strip"].startswith("data:image/png;base64,")
    assert set(update["texts"]) == set(LANGUAGES)
    assert not any("{" in text for text in update["texts"].values())


NAN = math.nan
BAD = [
    (gan.draw, (["3"], 0, 0, 0.8)),
    (gan.draw, (["3"], 65, 0, 0.8)),
    (gan.draw, (["3"], 2.5, 0, 0.8)),
    (gan.draw, (["3"], None, 0, 0.8)),
    (gan.draw, (["3"], True, 0, 0.8)),
    (gan.draw, (["ten"], 4, 0, 0.8)),
    (gan.draw, ("3", 4, 0, 0.8)),
    (gan.draw, ([3], 4, 0, 0.8)),
    (gan.draw, (["3"] * 11, 4, 0, 0.8)),
    (gan.draw, (["3"], 4, -1, 0.8)),
    (gan.draw, (["3"], 4, NAN, 0.8)),
    (gan.draw, (["3"], 4, 1e300, 0.8)),
    (gan.draw, (["3"], 4, "0", 0.8)),
    (gan.draw, (["3"], 4, 0, NAN)),
    (gan.draw, (["3"], 4, 0, 1.5)),
    (gan.write_number, ("", 0)),
    (gan.write_number, ("12345678901234567", 0)),
    (gan.write_number, ("12a", 0)),
    (gan.write_number, ("１２", 0)),
    (gan.write_number, (2026, 0)),
    (gan.write_number, ("9" * 1_000_000, 0)),
    (gan.morph, ("3", "x", 0, 8)),
    (gan.morph, (None, "8", 0, 8)),
    (gan.morph, ("3", "8", 0, 1)),
    (gan.morph, ("3", "8", 0, 65)),
    (vae.decode_point, (None,)),
    (vae.decode_point, ({"x": 0},)),
    (vae.decode_point, ({"x": NAN, "y": 0},)),
    (vae.decode_point, ({"x": 100, "y": 0},)),
    (vae.decode_point, ({"x": "0", "y": 0},)),
    (vae.rebuild, ("", 0)),
    (vae.rebuild, ("no base64!", 0)),
    (vae.rebuild, (base64.b64encode(b"short").decode(), 0)),
    (vae.rebuild, (base64.b64encode(bytes(784)).decode(), 0)),
    (vae.rebuild, (base64.b64encode(bytes(140 * 140)).decode(), 0)),
    (vae.rebuild, ("A" * 1_000_000, 0)),
    (vae.rebuild, ({"a": 1}, 0)),
    (vae.rebuild_picked, (30, 0)),
    (vae.rebuild_picked, (NAN, 0)),
    (vae.rebuild_picked, (None, 0)),
    (vae.walk, ("3", "33", 0, 8)),
    (vae.draw, (0, 0)),
    (vae.draw, ("7", 0)),
    (transformer.continue_text, ("", 9, 0.8, 0, 1, 0)),
    (transformer.continue_text, ("x" * 2_001, 9, 0.8, 0, 1, 0)),
    (transformer.continue_text, (None, 9, 0.8, 0, 1, 0)),
    (transformer.continue_text, ("你好", 9, 0.8, 0, 1, 0)),
    (transformer.continue_text, ("A", 0, 0.8, 0, 1, 0)),
    (transformer.continue_text, ("A", 9, NAN, 0, 1, 0)),
    (transformer.continue_text, ("A", 9, 9, 0, 1, 0)),
    (transformer.continue_text, ("A", 9, 0.8, -1, 1, 0)),
    (transformer.continue_text, ("A", 9, 0.8, 0, 0, 0)),
    (transformer.continue_text, ("A", 9, 0.8, 0, 1, None)),
    (transformer.write_poem, ("七律", "", "", "simplified", 0.9, 0, 1, 0)),
    (transformer.write_poem, (None, "", "", "simplified", 0.9, 0, 1, 0)),
    (transformer.write_poem, ("五绝", "x", "", "simplified", 0.9, 0, 1, 0)),
    (transformer.write_poem, ("五绝", "春" * 17, "", "simplified", 0.9, 0, 1, 0)),
    (transformer.write_poem, ("五绝", "", "春" * 6, "simplified", 0.9, 0, 1, 0)),
    (transformer.write_poem, ("五绝", "", "春，江", "simplified", 0.9, 0, 1, 0)),
    (transformer.write_poem, ("五绝", "", "", "klingon", 0.9, 0, 1, 0)),
    (transformer.change_script, (["春"], "simplified")),
    (transformer.change_script, ("春", None)),
]


@pytest.mark.parametrize(("handler", "values"), BAD)
@pytest.mark.parametrize("language", ["zh", "en", None])
def test_bad_input_gets_one_sentence_in_the_visitors_language(handler, values, language) -> None:
    page = Page(MODELS, WORDS, language=None)  # type: ignore[arg-type]
    with pytest.raises(gr.Error) as caught:
        answer = page.bind(handler)(*values, language)
        list(answer)
    sentence = str(caught.value).strip("'")
    assert "{" not in sentence
    assert 5 < len(sentence) < 160
    assert any("㐀" <= c <= "鿿" for c in sentence) == (language == "zh") or "：" not in sentence


def test_a_drawing_of_either_size_is_read() -> None:
    small = check.drawing(base64.b64encode(bytes(range(196)) * 4).decode())
    large = check.drawing(base64.b64encode(bytes(140 * 140)).decode())
    assert small is not None and small.shape == (28, 28) and small[0, 5] == 5
    assert large is not None and large.shape == (140, 140)
    assert check.drawing("") is None


def test_a_picked_digit_is_rebuilt_from_the_posterior() -> None:
    shown, result = vae.rebuild_picked(MODELS, WORDS, 0, 0)
    image = vae.test_digits()[0][:1]
    mean, deviation = MODELS.vae.encode(image)
    assert f"({mean[0, 0]:.2f}, {mean[0, 1]:.2f})" in result["texts"]["en"]
    assert f"({deviation[0, 0]:.2f}, {deviation[0, 1]:.2f})" in result["texts"]["zh"]
    assert result["count"] == 3 and shown["strip"] != result["strip"]


def test_a_damaged_model_leaves_the_rest_of_the_page_standing(tmp_path, capsys) -> None:
    import shutil

    from aigc_demo.ui.app import build
    from aigc_demo.weights import BUNDLED

    shutil.copytree(BUNDLED / "gan", tmp_path / "gan")
    data = bytearray((tmp_path / "gan/model.safetensors").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "gan/model.safetensors").write_bytes(data)
    demo = build(tmp_path)
    assert "SHA-256" in capsys.readouterr().err
    captions = [
        block.props["texts"]["en"]
        for block in demo.blocks.values()
        if isinstance(block, gr.HTML) and "texts" in block.props
    ]
    assert any("“gan” cannot be loaded" in caption for caption in captions)
    assert any("The judge reads" in caption for caption in captions)


def test_a_folder_without_weights_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="expected a weights folder"):
        Models(tmp_path)


def test_paced_ends_with_the_whole_text() -> None:
    pieces = [str(i % 10) for i in range(200)]
    shown = list(transformer.paced(iter(pieces)))
    assert shown[-1] == "".join(pieces)
    assert all(np.diff([len(text) for text in shown]) >= 0)
