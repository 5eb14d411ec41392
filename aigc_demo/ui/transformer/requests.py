"""The handlers of the Transformer tab: a text continued and a poem, streamed."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from aigc_demo.inference.transformer import LONGEST_LINE, LONGEST_TITLE, TextWriter
from aigc_demo.inference.writing.text import Generation
from aigc_demo.prosody import FORMS, set_in_lines
from aigc_demo.tokenizer import begin_alike, characters_of, to_simplified
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.answers import visitor

LONGEST_PROMPT = 2_000
MAX_LENGTH = 1_000  # new characters
MOST_GUIDANCE = 6  # by the title
SCRIPTS = ("simplified", "traditional")
PROMPTS = ("ROMEO:\n", "To be, or not to be", "KING RICHARD III:\nNow is the winter")
TITLES = {"江雪": "river_snow", "春夜": "spring_night", "送友人": "farewell"}  # examples
POEM_SEED = 43  # of the poem that the tab opens with
UPDATES, FEWEST = 25, 5  # streamed updates a second: of a text alone, and where many wait
PAUSE_RATIO = 20  # times as long as an update took, the time to the next
FIRST = 200  # looks a second for the first character


async def paced(writing: Generation) -> AsyncIterator[str]:
    """The text so far, not oftener than the page can show it; the whole text last."""
    async with aclosing(paced_beside([writing])) as found:
        async for texts in found:
            yield texts[0]


async def paced_beside(writings: Sequence[Generation]) -> AsyncGenerator[list[str]]:
    """All texts so far, not oftener than the page can show them; the whole texts last.

    No thread waits meanwhile, and a visitor who leaves frees the places.
    """
    shown, pause = [""] * len(writings), 1 / FIRST
    for writing in writings:
        writing.owner = visitor()
    try:
        while True:
            done = {writing.done for writing in writings} == {True}  # each begins when asked
            texts = [writing.so_far for writing in writings]
            if done or texts != shown:
                shown, begun = texts, time.perf_counter()
                yield texts  # until they are sent
                took = time.perf_counter() - begun
                pause = min(max(1 / UPDATES, PAUSE_RATIO * took), 1 / FEWEST)
            if done:
                return
            await asyncio.sleep(pause)
    finally:
        for writing in writings:
            writing.cancel()


def shape_of(temperature, top_k, top_p) -> dict:
    """Checks temperature, top-k (0: off) and top-p (1: off)."""
    return {
        "temperature": check.real(temperature, "temperature", 0, 2),
        "top_k": check.whole(top_k, "top_k", 0, 200) or None,
        "top_p": check.real(top_p, "top_p", 0.05, 1),
    }


def settings_of(temperature, top_k, top_p, penalty, seed) -> dict:
    """The settings that both writers share."""
    return {
        **shape_of(temperature, top_k, top_p),
        "repetition_penalty": check.real(penalty, "penalty", 1, 5),
        "seed": check.seed(seed),
    }


async def ready(models: Models, name: str) -> TextWriter:
    """A writer. One from the Hub may have to be loaded again, which others need not wait for."""
    if name not in models.others:
        return models.writer(name)

    def load() -> TextWriter:
        writer = models.writer(name)
        _ = writer.engine
        return writer

    return await asyncio.to_thread(load)


async def continued(
    models: Models, model, prompt, length, temperature, top_k, top_p, penalty, seed
) -> Generation:
    """A continuation that is being written, by fields that are checked."""
    model = models.known(model, ("shakespeare",))
    prompt = check.text(prompt, "prompt", LONGEST_PROMPT)
    length = check.whole(length, "length", 1, MAX_LENGTH)
    settings = settings_of(temperature, top_k, top_p, penalty, seed)
    writer = await ready(models, model)
    if not writer.tokenizer.fold(prompt):  # of nothing, or of marks that nobody sees
        raise check.UserError("error.empty_prompt")
    return writer.begin(prompt, length, **settings)


async def continue_text(
    models: Models, words: Words, model, prompt, length, temperature, top_k, top_p, penalty, seed
) -> AsyncIterator[str]:
    """The prompt with its continuation, growing."""
    settings = (temperature, top_k, top_p, penalty, seed)
    writing = await continued(models, model, prompt, length, *settings)
    async for text in paced(writing):
        yield writing.prompt + text  # as the model read it


async def write_poem(
    models: Models,
    words: Words,
    model,
    form,
    title,
    heads,
    regulated,
    script,
    line,
    guidance,
    temperature,
    top_k,
    top_p,
    penalty,
    seed,
) -> AsyncIterator[tuple[str, str]]:
    """A poem, growing: as displayed, and in traditional characters for a later change of script.

    heads: the characters that its lines begin with (藏头); regulated: held to the rules (格律);
    guidance: by the title.
    """
    model = models.known(model, ("poems",))
    script = check.one_of(script, "script", SCRIPTS)
    asked = begun(form, title, line, heads, regulated)
    settings = settings_of(temperature, top_k, top_p, penalty, seed) | by_title(guidance)
    form = asked[0]
    poet = await ready(models, model)
    if form not in poet.forms:
        raise check.UserError("error.no_form")
    writing = poet.begin_poem(*asked, **settings)
    heading = writing.heading
    if heading.left_out:
        check.note(words, "note.left_out", characters=heading.left_out)
    if heading.neighbours:
        modern, instead = map("、".join, (heading.neighbours, heading.neighbours.values()))
        check.note(words, "note.neighbours", modern=modern, instead=instead)
    stood_in(words, writing)
    async for text in paced(writing):
        poem = (f"《{heading.shown}》\n" if heading.shown else "") + set_in_lines(text)
        yield in_script(poem, script), poem


def stood_in(words: Words, writing: Generation) -> None:
    """Tells which characters others stand in for."""
    if writing.stand_ins:
        pairs = {"characters": "".join(writing.stand_ins)}
        check.note(words, "note.stand_ins", **pairs, inside="".join(writing.stand_ins.values()))


def begun(form, title, line, heads, regulated) -> tuple[str, str, str, str, bool]:
    """Checks a poem's request: form, title, first line, acrostic, held to the rules."""
    form = check.one_of(form, "form", tuple(FORMS))
    check.text(characters_of(check.text(title, "title", LONGEST_LINE)), "title", LONGEST_TITLE)
    first, acrostic = (
        characters_of(check.text(text, name, LONGEST_LINE))
        for text, name in ((line, "line"), (heads, "heads"))
    )
    if len(first) > FORMS[form].characters:
        raise check.UserError("error.long_line", form=form)
    if len(acrostic) > FORMS[form].lines:
        raise check.UserError("error.long_acrostic", form=form)
    if first and acrostic and not begin_alike(first, acrostic):
        raise check.UserError("error.two_beginnings")
    return form, title, line, heads, check.yes_or_no(regulated, "regulated")


def by_title(guidance) -> dict[str, float]:
    """How much the title counts, checked."""
    return {"guidance": check.real(guidance, "guidance", 0, MOST_GUIDANCE)}


def in_script(poem: str, script: str) -> str:
    """A poem in the script that the visitor reads."""
    return to_simplified(poem) if script == "simplified" else poem


def change_script(models: Models, words: Words, poem, script) -> str:
    """The poem on the page in the other script; nothing is written anew."""
    poem = check.text(poem, "title", 1_000)
    return in_script(poem, check.one_of(script, "script", SCRIPTS))
