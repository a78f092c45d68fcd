"""The `llmprof` command: one file per command, heavy imports inside the command.

Exit codes: 0 done, 1 it ran and the answer is no, 2 wrong use, 3 could not run. Errors go to stderr in one line.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from llmprof_addon import __version__
from llmprof_addon.errors import ConfigError, LlmprofError

COMMANDS = {
    "up": "start the proxy and record",
    "status": "what is running, recorded and waiting",
    "runs": "list the recorded runs",
    "calls": "list the recorded calls",
    "show": "one call: what is in its prompt, and what it cost",
    "report": "one run: how its context grew, and where its dollars went",
    "import": "read exchange files, saved flows and HAR files into the store",
    "prune": "delete what is older than a given age",
    "reset": "delete everything that was recorded",
    "addon": "write the loader file for mitmdump, mitmproxy and mitmweb",
    "selftest": "check the laws of the numbers over the store",
    "demo": "record an agent run through the real proxy, without key or internet",
    "version": "print the version",
}

OVERVIEW = """\
A profiler for LLM context windows: it records the traffic of your LLM applications and shows which part of which
prompt costs how many tokens and dollars.

  llmprof up        start the proxy; it prints the lines to paste for your application
  llmprof runs      afterwards: what was recorded
  llmprof report    the newest run, turn by turn
  llmprof show ID   one call, part by part
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="llmprof", description=OVERVIEW, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"llmprof {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    arguments = sys.argv[1:] if argv is None else list(argv)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        # Only the chosen command's module is loaded: the list of all of them needs no more than these summaries.
        module = import_module(f"llmprof_addon.cli.{name.replace('import', 'import_')}") if name == chosen else None
        command = commands.add_parser(
            name,
            help=summary,
            description=(module.__doc__ or "") if module else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_argument("--home", metavar="DIR", help="where llmprof keeps its things (LLMPROF_HOME, ~/.llmprof)")
        if module:
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    if args.command is None:
        parser.print_help()
        return 0
    return _guarded(args)


def _guarded(args: argparse.Namespace) -> int:
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except LlmprofError as error:
        hint = f"; {error.hint}" if error.hint else ""
        print(f"llmprof: {error.message}{hint}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 3
    except BrokenPipeError:
        # The reader went away (`llmprof calls | head`): no error, and Python shall not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
