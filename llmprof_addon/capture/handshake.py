"""A host that is no host: the proxy itself answers for it, so that a client's way through it can be tried offline.

Names below `.invalid` never resolve (RFC 6761), so that nobody else can answer.
"""

from mitmproxy import http

HOST = "handshake.llmprof.invalid"
URL = f"https://{HOST}/"
ANSWER = "llmprof is on the way\n"


def answer() -> http.Response:
    """What a client gets that goes through the proxy and trusts its authority."""
    return http.Response.make(200, ANSWER, {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"})
