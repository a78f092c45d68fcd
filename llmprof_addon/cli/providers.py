"""The providers that llmprof knows, and what is configured of them.

Every name and prefix can begin a path of the reverse listener: `/groq/v1/…`. `key` is the variable in which clients
keep it, ✓ where it is set; its value is never shown. `usage` says what differs from cache in input and reasoning in
output.

Examples:
  llmprof providers
  llmprof providers --json | jq -r 'select(.origin != "provider") | .name + " " + .url'
"""

import argparse
import os
from typing import TYPE_CHECKING, Any

from llmprof_addon.cli.opened import settings_of

if TYPE_CHECKING:
    from llmprof_addon.capture.routes import Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """In which form."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Print endpoints and local servers, then the table of providers."""
    from llmprof_addon.cli.routes import routes_of
    from llmprof_addon.cli.terminal import print_json

    routes = routes_of(settings_of(args))
    # A target stands under each of its names.
    rows = [_row(target) for target in {id(each): each for each in routes.targets.values()}.values()]
    rows.sort(key=lambda row: ("endpoint", "found", "provider").index(row["origin"]))
    if args.json:
        for row in rows:
            print_json(row)
    else:
        _print(
            [row for row in rows if row["origin"] != "provider"], [row for row in rows if row["origin"] == "provider"]
        )
    return 0


def _row(target: "Target") -> dict[str, Any]:
    row = target.provider
    own = target.origin == "provider"
    variable = target.key_variable or (row.env_key if row else None)
    return {
        "name": target.name,
        "origin": target.origin,
        "provider": row.name if row else None,
        "url": target.base.url if target.base else None,
        "prefixes": [target.name, *(row.path_prefixes if row and own else ())],
        "hosts": list(row.hosts) if row and own else [target.base.address] if target.base else [],
        "apis": list(row.apis) if row else [],
        "auth_headers": list(row.auth_headers) if row else [],
        "key_variable": variable,
        "key_set": bool(os.environ.get(variable, "").strip()) if variable else None,
        "key_from": "proxy" if target.key_variable else "client",
        "price_provider": row.price_provider if row else None,
        "quirks": list(row.quirks) if row else [],
        "models": list(target.models),
    }


def _print(own: list[dict[str, Any]], providers: list[dict[str, Any]]) -> None:
    from llmprof_addon.cli.grid import Column
    from llmprof_addon.cli.terminal import plain, print_grid

    name, url, key = (
        Column(name="name", left=True),
        Column(name="url", least=20),
        Column(name="key", least=10, leaves=2),
    )
    if own:
        origin, stands_for = Column(name="from", left=True), Column(name="as", left=True, leaves=3)
        models = Column(name="models", least=12, leaves=1)
        cells = [
            (each["name"], each["origin"], each["provider"] or "", each["url"], _key(each), ", ".join(each["models"]))
            for each in own
        ]
        print_grid((name, origin, stands_for, url, key, models), [tuple(map(plain, row)) for row in cells])
        print()
    dialects, usage = Column(name="dialects", least=12, leaves=3), Column(name="usage", least=8, leaves=4)
    table = [
        (_names(each), each["url"] or "the customer's own host", " ".join(each["apis"]), _key(each), _usage(each))
        for each in providers
    ]
    print_grid((name, url, dialects, key, usage), [tuple(map(plain, row)) for row in table])


def _names(row: dict[str, Any]) -> str:
    """The name, and the prefixes that are not it."""
    return " ".join(dict.fromkeys((row["name"], *row["prefixes"])))


def _usage(row: dict[str, Any]) -> str:
    return ", ".join(row["quirks"])


def _key(row: dict[str, Any]) -> str:
    if not row["key_variable"]:
        return ""
    return f"{'✓' if row['key_set'] else '·'} {row['key_variable']}"
