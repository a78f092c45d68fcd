"""What every running proxy says of itself, one small file each under `LLMPROF_HOME/proxies`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from llmprof_addon.spool.statefile import StateFile, alive, read_state


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRecord:
    """One proxy; also the answer of `GET /llmprof/health`."""

    pid: int
    version: str
    started_ns: int
    ports: Mapping[str, int] = field(default_factory=dict)
    """Listening port by mode: `reverse`, `forward`."""
    upstreams: Mapping[str, str] = field(default_factory=dict)
    """Base URL by the name under which requests are routed to it."""
    local_servers: Sequence[Mapping[str, Any]] = field(default_factory=list)
    """What was found at start: `name`, `url`, `provider`, `models`."""
    in_flight: int = 0
    sessions: Mapping[str, int] = field(default_factory=dict)
    """Calls in flight by the session that their clients force."""
    queued_bytes: int = 0
    dropped_bodies: int = 0
    lost: int = 0
    """Exchanges that could not be written to the spool."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Requests that were not let in, by code: `cross_site`, `misdirected`, `token_required`, …"""
    last_error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The record as it stands in its file."""
        return asdict(self)


class ProxyFile:
    """The file of this proxy; a write is throttled to one a second and never raises."""

    def __init__(self, home: Path, pid: int):
        self._file = StateFile(home / "proxies" / f"{pid}.json")

    def write(self, record: ProxyRecord, *, now: bool = False) -> bool:
        """Write the record if it is due; `now` for the first and last ones."""
        return self._file.write(record.to_json(), now=now)

    def remove(self) -> None:
        """Take the file away at exit."""
        self._file.remove()


def living(home: Path) -> list[ProxyRecord]:
    """The records of all proxies that run, by start; files of dead ones are removed."""
    records: list[ProxyRecord] = []
    for path in sorted((home / "proxies").glob("*.json")):
        state = read_state(path)
        record = _record(state) if state else None
        if record is not None and alive(record.pid):
            records.append(record)
        elif path.stem.isdigit() and not alive(int(path.stem)):
            path.unlink(missing_ok=True)
    return sorted(records, key=lambda record: (record.started_ns, record.pid))


def _record(state: dict[str, Any]) -> ProxyRecord | None:
    known = {each.name for each in fields(ProxyRecord)}
    try:
        record = ProxyRecord(**{name: value for name, value in state.items() if name in known})
    except TypeError:
        return None
    return record if type(record.pid) is int and type(record.started_ns) is int else None
