"""Say what is running, what was recorded, what waits, and whether anything was lost.

Exit code 1 if something is wrong: files that could not be processed, calls that could not be written, a store that
takes nothing. Reads only: it starts nothing, and makes no folder.

Examples:
  llmprof status
  llmprof status --json | jq .backlog.files      calls that wait for the worker
"""

import argparse
from typing import TYPE_CHECKING, Any

from llmprof_addon.cli.opened import settings_of
from llmprof_addon.errors import StoreError

if TYPE_CHECKING:
    from llmprof_addon.settings import Settings
    from llmprof_addon.spool.proxies import ProxyRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """In which form."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the state; 1 if something needs attention."""
    from llmprof_addon.cli.terminal import print_json

    state = _state(settings_of(args))
    if args.json:
        print_json(state)
    else:
        _print(state)
    return 1 if state["problems"] else 0


def _state(settings: "Settings") -> dict[str, Any]:
    from dataclasses import asdict

    from llmprof_addon.spool.folder import Spool
    from llmprof_addon.spool.proxies import living
    from llmprof_addon.spool.statefile import alive, read_state

    proxies = living(settings.home)
    spool = Spool(settings.spool_dir)
    backlog, failed = spool.backlog(), spool.failed()
    worker = read_state(settings.home / "worker.json")
    if worker is None or type(worker.get("pid")) is not int or not alive(worker["pid"]):
        worker = None
    recorded, store_problem = _recorded(settings)
    return {
        "home": str(settings.home),
        "proxies": [record.to_json() for record in proxies],
        "worker": worker,
        "backlog": asdict(backlog),
        "failed": asdict(failed),
        "recorded": recorded,
        "problems": _problems(proxies, worker, failed.files, spool.failed_folder, store_problem),
    }


def _recorded(settings: "Settings") -> tuple[dict[str, int] | None, str | None]:
    """Numbers of runs and calls; `None` before the first one, or with the reason why the store cannot be read."""
    from llmprof_addon.store import queries
    from llmprof_addon.store.database import sqlite_path
    from llmprof_addon.store.open import open_store

    path = sqlite_path(settings.db_url)
    if path is not None and not path.exists():
        return None, None
    try:
        with open_store(settings.db_url, read_only=True) as store:
            runs, calls = queries.count(store)
    except StoreError as error:
        return None, f"{error.message}{f'; {error.hint}' if error.hint else ''}"
    return {"runs": runs, "calls": calls}, None


def _problems(
    proxies: "list[ProxyRecord]", worker: dict[str, Any] | None, failed: int, folder: object, store: str | None
) -> list[str]:
    from llmprof_addon.export import text

    found = [store] if store else []
    if failed:
        found.append(f"{text.counted(failed, 'exchange')} not processed; see {folder}, with the reason beside each")
    for proxy in proxies:
        if proxy.lost:
            found.append(f"proxy {proxy.pid} could not write {text.counted(proxy.lost, 'call')}: {proxy.last_error}")
        if proxy.dropped_bodies:
            bodies = text.counted(proxy.dropped_bodies, "body", "bodies")
            found.append(f"proxy {proxy.pid} dropped {bodies}: too much was waiting")
    if worker and worker.get("store_error") and not store:
        found.append(f"the store takes nothing: {worker['store_error']}")
    return found


def _print(state: dict[str, Any]) -> None:
    from llmprof_addon.cli.terminal import one_line
    from llmprof_addon.export import text

    print(f"home      {state['home']}")
    for proxy in state["proxies"]:
        ports = "  ".join(f"{mode} :{port}" for mode, port in proxy["ports"].items())
        print(f"proxy     {proxy['pid']}  {ports}  {proxy['in_flight']} in flight")
        for name, url in proxy["upstreams"].items():
            print(f"          {one_line(name)} at {one_line(url)}")
    if not state["proxies"]:
        print("proxy     none; `llmprof up` starts one")
    worker, backlog, recorded = state["worker"], state["backlog"], state["recorded"]
    print(f"worker    {worker['pid']}  {worker.get('processed', 0)} processed" if worker else "worker    none")
    waiting = "nothing"
    if backlog["files"]:
        waiting = f"{text.counted(backlog['files'], 'call')}, {text.byte_size(backlog['bytes'])}"
        waiting += "" if worker else "; the worker of `llmprof up` stores them"
    print(f"waiting   {waiting}")
    what = "nothing yet"
    if recorded:
        what = f"{text.counted(recorded['calls'], 'call')} in {text.counted(recorded['runs'], 'run')}"
    print(f"recorded  {what}" if recorded or not state["problems"] else "recorded  unknown")
    for problem in state["problems"]:
        print(f"✗ {one_line(problem)}")
