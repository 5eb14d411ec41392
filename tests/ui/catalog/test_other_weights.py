"""Weights that visitors name: the handlers against a Hub on this machine, with real checkpoints."""

import asyncio
import threading
import time
from contextlib import suppress

import pytest
import torch
from fake_hub import files_of
from servers import finished
from ui.catalog.fetching import fetched, states

from aigc_demo import hub as hub_client
from aigc_demo.hub import HubUnavailable, download
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.names import GANS, VAES
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog import models
from aigc_demo.ui.catalog.hub_models import KINDS, HubModels
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan import requests as gan
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.hub_panel import fetcher, suggestions
from aigc_demo.ui.transformer import requests as transformer
from aigc_demo.ui.vae import requests as vae

WORDS = Words()
KIND = {family: tab.name for tab in TABS for family in tab.families}
KIND |= {"coupled": "vae", "poems": "transformer"}

GAN, VAE, TRANSFORMER, FLOW = TABS[:4]


@pytest.fixture
def put(hub, tiny_folders):
    """Puts a tiny model into a repository of the Hub; returns its commit."""

    def put(family, name="alice/digits", **changed):
        return hub.put(name, files_of(tiny_folders[family]) | changed)

    return put


@pytest.fixture
def page_models():
    return Models(TABS)


@pytest.mark.parametrize("family", KIND)
def test_every_family_is_fetched_on_its_tab_and_refused_on_the_others(
    page_models, hub, put, family
):
    commit = put(family)
    name = f"alice/digits@{commit}"
    for tab in (one.name for one in TABS):
        last = states(page_models, "alice/digits", tab)[-1]
        if tab == KIND[family]:
            assert (last["stage"], last["name"]) == ("here", name)
            assert last["url"] == f"{hub.url}/alice/digits/tree/{commit}"
            assert last.get("plain", False) == (family == "gan-mlp")
            assert last.get("verse", False) == (family == "poems")
        else:
            text = check.explain(WORDS, check.UserError(f"error.of_{KIND[family]}"), "zh")
            assert (last["stage"], last["texts"]["zh"]) == ("failed", text)


def test_a_family_without_a_tab_and_weights_of_other_kinds_get_a_sentence(page_models, hub, put):
    put("judge")
    hub.put("alice/bert", {"config.json": b'{"model_type": "bert"}', "model.safetensors": b"?"})
    for name, key in (("digits", "error.of_none"), ("bert", "error.no_weights")):
        last = states(page_models, f"alice/{name}")[-1]
        assert last["texts"] == WORDS.both(key)
    assert "model.safetensors" not in hub.downloads()


def test_progress_is_told_in_bytes_and_the_wrong_family_is_seen_before_the_weights_come(
    page_models, hub, put, tiny_folders
):
    put("gan")
    hub.bodies["model.safetensors"] = "drip"
    size = (tiny_folders["gan"] / "model.safetensors").stat().st_size
    others = HubModels(page_models)

    async def look():
        seen = []
        async for update in fetcher(others, "gan")(
            page_models, WORDS, {"source": "alice/digits", "number": 7}, "en"
        ):
            seen.append(update["state"])
            if update["state"]["come"] > 2:
                break
        return seen

    seen = finished(look())
    assert {state["stage"] for state in seen} == {"coming"}
    assert {state["number"] for state in seen} == {7}
    assert seen[-1]["total"] == size > seen[-1]["come"] > 2
    states(page_models, "alice/digits", "vae")
    assert hub.downloads().count("model.safetensors") == 1


def test_a_download_that_nobody_waits_for_ends(page_models, hub, put):
    put("gan")
    hub.bodies["model.safetensors"] = "drip"
    others = HubModels(page_models)
    one, two = others.join("alice/digits", "gan"), others.join("alice/digits", "gan")
    assert one is two
    others.leave(one)
    assert not one.over.wait(0.5)
    others.leave(two)
    assert one.over.wait(5)
    assert one.found is None
    folder, end = hub_client.cache.folder_of("alice/digits"), time.monotonic() + 5
    while list(folder.rglob("*.tmp")):  # the transfer's own thread ends with its next byte
        assert time.monotonic() < end
        time.sleep(0.05)
    hub.bodies.clear()
    assert states(page_models, "alice/digits", others=others)[-1]["stage"] == "here"


