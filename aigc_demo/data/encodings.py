"""Text files of any encoding: what it is by its bytes, and what was read.

Of East Asian encodings each decodes almost any text of the others, so what comes out decides: how
many of its characters are common ones. The rest is left to charset-normalizer.
"""

import re
from collections.abc import Callable
from contextlib import suppress

MARKS = {  # at a file's beginning
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
FEW = 20  # characters in order for each damaged one: the text is what it seems
SURE = 0.85  # of a score from 0 to 2
PUNCTUATION = "‘’“”—…·、。，！？：；（）《》「」『』〈〉　～"
FREQUENT = {  # the commonest signs of prose and verse
    "gb18030": "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着"
    "下自之年过风月山花春日水天无云何明前",
    "cp950": "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下"
    "自之年過風月山花春日水天無雲何明前",
    "cp949": "이다는에의가을를고하은지도로서사한기나어리자인시아대정그만전해수게일라주부",
}
JAPANESE = ("cp932", "euc_jp")
FREQUENT |= dict.fromkeys(JAPANESE, "".join(map(chr, range(0x3040, 0x3100))))  # kana


def decoded(data: bytes, encoding: str = "") -> tuple[str, str]:
    """A file's text and its encoding, in the words of Python's codecs, with what was left out.

    Raises:
        ValueError: an unknown encoding, or bytes that are no text in it or in any that is known.
    """
    text, found = _decoded(data, encoding)
    return text.removeprefix("\ufeff"), found


def _decoded(data: bytes, encoding: str) -> tuple[str, str]:
    known = encoding or next((name for mark, name in MARKS.items() if data.startswith(mark)), "")
    try:
        text = data.decode(known or "utf-8")
    except LookupError:
        raise ValueError(f"expected an encoding that Python knows, got {encoding!r}") from None
    except UnicodeError as error:
        if found := _damaged(data, known or "utf-8"):
            return found
        if encoding:
            raise ValueError(f"expected text in {encoding}, got {error}") from None
    else:
        if known or text.count("\0") * FEW <= len(text):  # else UTF-16 or UTF-32 without its mark
            return text.replace("\0", ""), "utf-8" if known in ("", "utf-8-sig") else known
    for wide in ("utf-32-le", "utf-32-be") if b"\0" in data else ():
        with suppress(UnicodeError):
            return data.decode(wide), wide
    if found := _east_asian(data) or _western(data) or _guessed(data):
        return found
    raise ValueError("expected text, got bytes of no known encoding: name it with --encoding")


def _damaged(data: bytes, name: str) -> tuple[str, str] | None:
    """A text in which a few bytes are wrong; they are left out."""
    text = data.decode(name, "replace")
    damaged = text.count("\ufffd")
    if sum(character > "\x7f" for character in text) < (FEW + 1) * damaged:
        return None
    said = f"{name}, of which {damaged} damaged places are left out" if damaged else name
    return text.replace("\ufffd", ""), said


def _leads(codec: str, low: int, high: int) -> Callable[[str], bool]:
    """A test of characters: the first of its two bytes in an encoding is of the common ones."""

    def is_common(character: str) -> bool:
        data = character.encode(codec, "ignore")
        return len(data) == 2 and low <= data[0] <= high

    return is_common


COMMON: dict[str, Callable[[str], bool]] = {  # by encoding, each as Windows writes it
    "gb18030": _leads("gb2312", 0xB0, 0xD7),
    "cp950": _leads("big5", 0xA4, 0xC6),
    "cp932": _leads("cp932", 0x88, 0x97),
    "euc_jp": _leads("cp932", 0x88, 0x97),
    "cp949": _leads("euc_kr", 0xB0, 0xC8),
}


def _score(text: str, name: str) -> float:
    """Likeness to a text of its language, 0 to 2: common characters, and the commonest again."""
    signs = [character for character in text if character > "\x7f"]
    if not signs:
        return 0.0
    is_common, frequent = COMMON[name], FREQUENT[name] + PUNCTUATION
    often = sum(sign in frequent for sign in signs)
    common = sum(sign in frequent or is_common(sign) for sign in signs)
    if name in JAPANESE and often < 0.2 * len(signs):  # Japanese has kana
        return 0.0
    return (common + often) / len(signs)


def _east_asian(data: bytes) -> tuple[str, str] | None:
    """The likeliest of the East Asian encodings, if one is likely."""
    alone = len(re.findall(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])", data))
    if b"\0" in data or 2 * alone > sum(byte > 127 for byte in data):
        return None
    found = {name: _damaged(data, name) for name in COMMON}
    scores = {name: _score(one[0][:20_000], name) for name, one in found.items() if one}
    best = max(scores, key=lambda name: scores[name], default="")
    return found[best] if best and scores[best] > SURE else None


def _western(data: bytes) -> tuple[str, str] | None:
    """Latin letters with accents here and there."""
    control = re.search(rb"[\0-\x08\x0e-\x1f]", data)
    if control or sum(byte > 127 for byte in data) > 0.25 * len(data):
        return None
    with suppress(UnicodeError):
        return data.decode("cp1252"), "cp1252"
    return None


def _guessed(data: bytes) -> tuple[str, str] | None:
    """The guess of charset-normalizer, if it has one; without NULs no Latin text is UTF-16."""
    from charset_normalizer import from_bytes  # only where it is needed

    latin = b"\0" not in data and data.count(b" ") > 0.05 * len(data)
    best = from_bytes(
        data, cp_exclusion=["utf_16", "utf_16_le", "utf_16_be"] if latin else []
    ).best()
    return (str(best), best.encoding) if best else None
