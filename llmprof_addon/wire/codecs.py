"""One compressed stream, piece by piece, behind one small protocol: gzip, deflate of either kind, brotli, zstd.

A codec gives all that the bytes so far allow, knows whether it stands at the end of a stream, and raises `Corrupt`; it
never gives much more than `room` bytes at a time, so that a bomb is noticed before it fills the memory.
"""

import zlib
from collections.abc import Callable
from typing import Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
PIECE_BYTES = 4096
"""What a codec is fed at once: zstd knows no limit of its output, and 4 KiB of it make 128 MiB at the very most."""


class Corrupt(Exception):
    """The bytes are not of this coding, or are damaged; what the failing piece gave before the damage is lost."""


class Codec(Protocol):
    """A stream of one content coding."""

    ended: bool
    """Whether the bytes so far are a whole stream."""
    trailing: bool
    """Whether something that is no part of it follows, which is ignored."""

    def feed(self, data: bytes, room: int) -> bytes:
        """What these bytes give; if it is more than `room` bytes, the codec must not be fed again."""
        ...


class _Stream(Protocol):
    """What zlib's and zstd's objects have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class _Members[S: _Stream]:
    """Streams of one kind, one behind the other, as gzip and zstd allow."""

    def __init__(
        self,
        start: Callable[[], S],
        read: Callable[[S, bytes, int], bytes],
        follows: Callable[[bytes], bool | None],
        padding: bytes = b"",
    ):
        self.ended = False
        self.trailing = False
        self._start, self._read, self._follows, self._padding = start, read, follows, padding
        self._stream: S | None = start()
        self._held = b""

    def feed(self, data: bytes, room: int) -> bytes:
        out: list[bytes] = []
        while data and not self.trailing:
            if self._stream is None:
                self._held = (self._held + data).lstrip(self._padding)
                follows = self._follows(self._held)
                if follows is None:
                    break
                self.trailing = not follows
                if self.trailing:
                    break
                data, self._held = self._held, b""
                self._stream, self.ended = self._start(), False
            piece = self._read(self._stream, data, room)
            out.append(piece)
            room -= len(piece)
            if room < 0 or not self._stream.eof:
                break
            data, self._stream, self.ended = self._stream.unused_data, None, True
        return b"".join(out)


def _gzip_follows(data: bytes) -> bool | None:
    return None if len(data) < 2 and GZIP_MAGIC.startswith(data) else data.startswith(GZIP_MAGIC)


def _zstd_follows(data: bytes) -> bool | None:
    return None if len(data) < 4 else is_zstd(data)


def _alone(data: bytes) -> bool | None:
    return False


def _inflate(stream: "zlib._Decompress", data: bytes, room: int) -> bytes:
    try:
        return stream.decompress(data, room + 1)
    except zlib.error as error:
        raise Corrupt(str(error)) from None


def _unzstd(stream: "zstandard.ZstdDecompressionObj", data: bytes, room: int) -> bytes:
    try:
        return stream.decompress(data)
    except zstandard.ZstdError as error:
        raise Corrupt(str(error)) from None


class _Brotli:
    """A brotli stream; it has no magic number, no checksum and no second member."""

    def __init__(self) -> None:
        self.ended = False
        self.trailing = False
        self._stream = brotli.Decompressor()

    def feed(self, data: bytes, room: int) -> bytes:
        if self.ended:
            self.trailing = True
            return b""
        try:
            out = self._stream.process(data, output_buffer_limit=room + 1)
            # Asked for nothing more, it may still hold a few bytes, and says that it could take more all the same.
            while len(out) <= room and not self._stream.is_finished():
                if not (more := self._stream.process(b"", output_buffer_limit=room + 1 - len(out))):
                    break
                out += more
        except brotli.error as error:
            raise Corrupt(str(error)) from None
        self.ended = self._stream.is_finished()
        return bytes(out)


def is_zstd(data: bytes) -> bool:
    """Whether a zstd frame, or one to be skipped, begins here (RFC 8878, 3.1)."""
    return data.startswith(ZSTD_MAGIC) or (data[1:4] == b"\x2a\x4d\x18" and data[0] >> 4 == 5)


def gzip() -> Codec:
    """Gzip with any number of members (RFC 1952), which may be padded with zeros."""
    return _Members(lambda: zlib.decompressobj(31), _inflate, _gzip_follows, b"\0")


def deflate() -> Codec:
    """What RFC 9110 calls deflate: zlib's format."""
    return _Members(lambda: zlib.decompressobj(15), _inflate, _alone)


def raw_deflate() -> Codec:
    """What some servers call deflate: the bare stream, without zlib's header."""
    return _Members(lambda: zlib.decompressobj(-15), _inflate, _alone)


def br() -> Codec:
    """Brotli (RFC 7932)."""
    return _Brotli()


def zstd() -> Codec:
    """Zstandard with any number of frames (RFC 8878)."""
    return _Members(lambda: zstandard.ZstdDecompressor().decompressobj(), _unzstd, _zstd_follows)