def test_visitors_who_want_the_same_share_one_download(page_models, hub, put):
    put("gan")
    others = HubModels(page_models)

    async def visitors():
        fetch, given = fetcher(others, "gan"), {"source": "alice/digits"}

        async def visit():
            return [u["state"] async for u in fetch(page_models, WORDS, given, "en")][-1]

        return await asyncio.gather(*(visit() for _ in range(5)))

    assert {state["stage"] for state in finished(visitors())} == {"here"}
    assert hub.downloads().count("model.safetensors") == 1
    assert len([line for line in hub.asked if "/api/models/" in line]) == 1


@pytest.mark.parametrize(
    "source", [None, 7, "", "gan", "../etc", "a/b/c", "a/b@", "a/b@../main", "ü/b", "a/b" * 200]
)
def test_what_is_no_name_is_refused_without_a_request(page_models, hub, source):
    assert states(page_models, source)[-1]["texts"] == WORDS.both("error.hub_name")
    assert hub.asked == []


def test_a_public_page_restricts_what_may_be_named(page_models, hub, put, monkeypatch):
    put("gan")
    put("gan", "bob/digits")
    monkeypatch.setenv("AIGC_REPOS", "bob/*, alice/other, distilbert/distilgpt2")
    refused = states(page_models, "alice/digits")[-1]
    assert refused["texts"]["zh"] == WORDS.say("zh", "error.not_allowed", repo="alice/digits")
    assert hub.asked == []
    assert states(page_models, "bob/digits")[-1]["stage"] == "here"
    assert suggestions(GAN) == ["bob/", "alice/other"]
    assert suggestions(TRANSFORMER) == ["bob/", "alice/other", "distilbert/distilgpt2"]
    monkeypatch.delenv("AIGC_REPOS")
    assert suggestions(VAE) == []
    assert suggestions(TRANSFORMER) == list(hub_client.FAMILY)


FAULTS = {
    "error.hub_missing": {"source": "alice/nothing"},
    "error.hub_revision": {"source": "alice/digits@nowhere"},
    "error.hub_closed": {"gated": True},
    "error.hub_later": {"answers": {"/api/models": 429}},
    "error.hub_damaged": {"bodies": {"model.safetensors": "corrupt"}},
    "error.hub_lost": {"bodies": {"model.safetensors": "vanish"}},
    "error.hub_file": {"without": "model.safetensors"},
}


@pytest.mark.parametrize("key", FAULTS)
def test_what_goes_wrong_is_one_sentence(page_models, hub, put, key, monkeypatch):
    fault = FAULTS[key]
    put("gan")
    hub.repos["models/alice/digits"].gated = fault.get("gated", False)
    hub.answers |= fault.get("answers", {})
    hub.bodies |= fault.get("bodies", {})
    for files in hub.repos["models/alice/digits"].commits.values():
        files.pop(fault.get("without"), None)
    monkeypatch.setattr(download, "STALL_SECONDS", 1)
    last = states(page_models, fault.get("source", "alice/digits"))[-1]
    assert last["texts"] == WORDS.both(key)
    assert page_models.others == {}


def test_weights_that_cannot_be_loaded_are_not_kept(page_models, put):
    put("gan", **{"model.safetensors": b"not the weights of config.json"})
    assert states(page_models, "alice/digits")[-1]["texts"] == WORDS.both("error.hub_damaged")
    put("gan", **{"config.json": b'{"format": 1}'})
    assert states(page_models, "alice/digits")[-1]["texts"] == WORDS.both("error.no_weights")
    assert page_models.others == {}


