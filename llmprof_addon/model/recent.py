"""A bounded memory of what was made of late, for what every turn of a conversation sends again."""

from collections.abc import Callable, Sequence


class Recent[K, V]:
    """Values by key in two generations: a full one pushes out what was not asked for since the last time.

    A generation holds values of so much `size_of` together; without it, so many values. One that is larger than a
    generation is not held.
    """

    def __init__(self, generation: int, size_of: Callable[[V], int] = lambda value: 1) -> None:
        self._limit = generation
        self._size_of = size_of
        self._held = 0
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value, if it is held still."""
        value = self._young.get(key)
        if value is None and (value := self._old.get(key)) is not None:
            self.add(key, value)
        return value

    def get_all(self, keys: Sequence[K]) -> list[V | None]:
        """The values of these keys, as `get` gives them."""
        young = map(self._young.get, keys)
        return [self.get(key) if value is None else value for key, value in zip(keys, young, strict=True)]

    def add(self, key: K, value: V) -> None:
        """Hold a value, in place of the one that had this key."""
        size = self._size_of(value)
        if size > self._limit:
            return
        if self._held + size > self._limit:
            self._old, self._young, self._held = self._young, {}, 0
        self._young[key] = value
        self._held += size

    def clear(self) -> None:
        """Forget everything."""
        self._old, self._young, self._held = {}, {}, 0
