"""Runs made by hand: a conversation in one chain, each call with all that stands before its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.part import Json
from llmprof_addon.model.run_tree import RunCall, RunNode, RunTree
from llmprof_addon.model.usage import Source, Usage


def node(kind: Kind, content: bytes = b"", *, parent: int = -1, section: str = "messages", **more: Any) -> RunNode:
    """A part of ten tokens."""
    given: dict[str, Any] = {"key": content, "depth": 1, "part_kind": "text", "role": "", "name": None, "size": 10}
    given |= {"tokens": {"o200k_base": 10}}
    return RunNode(kind=kind, content=content, parent=parent, section=section, **(given | more))


def call(number: int, messages: int, answer: int = -1, **more: Any) -> RunCall:
    """A call of which nothing is known but its heads."""
    given: dict[str, Any] = {
        "id": str(number),
        "number": number,
        "started_ns": number,
        "ended_ns": number,
        "provider": "example",
        "api": "openai.chat",
        "model": None,
        "section_order": ("tools", "system", "messages"),
        "encoding": "o200k_base",
        "usage": Usage(),
        "composition": (),
    }
    return RunCall(messages=messages, answer=max(answer, messages), **(given | more))


def total(kind: Kind, read: int = 0, write: int = 0, fresh: int = 0, cost: int | None = None) -> KindTotal:
    """What a call has of a kind."""
    tokens = read + write + fresh
    return KindTotal(kind=kind, tokens=tokens, read=read, write=write, fresh=fresh, cost=cost, source=Source.REPORTED)


def conversation(
    parts: Sequence[tuple[Kind, Json]], answers: Sequence[int], schemas: Mapping[str, Json] | None = None
) -> RunTree:
    """Parts in their order; those at `answers` are each the answer of a call, the schemas are in every prompt."""
    contents: dict[bytes, Json] = {}
    nodes: list[RunNode] = []
    for name, value in (schemas or {}).items():
        digest = repr(value).encode()
        contents[digest] = value
        more: dict[str, Any] = {"section": "tools", "parent": len(nodes) - 1, "tools": ((("", name), 1.0),)}
        nodes.append(node(Kind.TOOL_SCHEMAS, digest, **more))
    first = len(nodes)
    for at, (kind, value) in enumerate(parts):
        digest = repr(value).encode()
        contents[digest] = value
        made = node(kind, digest, parent=first + at - 1 if at else -1)
        if kind is Kind.TOOL_CALLS:
            made = replace(made, tools=((("", value["name"]), 1.0),))
        nodes.append(made)
    calls = [
        call(number, first + answer - 1 if answer else -1, first + answer, tools=first - 1)
        for number, answer in enumerate(answers)
    ]
    return RunTree(run_id="r", nodes=tuple(nodes), calls=tuple(calls), contents=contents)
