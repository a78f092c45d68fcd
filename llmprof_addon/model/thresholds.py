"""From which numbers on something in a run is worth telling; `[findings]` of `config.toml` overrides these defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Shares are parts of 1, sizes are tokens."""

    saving_share: float = 0.01
    """A saving below this part of the run's cost (unpriced: of its input tokens) is not told."""
    saving_tokens: int = 500
    """And none that concerns fewer tokens over the run."""
    critical_share: float = 0.2
    """From this part of the run's cost on a saving is critical."""
    unused_tool_calls: int = 10
    """So many calls must have offered a tool before it counts as unused."""
    oversized_result_tokens: int = 8_000
    duplicate_tokens: int = 200
    """Smaller parts may be repeated."""
    near_duplicate_share: float = 0.8
    """So much of a text must stand in another one for it to be its near copy."""
    stale_tokens: int = 1_000
    """Smaller parts may stay."""
    stale_calls: int = 10
    """So many calls may carry a part after the last one that refers to it."""
    uncached_prefix_tokens: int = 4_096
    """The largest minimum that a provider has for a cached prefix."""
    long_system_tokens: int = 10_000
    schema_share: float = 0.35
    schema_tokens: int = 5_000
    history_share: float = 0.8
    history_tokens: int = 50_000
    media_share: float = 0.4
    media_tokens: int = 5_000
    base64_tokens: int = 500
    json_tokens: int = 500
    """So many tokens must be left out by writing JSON compactly."""
    reasoning_share: float = 0.8
    reasoning_tokens: int = 5_000
    loop_repeats: int = 3
    window_share: float = 0.8
    window_turns: int = 20
    """With more turns left than this the window is not nearly full."""
