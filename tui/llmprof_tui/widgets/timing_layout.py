"""The times of a call -> the cells of a bar: waiting for the first byte, then the answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a call took, in nanoseconds."""

    wait: int | None
    """Until the first byte of the answer; `None` if none came."""
    total: int
    output_tokens: int | None = None

    @property
    def stream(self) -> int | None:
        """From the first byte to the last one."""
        return None if self.wait is None else self.total - self.wait

    @property
    def tokens_per_second(self) -> float | None:
        """Of the output, while it came; `None` where there is too little to tell, or it came at once."""
        if not self.output_tokens or self.stream is None or self.stream < 50_000_000:
            return None
        return self.output_tokens / (self.stream / 1e9)


def timing(started_ns: int, first_chunk_ns: int | None, ended_ns: int, output_tokens: int | None) -> Timing:
    """The times of a call; a clock that was set back gives no negative ones."""
    total = max(ended_ns - started_ns, 0)
    wait = None if first_chunk_ns is None else min(max(first_chunk_ns - started_ns, 0), total)
    return Timing(wait=wait, total=total, output_tokens=output_tokens)


def cells(times: Timing, width: int) -> tuple[int, int]:
    """Cells of the waiting and of the answer; they fill the width, and what is not nothing has at least one."""
    if width < 2 or not times.total or times.stream is None:
        return width, 0
    wait = times.wait or 0
    first = round(wait * width / times.total)
    if wait:
        first = max(first, 1)
    if times.stream:
        first = min(first, width - 1)
    return first, width - first
