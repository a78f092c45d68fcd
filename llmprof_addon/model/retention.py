"""For how long what is kept, and how much of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The limits of a store; `None`: without end."""

    bodies_ns: int | None = None
    """Age from which on texts are dropped, and numbers stay."""
    calls_ns: int | None = None
    """Age from which on calls are deleted."""
    max_bytes: int | None = None
    """Size from which on the oldest go: texts first, then calls."""

    def bodies_before(self, now_ns: int) -> int | None:
        """Of calls that started before this time texts are dropped."""
        return None if self.bodies_ns is None else max(0, now_ns - self.bodies_ns)

    def calls_before(self, now_ns: int) -> int | None:
        """Calls that started before this time are deleted."""
        return None if self.calls_ns is None else max(0, now_ns - self.calls_ns)

    def __bool__(self) -> bool:
        return any(limit is not None for limit in (self.bodies_ns, self.calls_ns, self.max_bytes))
