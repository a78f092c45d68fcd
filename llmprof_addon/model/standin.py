"""What stands where a text is not kept: a sentence for people, its length, and keyed digests by which texts compare.

Two lines, so that all that is derived from a text finds of it what it needs: the first names the first line of the
text without what changes from call to call (by which prompts are told apart), the second how long it was, what stood
in it if it was no text, its words without white space, and the text as it was. Digests are written in small letters,
which nothing that looks for names, paths or numbers in texts takes for one. Without the key, a secret of the store,
nobody can try out what a text was.
"""

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from llmprof_addon.model.part import Media

OFF = "text was not kept (LLMPROF_BODIES=off)"
DROPPED = "text was dropped for its age"

KEY_BYTES = 32
LEAST_CHARS = 12
"""Shorter texts, white space aside, open too many conversations to prove anything; their digest is marked by a dash."""

_LETTERS = bytes.maketrans(b"0123456789abcdef", b"abcdefghijklmnop")
_CHANGING = re.compile(r"\b(?=[0-9a-f-]*\d)[0-9a-f]{6,}(?:-[0-9a-f]{4,})*\b|\d+", re.IGNORECASE)
_FORM = re.compile(
    rf"(?:{re.escape(OFF)}|{re.escape(DROPPED)}) ([a-p]{{12}}|-)(?:\n|\\n)(?P<chars>[\d,]+) characters"
    r"(?:, (sealed|media) ?([\w/.+-]*) ?(?:(\d+)x(\d+))? ?(?:(\d+) bytes)? ?(?:(\d+) pages)?)?; "
    r"(-?)([a-p]{32}) ([a-p]{32})"
)
_OBJECT = re.compile(r'\{"not kept": ?"(?P<chars>[\d,]+) characters; [a-p]{32}"\}')
"""What `providers.unsaid` makes of an object, as text."""


class StandIn(NamedTuple):
    """What a stand-in says of the text that it stands for."""

    chars: int
    sealed: bool = False
    """Whether it was encrypted, or data of one word."""
    media: Media | None = None
    words: str = ""
    """Digest of the text without white space."""
    short: bool = False
    """Whether that was of fewer than `LEAST_CHARS`."""


class Key:
    """The secret of a store, as the functions that digest with it."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def digest(self, data: bytes, letters: int = 32) -> str:
        """A keyed digest (BLAKE2b, RFC 7693) in letters."""
        hexed = blake2b(data, digest_size=letters // 2, key=self._secret).hexdigest()
        return hexed.encode().translate(_LETTERS).decode()

    def stand_in(self, text: str, said: str, *, media: Media | None = None, sealed: bool = False) -> str:
        """The stand-in of a text; `said` is `OFF` or `DROPPED`."""
        first = next((line for line in text[:4_000].splitlines() if any(map(str.isalpha, line))), "")
        first = " ".join(_CHANGING.sub("#", first).split())
        bare = "".join(text.split())
        names = (
            self.digest(_bytes(first), 12) if first else "-",
            ("" if len(bare) >= LEAST_CHARS else "-") + self.digest(_bytes(bare)),
            self.digest(_bytes(text)),
        )
        what = ""
        if media is not None:
            kind = re.sub(r"[^\w/.+-]", "", media.type or "")
            size = f" {media.width}x{media.height}" if media.width and media.height else ""
            what = f", media {kind}{size} {media.size_bytes or 0} bytes"
            what += f" {media.pages} pages" if media.pages else ""
        elif sealed:
            what = ", sealed"
        return f"{said} {names[0]}\n{len(text):,} characters{what}; {names[1]} {names[2]}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def stand_in(text: str) -> StandIn | None:
    """What a stand-in says; `None` for any other text."""
    if not text.startswith((OFF, DROPPED)):
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    _, chars, what, kind, width, height, size, pages, short, words, _ = found.groups()
    media = None
    if what == "media":
        media = Media(
            type=kind or None,
            width=int(width) if width else None,
            height=int(height) if height else None,
            size_bytes=int(size) if size else None,
            pages=int(pages) if pages else None,
        )
    return StandIn(int(chars.replace(",", "")), what == "sealed", media, words, bool(short))


def is_stand_in(text: str) -> bool:
    """Whether a text stands for one that is not kept, or holds such a one in tags."""
    return OFF in text[:200] or DROPPED in text[:200]


def lacks_text(text: str) -> bool:
    """Whether something of a text is not kept."""
    return OFF in text or DROPPED in text or _OBJECT.search(text) is not None


def in_words(text: str) -> str:
    """A text, or what there is to be said of one that is not kept: `text was not kept (LLMPROF_BODIES=off)`, and its
    length."""
    said = stand_in(text.strip())
    if said is None:
        return text
    return f"{OFF if text.strip().startswith(OFF) else DROPPED}, {said.chars:,} characters"


def chars_of(text: str) -> int:
    """The length that a text had, whatever in it is not kept."""
    if " characters" not in text:
        return len(text)
    length = len(text)
    for found in (*_FORM.finditer(text), *_OBJECT.finditer(text)):
        length += int(found["chars"].replace(",", "")) - len(found.group())
    return length


def bare(text: str) -> str:
    """A text without its white space; of a stand-in the digest of that."""
    said = stand_in(text.strip())
    return "".join(text.split()) if said is None else said.words


def proof(text: str) -> str:
    """The same, but nothing where it is too short for two that are alike to prove anything."""
    said = stand_in(text.strip())
    if said is not None:
        return "" if said.short else said.words
    found = "".join(text.split())
    return found if len(found) >= LEAST_CHARS else ""


type Stand = Callable[[str], str]
"""A text to what is stored of it."""
