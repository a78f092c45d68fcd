"""A bounded memory of what was made of late, for what every turn of a conversation sends again."""


class Recent[K, V]:
    """Values by key in two generations: a full one pushes out what was not asked for since the last time.

    A generation holds values of so much size together, in whatever unit `add` is told of.
    """

    def __init__(self, generation_size: int) -> None:
        self._limit = generation_size
        self._held = 0
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

    def add(self, key: K, value: V, size: int = 1) -> None:
        """Hold a value, in place of the one that had this key."""
        if self._held + size > self._limit:
            self._old, self._young, self._held = self._young, {}, 0
        self._young[key] = value, size
        self._held += size

    def clear(self) -> None:
        """Forget everything."""
        self._old, self._young, self._held = {}, {}, 0
