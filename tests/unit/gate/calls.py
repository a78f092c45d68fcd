"""Call rows of which a budget looks at little."""

from typing import Any

from llmprof_addon.model.component import Kind, KindTotal
from llmprof_addon.model.cost import Cost, Price
from llmprof_addon.model.usage import Source, Usage
from llmprof_addon.store.rows import CallRow

PRICE = Price(source="tests", model="m")


def paid(pico: int) -> Cost:
    return Cost(input=pico, cache_read=0, cache_write=0, output=0, price=PRICE)


def kind(kind: Kind, tokens: int, source: Source = Source.COUNTED) -> KindTotal:
    return KindTotal(kind=kind, tokens=tokens, fresh=tokens, source=source)


def row(number: int = 1, tokens: int | None = 1000, **more: Any) -> CallRow:
    """A call of 1,000 tokens, 400 of them read, for 5,000 pico-dollars."""
    usage = Usage(input_tokens=tokens, cache_read_input_tokens=400, output_tokens=10, source=Source.REPORTED)
    given = dict.fromkeys(CallRow.__dataclass_fields__) | {
        "number": number,
        "id": f"{number:04}",
        "run_id": "a run",
        "lane": "main",
        "started_ns": number,
        "usage": usage,
        "request_model": "m",
        "context_window": 10_000,
        "cost": paid(5000),
        "composition": (kind(Kind.TOOL_SCHEMAS, 300), kind(Kind.USER, (tokens or 0) - 300)),
        "failed": False,
    }
    return CallRow(**(given | more))  # type: ignore[arg-type]  # a row of which little is looked at
