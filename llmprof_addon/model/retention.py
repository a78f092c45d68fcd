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

    def __bool__(self) -> bool:
        return any(limit is not None for limit in (self.bodies_ns, self.calls_ns, self.max_bytes))
