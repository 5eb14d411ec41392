"""The endpoints of the Transformer tab."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from aigc_demo.explain.branches import candidates, next_logits
from aigc_demo.explain.transformer import Reading, trace
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.names import (
    COUPLETS,
    GAP_STEPS,
    POEM_TOP_P,
    TEMPERATURE,
    TITLE_GUIDANCE,
    TOP_P,
    WRITERS,
)
from aigc_demo.prosody import set_in_lines
from aigc_demo.ui.catalog.tab import Endpoints
from aigc_demo.ui.kit import check
from aigc_demo.ui.page.page import PROGRAMS
from aigc_demo.ui.transformer.couplets import answering
from aigc_demo.ui.transformer.gaps import FILLING, moments
from aigc_demo.ui.transformer.gaps import asked as asked_gaps
from aigc_demo.ui.transformer.requests import (
    begun,
    by_title,
    continued,
    paced,
    paced_beside,
    ready,
    settings_of,
    shape_of,
)
from aigc_demo.ui.transformer.selection import asked

CANDIDATES = 40  # in the table, at most
MOST = 8  # answers to a line


class TextEndpoints(Endpoints):
    """text_write, text_fill, poem_write, couplet_write, text_candidates, text_attention."""

    queue = PROGRAMS
    queues = {"text_fill": FILLING}

    async def text_write(
        self,
        model: str = "shakespeare",
        prompt: str = "",
        length: int = 200,
        temperature: float = TEMPERATURE,
        top_k: int = 0,
        top_p: float = TOP_P,
        penalty: float = 1.0,
        seed: int = 0,
    ) -> AsyncIterator[str]:
        """Continue a text.

        Args:
            model: shakespeare or owner/repo@revision.
            prompt: up to 2,000 characters that the model knows; empty: its own opening.
            length: 1 to 1,000 new characters.
            temperature: 0 to 2.
            top_k: 0 (off) to 200.
            top_p: 0.05 to 1 (off).
            penalty: 1 (off) to 5, on repeated characters.
            seed: a whole number from 0.

        Returns:
            The continuation, growing.
        """
        model = await asyncio.to_thread(self._others.bring, model, "transformer")
        if prompt == "":
            prompt = (await ready(self._models, self._models.known(model, WRITERS))).opening
        settings = (temperature, top_k, top_p, penalty, seed)
        writing = await continued(self._models, model, prompt, length, *settings)
        async for text in paced(writing):
            yield text

    async def poem_write(
        self,
        form: str = "七绝",
        title: str = "",
        first_line: str = "",
        acrostic: str = "",
        regulated: bool = True,
        temperature: float = TEMPERATURE,
        seed: int = 0,
        top_k: int = 0,
        top_p: float = POEM_TOP_P,
        penalty: float = 1.0,
        guidance: float = TITLE_GUIDANCE,
    ) -> AsyncIterator[str]:
        """Write a Chinese poem.

        Args:
            form: 五绝, 七绝, 五律 or 七律.
            title: up to 16 characters.
            first_line: up to one line of characters.
            acrostic: up to one character a line, for the beginnings of the lines.
            regulated: hold the poem to the rules of line, tone and rhyme (格律).
            temperature: 0 to 2.
            seed: a whole number from 0.
            top_k: 0 (off) to 200.
            top_p: 0.05 to 1 (off).
            penalty: 1 (off) to 5, on repeated characters.
            guidance: 0 to 6, how much the title counts; 1: as in training.

        Returns:
            The poem in traditional characters, a line of verse a line, growing.
        """
        poem = self._models.writer("poems").begin_poem(
            *begun(form, title, first_line, acrostic, regulated),
            **settings_of(temperature, top_k, top_p, penalty, seed),
            **by_title(guidance),
        )
        async for text in paced(poem):
            yield set_in_lines(text)

    async def couplet_write(
        self,
        first_line: str = "两岸猿声啼不住",
        count: int = COUPLETS,
        temperature: float = TEMPERATURE,
        seed: int = 0,
    ) -> AsyncIterator[str]:
        """Answer the first line of a couplet (对联).

        Args:
            first_line: five or seven Chinese characters.
            count: 1 to 8 answers.
            temperature: 0 to 2.
            seed: a whole number from 0; of the first answer.

        Returns:
            Second lines in traditional characters, a line each, growing.
        """
        count = check.whole(count, "count", 1, MOST)
        texts = await answering(self._models, first_line, temperature, seed, count)
        async with aclosing(paced_beside(texts)) as found:
            async for lines in found:
                yield "\n".join(lines)

    async def text_fill(
        self,
        text: str = "ROMEO: ____ thou",
        steps: int = GAP_STEPS,
        temperature: float = TEMPERATURE,
        seed: int = 0,
        order: str = "certain",
    ) -> AsyncIterator[str]:
        """Fill the gaps of a text, many at a time.

        Args:
            text: up to 256 characters, a _ for each gap.
            steps: 1 to 128; at most as many as there are gaps are made.
            temperature: 0 to 2.
            seed: a whole number from 0.
            order: certain (the surest gaps first) or random.

        Returns:
            The text with its gaps, and as they are filled.
        """
        fields = (text, 0, steps, order, temperature, seed)
        gaps, text, settings = await asyncio.to_thread(asked_gaps, self._models, *fields)
        async for moment, _ in moments(gaps, text, **settings):
            yield gaps.shown(moment.ids)

    def text_candidates(
        self,
        model: str = "shakespeare",
        text: str = "",
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> list[dict[str, Any]]:
        """List what may come after a text.

        Args:
            model: shakespeare, poems or owner/repo@revision.
            text: up to 2,000 characters; for poems a poem or its beginning; empty: its own opening.
            temperature: 0 to 2.
            top_k: 0 (off) to 200.
            top_p: 0.05 to 1 (off).

        Returns:
            The likeliest tokens, at most 40, with their ids and probabilities.
        """
        writer, reading = self._read(model, text)
        found = candidates(
            next_logits(writer, reading.ids),
            CANDIDATES,
            **shape_of(temperature, top_k, top_p),
        )
        name = writer.tokenizer.name_of
        return [{"token": name(i), "id": i, "probability": share} for i, share in found]

    def text_attention(
        self, model: str = "shakespeare", text: str = "", layer: int = 1, head: int = 1
    ) -> dict[str, Any]:
        """Show where one head of one layer looks.

        Args:
            model: shakespeare, poems or owner/repo@revision.
            text: as for text_candidates; at most its last 256 tokens are looked at.
            layer: 1 to as many as the model has.
            head: 1 to as many as a layer has.

        Returns:
            tokens, and weights: a row a token, a column for each token it looks at, sum 1.
        """
        writer, reading = self._read(model, text)
        config = writer.model.config
        row = check.whole(layer, "layer", 1, config.layers) - 1
        column = check.whole(head, "head", 1, config.heads) - 1
        weights = trace(writer, reading.ids).weights[row, column]
        tokens = [
            name if name in reading.stand_ins else writer.tokenizer.name_of(token)
            for name, token in zip(reading.names, reading.ids, strict=True)
        ]
        return {"tokens": tokens, "weights": [[round(w, 6) for w in r] for r in weights.tolist()]}

    def _read(self, model: str, text: str) -> tuple[TextWriter, Reading]:
        """The writer, and the text as it reads it; empty: what the model opens with."""
        name = self._others.bring(model, "transformer")
        if text == "":
            text = self._models.writer(self._models.known(name, WRITERS)).opening
        writer, reading, _ = asked(self._models, name, text)
        return writer, reading
