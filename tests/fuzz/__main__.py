"""`make fuzz`: one CPU minute for each target, or `ARGS="--minutes 5 sse openai.chat.stream"`.

Exit code 1 if an input failed; each is saved, made small, for `fixtures/fuzz/<target>/`.
"""

import argparse
import sys
from pathlib import Path
from secrets import randbelow

from tests.fuzz.engine import Coverage, Result, fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Run what is asked for, one target after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"or the start of its name: {', '.join(TARGETS)}")
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N", help="CPU minutes for each target (1)")
    parser.add_argument("--seed", type=int, default=randbelow(10**6), metavar="N", help="of chance; printed")
    parser.add_argument("--crashes", type=Path, default=Path(".fuzz"), metavar="DIR", help="where they go (.fuzz)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one input through one target")
    given = parser.parse_args()
    chosen = [name for name in TARGETS if not given.targets or name.startswith(tuple(given.targets))]
    if not chosen:
        parser.error(f"no target is called {' or '.join(given.targets)}")
    if given.replay:
        with TARGETS[chosen[0]].open() as check:
            check(given.replay.read_bytes())
        return 0
    print(f"seed {given.seed}\n{'target':36}{'inputs':>10}{'CPU s':>8}{'/s':>8}{'lines':>7}{'crashes':>9}")
    coverage, total = Coverage(), Result()
    for name in chosen:
        found = fuzz(TARGETS[name], 60 * given.minutes, given.seed, coverage)
        _print(name, found)
        total.inputs, total.seconds = total.inputs + found.inputs, total.seconds + found.seconds
        for crash in found.crashes.values():
            given.crashes.mkdir(parents=True, exist_ok=True)
            path = given.crashes / crash.file_name
            path.write_bytes(crash.data)
            print(f"  ✗ {crash.where}: {crash.what}\n    {path} ({len(crash.data):,} bytes)", flush=True)
        total.crashes |= {f"{name} {where}": crash for where, crash in found.crashes.items()}
    coverage.close()
    _print(f"{len(chosen)} targets", total)
    return 1 if total.crashes else 0


def _print(name: str, result: Result) -> None:
    speed = result.inputs / max(result.seconds, 0.001)
    lines = result.lines or ""
    print(f"{name:36}{result.inputs:10,}{result.seconds:8.0f}{speed:8.0f}{lines:>7}{len(result.crashes):9}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