def test_without_a_network_a_sentence_comes_within_three_seconds(page_models, hub, put):
    commit = put("gan")
    hub.server.should_exit = hub.server.force_exit = True
    hub.thread.join(5)
    start = time.monotonic()
    assert states(page_models, "alice/digits")[-1]["texts"] == WORDS.both("error.hub_network")
    assert time.monotonic() - start < 3
    with pytest.raises(check.UserError) as caught:
        page_models.known(f"alice/digits@{commit}", GANS)
    assert caught.value.key == "error.not_fetched"


def test_offline_what_was_fetched_before_is_still_there(page_models, hub, put, monkeypatch):
    from huggingface_hub import constants

    name = fetched(page_models, f"alice/digits@{put('gan')}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetched(Models(TABS), name) == name
    put("vae", "alice/other")
    last = states(page_models, "alice/other", "vae")[-1]
    assert last["texts"] == WORDS.both("error.hub_offline")


def test_every_kind_of_failure_has_a_sentence():
    kinds = HubUnavailable.__init__.__globals__["HubUnavailable"].__doc__
    told = kinds.split("kind:")[1].split("or answer")[0].replace(",", " ").split()
    assert set(told) - set(KINDS) == {"space"}  # of deploying; "answer" is told as hub_other
    assert all(key in WORDS.table["zh"] for key in KINDS.values())


# Use


def test_a_fetched_gan_draws_what_its_weights_draw(page_models, put, tiny_gan):
    name = fetched(page_models, f"alice/digits@{put('gan')}")
    shown = gan.draw(page_models, WORDS, name, ["3"], 4, 9, 0.8)
    images = tiny_gan.sample(range(9, 13), [3] * 4, 0.8)
    assert shown["strip"] == gan.strip(images)
    assert page_models.hash(name) == tiny_gan.loaded.digest


def test_fetched_vaes_and_writers_are_used(page_models, put, tiny_coupled, tiny_poet):
    walker = fetched(page_models, f"alice/flow@{put('coupled', 'alice/flow')}", "vae")
    shown = vae.draw(page_models, WORDS, walker, 5, 2)
    assert shown["strip"] == vae.strip(tiny_coupled.sample(range(2, 7)))
    walked, _ = vae.walk(page_models, WORDS, walker, "38", "straight", 0, 6)
    assert walked["count"] == 6
    poet = fetched(page_models, f"alice/poet@{put('poems', 'alice/poet')}", "transformer")
    values = (poet, "五绝", "春", "", True, "traditional", "", 3, 0.8, 0, 1, 1, 3)

    async def last(handler, *values):
        async for answer in handler(page_models, WORDS, *values):
            text = answer
        return text

    _, poem = finished(last(transformer.write_poem, *values))
    assert poem == "《春》\n" + tiny_poet.poem(
        "五绝", "春", temperature=0.8, top_p=1, seed=3, guidance=3
    )
    text = finished(last(transformer.continue_text, poet, "春", 8, 1, 0, 1, 1, 3))
    assert text == "春" + tiny_poet.write("春", 8, top_p=1, seed=3)
    assert page_models.writing() == (0, 0)


def test_names_hold_on_the_tab_of_their_family_alone(page_models, put):
    name = fetched(page_models, f"alice/digits@{put('gan')}")
    assert page_models.known(name, GANS) == name
    for names, wrong in ((VAES, name), (GANS, name.replace("alice", "bob"))):
        with pytest.raises(check.UserError):
            page_models.known(wrong, names)


def test_the_api_takes_a_repository_by_the_same_check(page_models, hub, put, monkeypatch):
    put("gan")
    of_gan, of_vae, of_text, of_flow = (
        tab.endpoints(page_models, HubModels(page_models)) for tab in TABS if tab.models
    )
    assert of_gan.gan_sample("alice/digits", "mixed", 4).path.endswith(".png")
    assert len(page_models.others) == 1
    with pytest.raises(check.UserError) as caught:
        of_vae.vae_decode("alice/digits", [0.0, 0.0])
    assert caught.value.key == "error.of_gan"
    monkeypatch.setenv("AIGC_REPOS", "bob/*")
    with pytest.raises(check.UserError) as caught:
        of_gan.gan_morph("alice/other")
    assert caught.value.key == "error.not_allowed"
    monkeypatch.delenv("AIGC_REPOS")
    put("transformer", "alice/text")

    async def write():
        return [text async for text in of_text.text_write("alice/text", "to be", 8)][-1]

    assert len(finished(write())) == 8
    put("flow", "alice/flow")
    assert of_flow.flow_sample("alice/flow", "37", 4, steps=2).path.endswith(".png")
    with pytest.raises(check.UserError) as caught:
        of_flow.flow_path("alice/digits")
    assert caught.value.key == "error.of_gan"


def test_programs_wait_one_at_a_time(page_models, hub, put, monkeypatch):
    monkeypatch.setattr("aigc_demo.ui.catalog.hub_models.PATIENCE", 0.2)
    put("gan")
    hub.bodies["model.safetensors"] = "drip"
    others = HubModels(page_models)

    def bring():
        with suppress(check.UserError):  # the Hub ends before the download does
            others.bring("alice/digits", "gan")

    threading.Thread(target=bring, daemon=True).start()
    while not others._coming:
        time.sleep(0.01)
    with pytest.raises(check.UserError) as caught:
        others.bring("alice/other", "gan")
    assert caught.value.key == "error.hub_busy"
    assert others.bring("gan", "gan") == "gan"


# Room


def test_the_least_recently_used_leaves_with_what_was_derived_from_it(page_models, put):
    names = [fetched(page_models, f"alice/{i}@{put('vae', f'alice/{i}')}", "vae") for i in range(3)]
    page_models.encoded(names[1])
    page_models.encoded(names[0])
    page_models.vae(names[2])
    _ = page_models.vae("vae-2d")
    first = page_models.vae(names[0])
    names.append(fetched(page_models, f"alice/3@{put('vae', 'alice/3')}", "vae"))
    loaded = set(page_models._loaded)
    assert {names[0], f"{names[0]} encoded", names[2], names[3], "vae-2d"} <= loaded
    assert not any(key.startswith(names[1]) for key in loaded)
    assert page_models.vae(names[0]) is first
    again = page_models.vae(names[1])  # from the disk, without being fetched
    assert again is page_models.vae(names[1])
    assert names[2] not in page_models._loaded


def test_bytes_are_capped_too(page_models, put, monkeypatch, tiny_vae):
    size = sum(p.nbytes for p in tiny_vae.loaded.model.parameters())
    monkeypatch.setattr(models, "MOST_BYTES", 2 * size)
    names = [fetched(page_models, f"alice/{i}@{put('vae', f'alice/{i}')}", "vae") for i in range(3)]
    assert [name in page_models._loaded for name in names] == [False, True, True]
    monkeypatch.setattr(models, "MOST_BYTES", 1)
    page_models.vae(names[0])  # one is always held
    assert [name in page_models._loaded for name in names] == [True, False, False]


def test_a_model_that_loads_slowly_keeps_nobody_waiting(page_models, put, monkeypatch):
    name = fetched(page_models, f"alice/digits@{put('gan')}")
    page_models._loaded.pop(name)
    begun, go_on = threading.Event(), threading.Event()
    loads = []

    def slow(source):
        loads.append(source)
        begun.set()
        assert go_on.wait(10)
        return DigitSampler.load(source)

    def use():
        page_models.get(name, slow)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert begun.wait(5)
    assert page_models.vae("vae-2d") and page_models.gan("gan")
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(loads) == 1


def test_text_goes_on_while_its_model_leaves(page_models, put, monkeypatch):
    monkeypatch.setattr(models, "MOST_OTHERS", 1)
    name = fetched(page_models, f"alice/text@{put('transformer', 'alice/text')}", "transformer")
    writer = page_models.writer(name)
    assert isinstance(writer, TextWriter)
    writing = writer.begin("to be", 60, seed=1)
    pieces = writing.pieces()
    first = next(pieces)
    fetched(page_models, f"alice/vae@{put('vae', 'alice/vae')}", "vae")
    assert name not in page_models._loaded
    assert first + "".join(pieces) == writer.write("to be", 60, seed=1)
    assert torch.is_tensor(writer.log_probabilities("to be"))
