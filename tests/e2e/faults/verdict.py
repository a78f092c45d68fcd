"""What is left of a storm: the store compared with what the clients saw, and every file and row searched for keys."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from llmprof_addon.spool import files
from llmprof_addon.spool.folder import TRACEBACK_SUFFIX
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from llmprof_addon.store.rows import CallRow
from tests.e2e.faults.plans import Plan
from tests.e2e.faults.storm import LATE_SECONDS, Made, Weather
from tests.e2e.test_no_secret_written import KEYS, OPAQUE, shapes, unpacked, values

_JOINED_BYTES = 2**20


@dataclass(kw_only=True)
class Result:
    """What has to be zero, each with a few examples."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    corrupted: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unprocessed: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    finished: int = 0
    """Calls that have to be stored."""
    excused: int = 0
    """Calls that a kill came too early for."""
    of_them_stored: int = 0
    late: int = 0
    """Calls that were over for longer than `LATE_SECONDS` and yet not finished."""
    searched: int = 0
    """Values and files."""

    @property
    def bad(self) -> dict[str, list[str]]:
        """What is not zero."""
        named = {
            "finished calls lost": self.lost,
            "calls stored twice": self.doubled,
            "calls whose bytes changed": self.corrupted,
            "calls that we failed": self.failed,
            "rows that are wrong": self.wrong,
            "files not processed": self.unprocessed,
            "secrets found": self.secrets,
        }
        return named


def examine(home: Path, weather: Weather) -> Result:
    """Look at everything."""
    result = Result(unprocessed=[_why(path) for path in (home / "spool").rglob(f"*{files.SUFFIX}")])
    with open_store(f"sqlite:///{home}/llmprof.db", read_only=True) as store:
        rows = list(queries.calls(store))
    times = Counter(call for row in rows if (call := row.tags.get("call")))
    by_call = {row.tags.get("call"): row for row in rows}
    result.doubled = [f"call {call}: {count} times" for call, count in times.items() if count > 1]
    result.lost = [f"exchange {id}, which was in the spool" for id in weather.in_place - {row.id for row in rows}]
    result.corrupted = [f"call {number}: its request" for number in weather.changed]
    for made in weather.made:
        row = by_call.get(str(made.plan.number))
        name = f"call {made.plan.number} ({made.plan.fault or made.plan.wire}, {made.verdict}) {made.saw}"
        if made.verdict == "corrupted":
            result.corrupted.append(name)
        elif made.verdict != "fine":
            result.failed.append(name)
        if weather.excused(made):
            result.excused += 1
            result.of_them_stored += row is not None
            just_over = made.slot.killed(made.ended + LATE_SECONDS, made.ended + weather.grace_seconds)
            result.late += row is None and just_over and not made.slot.killed(made.opened, made.ended)
        elif row is None and has_row(made.plan) is True:
            near = [f"{1000 * (at - made.ended):+.0f}" for at in made.slot.kills if abs(at - made.ended) < 10]
            shaky = [f"{start - made.ended:+.1f} to {end - made.ended:+.1f}" for start, end in weather.shaky]
            result.lost.append(f"{name}: kills {near} ms from its end, disk failing {shaky} s from its end")
        elif row is not None and (complaint := _wrong(made, row)):
            result.wrong.append(f"{name}: {complaint}")
        result.finished += row is not None
    result.secrets, result.searched = search(home)
    return result


def _why(path: Path) -> str:
    """What is said of a file that has not been processed."""
    told = path.with_name(path.name.removesuffix(files.SUFFIX) + TRACEBACK_SUFFIX)
    return f"{path.name}: {told.read_text().strip().splitlines()[-1] if told.exists() else 'it waits'}"


def has_row(plan: Plan) -> bool | None:
    """Whether the call has to be stored; `None` if it may be."""
    if plan.ending == "no call":
        return False
    # A client that left before it had asked for all may or may not have been heard.
    return None if plan.fault == "leaves in body" or (plan.wire == "websocket" and plan.fault) else True


def _wrong(made: Made, row: CallRow) -> str | None:
    """What the row says that is not so."""
    plan = made.plan
    if plan.ending == "no call":
        return "it is no call"
    if plan.ending != "whole":
        return "it is said to be complete" if row.outcome == "complete" and plan.ending in ("cut", "refused") else None
    if row.outcome != "complete":
        return f"its outcome is {row.outcome}: {row.error}"
    if plan.wire == "http" and row.status != plan.status:
        return f"its status is {row.status}"
    if plan.status == 200 and row.usage.input_tokens != plan.input_tokens:
        return f"it is said to have {row.usage.input_tokens} input tokens rather than {plan.input_tokens}"
    return None


def search(home: Path) -> tuple[list[str], int]:
    """Which keys are found where, and how much was searched."""
    looked_for = {shape: kind for kind, planted in (KEYS | OPAQUE).items() for shape in shapes(planted)}
    found: set[str] = set()
    count = 0
    for where, data in _joined(_contents(home)):
        count += data.count(b"\n\n\n") + 1
        lower = data.lower() if where == "table terms" else data
        for shape, kind in looked_for.items():
            if (shape.lower() if where == "table terms" else shape) in lower:
                found.add(f"{kind} in {where}")
    return sorted(found), count


def _contents(home: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(home.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            yield path.relative_to(home).parts[0], data
            if path.suffix == files.SUFFIX:
                exchange = files.decode(data)
                for body in (exchange.request_body, exchange.response_body):
                    yield from (("spool", content) for content in unpacked(body))
    for table, value in values(home / "llmprof.db"):
        yield from ((f"table {table}", content) for content in unpacked(value))


def _joined(contents: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Small values together: one search in a long text is faster than many in short ones."""
    where, waiting, size = "", list[bytes](), 0
    for place, data in contents:
        if waiting and (place != where or size > _JOINED_BYTES):
            yield where, b"\n\n\n".join(waiting)
            waiting, size = [], 0
        where = place
        waiting.append(data)
        size += len(data)
    if waiting:
        yield where, b"\n\n\n".join(waiting)
