"""Print the versions of llmprof, mitmproxy and Python, as a report of a fault needs them."""

import argparse
import platform
from importlib.metadata import version

from llmprof_addon import __version__


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own."""


def run(args: argparse.Namespace) -> int:
    """Print one line."""
    print(f"llmprof {__version__} (mitmproxy {version('mitmproxy')}, Python {platform.python_version()})")
    return 0
