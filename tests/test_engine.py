"""The engine that writes for many at once: everyone's text is what it would be alone."""

import gc
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import weakref
from collections import Counter, defaultdict

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save, save_file

from aigc_demo.inference import steps
from aigc_demo.inference.captured_steps import CapturedSteps
from aigc_demo.inference.cores import compute_on_one_core
from aigc_demo.inference.engine import Engine
from aigc_demo.inference.guesses import ORDER, Guesses, keys_of
from aigc_demo.inference.steps import BatchedSteps
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.models.transformer import Transformer, TransformerConfig
from aigc_demo.training.guesses import FEWEST, write_guesses
from aigc_demo.weights import BUNDLED

no_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture(scope="module", params=["cpu", pytest.param("cuda", marks=no_cuda)])
def writer(request):
    return TextWriter.load("shakespeare", request.param)


def settings_of(seed):
    draw = random.Random(seed)
    return {
        "temperature": draw.choice([0, 0.5, 0.8, 1.2]),
        "top_k": draw.choice([None, 5, 40]),
        "top_p": draw.choice([None, 0.9]),
        "repetition_penalty": draw.choice([1.0, 1.2]),
        "seed": seed,
    }


def prompt_of(seed):
    return "What is the matter with you, sir, that you are so " * 3 + "x" * (seed % 7)


@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("kind", [BatchedSteps, CapturedSteps])
def test_logits_are_those_of_the_model_for_texts_of_different_lengths(writer, kind, steps):
    device = writer.loaded.device
    batched = kind(writer.model, device, 8)
    texts = [writer.tokenizer.encode(prompt_of(i)[-(i * 9 + 3) :]) for i in range(5)]
    with torch.inference_mode():
        found = batched.read([(slot, 0, ids) for slot, ids in enumerate(texts)])
        for step in range(steps):
            new = [(7 * step + slot) % 60 for slot in range(5)]
            pieces = [(slot, len(ids), [new[slot]]) for slot, ids in enumerate(texts)]
            texts = [[*ids, token] for ids, token in zip(texts, new, strict=True)]
            found = batched.read(pieces)
        for slot, ids in enumerate(texts):
            expected = writer.model(torch.tensor([ids], device=device))[0, -1].softmax(0).cpu()
            torch.testing.assert_close(
                found[slot][-1].cpu().softmax(0), expected, atol=0.02, rtol=0
            )


@pytest.mark.parametrize("kind, slots", [(BatchedSteps, 4), (CapturedSteps, 16)])
def test_a_rows_logits_are_the_same_bits_whatever_is_read_with_it(writer, kind, slots):
    batched = kind(writer.model, writer.loaded.device, slots)
    ids = writer.tokenizer.encode(prompt_of(0))
    with torch.inference_mode():
        batched.read([(slot, 0, ids[:25]) for slot in range(4)])
        alone = torch.cat([batched.read([(0, p, [ids[p]])])[0] for p in range(25, 100)])
        draw, places, found = random.Random(0), [25] * 3, [[], [], []]
        while min(places) < 100:  # the others in pieces of all lengths, some beside a beginning
            lengths = [min(draw.choice([1, 2, 3, 5]), 100 - place) for place in places]
            asked = [(t, places[t], n) for t, n in enumerate(lengths) if n and draw.random() < 0.8]
            pieces = [(t + 1, place, ids[place : place + n]) for t, place, n in asked]
            pieces += [(0, 0, ids[: draw.randrange(1, 9)])] * (draw.random() < 0.3)
            rows = batched.read(pieces) if pieces else []
            for (t, place, n), logits in zip(asked, rows, strict=False):
                found[t].append(logits)
                places[t] = place + n
    assert all(torch.equal(torch.cat(rows), alone) for rows in found)


