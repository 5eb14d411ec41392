"""To and from the Hugging Face Hub: the only part that knows its client.

Nothing is imported or asked before a repository is named. The client's own variables hold:
HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_OFFLINE; AIGC_REPOS says what visitors may name.
"""

from aigc_demo.hub.cache import Repository, address_of
from aigc_demo.hub.errors import HubUnavailable
from aigc_demo.hub.names import (
    FAMILY,
    is_public,
    may_be_named,
    named,
    named_repositories,
    split_source,
)
from aigc_demo.hub.pull import fetch, fetch_folder, fetch_weights, look
from aigc_demo.hub.push import Pushed, publish
from aigc_demo.hub.space import deploy, space_files

__all__ = [
    "FAMILY",
    "HubUnavailable",
    "Pushed",
    "Repository",
    "address_of",
    "deploy",
    "fetch",
    "fetch_folder",
    "fetch_weights",
    "look",
    "is_public",
    "may_be_named",
    "named",
    "named_repositories",
    "publish",
    "space_files",
    "split_source",
]
