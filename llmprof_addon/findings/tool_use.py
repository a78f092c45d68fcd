"""What the tools of a run did: which were never called, with what arguments they were, and which results came of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import Json
from llmprof_addon.model.run_tree import ToolKey

_ARGUMENTS = ("input", "arguments", "args", "parameters")
"""Under which keys dialects keep the arguments of a call, as JSON or as its text."""


@dataclass(frozen=True, slots=True)
class Unused:
    """Tools that were offered and never called."""

    tools: dict[ToolKey, int]
    """With the number of calls that offered each."""
    servers: frozenset[str]
    """Those of which no tool was called."""
    offered: int
    """All tools that were offered."""


def unused(run: RunView) -> Unused:
    """The unused tools, as far as enough calls have offered them."""
    offered: dict[ToolKey, set[int]] = {}
    for node in run.of_kind(Kind.TOOL_SCHEMAS):
        carriers = [at for at in run.shares.carriers(node) if not run.calls[at].failed]
        for key, share in run.nodes[node].tools:
            if share > 0:
                offered.setdefault(key, set()).update(carriers)
    called = {key for node in run.nodes if node.kind is Kind.TOOL_CALLS for key, _ in node.tools}
    enough = run.thresholds.unused_tool_calls
    idle = {key: len(calls) for key, calls in offered.items() if key not in called and len(calls) >= enough}
    busy = {server for server, name in offered if (server, name) not in idle}
    return Unused(
        tools=idle,
        servers=frozenset(server for server, _ in idle if server and server not in busy),
        offered=len(offered),
    )


def bound(found: Unused, tools: set[ToolKey]) -> tuple[str, str]:
    """In how many calls these were offered, and in how many they are needed at most, in words.

    The rule of three (Hanley & Lippman-Hand, JAMA 1983): nothing in N trials means at most 3/N, at 95%.
    """
    least, most = min(found.tools[key] for key in tools), max(found.tools[key] for key in tools)
    calls = f"{least} calls" if least == most else f"{least} to {most} calls"
    return calls, f"at most {min(1.0, 3 / least):.0%} of calls (95%)"


def shares_of(run: RunView, tools: set[ToolKey]) -> Iterator[tuple[int, float]]:
    """The schemas that these tools stand in, and which part of each they are."""
    for node in run.of_kind(Kind.TOOL_SCHEMAS):
        share = sum(share for key, share in run.nodes[node].tools if key in tools)
        if share > 0:
            yield node, min(1.0, share)


def asked(run: RunView, node: int) -> tuple[ToolKey, str] | None:
    """Which tool a call node asks for, and with what arguments; `None` where its text is not stored (any more)."""
    part = run.nodes[node]
    try:
        value = run.tree.contents[part.content]
    except KeyError:
        return None
    tool = part.tools[0][0] if part.tools else ("", part.name or "")
    found = _arguments(value)
    return None if found is None else (tool, found)


def results(run: RunView) -> dict[int, int]:
    """The call node of each result node that stands below it and says the same id."""
    calls: dict[str, list[int]] = {}
    for node, part in enumerate(run.nodes):
        if part.kind is Kind.TOOL_CALLS:
            for name in _ids(run, node):
                calls.setdefault(name, []).append(node)
    found: dict[int, int] = {}
    for node in run.of_kind(Kind.TOOL_RESULTS):
        for name in _ids(run, node):
            call = next((call for call in calls.get(name, ()) if run.shares.is_above(call, node)), None)
            if call is not None:
                found[node] = call
                break
    return found


def _arguments(value: Json, depth: int = 2) -> str | None:
    if not isinstance(value, dict):
        return None
    for key in _ARGUMENTS:
        held = value.get(key)
        if isinstance(held, str):
            try:
                held = json.loads(held)
            except (ValueError, RecursionError):
                return held.strip()
        if held is not None:
            return json.dumps(held, sort_keys=True)
    inner = (_arguments(item, depth - 1) for item in value.values()) if depth else ()
    return next((found for found in inner if found is not None), None)


def _ids(run: RunView, node: int) -> Iterator[str]:
    part = run.nodes[node]
    for digest in (part.content, part.wrapper):
        try:
            value = run.tree.contents[digest] if digest is not None else None
        except KeyError:
            continue
        yield from _ids_in(value)


def _ids_in(value: Json, depth: int = 1) -> Iterator[str]:
    for key, item in value.items() if isinstance(value, dict) else ():
        if isinstance(item, str) and item and key.lower().endswith("id"):
            yield item
        elif depth and isinstance(item, dict) and key not in _ARGUMENTS:
            yield from _ids_in(item, depth - 1)
