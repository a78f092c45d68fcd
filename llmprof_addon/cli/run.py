"""Run a program and record its LLM calls, without changing it: `llmprof run -- COMMAND`.

The program runs in the foreground as if it had been started alone, in an environment that leads it through a proxy: one
that is running already, or one that is started for it and ends with it. Afterwards a line on each run says what it
cost. The exit code is the program's own.

Examples:
  llmprof run -- claude -p "fix the flaky test"
  llmprof run -- python agent.py
  llmprof run --reverse -- aider         by base URL, where the program cannot be brought to trust the proxy
"""

import argparse
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from llmprof_addon.cli.opened import home_flag, reachable_host, settings_of
from llmprof_addon.errors import ConfigError, LlmprofError

if TYPE_CHECKING:
    from llmprof_addon.settings import Settings
    from llmprof_addon.spool.proxies import ProxyRecord
    from llmprof_addon.store.rows import CallRow

STORED_SECONDS = 10.0
"""How long to wait for the worker before saying what was recorded."""
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit codes as a shell gives them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How, and what."""
    parser.add_argument(
        "--reverse", action="store_true", help="lead it by base URLs instead of the proxy (some agents then send less)"
    )
    parser.add_argument("--require", action="store_true", help="refuse to run it if the proxy cannot start")
    parser.add_argument("--quiet", action="store_true", help="say nothing at the end")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the program and its arguments")


def run(args: argparse.Namespace) -> int:
    """Run the program; its exit code."""
    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    if not words:
        raise ConfigError("no command to run", hint="llmprof run -- COMMAND …")
    settings, launch, began_ns = settings_of(args), secrets.token_hex(4), time.time_ns()
    with ExitStack() as stack:
        try:
            proxy = stack.enter_context(_proxy(settings))
            command, environ = _led(settings, proxy, launch, words, reverse=args.reverse)
        except LlmprofError as error:
            if args.require:
                raise
            _say(f"not recording: {error.message}{f' ({error.hint})' if error.hint else ''}")
            return _foreground(words, dict(os.environ))
        code = _foreground(command, environ)
        if not args.quiet and code not in (NOT_FOUND, NOT_EXECUTABLE):
            _summary(settings, launch, began_ns)
    return code


@contextmanager
def _proxy(settings: "Settings") -> "Iterator[ProxyRecord]":
    """The proxy of this home, kept alive until the block ends."""
    from llmprof_addon.spool.joining import join
    from llmprof_addon.spool.leases import launching, lease

    settings.ensure_home()
    with ExitStack() as stack:
        with launching(settings.home):
            stack.enter_context(lease(settings.home))
            proxy = join(settings.home, db_url=settings.db_url)
        assert proxy is not None
        yield proxy


def _led(
    settings: "Settings", proxy: "ProxyRecord", launch: str, words: list[str], *, reverse: bool
) -> tuple[list[str], dict[str, str]]:
    """Command and environment with which the program goes through the proxy."""
    from llmprof_addon.capture import child
    from llmprof_addon.capture.addresses import forward_url, reverse_url
    from llmprof_addon.capture.agents import agent_of

    environ, host = dict(os.environ), reachable_host(settings)
    if not reverse:
        change = child.forward(settings, forward_url(host, proxy.ports["forward"], launch), environ)
        return words, change.applied(environ)
    base, agent = reverse_url(host, proxy.ports["reverse"], launch), agent_of(words)
    return child.reverse_command(words, base, agent), child.reverse(base, agent, environ).applied(environ)


def _foreground(command: list[str], environ: dict[str, str]) -> int:
    """Run it with our terminal until it ends. Keys like ctrl-C reach it by themselves; we outlive it."""
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, frame: Any) -> None:
        if process is None:  # it may be there already, but not known to us yet
            early.append(number)
        else:
            process.send_signal(number)

    # Before the program starts, so that no signal finds us without. What is ignored would be so in the program too.
    kept = {signal.SIGINT: signal.signal(signal.SIGINT, _leave_it)}
    if hasattr(signal, "SIGQUIT"):
        kept[signal.SIGQUIT] = signal.signal(signal.SIGQUIT, _leave_it)
    for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"):
        if number := getattr(signal, name, None):
            kept[number] = signal.signal(number, pass_on)
    try:
        process = subprocess.Popen(command, env=environ)
        for number in early:
            process.send_signal(number)
        code = process.wait()
    except FileNotFoundError:
        _say(f"{command[0]}: command not found")
        return NOT_FOUND
    except OSError as error:
        _say(f"{command[0]}: {error.strerror}")
        return NOT_EXECUTABLE
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _leave_it(number: int, frame: Any) -> None:
    """The terminal has sent the signal to the program as well."""


def _summary(settings: "Settings", launch: str, began_ns: int) -> None:
    """A line on each run that the program's calls belong to."""
    try:
        calls = _calls_of(settings, launch, began_ns)
    except LlmprofError as error:
        _say(f"{error.message}{f'; {error.hint}' if error.hint else ''}")
        return
    if not calls:
        _say("no LLM call was recorded; `llmprof doctor -- COMMAND` says what may be missing")
    by_run: dict[str, list[CallRow]] = {}
    for call in calls:
        by_run.setdefault(call.run_id, []).append(call)
    for run_id, of_run in by_run.items():
        _say(_line(settings, run_id, of_run))


