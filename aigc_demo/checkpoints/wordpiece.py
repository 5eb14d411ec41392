"""WordPiece, BERT's tokenizer: words, and of a word the longest pieces that the vocabulary has.

Schuster & Nakajima 2012; Devlin et al. 2019, arXiv:1810.04805. Every Chinese character is a word.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from aigc_demo.tokenizer import Tokenizer, check_ids, without_surrogates

UNKNOWN, START, END = "[UNK]", "[CLS]", "[SEP]"
CONTROLS = ("[PAD]", UNKNOWN, START, END, "[MASK]")
GOES_ON = "##"  # before a piece that goes on a word
MAX_WORD = 100  # characters of a word that is looked up at all
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
        accents = not lower if accents is None else accents
        self.library = _library(vocabulary, lower=lower, accents=accents, apart=apart)
        self.special = {
            index
            for index, token in enumerate(self.tokens)
            if token in CONTROLS or token.startswith("[unused") or index not in named
        }
        self.start = (self.ids[START],) if START in self.ids else ()
        self.end = self.ids.get(END)

    @classmethod
    def from_files(cls, vocabulary: str, settings: dict[str, Any], size: int) -> "WordPiece":
        """Made from the text of vocab.txt and the parsed tokenizer_config.json.

        size: of the model's vocabulary.

        Raises:
            ValueError: more tokens than the model has, or no [UNK] among them.
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
            "max_input_chars_per_word": MAX_WORD,
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
        return self.library.encode(without_surrogates(text)).ids

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


def _library(vocabulary: dict[str, int], lower: bool, accents: bool, apart: bool) -> Any:
    """The `tokenizers` library's WordPiece, with BERT's way of cutting a text into words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    model = models.WordPiece(
        vocabulary,
        unk_token=UNKNOWN,
        max_input_chars_per_word=MAX_WORD,
        continuing_subword_prefix=GOES_ON,
    )
    library = Tokenizer(model)
    library.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=apart, strip_accents=not accents, lowercase=lower
    )
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return library
