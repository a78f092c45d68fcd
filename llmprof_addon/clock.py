"""The one place that asks for the time, so that tests can freeze it, and the ids that are made of it."""

import os
import time


def now_ns() -> int:
    """Wall-clock time in nanoseconds since the epoch."""
    return time.time_ns()


def new_id(at_ns: int | None = None) -> str:
    """A unique id of 32 hex digits whose text order is the order in time (the layout of UUID version 7, RFC 9562)."""
    millis = (now_ns() if at_ns is None else at_ns) // 1_000_000
    value = (millis & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"
