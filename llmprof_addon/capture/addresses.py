"""Addresses that tell one program's calls from those of others. `launches` takes off what they add; no mitmproxy here.

`launch`: the calls get the tag of that name. `session`: they are one run.
"""

from typing import Literal

type Whose = Literal["launch", "session"]

LAUNCH: Whose = "launch"
SESSION: Whose = "session"


def forward_url(host: str, port: int, name: str, whose: Whose = LAUNCH) -> str:
    """The proxy's URL; a name has letters, digits, `.`, `_` and `-`."""
    return f"http://{whose}:{name}@{host}:{port}"


def reverse_url(host: str, port: int, name: str, whose: Whose = LAUNCH) -> str:
    """The base URL."""
    return f"http://{host}:{port}/llmprof/{whose}/{name}"
