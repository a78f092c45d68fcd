"""Content encodings undone: wire bytes to the body that was meant, whatever the chunks, and never an exception.

What is damaged or cut gives what is there; what is not encoded as declared is taken as what it is; both are said in
`warnings`. The result depends on the bytes alone, not on where they were split.
"""

from collections.abc import Callable
from dataclasses import dataclass

from llmprof_addon.wire import codecs
from llmprof_addon.wire.codecs import PIECE_BYTES, Codec, Corrupt

MAX_DECODED_BYTES = 256 * 1024 * 1024
"""What lies behind this is dropped: no provider answers so much, a few hundred KB of zeros decode to it."""

_TRIAL_BYTES = 64
"""Bytes by which is judged whether a body is encoded as declared: brotli and raw deflate have no magic number, and
text read as either fails within these."""

_READINGS: dict[str, tuple[Callable[[], Codec], ...]] = {
    "gzip": (codecs.gzip,),
    "x-gzip": (codecs.gzip,),
    "deflate": (codecs.deflate, codecs.raw_deflate),
    "br": (codecs.br,),
    "zstd": (codecs.zstd,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A body without its content encodings."""

    data: bytes
    complete: bool = True
    """False where the encoded stream was cut, damaged, or too large."""
    warnings: tuple[str, ...] = ()


def decode(body: bytes, content_encoding: str | None, *, max_bytes: int = MAX_DECODED_BYTES) -> Decoded:
    """The body without the encodings that the header names, last one first. Never raises."""
    decoder = Decoder(content_encoding, max_bytes=max_bytes)
    data = decoder.feed(body) + decoder.flush()
    return Decoded(data=data, complete=decoder.complete, warnings=decoder.warnings)


class Decoder:
    """The incremental form of `decode`: the pieces of `feed` and the last one of `flush` make the same body."""

    def __init__(self, content_encoding: str | None, *, max_bytes: int = MAX_DECODED_BYTES):
        names = [name.strip().lower() for name in (content_encoding or "").split(",")]
        names = [name for name in names if name not in ("", "identity")]
        self._stages = [_Stage(name, max_bytes) for name in reversed(names)] or [_Stage("", max_bytes)]

    @property
    def complete(self) -> bool:
        """Whether every encoded stream came to its end; to be asked after `flush`."""
        return all(stage.complete for stage in self._stages)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was not as declared; to be asked after `flush`."""
        return tuple(warning for stage in self._stages for warning in stage.warnings)

    def feed(self, chunk: bytes) -> bytes:
        """What can be told of the body by now; up to `_TRIAL_BYTES` of an encoded stream may be held back."""
        for stage in self._stages:
            chunk = stage.feed(chunk)
        return chunk

    def flush(self) -> bytes:
        """The rest of the body; nothing may be fed afterwards."""
        data = b""
        for stage in self._stages:
            data = stage.feed(data) + stage.flush()
        return data


class _Stage:
    """One coding: held input, then a codec, or plain bytes, or nothing more after damage."""

    def __init__(self, declared: str, max_bytes: int):
        self.complete = True
        self.warnings: list[str] = []
        self._declared = declared
        self._room = max_bytes
        self._held = b""
        self._settled = False
        self._stopped = False
        self._name = ""
        self._start: Callable[[], Codec] | None = None
        self._codec: Codec | None = None
        self._seen: list[bytes] = []
        """The pieces fed so far: a codec that fails loses what the failing piece gave, so all is read again."""

    def feed(self, data: bytes) -> bytes:
        if not self._settled:
            self._held += data
            if len(self._held) < _TRIAL_BYTES:
                return b""
            data = self._settle()
        if self._codec is None:
            return data
        out = []
        for at in range(0, len(data), PIECE_BYTES):
            if self._stopped:
                break
            out.append(self._piece(data[at : at + PIECE_BYTES]))
        return b"".join(out)

    def flush(self) -> bytes:
        out = b""
        if not self._settled and self._held:
            held, self._held = self._settle(), b""
            out = self.feed(held)
        if self._codec is not None and not self._stopped:
            if not self._codec.ended:
                self._stop(f"the {self._name} stream ends early")
            elif self._codec.trailing:
                self.warnings.append(f"bytes after the end of the {self._name} stream were ignored")
        return out

    def _settle(self) -> bytes:
        """Choose how to read the body by its first bytes, and hand back those held."""
        self._settled = True
        head, held = self._held[:_TRIAL_BYTES], self._held
        self._held = b""
        sniffed = _sniff(head)  # first: text read as brotli may take a while to fail, magic numbers do not lie
        self._name = next((name for name in (sniffed, self._declared) if _reading(name, head)), "")
        self._start = _reading(self._name, head)
        if self._start and _READINGS[self._name] != _READINGS.get(self._declared):
            self.warnings.append(f"decoded as {self._name}, declared was {self._declared or 'nothing'}")
        elif not self._start and self._declared:
            known = "not so encoded" if self._declared in _READINGS else "of an unknown encoding"
            self.warnings.append(f"declared {self._declared[:40]!r}, but the body is {known}: taken as it is")
        self._codec = self._start() if self._start else None
        return held

    def _piece(self, data: bytes) -> bytes:
        assert self._codec is not None
        try:
            out = self._codec.feed(data, self._room)
        except Corrupt:
            out = self._salvage(data)
        self._seen.append(data)
        if len(out) > self._room:
            self._stop("decoded body is too large, its rest was dropped")
            out = out[: self._room]
        self._room -= len(out)
        return out

    def _salvage(self, data: bytes) -> bytes:
        """What the failing piece gives before the damage."""
        assert self._start is not None
        self._codec = self._start()
        room = self._room
        for piece in self._seen:
            self._codec.feed(piece, MAX_DECODED_BYTES)
        out = b""
        for at in range(len(data)):
            try:
                out += self._codec.feed(data[at : at + 1], room - len(out))
            except Corrupt:
                self._stop(f"the {self._name} stream is damaged")
                break
            if len(out) > room:
                break
        return out

    def _stop(self, warning: str) -> None:
        self.warnings.append(warning)
        self.complete = False
        self._stopped = True


def _sniff(head: bytes) -> str:
    return "gzip" if head.startswith(codecs.GZIP_MAGIC) else "zstd" if codecs.is_zstd(head) else ""


def _reading(name: str, head: bytes) -> Callable[[], Codec] | None:
    """The codec of this coding that can read a body with these first bytes."""
    return next((start for start in _READINGS.get(name, ()) if _fits(start, head)), None)


def _fits(start: Callable[[], Codec], head: bytes) -> bool:
    codec = start()
    try:
        codec.feed(head, MAX_DECODED_BYTES)
    except Corrupt:
        return False
    if start in (codecs.gzip, codecs.zstd):
        return True
    short_text = len(head) < _TRIAL_BYTES and not codec.ended and head.isascii()
    return not codec.trailing and not short_text