def test_what_writes_needs_the_single_precision_weights_no_more(tmp_path):
    folder = shutil.copytree(BUNDLED / "shakespeare", tmp_path / "shakespeare")
    writer = TextWriter.load(folder, "cpu")
    expected, nats = writer.write("O Romeo", 40, seed=3), writer.log_probabilities("O Romeo, Romeo")
    gone = weakref.ref(writer.model.blocks[0].attention.qkv.weight)
    writer.put_away()
    gc.collect()
    assert gone() is None
    assert writer.write("O Romeo", 40, seed=3) == expected
    assert writer.loaded.model is None
    assert torch.equal(writer.log_probabilities("O Romeo, Romeo"), nats)  # read again
    writer.put_away()
    config = json.loads((folder / "config.json").read_text("utf-8"))
    weights = load_file(folder / "model.safetensors")
    weights["norm.weight"] *= 2
    (folder / "model.safetensors").write_bytes(data := save(weights))
    config["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ValueError, match="expected weights of SHA-256"):
        _ = writer.model


def test_a_model_without_files_is_not_put_away(writer):
    twin = TextWriter(writer.loaded)
    twin.put_away()
    assert twin.model is writer.model


def test_in_single_precision_the_logits_are_exact(monkeypatch):
    monkeypatch.setattr("aigc_demo.inference.steps.multiplies_bfloat16", lambda device: False)
    torch.manual_seed(0)
    for shift in (0.0, 0.25):
        config = TransformerConfig(20, 32, layers=2, heads=2, width=16, token_shift=shift)
        model = Transformer(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.3 * torch.randn_like(parameter)
        batched = BatchedSteps(model, torch.device("cpu"), 3)
        with torch.inference_mode():
            batched.read([(2, 0, [1, 2, 3]), (0, 0, [4])])
            found = batched.read([(0, 1, [5]), (1, 0, [6, 7]), (2, 3, [8])])
            for row, ids in zip(found, ([4, 5], [6, 7], [1, 2, 3, 8]), strict=True):
                expected = model(torch.tensor([ids]))[0, -1]
                torch.testing.assert_close(row[-1], expected, atol=1e-4, rtol=1e-4)


def test_two_hundred_texts_under_load_equal_the_same_alone(writer):
    draw, length = random.Random(0), 24
    begun = []
    for seed in range(200):
        begun.append(writer.begin(prompt_of(seed)[: 5 + seed], length, **settings_of(seed)))
        assert begun[-1].text is not None  # it has joined
        if draw.random() < 0.2:
            time.sleep(0.02)
        if draw.random() < 0.1:  # someone who goes away again
            gone = writer.begin("ROMEO:", 500, seed=seed)
            gone.text.leave()
    under_load = ["".join(writing.pieces()) for writing in begun]
    for seed in range(0, 200, 4):
        alone = writer.write(prompt_of(seed)[: 5 + seed], length, **settings_of(seed))
        assert under_load[seed] == alone, seed
    assert all(len(text) == length for text in under_load)


def test_under_load_every_logit_is_the_same_bits_as_alone(writer):
    def write(seed):
        """A text that keeps what it is drawn from: the likeliest token, or at times another."""
        kept = []

        def draw(logits, ids):
            kept.append(logits.clone())
            return int(logits.argsort(descending=True)[int(len(ids) % 7 == seed % 7)])

        ids = writer.tokenizer.encode(prompt_of(seed)[: 5 + seed])
        return kept, writer.engine.join(ids, 24, draw)

    under_load = []
    for seed in range(120):
        under_load.append(write(seed))
        time.sleep(0.02 if seed % 5 == 0 else 0)
    for _, text in under_load:
        list(text)
    for seed in range(0, 120, 3):
        kept, text = write(seed)
        list(text)
        assert torch.equal(torch.stack(kept), torch.stack(under_load[seed][0])), seed


def test_where_products_depend_on_other_rows_texts_take_turns(writer, monkeypatch):
    monkeypatch.setattr(steps, "rows_are_alone", lambda weight, inputs: False)
    batched = BatchedSteps(writer.model, writer.loaded.device, 4)
    assert not batched.together
    pieces = [(0, 0, [5]), (1, 0, [9, 3])]
    with torch.inference_mode():
        both = batched.read(pieces)
        alone = [batched.read([piece])[0] for piece in pieces]
    assert torch.equal(torch.cat(both), torch.cat(alone))


def free_slots(engine):
    return sorted(slot for loop in engine.loops for slot in loop.free)


def greedy(logits, text):
    return int(logits.argmax())


def test_more_texts_than_places_are_all_written_in_their_order(writer):
    engine = Engine(writer.model, writer.loaded.device, slots=2)
    texts = [engine.join([place], 6, greedy) for place in range(7)]
    assert [len(list(text)) for text in texts] == [6] * 7
    assert free_slots(engine) == [0, 1]
    assert engine.writing == []


def test_a_text_that_leaves_makes_room_before_the_next_token(writer):
    engine = Engine(writer.model, writer.loaded.device, slots=1)
    first = engine.join([1], 5_000, greedy)
    second = engine.join([2], 3, greedy)
    tokens = iter(first)
    next(tokens)
    first.leave()
    assert len(list(second)) == 3
    assert first.done
    assert len(first.new) < 5_000


def test_a_rule_that_fails_ends_its_own_text_only(writer):
    engine = Engine(writer.model, writer.loaded.device, slots=4)

    def broken(logits, text):
        raise ValueError("expected nothing")

    fine, failing = engine.join([1], 20, greedy), engine.join([2], 20, broken)
    with pytest.raises(ValueError, match="expected nothing"):
        list(failing)
    assert len(list(fine)) == 20
    assert free_slots(engine) == [0, 1, 2, 3]


def test_an_ending_token_is_the_last_and_is_left_out(writer):
    engine = Engine(writer.model, writer.loaded.device, slots=1)
    draws = iter([7, 8, 9, 10])
    text = engine.join([1], 100, lambda logits, ids: next(draws), end=9)
    assert list(text) == [7, 8]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no priority of a thread")
def test_writing_gives_way_to_all_else(writer):
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    engine = Engine(writer.model, writer.loaded.device, slots=1)
    text = engine.join([1], 200, greedy)
    next(iter(text))
    found = os.getpriority(os.PRIO_PROCESS, engine.loops[0].thread.native_id)
    assert found == max(10, before)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
    text.leave()


def test_where_it_may_not_give_way_a_text_is_written_all_the_same(writer, monkeypatch):
    def refuse(*_):
        raise PermissionError("not permitted")

    monkeypatch.setattr(os, "setpriority", refuse)
    engine = Engine(writer.model, writer.loaded.device, slots=1)
    assert len(list(engine.join([1], 5, greedy))) == 5


def test_guesses_that_fail_end_the_texts_and_not_the_loop(writer):
    class Broken:
        def after(self, ids, count):
            raise ZeroDivisionError("no guess")

    engine = Engine(writer.model, writer.loaded.device, slots=1, guesses=Broken())
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match="no guess"):
            list(engine.join([1], 5, greedy))


def test_the_thread_ends_when_there_is_no_more_work_and_begins_again(writer, monkeypatch):
    monkeypatch.setattr("aigc_demo.inference.engine.PATIENCE", 0.05)
    engine = Engine(writer.model, writer.loaded.device, slots=1)
    assert len(list(engine.join([1], 2, greedy))) == 2
    for _ in range(100):
        if not engine.loops[0].running:
            break
        time.sleep(0.05)
    assert not engine.loops[0].running
    assert len(list(engine.join([1], 2, greedy))) == 2


def test_a_process_ends_cleanly_while_a_text_is_being_written():
    script = (
        "from aigc_demo.inference.transformer import TextWriter\n"
        "text = TextWriter.load('shakespeare').begin('ROMEO:', 5_000, seed=1).text\n"
        "next(iter(text))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_only_the_engines_thread_computes_on_one_core():
    before, found = torch.get_num_threads(), []

    def engine() -> None:
        compute_on_one_core()
        found.append(torch.get_num_threads())

    for work in (engine, lambda: found.append(torch.get_num_threads())):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == [1, before]
    assert torch.get_num_threads() == before


class Plays(Guesses):
    """Guesses that follow a script; the last one is repeated."""

    def __init__(self, script):
        self.script = script
        self.asked = 0

    def after(self, ids, count):
        self.asked += 1
        return self.script[len(ids) : len(ids) + count]


def test_guesses_right_or_wrong_change_no_text_and_right_ones_save_steps(writer):
    ids = writer.tokenizer.encode("ROMEO:\nWhat ")
    plain = Engine(writer.model, writer.loaded.device, slots=1)
    expected = list(plain.join(ids, 300, greedy))  # past a full context
    right = [*ids, *expected]
    wrong = [(token + 1) % 65 for token in right]
    mixed = [a if i % 3 else b for i, (a, b) in enumerate(zip(right, wrong, strict=True))]
    for script, fewest, most in ((right, 70, 90), (wrong, 290, 310), (mixed, 90, 290)):
        guesses = Plays(script)
        engine = Engine(writer.model, writer.loaded.device, slots=1, guesses=guesses)
        assert list(engine.join(ids, 300, greedy)) == expected
        assert fewest <= guesses.asked <= most, guesses.asked


def test_a_text_ends_in_the_midst_of_right_guesses(writer):
    ids = writer.tokenizer.encode("ROMEO:\n")
    plain = Engine(writer.model, writer.loaded.device, slots=1)
    expected = list(plain.join(ids, 50, greedy))
    guesses = Plays([*ids, *expected])
    for count in range(1, 8):
        engine = Engine(writer.model, writer.loaded.device, slots=1, guesses=guesses)
        assert list(engine.join(ids, count, greedy)) == expected[:count]
    end = expected[9]
    engine = Engine(writer.model, writer.loaded.device, slots=1, guesses=guesses)
    assert list(engine.join(ids, 50, greedy, end)) == expected[: expected.index(end)]


def test_the_table_holds_what_most_often_follows(tmp_path):
    draw = random.Random(0)
    text = draw.choices(range(5), k=3_000)
    write_guesses(tmp_path, text, 5)
    guesses = Guesses.beside(tmp_path, 5)
    for length in range(1, ORDER + 1):
        counts = defaultdict(Counter)
        for place in range(length, len(text)):
            counts[tuple(text[place - length : place])][text[place]] += 1
        for before, after in counts.items():
            listed = sum(after.values()) >= FEWEST
            likeliest = min(after, key=lambda token: (-after[token], token))
            key = keys_of(np.array(before), length, 5)[0]
            assert guesses.following(int(key)) == (likeliest if listed else None)
    assert Guesses.beside(tmp_path / "none", 5) is None
    with pytest.raises(ValueError, match="expected tokens below 4"):
        Guesses.beside(tmp_path, 4)
    table = load_file(tmp_path / "guesses.safetensors")
    table["keys"] = table["keys"].flip(0)
    save_file(table, tmp_path / "guesses.safetensors")
    with pytest.raises(ValueError, match="expected rising keys"):
        Guesses.beside(tmp_path, 5)
    for wrong in (table["keys"][:, None], table["keys"].double()):
        save_file({**table, "keys": wrong.contiguous()}, tmp_path / "guesses.safetensors")
        with pytest.raises(ValueError, match="equally many integers"):
            Guesses.beside(tmp_path, 5)


def test_guesses_go_on_from_themselves_and_stop_where_nothing_is_known(tmp_path):
    write_guesses(tmp_path, [0, 1, 2, 3] * 10, 6)
    guesses = Guesses.beside(tmp_path, 6)
    assert guesses.after([3, 0], 6) == [1, 2, 3, 0, 1, 2]
    assert guesses.after([5, 5, 1], 2) == [2, 3]  # by the last alone
    assert guesses.after([0, 5], 2) == []
    assert guesses.after([], 2) == []
