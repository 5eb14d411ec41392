"""QR codes, for a link on the page and for an address in a terminal."""

import io
from typing import Any

MAX_BYTES = 2_900  # bytes; a code holds 2,953


def qr_code(text: Any) -> str:
    """A link as a picture (data URI), dark on white; "" for what is no link or does not fit."""
    if not isinstance(text, str) or not text.startswith(("http://", "https://")):
        return ""
    if len(text) > MAX_BYTES or not text.isascii():
        return ""
    import segno  # not before someone asks for one

    code = segno.make_qr(text, error="l", boost_error=False)
    return code.svg_data_uri(border=4, dark="#000", light="#fff", omitsize=True)


def qr_text(text: str) -> str:
    """The same for a terminal."""
    import segno

    file = io.StringIO()
    segno.make_qr(text, error="l").terminal(file, border=2, compact=True)
    return file.getvalue()
