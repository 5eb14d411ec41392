"""Which address has limits: each but loopback, and that one too where the page is public."""

import ipaddress
from typing import Any

from aigc_demo import hub


def limited(address: str) -> str:
    """The address if it has limits, else ""."""
    try:
        near = ipaddress.ip_address(address).is_loopback
    except ValueError:  # of a test client, or a socket without one
        near = True
    return "" if near and not hub.is_public() else address


def address_of(request: Any) -> str:
    """The limited address that a request came from, or ""."""
    client = getattr(request, "client", None)
    return limited(client.host) if client else ""
