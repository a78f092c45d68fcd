"""`make faults`: 100,000 calls, 200 kills and over 10,000 faults of wire and disk, by chance from a printed seed.

Exit code 1 if a finished call was lost or stored twice, a byte changed, a call failed by us, or a key was found.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path
from secrets import randbelow

from tests.e2e.faults import disk
from tests.e2e.faults.storm import Storm, Wanted, Weather
from tests.e2e.faults.verdict import Result, examine

_EXAMPLES = 10


def main() -> int:
    """Run it as asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=randbelow(10**6), metavar="N", help="of chance; printed")
    parser.add_argument("--calls", type=int, default=100_000, metavar="N")
    parser.add_argument("--kills", type=int, default=200, metavar="N")
    parser.add_argument("--disk", type=int, default=60, metavar="N", help="faults of the disk and the database")
    parser.add_argument("--rate", type=float, default=250.0, metavar="N", help="calls a second")
    parser.add_argument("--share", type=float, default=0.13, metavar="N", help="of the calls, that the wire fails")
    parser.add_argument("--keep", action="store_true", help="keep the home, if something is wrong")
    given = parser.parse_args()
    wanted = Wanted(
        seed=given.seed,
        calls=given.calls,
        kills=given.kills,
        disk_faults=given.disk,
        rate=given.rate,
        share=given.share,
    )
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # that a peer has gone is what is wanted
    print(f"seed {wanted.seed}: {wanted.calls:,} calls, {wanted.kills} kills, {wanted.disk_faults} disk faults")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(delete=not given.keep) as folder:
        home = Path(folder) / "home"
        weather, result = storm(home, wanted)
        report(weather, result)
        if given.keep:
            print(f"kept in {home}")
    return 1 if any(result.bad.values()) else 0


def storm(home: Path, wanted: Wanted) -> tuple[Weather, Result]:
    """Let it happen in this home, and look at what is left."""
    home.mkdir(mode=0o700, parents=True)
    with disk.small_disk(home / "spool", 4096) as small:
        weather = asyncio.run(Storm(home, wanted, small).run())
        return weather, examine(home, weather)


def report(weather: Weather, result: Result) -> None:
    """Print it."""
    faults = weather.wire.total() + weather.disk.total()
    print(f"{len(weather.made):,} calls in {weather.seconds:.0f} s, {faults:,} faults, {weather.kills.total()} kills")
    for name, counts in (("wire", weather.wire), (f"disk ({weather.means})", weather.disk), ("kills", weather.kills)):
        print(f"  {name}: " + ", ".join(f"{kind} {count:,}" for kind, count in sorted(counts.items())))
    print(f"  {result.finished:,} calls stored, {result.searched:,} values and files searched")
    print(f"  {result.excused:,} calls were under way, or just over, at a kill of their proxy: of them")
    print(f"    {result.of_them_stored:,} are stored, {result.late:,} are not, which were over for 50 ms or more")
    for name, bad in result.bad.items():
        print(f"{name:28}{len(bad):>8,}")
        for example in bad[:_EXAMPLES]:
            print(f"    {example}")


if __name__ == "__main__":
    sys.exit(main())
