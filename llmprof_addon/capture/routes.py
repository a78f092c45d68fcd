"""Where a request of the reverse listener goes, and why: settings and the registry's rows as one table of rules.

In this order: the header `x-llmprof-provider`; a prefix `/<name>/…` or `/passthrough/<name>/…`; the model, by
`[routes]`, an endpoint's models, or those of a server that was found; the path's dialect; the default upstreams. Path
and query are kept but for the prefix. Pure: it looks at no body, no key and no clock.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from llmprof_addon.errors import ConfigError
from llmprof_addon.providers import registry
from llmprof_addon.providers.registry import Provider
from llmprof_addon.settings import Endpoint, Settings, canonical, parse_endpoint, variable

_VERSION = re.compile(r"v\d+(alpha|beta)?\d*")
_LOCATION = re.compile(r"/locations/(?!global/)([a-z0-9-]+)/")
_HOSTED = re.compile(r"gpt-[3-9]|chatgpt-|o[1-9](?:-|$)|claude-|gemini-|text-embedding-(?:3|ada)")
"""Models that the default upstreams serve: a local gateway that lists them shall not draw requests, and the keys in
them, to itself. A route, an endpoint, a prefix or the header leads there."""
OPENAI, ANTHROPIC = "openai", "anthropic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One upstream under one name."""

    name: str
    origin: Literal["provider", "endpoint", "found"]
    base: Endpoint | None
    """`None` where each customer has their own host, and no endpoint says which."""
    provider: Provider | None = None
    """The row whose paths, key header and prices it has."""
    key_variable: str | None = None
    models: tuple[str, ...] = ()

    @property
    def url_variable(self) -> str:
        """The variable that gives it another base URL."""
        row = self.provider
        name = row.path_prefixes[0] if row and row.path_prefixes and self.origin == "provider" else self.name
        return variable(f"endpoint_{canonical(name).replace('-', '_')}_url")

    @property
    def serves_as(self) -> str | None:
        """What its calls are recorded as, where the host alone does not say it."""
        if self.origin == "provider":
            return None
        return self.provider.name if self.provider else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRule:
    """Requests for these models go there."""

    pattern: str
    target: Target
    why: str
    model: str | None = None
    key_variable: str | None = None

    @property
    def is_prefix(self) -> bool:
        """Whether the pattern is `prefix*`."""
        return self.pattern.endswith("*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where one request goes."""

    why: str
    target: Target
    url: Endpoint | None
    """With the path to send; `None` if it cannot be sent anywhere."""
    is_explicit: bool = False
    """Header or prefix decided, so that the model is not asked for."""
    model: str | None = None
    """The model to ask for instead of the client's."""
    key_variable: str | None = None


class Routes:
    """The rules of one proxy. Raises `ConfigError` where a name leads nowhere."""

    def __init__(self, settings: Settings):
        self.targets = _targets(settings)
        default = self.targets[OPENAI].base
        self._is_gateway = default is None or default.host != "api.openai.com"
        """The default upstream is the user's own choice, and may have any path."""
        self.rules = tuple(_by_specificity(_configured(settings, self.targets)))
        self.found: tuple[Target, ...] = ()
        rows = () if self._is_gateway else registry.PROVIDERS
        self.shapes = [(re.compile(pattern), canonical(row.name)) for row in rows for pattern in row.reverse_paths]
        """Paths that lead to a provider without its prefix."""

    def add_found(self, found: Iterable[Target]) -> None:
        """Take in local servers: under names that are free, and for models that no configured rule covers."""
        self.found = tuple(found)
        for each in self.found:
            self.targets[each.name] = each
        rules = {}
        for each in self.found:
            for model in each.models:
                if model not in rules and not _HOSTED.match(model) and _first(self.rules, model) is None:
                    rules[model] = ModelRule(pattern=model, target=each, why=f"{each.name}, found at start, serves it")
        self.rules = tuple(_by_specificity([*self.rules, *rules.values()]))

    def upstreams(self) -> dict[str, str]:
        """Base URL by name, of the default upstreams, the endpoints and what was found."""
        shown = (
            each for each in self.targets.values() if each.origin != "provider" or each.name in (OPENAI, ANTHROPIC)
        )
        return {each.name: each.base.url for each in shown if each.base}

    def decide(
        self, path: str, headers: Mapping[str, str], *, provider: str | None = None, model: str | None = None
    ) -> Decision:
        """Where a request with this path (query included) goes; `provider` is what `x-llmprof-provider` names."""
        named = self.targets.get(canonical(provider)) if provider else None
        if named and named.base:
            prefix = self._prefix(path)
            rest = prefix[1] if prefix and prefix[0] is named else path
            return _decision(named, rest, f"x-llmprof-provider: {provider}", is_explicit=True)
        if prefixed := self._prefix(path):
            target, rest = prefixed
            if target.base or not self._is_gateway or path.startswith("/passthrough/"):
                return _decision(target, rest, f"the path begins with {path[: -len(rest)]}/", is_explicit=True)
        if model is not None and (rule := _first(self.rules, model)):
            decided = _decision(rule.target, path, rule.why)
            return replace(decided, model=rule.model, key_variable=rule.key_variable or decided.key_variable)
        name, why = self._by_shape(path, headers)
        return _decision(self.targets[name], path, why)

    def _prefix(self, path: str) -> tuple[Target, str] | None:
        passes = path.startswith("/passthrough/")
        start = len("/passthrough/") if passes else 1
        end = path.find("/", start)
        target = self.targets.get(canonical(path[start:end])) if end > start else None
        if target is None:
            return None
        # A gateway may have folders `/openai/` and `/anthropic/` of its own, as Azure does.
        if self._is_gateway and not passes and target.origin == "provider" and target.name in (OPENAI, ANTHROPIC):
            return None
        return target, path[end:]

    def _by_shape(self, path: str, headers: Mapping[str, str]) -> tuple[str, str]:
        bare = path.partition("?")[0]
        if why := _is_anthropic(bare, headers):
            return ANTHROPIC, why
        for pattern, name in self.shapes:
            if pattern.fullmatch(bare):
                return name, f"the path is one of {self.targets[name].name}"
        return OPENAI, "the default upstream"


def _first(rules: Iterable[ModelRule], model: str) -> ModelRule | None:
    for rule in rules:
        if model.startswith(rule.pattern[:-1]) if rule.is_prefix else model == rule.pattern:
            return rule
    return None


def _by_specificity(rules: Iterable[ModelRule]) -> list[ModelRule]:
    """Exact names first, then the longest prefix; among equals the order in which they stand."""
    return sorted(rules, key=lambda rule: (rule.is_prefix, -len(rule.pattern) if rule.is_prefix else 0))


def _decision(target: Target, path: str, why: str, *, is_explicit: bool = False) -> Decision:
    return Decision(
        why=why,
        target=target,
        url=_below(_regional(target, path), path, is_own=target.origin == "provider") if target.base else None,
        is_explicit=is_explicit,
        key_variable=target.key_variable,
    )


def _regional(target: Target, path: str) -> Endpoint:
    assert target.base is not None
    host = target.provider.regional_host if target.provider and target.origin == "provider" else None
    location = _LOCATION.search(path) if host else None
    return replace(target.base, host=host.format(location[1])) if host and location else target.base


def _below(base: Endpoint, path: str, *, is_own: bool) -> Endpoint:
    """The path below a base URL; a version that ends the one and begins the other stands once. Of a provider's own base
    URL all of the path does: Groq's SDK has it in the paths that they ask for.
    """
    prefix = base.path
    if is_own and path.startswith(f"{prefix}/"):
        prefix = ""
    elif prefix:
        last, first = prefix.rpartition("/")[2], path.lstrip("/").partition("/")[0].partition("?")[0]
        if first == last and _VERSION.fullmatch(last):
            prefix = prefix[: -len(last) - 1]
    return Endpoint(scheme=base.scheme, host=base.host, port=base.port, path=prefix + path)


def _is_anthropic(bare: str, headers: Mapping[str, str]) -> str | None:
    """Why a request is one for Anthropic; `None` if it is not."""
    if bare == "/v1/messages" or bare.startswith("/v1/messages/"):
        return "the path is one of anthropic"
    if "anthropic-version" in headers:
        return "it carries anthropic-version"
    # Side calls (`HEAD /api/hello`) lack the version header; an Anthropic key must not go to another provider.
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    return "it carries a key of Anthropic's" if key.startswith("sk-ant-") else None


def _targets(settings: Settings) -> dict[str, Target]:
    """All targets by every name that leads to them. Endpoints stand in for providers of their name."""
    defaults = {OPENAI: settings.upstream, ANTHROPIC: settings.anthropic_upstream}
    targets: dict[str, Target] = {}
    for row in registry.PROVIDERS:
        base = defaults.get(row.name) or (parse_endpoint(row.base_url, row.name) if row.base_url else None)
        target = Target(name=row.name, origin="provider", base=base, provider=row)
        targets |= {canonical(name): target for name in (row.name, *row.path_prefixes)}
    rows = {name: target.provider for name, target in targets.items()}
    for each in settings.endpoints.values():
        if each.provider and canonical(each.provider) not in rows:
            raise ConfigError(
                f"the endpoint {each.name} has an unknown provider: {each.provider}",
                hint="`llmprof providers` lists them",
            )
        provider = rows.get(canonical(each.provider or each.name))
        target = Target(
            name=each.name,
            origin="endpoint",
            base=each.base,
            provider=provider,
            key_variable=each.key_variable,
            models=each.models,
        )
        own = rows.get(each.name)
        names = (each.name,) if own is None else tuple(map(canonical, (own.name, *own.path_prefixes)))
        targets |= {name: target for name in names if name == each.name or name not in settings.endpoints}
    return targets


def _configured(settings: Settings, targets: Mapping[str, Target]) -> Iterator[ModelRule]:
    for route in settings.routes:
        target = targets.get(route.to)
        if target is None:
            known = "a provider of `llmprof providers`, or an endpoint"
            raise ConfigError(
                f'[routes]: "{route.pattern}" leads to {route.to!r}, which nothing is', hint=f"name {known}"
            )
        if target.base is None:
            what = f'[routes]: "{route.pattern}" leads to {route.to}, which has no address of its own'
            raise ConfigError(what, hint=f"set {target.url_variable}")
        yield ModelRule(
            pattern=route.pattern,
            target=target,
            why=f'[routes] "{route.pattern}" = {target.name}',
            model=route.model,
            key_variable=route.key_variable,
        )
    for name in settings.endpoints:
        for model in targets[name].models:
            yield ModelRule(pattern=model, target=targets[name], why=f"models of the endpoint {name}: {model}")
