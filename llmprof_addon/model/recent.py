"""A memory of what was made of late, bounded by its bytes, for what every turn of a conversation sends again."""


class Recent[K, V]:
    """Values by key in two generations: a full one pushes out what was not asked for since the last time."""

    def __init__(self, generation_bytes: int) -> None:
        self._limit = generation_bytes
        self._held_bytes = 0
        self._young: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}

    def get(self, key: K) -> V | None:
        """The value, if it is held still."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.add(key, *found)
        return found[0]

    def add(self, key: K, value: V, size_bytes: int) -> None:
        """Hold a value whose key and contents take about so many bytes."""
        if self._held_bytes + size_bytes > self._limit:
            self._old, self._young, self._held_bytes = self._young, {}, 0
        self._young[key] = value, size_bytes
        self._held_bytes += size_bytes
