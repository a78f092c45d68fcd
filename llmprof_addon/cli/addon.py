"""Write the loader file for a mitmproxy of your own, and print its path.

mitmproxy loads a file, not a package: the loader knows where this llmprof lies, also for a mitmdump of another
environment.

Examples:
  llmprof addon --here && mitmdump -s llmprof_addon
  mitmdump -nr saved.flows -s "$(llmprof addon)"
"""

import argparse
from pathlib import Path

from llmprof_addon.cli.opened import settings_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument("--here", action="store_true", help="into the current directory instead of the home")


def run(args: argparse.Namespace) -> int:
    """Write the file."""
    from llmprof_addon.capture.loader import write_loader

    settings = settings_of(args)
    folder = Path.cwd() if args.here else settings.ensure_home()
    print(write_loader(folder))
    return 0
