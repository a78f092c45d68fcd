"""Find out what keeps programs from being recorded: home, store, ports, authority, and the ways of real clients.

The ways are tried with a page that the proxy itself answers, so that nothing leaves this machine. Exit code 1 if
something is wrong.

Examples:
  llmprof doctor
  llmprof doctor -- claude      with what is known of that program
"""

import argparse
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import reachable_host, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmprof_addon.cli.doctor.checks import Check
    from llmprof_addon.settings import Settings

_MARKS = {"good": "[green]✓[/]", "bad": "[red]✗[/]", "note": "[yellow]·[/]"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For which program, and in which form."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="a program to be recorded")


def run(args: argparse.Namespace) -> int:
    """Print a line a check; 1 if one is bad."""
    from rich.markup import escape

    from llmprof_addon.cli.terminal import console, one_line, print_json

    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    bad = False
    for check in _checks(settings_of(args), words):
        bad = bad or check.mark == "bad"
        if args.json:
            print_json(asdict(check))
        else:
            line = f"{_MARKS[check.mark]} {escape(one_line(check.what)):<16} {escape(one_line(check.found))}"
            console().print(line, soft_wrap=True)
    return 1 if bad else 0


def _checks(settings: "Settings", words: list[str]) -> "Iterator[Check]":
    from llmprof_addon.capture.agents import agent_of
    from llmprof_addon.cli.doctor import checks
    from llmprof_addon.errors import LlmprofError
    from llmprof_addon.spool.joining import join
    from llmprof_addon.spool.leases import launching, lease
    from llmprof_addon.spool.proxies import living

    at_home = list(checks.home(settings))
    yield from at_home
    if any(check.what == "home" and check.mark == "bad" for check in at_home):
        return
    proxies = living(settings.home)
    yield from checks.ports(settings, proxies)
    yield from checks.environment(settings, os.environ, proxies)
    if words:
        yield from checks.command(words, agent_of(words), os.environ)
    with lease(settings.home):
        try:
            with launching(settings.home):
                proxy = join(settings.home, db_url=settings.db_url)
        except LlmprofError as error:
            yield checks.Check("bad", "proxy", f"{error.message}; {error.hint}")
            return
        assert proxy is not None
        yield from checks.authority(settings)
        yield from checks.clients(settings, proxy, reachable_host(settings), os.environ)
