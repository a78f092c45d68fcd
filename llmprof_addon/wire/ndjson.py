"""Newline-delimited JSON to values, whatever the chunks. A line that cannot be read is left out, and that is said."""

from llmprof_addon.errors import WireError
from llmprof_addon.model.part import Json
from llmprof_addon.wire import jsontext


def parse(data: bytes) -> list[Json]:
    """The values of all lines that can be read."""
    decoder = NdjsonDecoder()
    return decoder.feed(data) + decoder.flush()


class NdjsonDecoder:
    """The incremental form of `parse`."""

    def __init__(self) -> None:
        self.complete = True
        """False after `flush` if the last line was cut."""
        self.errors: list[WireError] = []
        """One for each line that was left out; offsets count from the start of the stream."""
        self._line: list[bytes] = []
        self._offset = 0

    def feed(self, chunk: bytes) -> list[Json]:
        """The values of the lines that these bytes complete."""
        first, *lines = chunk.split(b"\n")
        self._line.append(first)
        values: list[Json] = []
        for line in lines:
            values += self._read(b"".join(self._line), 1)
            self._line = [line]
        return values

    def flush(self) -> list[Json]:
        """The value of a last line that has no line end, if it is whole."""
        known = len(self.errors)
        values = self._read(b"".join(self._line), 0)
        self._line = []
        self.complete = len(self.errors) == known
        return values

    def _read(self, line: bytes, end_bytes: int) -> list[Json]:
        start = self._offset
        self._offset += len(line) + end_bytes
        if not line.strip():
            return []
        try:
            return [jsontext.loads(line)]
        except WireError as error:
            offset = None if error.offset is None else start + error.offset
            self.errors.append(WireError(f"line at byte {start}: {error.message}", offset=offset))
            return []
