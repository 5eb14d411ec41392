"""Of one visitor's questions that run beside each other, the last asked has the last word."""

import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext
from servers import finished

from aigc_demo.ui.page.answers import Visits


async def letters() -> AsyncIterator[str]:
    for letter in "xyz":
        yield letter


def asked_in_turn(visits: Visits, sessions: tuple[str, str], answers: tuple, outputs: list) -> list:
    """Two questions: the second is asked and answered while the first is computed."""
    first_runs, second_is_done = threading.Event(), threading.Event()
    found: list = [None, None]

    def slow():
        first_runs.set()
        assert second_is_done.wait(10)
        return answers[0]

    def ask(place: int, handler) -> None:
        LocalContext.request.set(SimpleNamespace(session_hash=sessions[place]))  # type: ignore
        found[place] = visits.newest(handler, outputs)()

    threads = [
        threading.Thread(target=ask, args=one) for one in ((0, slow), (1, lambda: answers[1]))
    ]
    threads[0].start()
    assert first_runs.wait(10)
    threads[1].start()
    threads[1].join()
    second_is_done.set()
    threads[0].join()
    return found


def test_an_older_answer_does_not_replace_a_newer_one() -> None:
    with gr.Blocks():
        text, panel = gr.Textbox(), gr.HTML()
    visits, update = Visits(), gr.update
    one = ("old", update(link="old", file="asked for"))
    new = ("new", update(link="new"))
    first, second = asked_in_turn(visits, ("a", "a"), (one, new), [text, panel])
    assert second == new
    assert first == (gr.skip(), update(file="asked for"))  # what only it says is said
    named = ({text: "old", panel: update(link="old")}, {panel: update(link="new")})
    first, second = asked_in_turn(visits, ("a", "a"), named, [text, panel])
    assert first == {text: "old", panel: gr.skip()}
    assert second == named[1]
    assert asked_in_turn(visits, ("a", "a"), ("old", "new"), [text]) == [gr.skip(), "new"]
    assert asked_in_turn(visits, ("a", "b"), (one, new), [text, panel]) == [one, new]
    assert not visits._visits  # nothing is kept of those who wait for nothing


def test_the_answer_to_an_opening_never_replaces_another() -> None:
    with gr.Blocks():
        text = gr.Textbox()
    visits = Visits()

    async def both() -> list:
        LocalContext.request.set(SimpleNamespace(session_hash="a"))  # type: ignore
        asked = visits.newest(letters, [text])()
        found = [await anext(asked)]
        opening = visits.newest(lambda: "first", [text], opening=True)
        assert opening() == gr.skip()  # though it came later
        return found + [letter async for letter in asked]

    assert finished(both()) == ["x", "y", "z", "z"]
    assert visits.newest(lambda: "first", [text], opening=True)() == "first"


def test_the_stream_of_an_opening_ends_where_the_visitor_has_asked_before() -> None:
    with gr.Blocks():
        text = gr.Textbox()
    visits = Visits()

    async def both() -> list:
        LocalContext.request.set(SimpleNamespace(session_hash="a"))  # type: ignore
        asked = visits.newest(letters, [text])()
        found = [await anext(asked)]
        opening = [letter async for letter in visits.newest(letters, [text], opening=True)()]
        assert opening == [{text: gr.skip()}]  # at once: two streams would disturb each other
        return found + [letter async for letter in asked]

    assert finished(both()) == ["x", "y", "z", "z"]


def test_a_stream_goes_on_behind_a_newer_answer_without_a_word() -> None:
    with gr.Blocks():
        text = gr.Textbox()
    visits = Visits()

    async def both() -> list:
        LocalContext.request.set(SimpleNamespace(session_hash="a"))  # type: ignore
        found = []
        async for letter in visits.newest(letters, [text])():
            found.append(letter)
            if len(found) == 1:
                assert visits.newest(lambda: "new", [text])() == "new"
        return found

    assert finished(both()) == ["x", *[gr.skip()] * 3]
    with pytest.raises(ZeroDivisionError):
        visits.newest(lambda: 1 / 0, [text])()
    assert not visits._visits


def test_a_stream_ends_where_the_same_is_asked_again() -> None:
    with gr.Blocks():
        text = gr.Textbox()
    visits, ended = Visits(), []

    async def letters():
        try:
            for letter in "xyz":
                yield letter
        finally:
            ended.append(letter)

    async def both() -> list:
        LocalContext.request.set(SimpleNamespace(session_hash="a"))  # type: ignore
        write = visits.newest(letters, [text])
        first, second = write(), write()
        found = [await anext(first), await anext(second)]
        found += [letter async for letter in first]
        return found + [letter async for letter in second]

    nothing = {text: gr.skip()}  # as Gradio sends the last answer again when a stream ends
    assert finished(both()) == ["x", "x", nothing, "y", "z", "z"]
    assert ended[-1] == "z" and not visits._visits
