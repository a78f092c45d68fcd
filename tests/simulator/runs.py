"""Agent runs with planted faults, through the provider and the real pipeline: what was planted, and what was found."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from llmprof_addon.model.cache import CacheCause, CacheStatus, CacheVerdict
from llmprof_addon.pipeline import process
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.store.open import Store
from tests.factories import STARTED_NS
from tests.simulator.agents import Agent, Said, Style, new_agent
from tests.simulator.caches import SECOND, Served
from tests.simulator.providers import (
    ANTHROPIC,
    CHAT,
    GEMINI,
    RESPONSES,
    Provider,
    anthropic_blocks,
    gemini_blocks,
    openai_blocks,
)

STYLES: tuple[Style, ...] = ("anthropic", "chat", "responses", "exact", "gemini")
LITTLE = 1024
"""Tokens that may be missing from a cache that promises nothing."""
LOSSES = (CacheStatus.BREAK, CacheStatus.PARTIAL, CacheStatus.EXPIRED)
URLS: dict[Style, str] = {
    "anthropic": ANTHROPIC,
    "chat": CHAT,
    "responses": RESPONSES,
    "exact": RESPONSES,
    "gemini": GEMINI,
}

type Body = dict[str, Any]

C = CacheCause
EVERYWHERE = (
    *(C.TOOLS_ADDED, C.TOOLS_REMOVED, C.TOOLS_REORDERED, C.TOOL_CHANGED, C.SYSTEM_CHANGED, C.MESSAGE_CHANGED),
    *(C.MESSAGE_REMOVED, C.HISTORY_COMPACTED, C.MODEL_CHANGED, C.PARAMS_CHANGED, C.EXPIRED, C.PROVIDER_EVICTED),
    *(C.COLD, C.BELOW_MINIMUM),
)
PLANTED: list[tuple[Style, CacheCause]] = [
    ("anthropic", cause) for cause in (*EVERYWHERE, C.NO_BREAKPOINT, C.BREAKPOINT_MOVED)
]
PLANTED += [(style, cause) for style in STYLES[1:4] for cause in EVERYWHERE]
_PROMISED = (C.MESSAGE_REMOVED, C.HISTORY_COMPACTED, C.PARAMS_CHANGED, C.EXPIRED, C.PROVIDER_EVICTED)
PLANTED += [("gemini", cause) for cause in EVERYWHERE if cause not in _PROMISED]
"""Which causes each kind of provider knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One call: what is true of it, and the verdict."""

    style: Style
    cause: CacheCause | None
    """What was planted; `None` on clean calls."""
    lost: int
    verdict: CacheVerdict | None
    uid: str

    @property
    def is_right(self) -> bool:
        """Whether the verdict says what is true."""
        found = self.verdict
        if found is None:
            return False
        if self.cause is None:
            return found.status not in LOSSES
        if self.cause in (C.COLD, C.BELOW_MINIMUM):
            return found.status is CacheStatus.COLD and found.cause is self.cause
        return found.status in LOSSES and found.cause is self.cause

    @property
    def error(self) -> float:
        """By which share the lost tokens are wrong."""
        found = self.verdict.lost if self.verdict else 0
        return abs(found - self.lost) / self.lost if self.lost else float(found != 0)


def play(
    style: Style, cause: CacheCause | None, seed: int, store: Store, book: PriceBook, *, turns: int = 10
) -> Iterator[Outcome]:
    """One run with this fault planted in one of its calls; clean without."""
    rng = random.Random(f"{style} {cause} {seed}")
    turns = 4 if cause is C.BELOW_MINIMUM else turns
    agent = new_agent(rng, style, small=cause is C.BELOW_MINIMUM)
    name = f"run-{style}-{cause}-{seed}"
    provider = Provider(URLS[style], STARTED_NS + seed * 10**15, exact=style == "exact")
    planted = rng.randint(3, max(3, turns - 2))
    sizes = (1, 5) if cause is C.BELOW_MINIMUM else (60, 700)
    left = added = 0
    for turn in range(turns):
        provider.clock_ns += rng.randint(1, 120) * SECOND
        fault = cause if turn == planted else None
        marks = True
        if fault is not None and (plant := _FAULTS.get(fault)):
            marks, added = plant(agent, provider, added)
        if fault is C.EXPIRED:
            provider.clock_ns += _idle(agent) * SECOND
        if style == "gemini":
            provider.misses = None if planted - 1 <= turn <= planted else rng
        body, answer = agent.body(marks=marks), agent.answer()
        uid = f"{name}-{turn:03}"
        if cause is None and turn and rng.random() < 0.08:
            exchange, _ = provider.call(
                body, agent.wire(answer), uid=f"{uid}-failed", session=name, headers=agent.headers, status=529
            )
            process(exchange, store, book)
        started = provider.clock_ns
        exchange, served = provider.call(
            body, agent.wire(answer), uid=uid, session=name, headers=agent.headers, seconds=rng.uniform(1, 20)
        )
        record = process(exchange, store, book)
        assert record is not None
        truth = _truth(cause, turn, fault)
        lost = _lost(style, body, served, left, added, fault) if truth not in (None, C.COLD, C.BELOW_MINIMUM) else 0
        if style == "gemini" and truth is fault is not None and lost <= LITTLE:
            truth, lost = None, 0
        yield Outcome(style=style, cause=truth, lost=lost, verdict=record.cache, uid=uid)
        if cause is None and rng.random() < 0.08:
            yield _beside(agent, body, provider, started, store, book, f"{uid}-beside", name)
        left = served.left
        added = agent.go_on(answer, results=sizes)
        if style != "chat":  # calls are blocks of their own
            added += sum(len(said.calls) for said in agent.history[-added:])


def _truth(cause: CacheCause | None, turn: int, fault: CacheCause | None) -> CacheCause | None:
    if cause is C.BELOW_MINIMUM:
        return cause
    return C.COLD if turn == 0 else fault if fault is not C.COLD else None


def _lost(style: Style, body: Body, served: Served, left: int, added: int, fault: CacheCause | None) -> int:
    """What the cache held of the prompt and was paid for anew: of all but what is new, at its end or as a summary."""
    blocks = {"anthropic": anthropic_blocks, "gemini": gemini_blocks}.get(style, openai_blocks)(body)
    new = blocks[len(blocks) - added :] if added else []
    if fault is C.HISTORY_COMPACTED:
        new = [*new, *(block for block in blocks if b"Summary of what" in block.words)]
    return max(0, min(left, served.total - sum(block.tokens for block in new)) - served.read)


def _beside(
    agent: Agent,
    body: Body,
    provider: Provider,
    at: int,
    store: Store,
    book: PriceBook,
    uid: str,
    session: str,
) -> Outcome:
    """The same request once more, sent a moment after the first, before that one was answered."""
    clock = provider.clock_ns
    provider.clock_ns = at + SECOND // 10
    said = Said("assistant", agent.words(5, 20))
    exchange, _ = provider.call(body, agent.wire(said), uid=uid, session=session, headers=agent.headers)
    provider.clock_ns = max(clock, provider.clock_ns)
    record = process(exchange, store, book)
    assert record is not None
    return Outcome(style=agent.style, cause=None, lost=0, verdict=record.cache, uid=uid)


def _idle(agent: Agent) -> int:
    """Seconds after which the end of the prefix is gone for sure."""
    if agent.style == "anthropic":
        return 3600 if agent.ttls[1] == "1h" else agent.rng.randint(300, 3000)
    if agent.style == "exact":
        return agent.rng.randint(1800, 80_000)
    return 86_400 if "prompt_cache_retention" in agent.params else agent.rng.randint(420, 10_000)


type Fault = Callable[[Agent, Provider, int], tuple[bool, int]]
"""Changes an agent; whether its next request has breakpoints, and how many blocks at its end are new."""


def _tools_added(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    agent.tools.insert(agent.rng.randint(0, len(agent.tools)), agent.tool())
    return True, added


def _tools_removed(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    del agent.tools[agent.rng.randrange(len(agent.tools))]
    return True, added


def _tools_reordered(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    one, other = agent.rng.sample(range(len(agent.tools)), 2)
    agent.tools[one], agent.tools[other] = agent.tools[other], agent.tools[one]
    return True, added


def _tool_changed(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    at = agent.rng.randrange(len(agent.tools))
    agent.tools[at] = agent.tools[at] | {"description": agent.tools[at]["description"] + " " + agent.words(1, 20)}
    return True, added


def _system_changed(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    at = agent.rng.randrange(len(agent.system))
    agent.system[at] = agent.rng.choice((f"Today is day {agent.turns}. ", agent.words(5, 40))) + agent.system[at]
    return True, added


def _message_changed(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    at = agent.rng.choice([at for at, said in enumerate(agent.history[:-8] or agent.history[:1]) if not said.calls])
    said = agent.history[at]
    said.text = agent.rng.choice(("[cleared]", f"It is {agent.turns} o'clock. {said.text}", agent.words(100, 300)))
    return True, added


def _message_removed(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    ends = [at for at, said in enumerate(agent.history) if said.role == "assistant"]
    del agent.history[1 : ends[agent.rng.randint(1, len(ends) - 2)]]
    return True, added


def _history_compacted(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    ends = [at for at, said in enumerate(agent.history) if said.role == "assistant"]
    kept = agent.history[ends[-agent.rng.randint(1, max(1, min(3, len(ends) // 2)))] :]
    agent.history = [Said("user", "Summary of what was done so far: " + agent.words(40, 120)), *kept]
    return True, added


def _model_changed(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    models = {
        "anthropic": "claude-sonnet-4-0",
        "chat": "gpt-4.1-mini",
        "responses": "gpt-5-mini",
        "exact": "gpt-5.6-terra",
        "gemini": "gemini-2.5-pro",
    }
    agent.model = models[agent.style]
    return True, added


def _params_changed(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    schema = {"type": "json_schema", "schema": {"type": "object", "properties": {"title": {"type": "string"}}}}
    if agent.style == "anthropic":
        change: Body = agent.rng.choice(
            (
                {"thinking": {"type": "enabled", "budget_tokens": 2048}},
                {"tool_choice": {"type": "any"}},
                {"output_config": {"effort": "high"}},
                {"output_config": {"format": schema}},
                {},
            )
        )
        if not change:
            agent.headers = {"anthropic-beta": "prompt-caching-2024-07-31,another-2026-01-01"}
    elif agent.style == "chat":
        named = {"type": "json_schema", "json_schema": {"name": "title", "schema": schema["schema"]}}
        change = agent.rng.choice(({"prompt_cache_key": "other"}, {"service_tier": "flex"}, {"response_format": named}))
    else:
        change = agent.rng.choice(
            (
                {"prompt_cache_key": "other"},
                {"reasoning": {"effort": "high"}},
                {"text": {"format": {"name": "t", **schema}}},
            )
        )
    agent.params = agent.params | change
    return True, added


def _evicted(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    provider.evict()
    return True, added


def _no_breakpoint(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    return False, added


def _breakpoint_moved(agent: Agent, provider: Provider, added: int) -> tuple[bool, int]:
    """So many blocks at once that no breakpoint is near enough to find the last one."""
    if agent.rng.random() < 0.4:
        agent.ttls = (agent.ttls[0], None)
        return True, added
    more = [Said("user", agent.words(5, 30)) for _ in range(agent.rng.randint(21, 30))]
    agent.history += more
    return True, added + len(more)


_FAULTS: dict[CacheCause, Fault] = {
    C.TOOLS_ADDED: _tools_added,
    C.TOOLS_REMOVED: _tools_removed,
    C.TOOLS_REORDERED: _tools_reordered,
    C.TOOL_CHANGED: _tool_changed,
    C.SYSTEM_CHANGED: _system_changed,
    C.MESSAGE_CHANGED: _message_changed,
    C.MESSAGE_REMOVED: _message_removed,
    C.HISTORY_COMPACTED: _history_compacted,
    C.MODEL_CHANGED: _model_changed,
    C.PARAMS_CHANGED: _params_changed,
    C.PROVIDER_EVICTED: _evicted,
    C.NO_BREAKPOINT: _no_breakpoint,
    C.BREAKPOINT_MOVED: _breakpoint_moved,
}
