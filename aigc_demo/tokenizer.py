"""Characters to ids and back, and the two scripts of Chinese."""

import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

# Control tokens of the poem model; no character of a text is one of them.
PAD, TITLE_END, POEM_END = "<pad>", "<title-end>", "<end>"
COVERED = "<covered>"  # of the masked diffusion: a place that is to be filled


class UnknownCharacters(ValueError):
    """A text holds characters that the model has no token for."""

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = "".join(dict.fromkeys(characters))
        super().__init__(
            f"expected characters the model was trained on, got {' '.join(self.characters)!r}"
        )


class Tokenizer:
    """The interface of all tokenizers: our own models' below, GPT-2s' under checkpoints/."""

    tokens: Sequence[str]  # by id
    ids: Mapping[str, int]  # of the tokens that stand for a text of their own, and of controls
    characters = ""  # all that our own models know; others know any
    controls: tuple[str, ...] = ()  # our own models' control tokens: they come first
    start: tuple[int, ...] = ()  # ids that the model was given before every text
    end: int | None = None  # the id with which it ends a text

    def __len__(self) -> int:
        return len(self.tokens)

    def fold(self, text: str) -> str:
        """The text as it is read: what has no token in the likeness of what has one."""
        return text

    def encode(self, text: str) -> list[int]:
        """The ids of a text; what it spells is never a control token."""
        raise NotImplementedError

    def pieces(self, ids: Iterable[int]) -> Iterator[str]:
        """Decodes ids one by one into pieces of text; a control token gives ""."""
        raise NotImplementedError

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids; control tokens are left out."""
        return "".join(self.pieces(ids))

    def is_control(self, token: int) -> bool:
        """True for a control token, which is no part of a text."""
        raise NotImplementedError

    def name_of(self, token: int) -> str:
        """A token to be read: its text as it is, a control token as ⟨七绝⟩."""
        text = self.tokens[token]
        return f"⟨{text[1:-1]}⟩" if self.is_control(token) else text


# What may stand for a character that a model does not know: the first of these that it does.
LIKENESSES = {
    **dict.fromkeys("“”„‟«»＂″", ('"', "'")),
    **dict.fromkeys("‘’‚‛`´′ʼ", ("'",)),
    **dict.fromkeys("–—―−‐‑‒", ("--", "-")),
    **dict.fromkeys("\t\u00a0\u2002\u2003\u2009\u202f\u3000", (" ",)),
    **dict.fromkeys("\r\u0085\u2028\u2029\v\f", ("\n",)),
    "…": ("...",),
    "，": (",",),
    "。": (".",),
    "、": (",",),
    "¡": ("",),
    "¿": ("",),
    "‹": ("'",),
    "›": ("'",),
    "•": ("*", "-"),
    "×": ("x",),
    "÷": ("/",),
    "⁄": ("/",),
    "©": ("(c)",),
    "®": ("(r)",),
    "Æ": ("AE",),
    "æ": ("ae",),
    "Œ": ("OE",),
    "œ": ("oe",),
    "ß": ("ss",),
    "Ø": ("O",),
    "ø": ("o",),
    **dict(zip("łŁđĐħŧıĸŋ", [(one,) for one in "lLdDhtikn"], strict=True)),
    "ð": ("d",),
    "Ð": ("D",),
    "þ": ("th",),
    "Þ": ("Th",),
}


def fold(text: str, known: Container[str]) -> str:
    """The text with what a model does not know in the likeness of what it does.

    Typographic quotes, dashes and spaces, line ends, full-width forms and ligatures (Unicode NFKC),
    and letters with accents, which lose them. A character without a likeness stays as it is.
    """

    def all_known(likeness: str) -> bool:
        return all(character in known for character in likeness)

    folded = []
    for character in text.replace("\r\n", "\n"):
        if character in known:
            folded.append(character)
            continue
        bare = "".join(
            part
            for part in unicodedata.normalize("NFKD", character)
            if not unicodedata.combining(part)
        )
        compatible = unicodedata.normalize("NFKC", character)
        simple = "".join(LIKENESSES.get(one, (one,))[0] for one in compatible)
        likenesses = (*LIKENESSES.get(character, ()), compatible, simple, bare)
        if unicodedata.category(character) in ("Mn", "Me", "Cf"):  # accents of their own, unseen
            likenesses = ("",)
        folded.append(next((one for one in likenesses if all_known(one)), character))
    return "".join(folded)


def check_ids(vocabulary: Any, size: int) -> None:
    """Checks that somebody's vocabulary gives each token an id of a model of so many.

    Raises:
        ValueError: it does not.
    """
    if not isinstance(vocabulary, dict):
        raise ValueError(f"expected a vocabulary, got {type(vocabulary).__name__}")
    for token, index in vocabulary.items():
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < size:
            raise ValueError(f"expected ids from 0 to {size - 1}, got {index!r} for {token!r}")


def without_surrogates(text: str) -> str:
    """The text with ? for lone surrogates, which no UTF-8 can hold."""
    return text.encode(errors="replace").decode()


class CharacterTokenizer(Tokenizer):
    """One id a character, control tokens first.

    Raises:
        ValueError: a character or control token occurs twice.
    """

    def __init__(self, characters: str, controls: Sequence[str] = ()) -> None:
        self.characters, self.controls = characters, tuple(controls)
        self.tokens = [*controls, *characters]
        self.ids = {token: index for index, token in enumerate(self.tokens)}
        if len(self.ids) != len(self.tokens):
            raise ValueError("expected distinct characters, got one twice")

    def fold(self, text: str) -> str:
        return fold(text, self.characters)

    def encode(self, text: str) -> list[int]:
        """The ids of a text's characters.

        Raises:
            UnknownCharacters: it names those without an id.
        """
        unknown = [character for character in text if character not in self.ids]
        if unknown:
            raise UnknownCharacters(unknown)
        return [self.ids[character] for character in text]

    def pieces(self, ids: Iterable[int]) -> Iterator[str]:
        first = len(self.controls)
        return (self.tokens[index] if index >= first else "" for index in ids)

    def is_control(self, token: int) -> bool:
        return token < len(self.controls)


def control(name: str) -> str:
    """The control token of a poem's form (七绝), tone pattern (仄起入韻) or rhyme group (平東)."""
    return f"<{name}>"