def _calls_of(settings: "Settings", launch: str, began_ns: int) -> "list[CallRow]":
    """The launch's calls, the oldest first, once the worker has stored what was handed over."""
    from llmprof_addon.capture.addresses import LAUNCH
    from llmprof_addon.spool.folder import Spool
    from llmprof_addon.spool.proxies import living
    from llmprof_addon.store import queries
    from llmprof_addon.store.database import sqlite_path
    from llmprof_addon.store.open import open_store

    spool, until = Spool(settings.spool_dir), time.monotonic() + STORED_SECONDS
    settled = 0
    while settled < 3 and time.monotonic() < until:
        waiting = spool.backlog().files or any(proxy.queued_bytes for proxy in living(settings.home))
        settled = 0 if waiting else settled + 1
        time.sleep(0.1)
    path = sqlite_path(settings.db_url)
    if path is not None and not path.exists():
        return []
    found = []
    with open_store(settings.db_url, read_only=True) as store:
        for call in queries.calls(store):
            if call.started_ns < began_ns:
                break
            if call.tags.get(LAUNCH) == launch:
                found.append(call)
    return found[::-1]


def _line(settings: "Settings", run_id: str, calls: "list[CallRow]") -> str:
    from llmprof_addon.cli.terminal import one_line
    from llmprof_addon.export import text
    from llmprof_addon.model.usage import Source
    from llmprof_addon.store import queries
    from llmprof_addon.store.open import open_store

    with open_store(settings.db_url, read_only=True) as store:
        row = queries.run(store, run_id)
    label = one_line((row.label if row else None) or calls[0].app or text.UNKNOWN)
    inputs = [call.usage.input_tokens for call in calls if call.usage.input_tokens is not None]
    reads = [call.usage.cache_read_input_tokens for call in calls if call.usage.cache_read_input_tokens is not None]
    costs = [call.cost.total for call in calls if call.cost is not None]
    tokens = text.tokens(
        sum(inputs) if inputs else None, estimated=any(call.usage.source is not Source.REPORTED for call in calls)
    )
    failed = sum(call.failed for call in calls)
    facts = [
        text.counted(len(calls), "turn") + (f" ({failed} failed)" if failed else ""),
        f"{tokens} in",
        *([f"{text.share(sum(reads), sum(inputs))} cached"] if reads else []),
        text.dollars(sum(costs) if costs else None, at_least=len(costs) < len(calls)),
        *_losses(calls),
    ]
    shown = label if len(label) <= 48 else label[:47] + "…"
    return f"{shown}: {', '.join(facts)}    llmprof tui {run_id}{home_flag(settings)}"


def _losses(calls: "list[CallRow]") -> list[str]:
    """What broken and expired caches cost, if any did."""
    from llmprof_addon.export import text
    from llmprof_addon.export.cache import is_loss

    lost = [call.cache for call in calls if call.cache is not None and is_loss(call.cache)]
    if not lost:
        return []
    wasted = [verdict.wasted for verdict in lost if verdict.wasted is not None]
    amount = text.dollars(sum(wasted) if wasted else None, at_least=len(wasted) < len(lost))
    return [f"{text.counted(len(lost), 'cache break')} ({amount} wasted)"]


def _say(line: str) -> None:
    print(f"llmprof: {line}", file=sys.stderr, flush=True)
