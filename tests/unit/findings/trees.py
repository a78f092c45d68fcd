"""Runs made by hand, as the store would give them: texts are counted by their words, and every call sums up exactly."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.part import Json
from llmprof_addon.model.run_tree import Rent, RunCall, RunNode, RunTree
from llmprof_addon.model.tree import canonical, digest, root
from llmprof_addon.model.usage import Source, Usage

SECOND = 10**9
START_NS = 1_800_000_000 * SECOND
RATES = {"input": 3_000_000, "cache_read": 300_000, "cache_write_5m": 3_750_000, "cache_write_1h": 6_000_000}
OUTPUT_RATE = 15_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One part."""

    kind: Kind
    value: Json
    tokens: int
    role: str = "user"
    name: str | None = None
    tools: tuple[tuple[tuple[str, str], float], ...] = ()
    pictures: int = 0
    """Tokens of the picture in it, if there is one."""


def words(number: int, seed: str = "w") -> str:
    """So many words, none of them twice."""
    return " ".join(f"{seed}{at}" for at in range(number))


def user(text: str) -> Said:
    return Said(kind=Kind.USER, value={"type": "text", "text": text}, tokens=len(text.split()))


def system(text: str) -> Said:
    return Said(kind=Kind.SYSTEM, value={"type": "text", "text": text}, tokens=len(text.split()), role="system")


def assistant(text: str) -> Said:
    return Said(kind=Kind.ASSISTANT, value={"type": "text", "text": text}, tokens=len(text.split()), role="assistant")


def schema(name: str, tokens: int = 100, server: str = "") -> Said:
    value = {"name": name, "description": f"{name} {server}", "input_schema": {"type": "object"}}
    return Said(kind=Kind.TOOL_SCHEMAS, value=value, tokens=tokens, role="", name=name, tools=(((server, name), 1.0),))