def poem_ids(
    tokenizer: Tokenizer,
    form: str,
    title: str,
    plan: Sequence[str] = (),
    text: str = "",
) -> list[int]:
    """A poem as the model reads it: form, title, end of title, tone pattern and rhyme, text."""
    return [
        tokenizer.ids[control(form)],
        *tokenizer.encode(title),
        tokenizer.ids[TITLE_END],
        *(tokenizer.ids[control(name)] for name in plan),
        *tokenizer.encode(text),
    ]


@cache
def _converter(direction: str):
    import opencc  # reads its dictionaries: only when Chinese is first shown

    return opencc.OpenCC(direction)


def to_traditional(text: str) -> str:
    """Simplified to traditional characters, by phrase (OpenCC)."""
    return _converter("s2t").convert(text)


def to_simplified(text: str) -> str:
    """Traditional to simplified characters, by phrase (OpenCC)."""
    return _converter("t2s").convert(text)


NUMERALS = str.maketrans("0123456789", "〇一二三四五六七八九")
SAME = {"〇": "零"}  # written so today, and as the poems write it


def characters_of(text: str) -> str:
    """What a line of a poem can hold of a text: characters in their plain form.

    Marks, spaces and signs that nobody sees go; numbers become 〇 to 九 digit by digit, those that
    are one sign (Ⅲ, ⑩) 三 and 十, and 々 the character before it. ½ and ㎡ stay what they are.
    """
    composed = unicodedata.normalize("NFC", text)
    plain = unicodedata.normalize("NFC", "".join(map(_plain, composed))).replace("~", "")
    found: list[str] = []
    for character in plain.translate(NUMERALS):
        if unicodedata.category(character)[0] not in "PZCM":
            found.append(found[-1] if character == "々" and found else character)
    return "".join(found)


def _plain(character: str) -> str:
    """A character without its circle, width or raised place; a number that is one sign in words."""
    plain, kind = unicodedata.normalize("NFKC", character), unicodedata.category(character)
    number = unicodedata.numeric(character, 0.5) if kind in ("No", "Nl") else 0.5
    if number == int(number) and number < 100:
        tens, ones = divmod(int(number), 10)
        words = (str(tens) if tens > 1 else "") + "十" * (tens > 0)
        return words + (str(ones) if ones or not tens else "")
    if kind in ("No", "Nl", "So") and not any(unicodedata.name(c, "")[:3] == "CJK" for c in plain):
        return character
    return plain


def begin_alike(first: str, second: str) -> bool:
    """True if two texts begin with the same character, in whatever script."""
    return len({to_simplified(SAME.get(text[0], text[0])) for text in (first, second)}) == 1


def fit_script(text: str, tokenizer: Tokenizer) -> str:
    """The text in characters the tokenizer knows: traditional ones, as the poems are written.

    A text with a character that only the traditional script has is kept as written; another is
    converted by phrase, and what has no token then is looked for character by character.

    Raises:
        UnknownCharacters: neither way leads to known characters; named as the caller wrote them.
    """
    if not text:
        return ""  # the dictionary of phrases takes 26 MB
    converted = text if to_simplified(text) != text else to_traditional(text)
    if len(converted) != len(text):
        converted = text
    fitted, unknown = [], []
    for written, traditional in zip(text, converted, strict=True):
        known = [c for c in (traditional, to_traditional(written), written) if c in tokenizer.ids]
        fitted += known[:1]
        unknown += [] if known else [written]
    if unknown:
        raise UnknownCharacters(unknown)
    return "".join(fitted)
