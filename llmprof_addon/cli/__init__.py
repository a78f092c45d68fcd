"""The `llmprof` command: one file per command, heavy imports inside the command.

Exit codes: 0 done, 1 it ran and the answer is no, 2 wrong use, 3 could not run. Errors go to stderr in one line.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from llmprof_addon import __version__
from llmprof_addon.cli import opened
from llmprof_addon.errors import ConfigError, LlmprofError

COMMANDS = {
    "tui": "look at what was recorded, in the terminal; without a command the same",
    "run": "run a program and record its LLM calls",
    "up": "start the proxy and record",
    "env": "print the variables that lead a program through the running proxy",
    "doctor": "find out what keeps programs from being recorded",
    "session": "put calls into a run of your own, from now on",
    "status": "what is running, recorded and waiting",
    "runs": "list the recorded runs",
    "calls": "list the recorded calls",
    "show": "one call: what is in its prompt, and what it cost",
    "report": "one run: how its context grew, and where its dollars went",
    "cache": "one run: which calls lost their cached prefix, why, and what it cost",
    "rent": "one run: what carrying each part of its prompts has cost",
    "tools": "one run: what each tool and MCP server has cost, called or not",
    "findings": "one run: what could be saved, and how",
    "diff": "two calls or two runs: what came, went and changed, in tokens and dollars",
    "whatif": "one run under changed rules: what would it have cost?",
    "check": "does a run keep within a budget, or near a baseline? exits with 1 if not",
    "baseline": "write down what a run was, for `llmprof check` to compare with",
    "search": "search prompts, answers and tools",
    "trends": "spend, tokens and cache hits by day, week or month",
    "import": "read exchange files, saved flows and HAR files into the store",
    "prune": "delete old calls, or drop their texts and keep their numbers",
    "reset": "delete everything that was recorded",
    "providers": "the providers that are known, and what is configured of them",
    "routes": "where a request goes, and why",
    "addon": "write the loader file for mitmdump, mitmproxy and mitmweb",
    "selftest": "check the laws of the numbers over the store",
    "demo": "record an agent run through the real proxy, without key or internet",
    "version": "print the version",
}

OVERVIEW = """\
A profiler for LLM context windows: it records the traffic of your LLM applications and shows which part of which
prompt costs how many tokens and dollars.

  llmprof run -- CMD  run a program and record it
  llmprof up        start the proxy; it prints the lines to paste for your application
  llmprof           afterwards: look at it (the same as `llmprof tui`; --demo for a first look)
  llmprof runs      afterwards: what was recorded
  llmprof report    the newest run, turn by turn
  llmprof show ID   one call, part by part
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line; options cannot be shortened, so that new ones break no script."""

    def __init__(self, *args: object, **options: object) -> None:
        options |= {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
        super().__init__(*args, **options)  # type: ignore[arg-type]  # the parameters of the base, whatever they are

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        self.exit(2, f"llmprof: {' '.join(message.split())}; `{self.prog} --help` says more\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. Raises `SystemExit` after help, and with 2 for wrong use."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal or pipe that lacks a character shall not end the report
            stream.reconfigure(errors="replace")
    arguments = sys.argv[1:] if argv is None else list(argv)
    parser = _parser(arguments)
    args = parser.parse_args(arguments)
    if args.command is None and opened.interactive():
        arguments = [*arguments, "tui"]
        args = _parser(arguments).parse_args(arguments)
    if args.command is None:
        parser.print_help()
        return 0
    return _guarded(args)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = Parser(prog="llmprof", description=OVERVIEW)
    home = "where llmprof keeps its things (LLMPROF_HOME, ~/.llmprof)"
    parser.add_argument("--home", metavar="DIR", help=home)
    parser.add_argument("--version", action="version", version=f"llmprof {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, summary in COMMANDS.items():
        # Only the named command's module is loaded: the list of all of them needs no more than these summaries.
        module = import_module(f"llmprof_addon.cli.{name.replace('import', 'import_')}") if name in arguments else None
        command = commands.add_parser(name, help=summary, description=(module.__doc__ or "") if module else None)
        # Without a default: it would overwrite the one given before the command.
        command.add_argument("--home", metavar="DIR", help=home, default=argparse.SUPPRESS)
        if module:
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _guarded(args: argparse.Namespace) -> int:
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except LlmprofError as error:
        _say(f"{error.message}; {error.hint}" if error.hint else error.message)
        return 2 if isinstance(error, ConfigError) else 3
    except BrokenPipeError:
        # The reader went away (`llmprof calls | head`): no error, and Python shall not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        answer: int = getattr(args, "answer", 0)  # what a command has found out before it began to print
        return answer
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say(f"{where}{error.strerror or error or type(error).__name__}")
        return 3
    except KeyboardInterrupt:
        return 130


def _say(line: str) -> None:
    from llmprof_addon.cli.terminal import one_line

    print(f"llmprof: {one_line(line)}", file=sys.stderr)
