"""LLM servers on this machine and on named others, asked once at start which models they have: upstreams by name.

All are asked at the same time, in threads that nothing waits for, because a name may take long to turn out unknown. A
server that is not there, or that is none, costs a line of the log of `--debug`.
"""

import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from llmprof_addon.capture.routes import Target
from llmprof_addon.providers import registry
from llmprof_addon.settings import Endpoint, Settings, canonical

logger = logging.getLogger(__name__)

SECONDS = 1.5
_BODY_BYTES = 4_000_000
_MODELS = 1000
_HERE, _HOST_OF_CONTAINER = "127.0.0.1", "host.docker.internal"
_TAGS, _LIST = "/api/tags", "/v1/models"
_PORTS = {11434: "ollama", 1234: "lmstudio", 8000: "vllm", 4000: "litellm"}
"""Providers by the port that they have unless told otherwise."""
_OWNERS = {"vllm": "vllm", "organization_owner": "lmstudio", "llamacpp": "llama.cpp", "library": "ollama"}
"""Providers by what they say in `owned_by`, for servers on other ports."""


@dataclass(slots=True)
class _Probe:
    host: str
    port: int
    provider: str | None = None
    models: list[str] = field(default_factory=list)

    def ask(self) -> None:
        """Fill in what the server says; never raises."""
        try:
            health = self._get("/llmprof/health")
            if isinstance(health, dict) and "ports" in health:
                logger.info("%s:%s is a proxy of llmprof's", self.host, self.port)
                return
            usual = _PORTS.get(self.port)
            for path in (_TAGS, _LIST) if usual is None else (_TAGS,) if usual == "ollama" else (_LIST,):
                if models := list(_listed(self._get(path))):
                    self.provider = usual or ("ollama" if path == _TAGS else _OWNERS.get(models[0][1]))
                    self.models = [name for name, _ in models][:_MODELS]
                    return
            logger.info("%s:%s lists no models", self.host, self.port)
        except (OSError, HTTPException, ValueError) as error:
            logger.info("%s:%s is no LLM server: %s", self.host, self.port, error)

    def _get(self, path: str) -> Any:
        """The JSON at this path; `None` where there is nothing."""
        connection = HTTPConnection(self.host, self.port, timeout=SECONDS)
        try:
            connection.request("GET", path, headers={"accept": "application/json"})
            response = connection.getresponse()
            return json.loads(response.read(_BODY_BYTES)) if response.status == 200 else None
        finally:
            connection.close()


def find(settings: Settings, is_ours: Callable[[str, int], bool]) -> list[Target]:
    """Ask all of them, at most `SECONDS` long; `is_ours` names our own listeners, which are not asked."""
    if not settings.local_discovery:
        return []
    probes = [_Probe(host, port) for host, port in _addresses(settings.discovery_peers) if not is_ours(host, port)]
    threads = [Thread(target=probe.ask, daemon=True) for probe in probes]
    end = time.monotonic() + SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return list(_named((probe for probe in probes if probe.models), settings.endpoints))


def _addresses(peers: Iterable[str]) -> Iterator[tuple[str, int]]:
    yield from dict.fromkeys(
        (address.hostname or "", port)
        for address in (urlsplit(f"//{host}") for host in (_HERE, _HOST_OF_CONTAINER, *peers))
        for port in ([address.port] if address.port else _PORTS)
    )


def _listed(answer: Any) -> Iterator[tuple[str, str]]:
    """Name and owner of each model of `{"data": [{"id", "owned_by"}]}` or Ollama's `{"models": [{"name"}]}`."""
    rows = answer.get("data") or answer.get("models") if isinstance(answer, dict) else None
    for row in rows if isinstance(rows, list) else ():
        name = row.get("id") or row.get("name") if isinstance(row, dict) else None
        if isinstance(name, str):
            yield name, str(row.get("owned_by"))


def _named(probes: Iterable[_Probe], taken: Collection[str]) -> Iterator[Target]:
    """Targets under names that are free; a server that two addresses lead to is one."""
    names, seen = set(taken), set[tuple[int, tuple[str, ...]]]()
    for probe in probes:
        identity = (probe.port, tuple(probe.models))
        if identity in seen and probe.host == _HOST_OF_CONTAINER:
            continue
        seen.add(identity)
        kind = canonical(probe.provider or "local")
        name = kind if probe.host in (_HERE, "localhost") else f"{kind}-{canonical(probe.host).replace(':', '-')}"
        free = (f"{name}{suffix}" for suffix in ("", "-auto", *(f"-auto{number}" for number in range(2, 1000))))
        name = next(each for each in free if each not in names)
        names.add(name)
        yield Target(
            name=name,
            origin="found",
            base=Endpoint(scheme="http", host=probe.host, port=probe.port),
            provider=registry.by_name(probe.provider) if probe.provider else None,
            models=tuple(probe.models),
        )


def to_json(target: Target) -> dict[str, Any]:
    """A server that was found, as a proxy's state file has it."""
    return {
        "name": target.name,
        "url": target.base.url if target.base else None,
        "provider": target.provider.name if target.provider else None,
        "models": list(target.models),
    }


def from_json(value: Mapping[str, Any]) -> Target:
    """The target of such an entry."""
    parts = urlsplit(value["url"])
    return Target(
        name=value["name"],
        origin="found",
        base=Endpoint(scheme=parts.scheme, host=parts.hostname or "", port=parts.port or 80),
        provider=registry.by_name(value["provider"]) if value["provider"] else None,
        models=tuple(value["models"]),
    )
