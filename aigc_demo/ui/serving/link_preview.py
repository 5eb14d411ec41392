"""The preview of a link in a messenger: title, sentence and picture (Open Graph)."""

import re
from html import escape
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import Scope

from aigc_demo.ui.kit.words import LANGUAGES, Words

PICTURE = "preview.png"
# Gradio's own, which name Gradio and no picture.
FOREIGN = re.compile(rb'\s*<meta (?:property="og:|name="twitter:)[^>]*>')
HOST = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,255}")


def preview(words: Words, scope: Scope) -> str:
    """The elements for the head of the page, in the language that the link names."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    asked = query.get("lang", ["en"])[0]
    language = asked if asked in LANGUAGES else "en"
    _, said = words.properties(language, "page.hero")["value"].split("\n")
    told = {
        "og:type": "website",
        "og:title": words.say(language, "page.title"),
        "og:description": said,
        "og:image": f"{_address(scope)}/{PICTURE}",
    }
    tags = [f'<meta property="{name}" content="{escape(text)}">' for name, text in told.items()]
    return "".join([*tags, '<meta name="twitter:card" content="summary_large_image">\n'])


def _address(scope: Scope) -> str:
    """Where the page stands, as the client names it; a proxy says so in its headers."""
    headers = Headers(scope=scope)
    scheme = (headers.get("x-forwarded-proto") or scope["scheme"]).split(",")[0].strip()
    host = (headers.get("x-forwarded-host") or headers.get("host") or "").split(",")[0].strip()
    if scheme not in ("http", "https") or not HOST.fullmatch(host):
        return ""
    return f"{scheme}://{host}{scope.get('root_path', '')}"
