"""The rows of a long list that are in memory: which are known, which are to be read, and which have to go."""

from collections.abc import Iterator, Mapping, Sequence

PAGE = 100
"""Rows of one request."""

KEPT = 2000
"""Rows kept of a list whose rows are asked for."""


class HeldRows[R]:
    """Rows by number. One request is under way at a time."""

    def __init__(self) -> None:
        self._rows: dict[int, R | None] = {}
        """Those used longest ago first; `None` for a row that is gone."""
        self._current: set[int] = set()
        """Numbers whose row needs not be read again."""
        self._asked: Sequence[int] = ()
        self._all = False
        """Whether all rows are at hand, so that none is ever asked for."""

    def __contains__(self, number: int) -> bool:
        """Whether it was answered for, be it that the row is gone."""
        return number in self._rows

    def get(self, number: int) -> R | None:
        """The row of this number, if it is at hand."""
        return self._rows.get(number)

    def at_hand(self) -> Iterator[R]:
        """All rows in memory."""
        return (row for row in self._rows.values() if row is not None)

    def take_all(self, rows: Sequence[R]) -> None:
        """Hold these and no others, by their positions."""
        self._all, self._asked = True, ()
        self._rows, self._current = dict(enumerate(rows)), set(range(len(rows)))

    def take(self, asked: Sequence[int], rows: Mapping[int, R]) -> None:
        """Take the answer to a request. What was asked for and not given is gone; what was used longest ago leaves."""
        for number in asked:
            self._rows.pop(number, None)
            self._rows[number] = rows.get(number)
            self._current.add(number)
        if asked is self._asked:
            self._asked = ()
        for number in [] if self._all else list(self._rows)[: max(0, len(self._rows) - KEPT)]:
            del self._rows[number]
            self._current.discard(number)

    def listed(self) -> None:
        """Another list is shown: the request under way is not waited for."""
        self._all, self._asked = False, ()

    def outdated(self) -> None:
        """Every row has to be read again; until then the old ones stay."""
        if not self._all:
            self._current.clear()
            self._asked = ()

    def request(self, numbers: Sequence[int], window: range) -> Sequence[int]:
        """What to ask for now: the page around the window, or nothing while its rows are known or asked for."""
        if self._asked or self._all or all(numbers[index] in self._current for index in window):
            return ()
        first = max(0, window.start - max(0, PAGE - len(window)) // 2)
        about = numbers[first : max(window.stop, first + PAGE)]
        self._asked = [number for number in about if number not in self._current]
        return self._asked
