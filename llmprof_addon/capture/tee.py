"""What mitmproxy calls with every chunk of a streamed response: keeps a reference, passes the chunk on as it is.

mitmproxy drops a chunk whose callable raises, and hangs the client if the last call does: so this never raises. It
holds no more than its bound; beyond that both ends stay, which carry ids and usage.
"""

from llmprof_addon import clock
from llmprof_addon.model.exchange import KEPT_ENDS

BOUND_BYTES = 64 * 1024 * 1024


class Tee:
    """The response body of one flow, as it was on the wire."""

    __slots__ = ("_bound", "_chunks", "_tail", "first_chunk_ns", "size_bytes")

    def __init__(self, bound_bytes: int = BOUND_BYTES):
        self._bound = max(bound_bytes, 2 * KEPT_ENDS)
        self._chunks: list[bytes] = []
        self._tail: bytearray | None = None
        self.first_chunk_ns: int | None = None
        self.size_bytes = 0

    def __call__(self, chunk: bytes, at_ns: int | None = None) -> bytes | list[bytes]:
        """Pass on a chunk, seen now or at `at_ns`; `b""` is the end, for which nothing may be sent."""
        if not chunk:
            return []
        try:
            if not self.size_bytes:
                self.first_chunk_ns = clock.now_ns() if at_ns is None else at_ns
            self.size_bytes += len(chunk)
            if self.size_bytes <= self._bound:
                self._chunks.append(chunk)
            else:
                self._keep_ends(chunk)
        except Exception:  # out of memory at worst; the client's bytes go on
            pass
        return chunk

    def _keep_ends(self, chunk: bytes) -> None:
        if self._tail is None:
            body = b"".join((*self._chunks, chunk))  # longer than both ends, so that they do not overlap
            self._chunks, self._tail = [body[:KEPT_ENDS]], bytearray(body[-KEPT_ENDS:])
        else:
            self._tail += chunk[-KEPT_ENDS:]
            del self._tail[:-KEPT_ENDS]

    def body(self) -> bytes:
        """The body, or both its ends."""
        return b"".join((*self._chunks, self._tail or b""))

    @property
    def dropped_bytes(self) -> int:
        """Bytes that are missing between the two ends."""
        return 0 if self._tail is None else self.size_bytes - sum(map(len, self._chunks)) - len(self._tail)
