"""WordPiece, BERT's tokenizer: words, and of a word the longest pieces that the vocabulary has.

Schuster & Nakajima 2012; Devlin et al. 2019, arXiv:1810.04805. Every Chinese character is a word.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from aigc_demo.tokenizer import Tokenizer, check_ids

UNKNOWN, START, END = "[UNK]", "[CLS]", "[SEP]"
CONTROLS = ("[PAD]", UNKNOWN, START, END, "[MASK]")
GOES_ON = "##"  # before a piece that goes on a word
LONGEST = 100  # characters of a word that is looked up at all
CHINESE = (  # the blocks of the unified ideographs
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
CLOSES = tuple(".,!?;:%)]}")  # a word after one of them stands apart from it


def is_chinese(character: str) -> bool:
    """True for a Chinese character."""
    return any(first <= ord(character) <= last for first, last in CHINESE)


def is_mark(character: str) -> bool:
    """True for punctuation, and other ASCII signs that are no letter or digit."""
    ascii_sign = "!" <= character <= "~" and not character.isalnum()
    return ascii_sign or unicodedata.category(character).startswith("P")


class WordPiece(Tokenizer):
    """A text's spaces, and with `lower` its capitals and accents, do not come back.

    Args:
        vocabulary: token -> id.
        size: of the model's vocabulary; ids without a token count as control tokens.
        lower: whether capitals are made small.
        accents: whether accents are kept; None: unless `lower`.
        apart: whether every Chinese character is a word.

    Raises:
        ValueError: ids beyond the size, or no token for what is unknown.
    """

    def __init__(
        self,
        vocabulary: dict[str, int],
        size: int,
        lower: bool = True,
        accents: bool | None = None,
        apart: bool = True,
    ) -> None:
        check_ids(vocabulary, size)
        if UNKNOWN not in vocabulary:
            raise ValueError(f"expected a token {UNKNOWN} in the vocabulary, got none")
        self.ids = vocabulary
        named = {index: token for token, index in vocabulary.items()}
        self.tokens = [named.get(index, f"[{index}]") for index in range(size)]
        self.lower, self.apart = lower, apart
        self.accents = not lower if accents is None else accents
        self.special = {
            index
            for index, token in enumerate(self.tokens)
            if token in CONTROLS or token.startswith("[unused") or index not in named
        }
        self.start = (self.ids[START],) if START in self.ids else ()
        self.end = self.ids.get(END)

    @classmethod
    def from_files(cls, vocabulary: str, settings: dict[str, Any], size: int) -> "WordPiece":
        """From the contents of vocab.txt and tokenizer_config.json.

        Raises:
            ValueError: one of them is damaged.
        """
        strip = settings.get("strip_accents")
        lines = vocabulary.removesuffix("\n").split("\n")
        return cls(
            {line: index for index, line in enumerate(lines)},  # of equal ones the last
            size,
            lower=settings.get("do_lower_case", True) is not False,
            accents=None if strip is None else not strip,
            apart=settings.get("tokenize_chinese_chars", True) is not False,
        )

    @classmethod
    def from_json(cls, whole: dict[str, Any], size: int) -> "WordPiece":
        """From the content of a tokenizer.json.

        Raises:
            ValueError: it is damaged, or cuts a text into words in another way.
        """
        model, rules = whole["model"], whole.get("normalizer")
        ours = {
            "unk_token": UNKNOWN,
            "continuing_subword_prefix": GOES_ON,
            "max_input_chars_per_word": LONGEST,
        }
        if (
            not isinstance(rules, dict)
            or rules.get("type") != "BertNormalizer"
            or rules.get("clean_text") is False
            or any(model.get(key, value) != value for key, value in ours.items())
        ):
            raise ValueError("expected BERT's way of cutting a text into words, got another one")
        strip = rules.get("strip_accents")
        return cls(
            model.get("vocab"),
            size,
            lower=bool(rules.get("lowercase", True)),
            accents=None if strip is None else not strip,
            apart=bool(rules.get("handle_chinese_chars", True)),
        )

    def encode(self, text: str) -> list[int]:
        """The ids of a text; [UNK] for a word without pieces."""
        return [index for word in self._words(text) for index in self._pieces(word)]

    def _words(self, text: str) -> list[str]:
        """Runs of characters between spaces, punctuation and Chinese characters, and these."""
        kept = []
        for character in text:
            if character in "\t\n\r" or unicodedata.category(character) in ("Zs", "Zl", "Zp"):
                kept.append(" ")
            elif character == "�" or unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs"):
                continue
            else:
                kept.append(f" {character} " if self.apart and is_chinese(character) else character)
        whole = "".join(kept)
        if not self.accents:
            letters = unicodedata.normalize("NFD", whole)
            whole = "".join(c for c in letters if unicodedata.category(c) != "Mn")
        whole = whole.lower() if self.lower else whole
        return "".join(f" {c} " if is_mark(c) else c for c in whole).split()

    def _pieces(self, word: str) -> list[int]:
        """The longest piece from the beginning, and so on."""
        found, start = [], 0
        while start < len(word) and len(word) <= LONGEST:
            beginning = GOES_ON if start else ""
            ends = range(len(word), start, -1)
            fit = next((end for end in ends if beginning + word[start:end] in self.ids), None)
            if fit is None:
                break
            found.append(self.ids[beginning + word[start:fit]])
            start = fit
        return found if start == len(word) else [self.ids[UNKNOWN]]

    def pieces(self, ids: Iterable[int]) -> Iterator[str]:
        """Decodes ids one by one into pieces of text: a space first where two words meet."""
        before = ""
        for index in ids:
            token = "" if self.is_control(index) else self.tokens[index]
            text = token.removeprefix(GOES_ON) if token != GOES_ON else token
            apart = (
                text == token and _in_a_word(text[:1]) and (_in_a_word(before) or before in CLOSES)
            )
            yield f" {text}" if apart else text
            before = text[-1:] or before

    def is_control(self, token: int) -> bool:
        return token in self.special


def _in_a_word(character: str) -> bool:
    return character.isalnum() and not is_chinese(character)
