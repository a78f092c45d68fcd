"""What capture hands over: one finished HTTP exchange, its bodies still as they were on the wire."""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["reverse", "forward", "import"]
Transport = Literal["http", "sse", "websocket"]
Outcome = Literal["complete", "aborted", "error"]
Headers = tuple[tuple[str, str], ...]

KEPT_ENDS = 64 * 1024
"""Bytes kept of either end of a response whose middle had to be dropped: they carry ids and usage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who called, as far as the wire says."""

    app: str | None = None
    user_agent: str | None = None
    peer: str | None = None
    """Address of the client without its port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request with its response, redacted, still content-encoded."""

    id: str
    started_ns: int
    first_chunk_ns: int | None = None
    """When the first byte of the response body passed; `None` if none did."""
    ended_ns: int
    mode: Mode
    transport: Transport = "http"
    outcome: Outcome = "complete"
    error: str | None = None
    method: str
    url: str
    request_headers: Headers = ()
    response_headers: Headers = ()
    status: int | None = None
    client: Client = Client()
    tags: tuple[tuple[str, str], ...] = ()
    session: str | None = None
    """The run that the client forced with `x-llmprof-session`."""
    provider: str | None = None
    """The provider that the client forced with `x-llmprof-provider`, or that a configured upstream stands for."""
    request_body: bytes = b""
    response_body: bytes = b""
    request_truncated: int = 0
    """Bytes of the request body that were dropped; the body is then empty."""
    response_truncated: int = 0
    """Bytes dropped behind the first `KEPT_ENDS` bytes of the response."""
    redactions: int = 0
    """How many secrets were overwritten."""

    def header(self, name: str) -> str | None:
        """The first request header of this name, whatever its case."""
        return _first(self.request_headers, name)

    def response_header(self, name: str) -> str | None:
        """The first response header of this name, whatever its case."""
        return _first(self.response_headers, name)


def _first(headers: Headers, name: str) -> str | None:
    name = name.lower()
    return next((value for key, value in headers if key.lower() == name), None)
