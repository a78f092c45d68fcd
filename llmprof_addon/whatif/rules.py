"""What is changed about a run: one scenario of rules, and its text form `drop-server=github,ttl=1h`."""

from dataclasses import dataclass
from typing import Any

from llmprof_addon.errors import ConfigError

PLACEHOLDER = 12
"""Tokens of what stands in place of a result that was cleared: `[Old tool result content cleared]` and its frame."""

SUMMARY = 3000
"""Tokens of a compaction's summary, unless it is said."""

TTLS = ("5m", "1h")
"""Lifetimes that a marker of a cached prefix can ask for."""

_HINT = "rules are model=M, drop-tool=GLOB, drop-server=GLOB, with-results, cap-results=N, clear-results=K, ttl=5m|1h,"
_HINT += " perfect-cache, compact=X%, summary=N, separated by commas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of one scenario; they hold together."""

    model: str | None = None
    """Every prompt goes to this model."""
    drop_tools: tuple[str, ...] = ()
    """Globs of tool names whose schemas are gone; `server/name` counts as a name as well."""
    drop_servers: tuple[str, ...] = ()
    """Globs of MCP servers and namespaces."""
    with_results: bool = False
    """Calls and results of dropped tools are gone too."""
    cap_results: int | None = None
    """Most tokens of a tool result."""
    clear_results: int | None = None
    """Results that are older than so many turns give way to a placeholder."""
    ttl: str | None = None
    """Of every cache marker."""
    perfect_cache: bool = False
    """Nothing expires or is evicted: what an earlier call of the lane sent is read."""
    compact: int | None = None
    """Per cent of the context window above which the history is compacted."""
    summary: int = SUMMARY
    """Tokens of what then stands in its place."""

    @property
    def drops(self) -> bool:
        """Whether any tool goes."""
        return bool(self.drop_tools or self.drop_servers)

    @property
    def label(self) -> str:
        """The text form."""
        said = [f"model={self.model}"] if self.model else []
        said += [f"drop-tool={glob}" for glob in self.drop_tools]
        said += [f"drop-server={glob}" for glob in self.drop_servers]
        said += ["with-results"] if self.with_results else []
        said += [f"cap-results={self.cap_results}"] if self.cap_results is not None else []
        said += [f"clear-results={self.clear_results}"] if self.clear_results is not None else []
        said += [f"ttl={self.ttl}"] if self.ttl else []
        said += ["perfect-cache"] if self.perfect_cache else []
        said += [f"compact={self.compact}%"] if self.compact is not None else []
        said += [f"summary={self.summary}"] if self.compact is not None and self.summary != SUMMARY else []
        return ",".join(said) or "no rule"


def parse(text: str) -> Rules:
    """The rules of a scenario's text. Raises `ConfigError` for a rule or value that is none."""
    found: dict[str, Any] = {}
    for item in filter(None, map(str.strip, text.split(","))):
        name, equals, value = item.partition("=")
        name, value = name.strip().lower().replace("-", "_"), value.strip()
        if name in ("with_results", "perfect_cache"):
            if equals:
                raise ConfigError(f"{item!r} takes no value", hint=_HINT)
            found[name] = True
        elif not value:
            raise ConfigError(f"{item!r} is no rule", hint=_HINT)
        elif name in ("drop_tool", "drop_server"):
            found[f"{name}s"] = (*found.get(f"{name}s", ()), value)
        elif name in found:
            raise ConfigError(f"{item.partition('=')[0]!r} stands twice in one scenario")
        elif name in ("cap_results", "clear_results", "summary"):
            found[name] = whole(value)
        elif name == "compact":
            found[name] = percent(value)
        elif name == "model" or (name == "ttl" and value in TTLS):
            found[name] = value
        else:
            raise ConfigError(f"{item!r} is no rule", hint=_HINT)
    if not found:
        raise ConfigError("a scenario has no rule", hint=_HINT)
    return checked(Rules(**found))


def checked(rules: Rules) -> Rules:
    """The rules. Raises `ConfigError` where one says nothing without another."""
    if rules.with_results and not rules.drops:
        raise ConfigError("with-results goes with drop-tool or drop-server")
    if rules.summary != SUMMARY and rules.compact is None:
        raise ConfigError("summary goes with compact")
    return rules


def whole(text: str) -> int:
    """A whole number above 0. Raises `ConfigError`."""
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) < 10**12:
        raise ConfigError(f"{text!r} is no whole number above 0")
    return int(text)


def percent(text: str) -> int:
    """`80%` or `80`, from 1 to 100. Raises `ConfigError`."""
    number = text.removesuffix("%")
    if not (number.isascii() and number.isdecimal()) or not 0 < int(number) <= 100:
        raise ConfigError(f"{text!r} is no share of the context window; write 1% to 100%")
    return int(number)
