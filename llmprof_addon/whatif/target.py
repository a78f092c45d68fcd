"""A model that a run is replayed with: who sells it, how it counts, what it takes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from llmprof_addon.cachedoctor.rules import CacheRules, rules_for
from llmprof_addon.counting.encodings import ENCODINGS, count
from llmprof_addon.counting.families import Family, family
from llmprof_addon.errors import ConfigError
from llmprof_addon.model.call import Answer, Call
from llmprof_addon.model.component import Kind
from llmprof_addon.model.part import Json
from llmprof_addon.model.run_tree import RunCall, RunTree
from llmprof_addon.model.standin import lacks_text
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.providers import registry
from llmprof_addon.providers.vendors import VENDORS

SAMPLE = 200_000
"""Characters of a run's texts that are counted again to compare two encodings."""

NOT_CHATS = frozenset({"openai.embeddings", "openai.images", "cohere.embed", "gemini.embed"})
"""Dialects whose calls no other model takes over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Another model, as one of its calls would say it."""

    stub: Call
    family: Family
    window: int | None

    @property
    def name(self) -> str:
        """As it was asked for."""
        return self.stub.request_model or ""


def stub_of(call: RunCall) -> Call:
    """What prices are looked up by."""
    ttls = [ttl for ttl in call.cache_ttls if ttl]
    return Call(
        provider=call.provider,
        api=call.api,
        request_model=call.model,
        answer=Answer(response_model=call.response_model, service_tier=call.service_tier),
        price_provider=registry.price_provider(registry.by_name(call.provider), call.api),
        cache_ttl="1h" if "1h" in ttls else ttls[0] if ttls else None,
    )


def target(model: str, tree: RunTree, book: PriceBook) -> Target:
    """The model of this name, at the run's own provider if that sells it, else at the first vendor that does.

    `vendor/model` names the vendor. Raises `ConfigError` where no price is known.
    """
    at = max((call.started_ns for call in tree.calls), default=0)
    usage = Usage(input_tokens=1, output_tokens=1)
    for stub in _stubs(model, tree):
        if book.rates(stub, usage, at) is not None:
            return Target(
                stub=stub, family=family(stub.api, stub.request_model, stub.provider), window=book.context_window(stub)
            )
    raise ConfigError(
        f"no price is known for model {model!r}", hint="check its spelling, or set its price in LLMPROF_PRICING"
    )


def _stubs(model: str, tree: RunTree) -> Iterator[Call]:
    vendor, slash, name = model.partition("/")
    own = {(call.provider, call.api): call for call in tree.calls if call.api not in NOT_CHATS}
    for provider, api in own:
        priced = registry.price_provider(registry.by_name(provider), api)
        yield Call(provider=provider, api=api, request_model=model, price_provider=priced)
    for each in VENDORS:
        names = [model] if not slash else [name] if vendor == each.name else []
        for asked in names:
            yield Call(provider=each.name, api=each.apis[0], request_model=asked, price_provider=each.price_provider)


def cache_rules(call: RunCall, goal: Target | None = None) -> CacheRules | None:
    """The rules of the cache that a call goes to; `None` where they are not known, or promise nothing."""
    asked = (call.api, call.model) if goal is None else (goal.stub.api, goal.stub.request_model)
    rules = rules_for(*asked)
    return rules if rules is not None and rules.promises else None


@dataclass(slots=True)
class Recount:
    """What a model makes of tokens that others counted."""

    tree: RunTree
    goal: Target
    _found: dict[str, Mapping[Kind, float]] = field(default_factory=dict)
    _ratios: dict[tuple[str, str], float] = field(default_factory=dict)

    def factors(self, call: RunCall) -> Mapping[Kind, float]:
        """By kind, so many tokens for each that the call's own model counted; empty where both count alike."""
        old, new = family(call.api, call.model, call.provider), self.goal.family
        if old.name not in self._found:
            self._found[old.name] = self._between(old, new)
        return self._found[old.name]

    def output(self, call: RunCall) -> float:
        """The same for the text of an answer."""
        return self.factors(call).get(Kind.ASSISTANT, 1.0)

    def hidden(self, call: RunCall) -> float:
        """By how much the preamble of tools grows."""
        old, new = family(call.api, call.model, call.provider), self.goal.family
        with_tools = call.tools != -1
        return new.coefficients.tools - old.coefficients.tools if with_tools and self.factors(call) else 0.0

    def _between(self, old: Family, new: Family) -> Mapping[Kind, float]:
        both = old.exact and new.exact
        if old.name == new.name or (both and old.encoding == new.encoding):
            return {}
        again = self._ratio(old.encoding, new.encoding)
        if both:
            return dict.fromkeys(_TEXTS, again)
        one, other = new.coefficients, old.coefficients
        pairs = {
            **dict.fromkeys(_TEXTS, (one.prose, other.prose)),
            Kind.TOOL_SCHEMAS: (one.tool_json, other.tool_json),
            Kind.TOOL_CALLS: (one.call_json, other.call_json),
            Kind.TOOL_RESULTS: (one.prose + one.json, other.prose + other.json),
            Kind.REASONING: (one.reasoning, other.reasoning),
            Kind.OUTPUT_SCHEMA: (one.schema_json, other.schema_json),
        }
        return {kind: again * (made / of if made and of else 1.0) for kind, (made, of) in pairs.items()}

    def _ratio(self, old: str, new: str) -> float:
        """Tokens of the run's texts in one encoding for each in another, from what both say of a sample."""
        if old == new:
            return 1.0
        if (old, new) not in self._ratios:
            self._ratios[old, new] = _compared(self.tree, old, new)
        return self._ratios[old, new]


_TEXTS = (
    *(Kind.SYSTEM, Kind.SYSTEM_INJECTION, Kind.TOOL_SCHEMAS, Kind.USER, Kind.ASSISTANT, Kind.TEXT, Kind.REASONING),
    *(Kind.TOOL_CALLS, Kind.TOOL_RESULTS, Kind.OUTPUT_SCHEMA, Kind.GENERIC),
)


def _compared(tree: RunTree, old: str, new: str) -> float:
    before = after = left = 0
    for digest in dict.fromkeys(node.content for node in tree.nodes):
        if left >= SAMPLE or not {old, new} <= set(ENCODINGS):
            break
        try:
            text = _text(tree.contents[digest])
        except KeyError:
            continue
        if lacks_text(text):
            continue
        left += len(text)
        before += count(text[:SAMPLE], old)
        after += count(text[:SAMPLE], new)
    return after / before if before and after else 1.0


def _text(value: Json) -> str:
    said = value.get("text") if isinstance(value, dict) else value
    return said if isinstance(said, str) else json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
