"""Clients that a way through the proxy is tried with: each asks for one page that only the proxy can answer."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from llmprof_addon.capture.handshake import ANSWER, URL

SECONDS = 20

# `through`: it got the page. `untrusted`: it refused the certificate. `elsewhere`: it went past the proxy.
type Outcome = Literal["through", "untrusted", "elsewhere", "absent", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One kind of client."""

    name: str
    program: str
    arguments: tuple[str, ...]
    trusts: str
    """The variable by which it trusts our authority."""
    proxied_by: tuple[str, ...] = ("HTTPS_PROXY",)
    """Variables without which it does not use the proxy."""


_PYTHON = (
    "import sys\ntry:\n import {0}\nexcept ImportError: sys.exit('absent')\nprint({0}.get({1!r}, timeout=15).text)"
)
_URLLIB = "import urllib.request as r\nprint(r.urlopen({0!r}, timeout=15).read().decode())"
_NODE = "fetch({0!r}).then(r=>r.text()).then(console.log).catch(e=>{{console.error(e.cause||e);process.exitCode=1}})"

CLIENTS: tuple[Client, ...] = (
    Client(
        name="curl",
        program="curl",
        arguments=("-sS", "--max-time", "15", URL),
        trusts="CURL_CA_BUNDLE",
        proxied_by=("https_proxy", "HTTPS_PROXY"),
    ),
    Client(name="python urllib", program="python3", arguments=("-c", _URLLIB.format(URL)), trusts="SSL_CERT_FILE"),
    Client(
        name="python httpx", program="python3", arguments=("-c", _PYTHON.format("httpx", URL)), trusts="SSL_CERT_FILE"
    ),
    Client(
        name="python requests",
        program="python3",
        arguments=("-c", _PYTHON.format("requests", URL)),
        trusts="REQUESTS_CA_BUNDLE",
    ),
    Client(
        name="node fetch",
        program="node",
        arguments=("-e", _NODE.format(URL)),
        trusts="NODE_EXTRA_CA_CERTS",
        proxied_by=("HTTPS_PROXY", "NODE_USE_ENV_PROXY"),
    ),
)

_UNTRUSTED = ("certificate", "ssl", "unable_to_verify", "self-signed", "self_signed", "unknown ca", "unknownissuer")
_ELSEWHERE = ("enotfound", "could not resolve", "name or service", "nodename", "getaddrinfo", "eai_again", "resolution")


def tried(client: Client, environ: Mapping[str, str]) -> tuple[Outcome, str]:
    """How a client fares in an environment, and the last line that it said."""
    program = shutil.which(client.program, path=environ.get("PATH", os.defpath))
    if program is None:
        return "absent", f"{client.program} is not installed"
    try:
        done = subprocess.run(
            [program, *client.arguments],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "failed", type(error).__name__
    if ANSWER.strip() in done.stdout:
        return "through", ""
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    last = said[-1] if said else f"exit code {done.returncode}"
    if last == "absent":
        return "absent", "not installed"
    whole = done.stderr.lower()
    if any(sign in whole for sign in _ELSEWHERE):
        return "elsewhere", last
    return ("untrusted" if any(sign in whole for sign in _UNTRUSTED) else "failed"), last