def tool_call(name: str, call_id: str, server: str = "", **arguments: Any) -> Said:
    value = {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
    return Said(
        kind=Kind.TOOL_CALLS, value=value, tokens=12, role="assistant", name=name, tools=(((server, name), 1.0),)
    )


def result(name: str, call_id: str, text: str, server: str = "", tokens: int | None = None, pictures: int = 0) -> Said:
    value = {"type": "tool_result", "tool_use_id": call_id, "content": text}
    size = len(text.split()) if tokens is None else tokens
    tools = (((server, name), 1.0),)
    return Said(kind=Kind.TOOL_RESULTS, value=value, tokens=size, name=name, tools=tools, pictures=pictures)


def image(tokens: int, name: str = "a") -> Said:
    return Said(kind=Kind.IMAGES, value={"type": "image", "source": {"data": name}}, tokens=tokens)


@dataclass
class Builder:
    """Calls one after the other; the prompt of each is what is given."""

    api: str = "anthropic.messages"
    nodes: list[RunNode] = field(default_factory=list)
    calls: list[RunCall] = field(default_factory=list)
    contents: dict[bytes, Json] = field(default_factory=dict)
    _known: dict[bytes, int] = field(default_factory=dict)

    def call(
        self,
        messages: Sequence[Said],
        answer: Sequence[Said] = (),
        *,
        tools: Sequence[Said] = (),
        system: Sequence[Said] = (),
        read: int = 0,
        write: int = 0,
        write_1h: int | None = None,
        output: int = 50,
        reasoning: int | None = None,
        at: float | None = None,
        priced: bool = True,
        overhead: int = 0,
        rates: dict[str, int] | None = None,
        **fields: Any,
    ) -> int:
        """Add a call; what is neither read nor written is fresh. Its position."""
        tools_head = self._chain("tools", -1, tools)
        system_head = self._chain("system", -1, system)
        messages_head = self._chain("messages", -1, messages)
        answer_head = self._chain("messages", messages_head, answer)
        parts = [*tools, *system, *messages]
        total = sum(part.tokens + part.pictures for part in parts) + overhead
        read, write = min(read, total), min(write, max(0, total - read))
        fresh = total - read - write
        given = RATES if rates is None else rates
        cost = None
        if priced:
            long = write_1h or 0
            written = long * given["cache_write_1h"] + (write - long) * given["cache_write_5m"]
            price = Price(source="tests", model="claude-test", rates=tuple(given.items()))
            cost = Cost(
                input=fresh * given["input"],
                cache_read=read * given["cache_read"],
                cache_write=written,
                output=output * OUTPUT_RATE,
                price=price,
            )
        number = len(self.calls)
        started = START_NS + round((number * 10 if at is None else at) * SECOND)
        usage = Usage(
            input_tokens=total,
            cache_read_input_tokens=read,
            cache_creation_input_tokens=write,
            cache_creation_1h_input_tokens=write_1h,
            output_tokens=output,
            reasoning_output_tokens=reasoning,
        )
        made: dict[str, Any] = {
            "id": f"{number:032x}",
            "number": number + 1,
            "turn": number + 1,
            "predecessor": number - 1 if number else None,
            "started_ns": started,
            "first_chunk_ns": started + SECOND // 2,
            "ended_ns": started + 2 * SECOND,
            "provider": "anthropic",
            "api": self.api,
            "model": "claude-sonnet-4-5",
            "section_order": ("tools", "system", "messages"),
            "encoding": "o200k_base",
            "tools": tools_head,
            "system": system_head,
            "messages": messages_head,
            "answer": answer_head,
            "usage": usage,
            "cost": cost,
            "composition": _composition(parts, overhead, read, write, cost),
            "status": 200,
            "finish_reasons": ("end_turn",),
        }
        self.calls.append(RunCall(**(made | fields)))
        return number

    def tree(self) -> RunTree:
        """The run, calls by start."""
        return RunTree(run_id="run", nodes=tuple(self.nodes), calls=tuple(self.calls), contents=self.contents)

    def rent(self, node: int, referred: int | None) -> Rent:
        """The rent of a node, as far as rules look at it."""
        tree = self.tree()
        carried = [at for at, call in enumerate(tree.calls) if node in tree.prompt(call)]
        size = next(iter(self.nodes[node].tokens.values()))
        return Rent(
            node=node,
            kind=self.nodes[node].kind,
            tokens=size * len(carried),
            read=0,
            write=0,
            fresh=size * len(carried),
            cost=None,
            carried=len(carried),
            first=carried[0],
            last=carried[-1],
            referred=referred,
            referable=True,
        )

    def _chain(self, section: str, parent: int, parts: Sequence[Said]) -> int:
        for part in parts:
            value = canonical(part.value)
            above = self.nodes[parent].key if parent >= 0 else root(section)
            key = digest(above + digest(value))
            if key not in self._known:
                self._known[key] = len(self.nodes)
                self.contents[digest(value)] = part.value
                depth = self.nodes[parent].depth + 1 if parent >= 0 else 1
                self.nodes.append(
                    RunNode(
                        key=key,
                        parent=parent,
                        section=section,
                        depth=depth,
                        kind=part.kind,
                        part_kind="text",
                        role=part.role,
                        name=part.name,
                        tools=part.tools,
                        content=digest(value),
                        size=len(value),
                        tokens={"o200k_base": max(1, part.tokens)},
                        media={Kind.IMAGES: 1} if part.pictures else {},
                        path=f"{section}[{depth - 1}]",
                    )
                )
            parent = self._known[key]
        return parent


def _composition(
    parts: Sequence[Said], overhead: int, read: int, write: int, cost: Cost | None
) -> tuple[KindTotal, ...]:
    """Kinds with their split where the cache's boundary lies, and their cost in whole rates."""
    sums: dict[Kind, list[int]] = {}
    place = 0
    leaves = [leaf for part in parts for leaf in ((part.kind, part.tokens), (Kind.IMAGES, part.pictures))]
    for kind, tokens in [*leaves, (Kind.PROVIDER_OVERHEAD, overhead)]:
        end = place + tokens
        of_read = max(0, min(end, read) - place)
        of_write = max(0, min(end, read + write) - max(place, read))
        held = sums.setdefault(kind, [0, 0, 0])
        for at, number in enumerate((of_read, of_write, tokens - of_read - of_write)):
            held[at] += number
        place = end
    whole = [sum(held[at] for held in sums.values()) for at in range(3)]
    paid = (cost.cache_read, cost.cache_write, cost.input) if cost else (0, 0, 0)
    out = []
    for kind, held in sums.items():
        amount = sum(spent * number // size for spent, number, size in zip(paid, held, whole, strict=True) if size)
        out.append(
            KindTotal(
                kind=kind,
                tokens=sum(held),
                read=held[0],
                write=held[1],
                fresh=held[2],
                cost=amount if cost else None,
                source=Source.ESTIMATED,
            )
        )
    return tuple(total for total in out if total.tokens)


def grown(turns: int, *, step: int = 300, first: Sequence[Said] = (), **fields: Any) -> Builder:
    """An agent that does its work: every turn another file is read, all that came before is read from the cache."""
    builder = Builder()
    messages: list[Said] = [*first, user(words(60, "task"))]
    read = 0
    given = {"tools": [schema("read_file", 120)], "system": [system(words(400, "sys"))]} | fields
    for turn in range(turns):
        asked = tool_call("read_file", f"toolu_{turn}", path=f"src/{turn}.py")
        size = sum(part.tokens for part in (*given["tools"], *given["system"], *messages))
        builder.call(messages, [asked], read=read, write=size - read, **given)
        messages = [*messages, asked, result("read_file", f"toolu_{turn}", words(step, f"f{turn}_"))]
        read = size
    return builder


def last_call(builder: Builder, **fields: Any) -> None:
    """Change the last call."""
    builder.calls[-1] = replace(builder.calls[-1], **fields)
