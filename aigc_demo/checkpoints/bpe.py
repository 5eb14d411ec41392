"""Byte-level BPE, GPT-2's tokenizer: a text's bytes, joined pair by pair into tokens.

Sennrich et al. 2016, arXiv:1508.07909; on bytes, Radford et al. 2019, section 2.2.
"""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aigc_demo.tokenizer import Tokenizer, check_ids, without_surrogates

END = "<|endoftext|>"


def byte_characters() -> list[str]:
    """The visible character that a vocabulary writes for each byte.

    Printable bytes are written as they are, the others as the characters from U+0100 on.
    """
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


class ByteLevelBPE(Tokenizer):
    """Any text has ids, and its own text comes back.

    Args:
        vocabulary: token, its bytes as `byte_characters` writes them -> id.
        merges: the pairs that are joined, those that come first first.
        size: of the model's vocabulary; ids without a token count as control tokens.
        controls: tokens of the vocabulary that no text holds.
        end: the id with which the model ends a text.

    Raises:
        ValueError: ids beyond the size, no token for some byte, or a pair whose token is missing.
    """

    def __init__(
        self,
        vocabulary: dict[str, int],
        merges: Sequence[tuple[str, str]],
        size: int,
        controls: Iterable[str] = (),
        end: int | None = None,
    ) -> None:
        check_ids(vocabulary, size)
        written = byte_characters()
        missing = [c for c in written if c not in vocabulary]
        missing += [t for a, b in merges for t in (a + b, a, b) if t not in vocabulary]
        if missing:
            raise ValueError(f"expected a token {missing[0]!r} in the vocabulary, got none")
        self.library = _library(vocabulary, merges)
        self.end = end if isinstance(end, int) and 0 <= end < size else None
        code = {character: byte for byte, character in enumerate(written)}
        self.bytes: list[bytes | None] = [None] * size  # None: a control token
        self.tokens = [f"<{token}>" for token in range(size)]
        self.ids = {}
        special = {*controls, END}
        for token, index in vocabulary.items():
            if token in special or not set(token) <= code.keys():
                self.tokens[index] = token
                self.ids[token] = index
                continue
            data = bytes(code[character] for character in token)
            self.bytes[index] = data
            try:
                self.tokens[index] = data.decode()
                self.ids[self.tokens[index]] = index
            except UnicodeDecodeError:  # a part of a character
                self.tokens[index] = f"⟨{data.hex(' ').upper()}⟩"

    @classmethod
    def from_json(cls, whole: dict[str, Any], size: int, end: Any = None) -> "ByteLevelBPE":
        """From the content of a tokenizer.json.

        Raises:
            ValueError: it is of another kind, or damaged.
        """
        step = whole.get("pre_tokenizer")
        plain = {"add_prefix_space": False, "use_regex": True}
        if not isinstance(step, dict) or step.get("type") != "ByteLevel":
            raise ValueError("expected a tokenizer.json of byte-level BPE, got another kind")
        if whole.get("normalizer") or any(step.get(k, v) != v for k, v in plain.items()):
            raise ValueError("expected GPT-2's way of cutting a text into words, got another one")
        model, added = whole["model"], whole.get("added_tokens") or []
        others = ("continuing_subword_prefix", "end_of_word_suffix", "ignore_merges")
        if any(model.get(key) for key in others):
            raise ValueError(f"expected none of {', '.join(others)}, got one")
        vocabulary, pairs = model.get("vocab"), model.get("merges")
        try:
            vocabulary = {**vocabulary, **{one["content"]: one["id"] for one in added}}
            merges = [tuple(p.split(" ")) if isinstance(p, str) else tuple(p) for p in pairs]
        except (TypeError, KeyError) as error:
            raise ValueError(f"expected vocab, merges and added_tokens, got {error!r}") from error
        return cls(vocabulary, _pairs(merges), size, [one["content"] for one in added], end)

    @classmethod
    def from_files(
        cls, vocabulary: dict[str, Any], merges: str, size: int, end: Any = None
    ) -> "ByteLevelBPE":
        """From the contents of vocab.json and merges.txt.

        Raises:
            ValueError: one of them is damaged.
        """
        lines = [line for line in merges.split("\n") if line and not line.startswith("#version")]
        return cls(vocabulary, _pairs([tuple(line.split(" ")) for line in lines]), size, (), end)

    def encode(self, text: str) -> list[int]:
        """The ids of a text; the library joins the pairs."""
        return self.library.encode(without_surrogates(text)).ids

    def pieces(self, ids: Iterable[int]) -> Iterator[str]:
        """Decodes ids one by one: a character comes with the last of its bytes."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for index in ids:
            yield decoder.decode(self.bytes[index] or b"")

    def is_control(self, token: int) -> bool:
        return self.bytes[token] is None

    def name_of(self, token: int) -> str:
        """Its text, ⟨E6 98⟩ for bytes that are none alone, ⟨endoftext⟩ for a control token."""
        text = self.tokens[token]
        return f"⟨{text.strip('<|>')}⟩" if self.is_control(token) else text


def _library(vocabulary: dict[str, int], merges: Sequence[tuple[str, str]]) -> Any:
    """The `tokenizers` library's BPE: it cuts a text into words as GPT-2 does, then joins pairs."""
    from tokenizers import Tokenizer, models, pre_tokenizers  # only when such a model is loaded

    library = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return library


def _pairs(merges: Sequence[tuple[Any, ...]]) -> list[tuple[str, str]]:
    for pair in merges:
        if len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise ValueError(f"expected merges of two tokens, got {' '.join(map(str, pair))!r}")
    return [(left, right) for left, right in merges]
