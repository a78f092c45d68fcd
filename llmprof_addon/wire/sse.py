"""Server-sent events: bytes of a `text/event-stream` to events, by the WHATWG rules, whatever the chunks.

Two things go beyond the rules: an event that no blank line ends is given at the end of the stream, marked as not
`complete`, since its data is often whole; and the text after the last line end is taken as a line.
"""

import codecs
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event (HTML Living Standard, 9.2.6)."""

    event: str = "message"
    data: str = ""
    id: str | None = None
    """The last event id that the stream has set so far, in this or an earlier event."""
    retry: int | None = None
    """Milliseconds, where this event's block sets them."""
    complete: bool = field(default=True, compare=False)
    """False if the stream ended before the blank line that ends an event."""


def parse(data: bytes) -> list[Event]:
    """All events of a whole stream."""
    decoder = SseDecoder()
    return decoder.feed(data) + decoder.flush()


class SseDecoder:
    """The incremental form of `parse`: same events for any split, also inside a character or a CRLF."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._at_start = True
        self._after_cr = False
        self._line: list[str] = []
        """Pieces of the line that has not ended yet."""
        self._data: list[str] = []
        self._event = ""
        self._id: str | None = None
        self._retry: int | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        return self._text(self._utf8.decode(chunk))

    def flush(self) -> list[Event]:
        """The event that the end of the stream cut off, if it has any data."""
        events = self._text(self._utf8.decode(b"", True))
        events += self._lines(["".join(self._line)] if any(self._line) else [])
        self._line = []
        if self._data:
            events.append(self._dispatch(complete=False))
        return events

    def _text(self, text: str) -> list[Event]:
        if not text:
            return []
        if self._at_start:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        if self._after_cr and text.startswith("\n"):
            text = text[1:]
        self._after_cr = text.endswith("\r") if text else False
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        first, *lines = text.split("\n")
        self._line.append(first)
        if not lines:
            return []
        lines.insert(0, "".join(self._line))
        self._line = [lines.pop()]
        return self._lines(lines)

    def _lines(self, lines: list[str]) -> list[Event]:
        events: list[Event] = []
        for line in lines:
            if not line:
                if self._data:
                    events.append(self._dispatch())
                else:  # a block without data is no event
                    self._event, self._retry = "", None
                continue
            name, _, value = line.partition(":")
            if value[:1] == " ":
                value = value[1:]
            if name == "data":
                self._data.append(value)
            elif name == "event":
                self._event = value
            elif name == "id":
                if "\0" not in value:
                    self._id = value
            elif name == "retry" and value.isascii() and value.isdigit():
                self._retry = int(value[:18])  # int() refuses thousands of digits
        return events

    def _dispatch(self, *, complete: bool = True) -> Event:
        event = Event(self._event or "message", "\n".join(self._data), self._id, self._retry, complete)
        self._data, self._event, self._retry = [], "", None
        return event
