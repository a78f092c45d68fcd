"""AWS event stream (`application/vnd.amazon.eventstream`): binary messages, each with two checksums, to events.

A message that does not check out is left out, and reading goes on at the next one that does: what came before and after
is kept, and a last event of the name `DAMAGED`, not `complete`, says what is missing. A message in which capture
overwrote a secret checks out no more, but is kept up to where the next begins. Never raises.
"""

from struct import unpack_from
from zlib import crc32

from llmprof_addon.errors import WireError
from llmprof_addon.model.secrets import REDACTED
from llmprof_addon.wire.sse import Event

DAMAGED = "llmprof.damaged"
"""Name of the event that ends a damaged or cut stream; its data is one line that says where."""

_REDACTED = REDACTED.encode()
_PRELUDE_BYTES = 12
_FRAME_BYTES = 16
"""Prelude and the checksum of the message: what a message has at least."""
_MAX_BYTES = 24 * 1024 * 1024 + 128 * 1024 + _FRAME_BYTES
"""Limits of payload and headers (Smithy, "Amazon Event Stream specification")."""
_FIXED_BYTES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Length of header values by type: true, false, byte, short, integer, long, time stamp, UUID."""
_BYTES, _STRING = 6, 7


def parse(data: bytes) -> list[Event]:
    """All events of a whole stream."""
    decoder = EventStreamDecoder()
    return decoder.feed(data) + decoder.flush()


class EventStreamDecoder:
    """The incremental form of `parse`: same events for any split."""

    def __init__(self) -> None:
        self.complete = True
        """False if anything was left out; after `flush` also if the last message was cut."""
        self.errors: list[WireError] = []
        """One for each stretch that was left out; offsets count from the start of the stream."""
        self._buffer = bytearray()
        self._offset = 0
        """Of the buffer's first byte in the stream."""
        self._sought_to = 0
        """Up to where in the stream the next message was looked for in vain."""
        self._vain_bytes = 0
        """Of messages that did not check out. Preludes that each claim all that follows would be quadratic to check."""
        self._lost_at: int | None = None
        """Where the stretch that is being left out began."""

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        self._buffer += chunk
        return self._read(ended=False)

    def flush(self) -> list[Event]:
        """What stands behind a cut message, and the event that says what was left out."""
        events = self._read(ended=True)
        self._found(self._offset)
        if self.errors:
            more = f", and {len(self.errors) - 1} more" if len(self.errors) > 1 else ""
            events.append(Event(DAMAGED, f"{self.errors[0].message}{more}", complete=False))
        return events

    def _read(self, *, ended: bool) -> list[Event]:
        buffer, at, events = self._buffer, 0, list[Event]()
        while len(buffer) - at >= (1 if ended else _PRELUDE_BYTES):
            length = _length(buffer, at)
            whole = length is not None and at + length <= len(buffer)
            if length is not None and not whole and not ended:
                break
            if length is not None and whole and self._checks_out(at, at + length):
                end, kept = at + length, True
            elif length is None:
                end, kept = at + 1, False
            else:
                start = max(at + 1, self._sought_to - self._offset)
                found = next((i for i in range(start, len(buffer)) if _length(buffer, i) is not None), None)
                if found is None and not ended:
                    self._sought_to = self._offset + max(at + 1, len(buffer) - _PRELUDE_BYTES + 1)
                    break
                end = len(buffer) if found is None else found
                kept = _REDACTED in buffer[at:end]
            if kept:
                self._found(self._offset + at)
                events.append(_event(bytes(buffer[at:end])))
            elif self._lost_at is None:
                self._lost_at = self._offset + at
            at = end
        del buffer[:at]
        self._offset += at
        return events

    def _checks_out(self, at: int, end: int) -> bool:
        if self._vain_bytes > 4 * _MAX_BYTES:
            return False
        right = crc32(memoryview(self._buffer)[at : end - 4]) == int.from_bytes(self._buffer[end - 4 : end])
        self._vain_bytes += 0 if right else end - at
        return right

    def _found(self, offset: int) -> None:
        """Say what was left out before this place."""
        if self._lost_at is not None:
            start, self._lost_at, self.complete = self._lost_at, None, False
            self.errors.append(
                WireError(f"event stream: {offset - start} bytes at byte {start} do not check out", offset=start)
            )


def _length(buffer: bytes | bytearray, at: int) -> int | None:
    """Bytes of the message at this place; `None` if no prelude is there that checks out."""
    if len(buffer) - at < _PRELUDE_BYTES:
        return None
    total, headers, checksum = unpack_from(">III", buffer, at)
    if not _FRAME_BYTES + headers <= total <= _MAX_BYTES or crc32(buffer[at : at + 8]) != checksum:
        return None
    return int(total)


def _event(message: bytes) -> Event:
    (headers_bytes,) = unpack_from(">I", message, 4)
    start = _PRELUDE_BYTES + headers_bytes
    headers = _headers(message[_PRELUDE_BYTES:start])
    name = next((headers[key] for key in (":event-type", ":exception-type", ":error-code") if key in headers), "")
    data = message[start:-4].decode("utf-8", "replace") or headers.get(":error-message", "")
    return Event(name or "message", data)


def _headers(data: bytes) -> dict[str, str]:
    """The headers whose value is text, as far as they can be read."""
    headers: dict[str, str] = {}
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        if name_end >= len(data):
            break
        name, kind, at = data[at + 1 : name_end].decode("utf-8", "replace"), data[name_end], name_end + 1
        if kind in _FIXED_BYTES:
            at += _FIXED_BYTES[kind]
            continue
        if kind not in (_BYTES, _STRING) or at + 2 > len(data):
            break
        (length,) = unpack_from(">H", data, at)
        if kind == _STRING:
            headers[name] = data[at + 2 : at + 2 + length].decode("utf-8", "replace")
        at += 2 + length
    return headers
