"""Print the variables that lead programs of this shell through the running proxy.

Examples:
  llmprof env                              for this shell; eval "$(llmprof env)" sets them
  llmprof env --shell fish | source
  llmprof env --shell powershell | Out-String | Invoke-Expression
"""

import argparse
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import reachable_host, settings_of
from llmprof_addon.errors import StartError

if TYPE_CHECKING:
    from llmprof_addon.capture.child import Change

SHELLS = ("bash", "zsh", "sh", "fish", "powershell")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For which shell, and which way."""
    parser.add_argument("--shell", choices=SHELLS, default=_own_shell(), help="syntax to print (that of $SHELL)")
    parser.add_argument("--reverse", action="store_true", help="base URLs instead of the proxy")


def run(args: argparse.Namespace) -> int:
    """Print one line a variable."""
    from llmprof_addon.capture import child
    from llmprof_addon.capture.agents import GENERIC
    from llmprof_addon.spool.joining import join

    settings = settings_of(args)
    proxy = join(settings.home, start=False)
    if proxy is None:
        raise StartError(f"no proxy records into {settings.home}", hint="start one with `llmprof up`")
    host = reachable_host(settings)
    if args.reverse:
        change = child.reverse(f"http://{host}:{proxy.ports['reverse']}", GENERIC, os.environ)
    else:
        change = child.forward(settings, f"http://{host}:{proxy.ports['forward']}", os.environ)
    print("\n".join(lines(change, args.shell)))
    return 0


def lines(change: "Change", shell: str) -> list[str]:
    """The change in the words of a shell."""
    if shell == "fish":
        sets = [f"set -gx {name} {_fish(value)}" for name, value in change.variables.items()]
        return sets + [f"set -e {name}" for name in change.without]
    if shell == "powershell":
        sets = [f"$env:{name} = {_powershell(value)}" for name, value in change.variables.items()]
        return sets + [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in change.without]
    sets = [f"export {name}={shlex.quote(value)}" for name, value in change.variables.items()]
    return sets + [f"unset {name}" for name in change.without]


def _fish(value: str) -> str:
    return "'" + re.sub(r"(['\\])", r"\\\1", value) + "'"


def _powershell(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _own_shell() -> str:
    name = Path(os.environ.get("SHELL", "")).name
    if name in SHELLS:
        return name
    return "powershell" if os.name == "nt" else "sh"
