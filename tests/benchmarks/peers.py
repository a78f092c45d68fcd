"""llmprof beside mitmdump and beside other proxies for LLM traffic, interleaved in one run (`make bench ARGS=peers`).

`ARGS="peers rates streams turns import"` names the parts (all of them, some twelve minutes), `--markdown` prints what
the readme shows, `--rounds 2` is a quick look, `--peers 0` leaves the others out. Each of those is installed from the
package index into an environment of its own below the user's cache folder; whatever cannot run here says why.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import peers_import, peers_rates, peers_streams, peers_turns
from tests.benchmarks.growth import BYTES_A_TURN
from tests.benchmarks.peers_installed import OWN, PEERS
from tests.benchmarks.peers_script import SEED
from tests.benchmarks.peers_table import Row, Table
from tests.benchmarks.peers_ways import Way, upstream, ways

PARTS = ("rates", "streams", "turns", "import")


def main(arguments: Sequence[str] = ()) -> None:
    """Measure the parts that are named and print their tables."""
    args = _parser().parse_args(arguments)
    parts, began = args.parts or PARTS, time.monotonic()

    def show(table: Table) -> None:
        print(table.markdown() if args.markdown else table.text(), flush=True)

    command = " ".join(["peers", *arguments])
    print(f'`make bench ARGS="{command}"`' if args.markdown else f'make bench ARGS="{command}"')
    print(f"{_machine()}; seed {SEED}\n", flush=True)
    if {"rates", "streams", "turns"} & set(parts):
        talks = (args.rounds or peers_turns.ROUNDS) + 1
        step = args.turn_bytes
        calls = (args.rounds or peers_streams.ROUNDS) * peers_streams.LARGE_CALLS
        with (
            tempfile.TemporaryDirectory() as name,
            upstream(talks, step, calls) as port,
            ways(port, Path(name), OWN + PEERS[: args.peers]) as known,
        ):
            show(_listed(known))
            if "rates" in parts:
                show(asyncio.run(peers_rates.run(known, args.rounds)))
            if "streams" in parts:
                show(asyncio.run(peers_streams.run(known, args.rounds)))
            if "turns" in parts:
                show(asyncio.run(peers_turns.run(known, args.rounds, step)))
    if "import" in parts:
        show(peers_import.speed())
        show(peers_import.turns())
    print(f"{time.monotonic() - began:.0f} s in all")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="peers")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure, by default all")
    parser.add_argument("--markdown", action="store_true", help="tables for the readme")
    parser.add_argument("--rounds", type=int, help="fewer rounds, or more")
    parser.add_argument("--turn-bytes", type=int, default=BYTES_A_TURN, help="what a turn of a conversation adds")
    parser.add_argument("--peers", type=int, help="how many of the other proxies, by default all")
    return parser


def _listed(known: Sequence[Way]) -> Table:
    does = {True: "yes", False: "no"}
    rows = [
        Row(name=one.name, cells=(one.requirement or "–", does[one.attributes], does[one.bodies], one.what))
        for one in (way.peer for way in known)
    ]
    return Table(title="The ways", columns=("version", "attributes tokens", "stores bodies", "what it is"), rows=rows)


def _machine() -> str:
    names = ("llmprof-addon", "mitmproxy")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {versions}"


if __name__ == "__main__":
    main(sys.argv[1:])
