"""Values of parts by digest, read from the store when they are asked for."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import batched

from llmprof_addon.model.part import Json
from llmprof_addon.model.recent import Recent
from llmprof_addon.model.tree import parse
from llmprof_addon.store.compress import unpack
from llmprof_addon.store.database import errors_of
from llmprof_addon.store.nodes import BATCH
from llmprof_addon.store.open import Store
from llmprof_addon.store.schema import Content

HELD_BYTES = 16 * 1024 * 1024
"""Of values that are kept for the next time, as JSON."""

_ONE = "SELECT data, size FROM content WHERE digest = {0}"


class Contents(Mapping[bytes, Json]):
    """What stands behind these digests. Raises `KeyError` for one whose text is not stored (any more)."""

    def __init__(self, store: Store, digests: Collection[bytes]) -> None:
        self._store = store
        self._digests = digests
        self._recent: Recent[bytes, tuple[int, Json]] = Recent(HELD_BYTES, lambda held: held[0])

    def __getitem__(self, digest: bytes) -> Json:
        held = self._recent.get(digest)
        if held is None:
            with errors_of(self._store.url):
                row = self._store.db.execute_sql(_ONE.format(self._store.db.param), (digest,)).fetchone()
            if row is None:
                raise KeyError(digest)
            return self._add(digest, *row)
        return held[1]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)

    def some(self, digests: Iterable[bytes]) -> dict[bytes, Json]:
        """Those of the digests that are stored, with few queries."""
        found: dict[bytes, Json] = {}
        missing: list[bytes] = []
        for digest in dict.fromkeys(digests):
            held = self._recent.get(digest)
            if held is None:
                missing.append(digest)
            else:
                found[digest] = held[1]
        for batch in batched(missing, BATCH):
            query = Content.select(Content.digest, Content.data, Content.size).where(Content.digest.in_(batch))
            with errors_of(self._store.url):
                rows = self._store.db.execute(query).fetchall()
            for digest, data, size in rows:
                found[bytes(digest)] = self._add(bytes(digest), data, size)
        return found

    def _add(self, digest: bytes, data: bytes, size: int) -> Json:
        value = parse(unpack(bytes(data), size))
        self._recent.add(digest, (size, value))
        return value
