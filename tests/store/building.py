"""Analysed calls made by hand: prompts of the store's own tests, independent of dialects and counting."""

from collections.abc import Iterable, Sequence
from typing import Any

from llmprof_addon.grouping.opening import label
from llmprof_addon.grouping.runs import choose
from llmprof_addon.grouping.said import answer_digest
from llmprof_addon.model.call import Answer, Call, Identity, Prompt
from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.exchange import Client, Exchange
from llmprof_addon.model.part import Json, Part, PartKind
from llmprof_addon.model.record import CallRecord
from llmprof_addon.model.tree import chains
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store.open import Store

ENCODING = "o200k_base"
SECOND = 1_000_000_000
START_NS = 1_790_000_000 * SECOND


def text(role: str, said: str, **more: Any) -> Part:
    """A message of one text."""
    form = more.pop("form", "string")
    return Part(
        kind=PartKind.TEXT,
        role=role,
        text=said,
        value={"type": "text", "text": said},
        place="messages/content",
        form=form,
        wrapper={"role": role},
        **more,
    )


def tool_call(name: str, arguments: str, call_id: str = "call_1") -> Part:
    """An assistant message of one tool call."""
    value = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return Part(
        kind=PartKind.TOOL_CALL,
        role="assistant",
        name=name,
        text=arguments,
        call_id=call_id,
        value=value,
        place="messages/tool_calls",
        wrapper={"role": "assistant", "content": None},
    )


def tool_result(said: str, call_id: str = "call_1") -> Part:
    """A tool message."""
    return Part(
        kind=PartKind.TOOL_RESULT,
        role="tool",
        text=said,
        call_id=call_id,
        value={"type": "text", "text": said},
        place="messages/content",
        form="string",
        wrapper={"role": "tool", "tool_call_id": call_id},
    )


def schema(name: str, size: int = 40) -> Part:
    """A tool's schema."""
    value = {"type": "function", "function": {"name": name, "description": f"{name} " * (size // 8)}}
    return Part(kind=PartKind.TOOL_SCHEMA, name=name, text=str(value), value=value, place="tools")


def raw_count(part: Part) -> RawCount:
    """A stand-in for counting: pure, and different for different texts."""
    return RawCount(prose=len(part.text or "") // 4 + 1, inner=tuple(raw_count(inner) for inner in part.inner))


def exchange(uid: str, *, at: float = 0, lasts: float = 0.5, **more: Any) -> Exchange:
    """An exchange that started `at` seconds after the start of all tests."""
    started = START_NS + round(at * SECOND)
    client = more.pop("client", Client(app="tests", user_agent="tests/1", peer="127.0.0.1"))
    defaults: dict[str, Any] = {
        "mode": "reverse",
        "status": 200,
        "method": "POST",
        "url": "https://api.example/v1/chat",
    }
    return Exchange(
        id=uid, started_ns=started, ended_ns=started + round(lasts * SECOND), client=client, **(defaults | more)
    )


def record(
    store: Store,
    made: Exchange,
    messages: Sequence[Part],
    answer: Sequence[Part] = (),
    *,
    tools: Iterable[Part] = (),
    system: Iterable[Part] = (),
    params: Json = None,
    identity: Identity | None = None,
    continues: str | None = None,
    response_id: str | None = None,
    usage: Usage | None = None,
    cost: Cost | None = None,
    rest: Json = None,
    encoding: str = ENCODING,
    counter: Any = raw_count,
) -> CallRecord:
    """A call, grouped by what the store knows, with counts of those parts only that the store lacks."""
    prompt = Prompt(
        tools=tuple(tools),
        system=tuple(system),
        messages=tuple(messages),
        params={"model": "gpt-test", "stream": True} if params is None else params,
        continues=continues,
    )
    call = Call(
        provider="example",
        api="openai.chat",
        request_model="gpt-test",
        prompt=prompt,
        answer=Answer(parts=tuple(answer), response_id=response_id, finish_reasons=("stop",), rest=rest),
        identity=identity or Identity(app="tests"),
    )
    before = store.continued(continues) if continues else None
    found = chains(prompt, answer, base=before.messages if before else None)
    links = [*found.tools, *found.system, *found.messages, *found.answer]
    known = store.known([link.key for link in links], encoding)
    counts = {link.key: counter(link.part) for link in links if link.key not in known}
    run = choose(made, call, found, store.history(call, found, made, encoding))
    if usage is None:
        usage = Usage(input_tokens=100, output_tokens=10)
    return CallRecord(
        exchange=made,
        call=call,
        chains=found,
        encoding=encoding,
        counts=counts,
        usage=usage,
        estimated_input_tokens=101,
        composition=(KindTotal(kind=Kind.USER, tokens=100, fresh=100, cost=100, source=Source.COUNTED),),
        output_composition=(KindTotal(kind=Kind.TEXT, tokens=10, fresh=10, cost=20, source=Source.REPORTED),),
        cost=cost,
        context_window=128_000,
        label=label(prompt),
        answer_digest=answer_digest(answer),
        run=run,
    )


def money(input_: int = 100, output: int = 20) -> Cost:
    """A cost in pico-dollars."""
    return Cost(input=input_, cache_read=3, cache_write=4, output=output, price=Price(source="tests", model="gpt-test"))


def conversation(
    turns: int, *, kilobytes: int = 1, words: Any = None, said_by: str = "a"
) -> Iterable[tuple[list[Part], list[Part]]]:
    """Prompt and answer of each turn of an agent that calls a tool and reads its result."""
    messages = [text("user", f"Look through the folder for me, {said_by}.")]
    for turn in range(turns):
        answer = [tool_call("read", f'{{"path": "file-{said_by}-{turn}"}}', f"call_{turn}")]
        yield list(messages), answer
        result = words(turn) if words else f"{said_by}{turn} " * (kilobytes * 1024 // (len(str(turn)) + 2))
        messages += [*answer, tool_result(result, f"call_{turn}")]
