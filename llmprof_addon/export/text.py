"""How numbers and kinds are written for people: the same words and colours in every report, screen and export."""

import re
from collections.abc import Callable
from datetime import datetime

from llmprof_addon.model.component import Kind
from llmprof_addon.model.cost import PICO

KIND_NAMES: dict[Kind, str] = {
    Kind.SYSTEM: "system",
    Kind.SYSTEM_INJECTION: "system injections",
    Kind.TOOL_SCHEMAS: "tool schemas",
    Kind.USER: "user",
    Kind.ASSISTANT: "assistant",
    Kind.REASONING: "reasoning",
    Kind.TOOL_CALLS: "tool calls",
    Kind.TOOL_RESULTS: "tool results",
    Kind.IMAGES: "images",
    Kind.AUDIO: "audio",
    Kind.DOCUMENTS: "documents",
    Kind.OUTPUT_SCHEMA: "output schema",
    Kind.GENERIC: "other",
    Kind.PROVIDER_OVERHEAD: "provider overhead",
    Kind.UNATTRIBUTED: "unattributed",
    Kind.ELIDED: "elided",
    Kind.TEXT: "text",
}

KIND_COLOURS: dict[Kind, str] = {
    Kind.SYSTEM: "#7aa2f7",
    Kind.SYSTEM_INJECTION: "#3a5bb0",
    Kind.TOOL_SCHEMAS: "#e0af68",
    Kind.USER: "#8fc95a",
    Kind.ASSISTANT: "#c8adff",
    Kind.REASONING: "#8552cc",
    Kind.TOOL_CALLS: "#f7768e",
    Kind.TOOL_RESULTS: "#ff9e64",
    Kind.IMAGES: "#2ac3de",
    Kind.AUDIO: "#159d80",
    Kind.DOCUMENTS: "#73daca",
    Kind.OUTPUT_SCHEMA: "#a08c3c",
    Kind.GENERIC: "#c3cbe8",
    Kind.PROVIDER_OVERHEAD: "#7b83a8",
    Kind.UNATTRIBUTED: "#db4b4b",
    Kind.ELIDED: "#4f5675",
    Kind.TEXT: "#d9f2a5",
}
"""One stable colour per kind, as #rrggbb, for dark grounds."""

UNKNOWN = "–"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """Text from the wire on one line, harmless to a terminal: control characters are shown, not executed.

    ASCII ones as the pictures of Unicode (`␛`, `␊`), all others (C1, bidirectional overrides, surrogates) as `�`.
    """
    return _CONTROL.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    code = ord(found.group())
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "�"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number of things: `1 call`, `1,200 calls`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def tokens(count: int | None, *, estimated: bool = False) -> str:
    """A number of tokens in at most five characters: `950`, `18.2k`, `3.1M`; `≈` before an estimate."""
    if count is None:
        return UNKNOWN
    mark = "≈" if estimated else ""
    if count < 1000:
        return f"{mark}{count}"
    value = float(count)
    for unit in "kMG":
        value /= 1000
        if value < 999.5:  # from there on it would be rounded to 1000 of this unit
            return f"{mark}{value:.{1 if value < 99.95 else 0}f}{unit}"
    value /= 1000
    return f"{mark}{value:.{1 if value < 99.95 else 0}f}T"


def exact(count: int | None, *, estimated: bool = False) -> str:
    """A number of tokens with all its digits: `18,214`."""
    return UNKNOWN if count is None else f"{'≈' if estimated else ''}{count:,}"


def dollars(pico: int | None, *, at_least: bool = False) -> str:
    """An amount for people: cents from a dollar on, four decimals below; unpriced is a dash, and never $0.

    `at_least` marks a sum that lacks calls without a known price.
    """
    if pico is None:
        return UNKNOWN
    mark = "≥" if at_least else ""
    value = pico / PICO
    if value == 0:
        return f"{mark}$0"
    if value >= 1:
        return f"{mark}${value:,.2f}"
    if value >= 0.00005:
        return f"{mark}${value:.4f}"
    return "≥$0" if at_least else "<$0.0001"


def signed(difference: int | None, write: Callable[[int], str]) -> str:
    """A difference with its sign in front, the amount written by `write`: `+18.2k`, `−$0.12`, `±0`."""
    if difference is None:
        return UNKNOWN
    return f"{'+' if difference > 0 else '−'}{write(abs(difference))}" if difference else "±0"


def duration(nanoseconds: int | None) -> str:
    """A time span: `240 ms`, `3.2 s`, `1m 12s`, `2h 05m`."""
    if nanoseconds is None:
        return UNKNOWN
    seconds = nanoseconds / 1e9
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02d}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def when(nanoseconds: int) -> str:
    """Local time of day today, else the date with it."""
    moment = datetime.fromtimestamp(nanoseconds / 1e9).astimezone()
    today = datetime.now().astimezone().date() == moment.date()
    return moment.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M")


def share(part: int | None, whole: int | None) -> str:
    """`part` of `whole` in per cent; a dash where either is unknown, or there is no whole."""
    if not whole or part is None:
        return UNKNOWN
    shown = f"{100 * part / whole:.0f}%"
    return "<1%" if part and shown == "0%" else shown


def byte_size(size: int) -> str:
    """A size in bytes, powers of 1,024: `812 B`, `1.4 MB`."""
    value = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1024 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("unreachable")
