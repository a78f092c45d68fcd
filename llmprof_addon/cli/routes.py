"""Where a request of the reverse listener goes, and why; without a model, all rules in the order of their precedence.

Nothing is sent but, with no proxy running, a question to local servers which models they have. Exit code 1 if the
request would lead nowhere.

Examples:
  llmprof routes
  llmprof routes gpt-5-mini
  llmprof routes claude-sonnet-4-5 --api openai.chat
"""

import argparse
import json
import os
import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from llmprof_addon.cli.opened import settings_of

if TYPE_CHECKING:
    from llmprof_addon.capture.routes import Decision, Routes, Target
    from llmprof_addon.providers.registry import Provider
    from llmprof_addon.settings import Settings

_ASK = [{"role": "user", "content": "Say hello."}]
_PARTS = [{"role": "user", "parts": [{"text": "Say hello."}]}]
_BLOCKS = [{"role": "user", "content": [{"text": "Say hello."}]}]
# Path and body without the model; a path with a place for the model has it there alone.
_REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai.chat": ("/v1/chat/completions", {"messages": _ASK}),
    "openai.responses": ("/v1/responses", {"input": "Say hello."}),
    "openai.completions": ("/v1/completions", {"prompt": "Hello,"}),
    "openai.embeddings": ("/v1/embeddings", {"input": "Hello."}),
    "anthropic.messages": ("/v1/messages", {"max_tokens": 64, "messages": _ASK}),
    "gemini.generate_content": ("/v1beta/models/{}:generateContent", {"contents": _PARTS}),
    "ollama.chat": ("/api/chat", {"messages": _ASK}),
    "ollama.generate": ("/api/generate", {"prompt": "Hello,"}),
    "cohere.chat": ("/v2/chat", {"messages": _ASK}),
    "mistral.chat": ("/mistral/v1/chat/completions", {"messages": _ASK}),
    "bedrock.converse": ("/bedrock/model/{}/converse", {"messages": _BLOCKS}),
    "bedrock.invoke": ("/bedrock/model/{}/invoke", {"prompt": "Hello,"}),
}
_USUAL = (("claude", "anthropic.messages"), ("gemini", "gemini.generate_content"), ("command-", "cohere.chat"))
"""By the start of a model's name, where --api does not say it; else Chat Completions."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The request to explain."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a model's name, as a client would ask for it")
    parser.add_argument("--api", choices=sorted(_REQUESTS), metavar="API", help=f"one of {', '.join(_REQUESTS)}")
    parser.add_argument("--json", action="store_true", help="JSON; without a model one object a line")


def run(args: argparse.Namespace) -> int:
    """Explain one request, or list the rules."""
    from llmprof_addon.cli.terminal import print_json

    settings = settings_of(args)
    routes = routes_of(settings)
    if args.model is None:
        rules = _rules(routes)
        if args.json:
            for rule in rules:
                print_json(rule)
        else:
            _print_rules(rules)
        return 0
    api = args.api or next((api for start, api in _USUAL if args.model.startswith(start)), "openai.chat")
    found = _explained(settings, routes, args.model, api)
    if args.json:
        print_json(found)
    else:
        _print_explained(found)
    return 0 if found["url"] else 1


def routes_of(settings: "Settings") -> "Routes":
    """The rules with the local servers that the running proxy found, or, if none runs, that are there. Raises
    `ConfigError`.
    """
    from llmprof_addon.capture import discovery
    from llmprof_addon.capture.routes import Routes
    from llmprof_addon.spool.proxies import living

    routes = Routes(settings)
    proxies = living(settings.home)
    if proxies:
        routes.add_found(discovery.from_json(each) for each in proxies[-1].local_servers)
    else:
        routes.add_found(discovery.find(settings, lambda host, port: False))
    return routes


def _rules(routes: "Routes") -> list[dict[str, Any]]:
    """Every rule in its order: what it looks at, what it matches, and where it leads."""
    from llmprof_addon.capture.routes import ANTHROPIC, OPENAI

    def rule(kind: str, match: str, to: "Target", why: str, model: str | None = None) -> dict[str, Any]:
        url = to.base.url if to.base else None
        return {"rule": kind, "match": match, "target": to.name, "url": url, "model": model, "why": why}

    at = routes.targets
    every = "and every name of `llmprof providers`"
    return [
        *(rule("header", f"x-llmprof-provider: {name}", at[name], every) for name in routes.upstreams()),
        *(rule("prefix", f"/{name}/…", at[name], every) for name in routes.upstreams()),
        *(rule("model", each.pattern, each.target, each.why, each.model) for each in routes.rules),
        rule("dialect", "/v1/messages, anthropic-version, an sk-ant- key", at[ANTHROPIC], "Anthropic's"),
        *(rule("dialect", pattern.pattern, at[name], f"a path of {name}") for pattern, name in routes.shapes),
        rule("default", "everything else", at[OPENAI], "the default upstream"),
    ]


def _explained(settings: "Settings", routes: "Routes", model: str, api: str) -> dict[str, Any]:
    from llmprof_addon.spool.proxies import living

    path, body = _REQUESTS[api]
    in_path = "{}" in path
    path = path.format(quote(model, safe="@"))
    decision = routes.decide(path, {}, model=model)
    sent = decision.model or model
    url = decision.url.url if decision.url else None
    if url and in_path:
        from llmprof_addon.capture.model_name import replaced_in_path

        url = replaced_in_path(url, sent)
    proxies = living(settings.home)
    port = proxies[-1].ports.get("reverse", settings.port) if proxies else settings.port
    key = _key(decision, path, api)
    parts = ["curl", "-sS", shlex.quote(f"http://127.0.0.1:{port}{path}"), "-H 'content-type: application/json'"]
    if api == "anthropic.messages":
        parts.append("-H 'anthropic-version: 2023-06-01'")
    if key["from"] == "client" and key["variable"]:
        bearer = "Bearer " if key["header"] == "authorization" else ""
        parts.append(f'-H "{key["header"]}: {bearer}${key["variable"]}"')
    parts.append(f"-d {shlex.quote(json.dumps(body if in_path else {'model': model, **body}))}")
    return {
        "model": model,
        "api": api,
        "path": path,
        "target": decision.target.name,
        "why": decision.why,
        "url": url,
        "url_variable": None if url else decision.target.url_variable,
        "model_sent": sent,
        "key": key,
        "curl": " ".join(parts),
    }


def _key(decision: "Decision", path: str, api: str) -> dict[str, Any]:
    """Where the key comes from: the variable's name, never its value."""
    from llmprof_addon.providers import registry

    row: Provider = decision.target.provider or registry.home_of(api)
    header = registry.key_header(row, api)
    if name := decision.key_variable:
        return {"from": "proxy", "header": header, "variable": name, "set": bool(os.environ.get(name, "").strip())}
    return {"from": "client", "header": header, "variable": row.env_key, "set": None}


