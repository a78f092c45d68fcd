"""Print the version of llmprof, and of what it stands on."""

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
