"""The oldest language model: characters counted after the few before them.

Shannon 1948, "A Mathematical Theory of Communication", section 3; smoothed by interpolation with
shorter contexts (Witten & Bell 1991, "The zero-frequency problem", method C).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from copy import copy

import numpy as np
from numpy.typing import NDArray

from aigc_demo.inference.writing.sampler import Batch, Sampler

ORDERS = range(1, 7)


class NGram:
    """The probability of each next character, given the order - 1 before it."""

    def __init__(self, text: str, order: int, characters: str) -> None:
        """Counts a text.

        order: characters of the longest strings that are counted, of ORDERS.
        characters: the vocabulary, which holds all of the text.

        Raises:
            ValueError: another order, or a character outside the vocabulary.
        """
        if type(order) is not int or order not in ORDERS:
            raise ValueError(f"expected an order from 1 to {ORDERS[-1]}, got {order!r}")
        self.order, self.characters = order, characters
        self.ids = {character: index for index, character in enumerate(characters)}
        if unknown := set(text) - self.ids.keys():
            raise ValueError(f"expected characters of the vocabulary, got {sorted(unknown)}")
        self.counts: defaultdict[str, Counter[int]] = defaultdict(Counter)  # by context
        for place, character in enumerate(text):
            for length in range(min(order - 1, place) + 1):
                self.counts[text[place - length : place]][self.ids[character]] += 1

    def shortened(self, order: int) -> "NGram":
        """The model of a lower order, by the same counts."""
        if order not in range(1, self.order + 1):
            raise ValueError(f"expected an order from 1 to {self.order}, got {order!r}")
        shorter = copy(self)
        shorter.order = order
        return shorter

    def probabilities(self, context: str) -> NDArray[np.float64]:
        """(V,), given the end of what goes before.

        Of a context h met n times, followed by t different characters:
        p(c|h) = (count(h, c) + t p(c|h')) / (n + t), h' without its first character.
        """
        found = np.full(len(self.characters), 1 / len(self.characters))
        for length in range(min(self.order - 1, len(context)) + 1):
            followers = self.counts.get(context[len(context) - length :])
            if not followers:  # nor is any longer one known
                break
            kinds = len(followers)
            found = found * kinds
            found[list(followers)] += list(followers.values())
            found = found / (followers.total() + kinds)
        return found

    def nats(self, text: str) -> NDArray[np.float64]:
        """-ln p of each character of a text, (T,), given those before it."""
        reach = self.order - 1
        return np.array(
            [
                -np.log(self.probabilities(text[max(0, i - reach) : i])[self.ids[character]])
                for i, character in enumerate(text)
            ]
        )

    def write(self, prompt: str, length: int, sampler: Sampler) -> str:
        """The continuation of a prompt, drawn as a writer draws: by seed and place alone."""
        return "".join(self._pieces(prompt, length, Batch([sampler])))

    def _pieces(self, text: str, length: int, batch: Batch) -> Iterator[str]:
        for index in range(length):
            logits = np.log(self.probabilities(text[-self.order :] if text else ""))
            character = self.characters[batch.draw(logits[None].astype(np.float32), [index])[0]]
            text += character
            yield character
