"""Prompt caches as providers keep them: marked prefixes (Anthropic), and automatic ones (OpenAI).

Nothing here is shared with the program: prompts are lists of blocks of tokens, identity is a running hash, and time is
what the caller says. `serve` gives what the provider would report.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

SECOND = 1_000_000_000
LIVES = {"5m": 300 * SECOND, "1h": 3600 * SECOND}


@dataclass(frozen=True, slots=True)
class Block:
    """What a cache takes as one piece of a prompt."""

    words: bytes
    tokens: int
    ttl: str | None = None
    """Of the breakpoint at its end, if it has one."""


@dataclass(frozen=True, slots=True)
class Served:
    """Tokens of a prompt by what became of them."""

    total: int
    read: int
    written: int
    written_1h: int = 0
    left: int = 0
    """Length of the prefix that can be read from now on."""


@dataclass(slots=True)
class _Entry:
    ready_ns: int
    until_ns: int
    lives_ns: int


def _keys(seed: str, blocks: Sequence[Block]) -> list[bytes]:
    keys, key = [], sha256(seed.encode()).digest()
    for block in blocks:
        key = sha256(key + sha256(block.words).digest()).digest()
        keys.append(key)
    return keys


@dataclass(slots=True)
class MarkedCache:
    """Entries at breakpoints, found from a later breakpoint by looking back over at most 20 blocks."""

    minimum: int
    lookback: int = 20
    entries: dict[bytes, _Entry] = field(default_factory=dict)

    def serve(self, seed: str, blocks: Sequence[Block], now: int, ready: int) -> Served:
        """Read what is there, write what is marked; entries can be read from `ready` on."""
        keys = _keys(seed, blocks)
        ends = [0]
        for block in blocks:
            ends.append(ends[-1] + block.tokens)
        marks = [at for at, block in enumerate(blocks) if block.ttl]
        hit = -1
        for mark in marks:
            for at in range(mark, max(-1, mark - self.lookback), -1):
                if self._alive(keys[at], now):
                    hit = max(hit, at)
                    break
        for at in range(hit + 1):  # what is read lives on, with the prefixes that it begins with
            if self._alive(keys[at], now):
                entry = self.entries[keys[at]]
                entry.until_ns = now + entry.lives_ns
        read = written = ends[hit + 1]
        hour = 0
        for mark in marks:
            end, lives = ends[mark + 1], LIVES[blocks[mark].ttl or "5m"]
            if end < self.minimum or end <= read:
                continue
            hour += (end - written) * (blocks[mark].ttl == "1h")
            written = end
            self.entries[keys[mark]] = _Entry(ready, ready + lives, lives)
        return Served(ends[-1], read, written - read, hour, max(read, written))

    def _alive(self, key: bytes, now: int) -> bool:
        entry = self.entries.get(key)
        return entry is not None and entry.ready_ns <= now < entry.until_ns

    def evict(self) -> None:
        """Forget everything, as a provider under load does."""
        self.entries.clear()


@dataclass(slots=True)
class SteppedCache:
    """Every prefix of so many whole steps, from 1,024 tokens on, for as long as it is used."""

    lives_ns: int
    minimum: int = 1024
    step: int = 128
    entries: dict[bytes, _Entry] = field(default_factory=dict)

    def serve(self, seed: str, blocks: Sequence[Block], now: int, ready: int, lives_ns: int | None = None) -> Served:
        """Read the longest known prefix and keep the others."""
        lives = lives_ns or self.lives_ns
        steps = self._steps(seed, blocks)
        total = sum(block.tokens for block in blocks)
        read = 0
        for length, key in steps:
            entry = self.entries.get(key)
            if entry is None or not entry.ready_ns <= now < entry.until_ns:
                break
            read = length
            entry.until_ns = now + lives
        for length, key in steps:
            if length > read:
                self.entries[key] = _Entry(ready, ready + lives, lives)
        left = total // self.step * self.step if total >= self.minimum else 0
        return Served(total, read, 0, 0, left)

    def _steps(self, seed: str, blocks: Sequence[Block]) -> list[tuple[int, bytes]]:
        key, length, out = sha256(seed.encode()).digest(), 0, []
        for block in blocks:
            # A block that differs does so from its first token on.
            key = sha256(key + block.words).digest()
            start, length = length, length + block.tokens
            first = max(start // self.step + 1, self.minimum // self.step) * self.step
            ends = range(first, length + 1, self.step)
            out += [(end, sha256(key + (end - start).to_bytes(4)).digest()) for end in ends]
        return out

    def evict(self) -> None:
        """Forget everything."""
        self.entries.clear()


@dataclass(slots=True)
class ExactCache:
    """Prefixes that end at a message, found however far back they are; writes are reported."""

    lives_ns: int
    minimum: int = 1024
    entries: dict[bytes, _Entry] = field(default_factory=dict)

    def serve(self, seed: str, blocks: Sequence[Block], now: int, ready: int) -> Served:
        """Read the longest known prefix, write the whole prompt."""
        keys = _keys(seed, blocks)
        total = end = 0
        read = 0
        for key, block in zip(keys, blocks, strict=True):
            end += block.tokens
            entry = self.entries.get(key)
            if entry is not None and entry.ready_ns <= now < entry.until_ns:
                read = end
                entry.until_ns = now + self.lives_ns
        total = end
        if total < self.minimum:
            return Served(total, 0, 0)
        self.entries[keys[-1]] = _Entry(ready, ready + self.lives_ns, self.lives_ns)
        return Served(total, read, total - read, 0, total)

    def evict(self) -> None:
        """Forget everything."""
        self.entries.clear()
