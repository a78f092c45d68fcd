"""What the text of a part is like: whether two are the same or nearly, base64 in it, JSON that could be shorter.

Worked out once for each content and remembered over the runs of a process, so that a growing run costs what is new.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from zlib import crc32

from llmprof_addon.counting.encodings import count
from llmprof_addon.model.part import Json
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.standin import is_stand_in

LOOKED_AT_CHARS = 200_000
"""Of a longer text the start tells what it is like."""

SHINGLE_WORDS = 6
"""Words that stand one after the other."""

SKETCH = 128
"""The smallest hashes of a text's shingles: from as many of two texts their likeness is known to some 0.04."""

LOOSE = 0.9
"""JSON is written anew where it becomes shorter than this."""

_ENCODING = "o200k_base"

BLOB_CHARS = 256
"""Of base64: shorter runs of its letters may be words."""

_BASE64 = re.compile(rf"[A-Za-z0-9+/_-]{{{BLOB_CHARS},}}={{0,2}}")
_UNSAID = re.compile(r"(^|_)(id|type|signature|role|status)$|[a-z]Id$|[sS]ignature$|^encrypted_|^data$|^redacted_")
"""Keys whose values no model reads as text: ids, kinds, signatures, media."""


@dataclass(frozen=True, slots=True)
class Features:
    """Of one content."""

    text: bytes
    """Digest of its words, so that white space does not matter."""
    words: int
    sketch: frozenset[int]
    """Empty for texts that are too short to be compared."""
    base64: float
    """Which part of its characters is base64."""
    compact: float
    """Which part of its tokens is left out when JSON in it is written without white space."""


_recent: Recent[bytes, Features] = Recent(200_000, lambda features: len(features.sketch) + 8)
"""A hash takes some 70 bytes, features of a content 500 beside them."""


def features(contents: Mapping[bytes, Json], digest: bytes) -> Features | None:
    """The features of a content; `None` if it is not stored (any more)."""
    found = _recent.get(digest)
    if found is None:
        try:
            value = contents[digest]
        except KeyError:
            return None
        found = features_of(value)
        _recent.add(digest, found)
    return found


def features_of(value: Json) -> Features:
    """The features of a part's value."""
    texts = list(_texts(value))
    whole = "\n".join(texts)[:LOOKED_AT_CHARS]
    words = whole.split()
    long = " ".join(word for word in words if len(word) >= BLOB_CHARS)
    blobs = sum(len(found.group()) for found in _BASE64.finditer(long) if _is_base64(found.group()))
    return Features(
        text=blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=16).digest(),
        words=len(words),
        sketch=frozenset() if any(map(is_stand_in, texts)) else _sketch(words),
        base64=blobs / len(whole) if whole else 0.0,
        compact=_compact(texts),
    )


def alike(one: Features, other: Features) -> float:
    """Which part of the shingles of both together they have in common (Broder, "On the resemblance", 1997)."""
    if not one.sketch or not other.sketch:
        return float(one.text == other.text)
    least = sorted(one.sketch | other.sketch)[:SKETCH]
    return sum(each in one.sketch and each in other.sketch for each in least) / len(least)


def _texts(value: Json) -> Iterator[str]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, dict):
            waiting += reversed([item for key, item in value.items() if not _is_unsaid(key, item)])


def _is_unsaid(key: str, item: Json) -> bool:
    return isinstance(item, str) and _UNSAID.search(key) is not None


def _sketch(words: list[str]) -> frozenset[int]:
    if len(words) < 4 * SHINGLE_WORDS:
        return frozenset()
    written = [word.encode("utf-8", "surrogatepass") for word in words]
    text = b" ".join(written)
    starts = list(accumulate((len(word) + 1 for word in written), initial=0))
    shingles = {crc32(text[start : end - 1]) for start, end in zip(starts, starts[SHINGLE_WORDS:], strict=False)}
    return frozenset(sorted(shingles)[:SKETCH])


def _is_base64(text: str) -> bool:
    """Whether it is data, and no long word: letters of both cases and digits, none of them rare."""
    return all(sum(map(test, text)) * 32 >= len(text) for test in (str.isupper, str.islower, str.isdigit))


def _compact(texts: list[str]) -> float:
    """Only texts that are JSON as a whole: what is quoted in prose may be meant to be read. Counted, since a run of
    spaces is often a single token."""
    whole = sum(map(len, texts))
    saved = 0.0
    for text in texts:
        bare = text.strip()
        if bare[:1] not in ("{", "[") or len(bare) > LOOKED_AT_CHARS:
            continue
        try:
            written = json.dumps(json.loads(bare), ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError):
            continue
        if len(written) < LOOSE * len(text):
            saved += len(text) * max(0.0, 1 - count(written, _ENCODING) / max(1, count(text, _ENCODING)))
    return saved / whole if whole else 0.0