def _print_rules(rules: list[dict[str, Any]]) -> None:
    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import plain, print_grid

    columns = (
        Column(name="rule", left=True),
        Column(name="matches", least=20),
        Column(name="leads to", left=True),
        Column(name="at", least=12, leaves=2),
        Column(name="asks for", least=8, leaves=1),
    )
    rows = [
        (
            plain(rule["rule"]),
            plain(rule["match"]),
            plain(rule["target"]),
            plain(rule["url"] or "set its URL"),
            plain(rule["model"] or ""),
        )
        for rule in rules
    ]
    print_grid(columns, rows)
    print("The first that matches decides. Header and prefix take every name of `llmprof providers`.")


def _print_explained(found: dict[str, Any]) -> None:
    from llmprof_addon.cli.terminal import one_line

    key, sent = found["key"], found["model_sent"]
    if key["from"] == "proxy":
        state = "set" if key["set"] else "not set here"
        source = f"the proxy's ${key['variable']} ({state}) in {key['header']}, where the client sends none"
    else:
        source = f"the client's, in {key['header']}" + (f" (usually ${key['variable']})" if key["variable"] else "")
    lines = {
        "request": f"POST {found['path']}  ({found['api']})",
        "goes to": f"{found['target']}, because {found['why']}",
        "url": found["url"] or f"none: set {found['url_variable']}",
        "model": sent if sent == found["model"] else f"{sent} instead of {found['model']}",
        "key": source,
    }
    for name, line in lines.items():
        print(f"{name:<9}{one_line(line)}")
    print(f"\n{one_line(found['curl'])}")
