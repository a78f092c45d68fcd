"""The comparison with other proxies, with proxies made up for it: what works is measured, what does not says why."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks import peers_proc, peers_rates, peers_streams, peers_turns, peers_ways
from tests.benchmarks.peers_installed import Peer, Start
from tests.benchmarks.peers_script import background, talks

# Relays bytes, and notes each connection in a database.
RELAY = """
import asyncio, sqlite3, sys
port, upstream = int(sys.argv[1]), int(sys.argv[2])
db = sqlite3.connect("relay.db")
db.execute("CREATE TABLE seen (n)")
db.commit()
async def relay(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
async def serve(reader, writer):
    db.execute("INSERT INTO seen VALUES (1)")
    db.commit()
    there, back = await asyncio.open_connection("127.0.0.1", upstream)
    await asyncio.gather(relay(reader, back), relay(there, writer))
async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", port) as server:
        await server.serve_forever()
asyncio.run(main())
"""


def _relay(start: Start) -> list[str]:
    return [sys.executable, "-c", RELAY, str(start.port), start.upstream.rpartition(":")[2]]


def _peer(name: str, command: Callable[[Start], list[str]], requirement: str | None = None) -> Peer:
    return Peer(
        name=name, requirement=requirement, what="made up", attributes=False, bodies=True, command=command, table="seen"
    )


def test_what_works_is_measured_and_what_does_not_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers_rates, "ROUNDS", {1: 1, 16: 1})
    monkeypatch.setattr(peers_rates, "SECONDS", 0.05)
    monkeypatch.setattr(peers_streams, "LARGE_CALLS", 4)
    monkeypatch.setattr(peers_turns, "QUIET_WINDOWS", 1)
    monkeypatch.setattr(peers_proc, "QUIET_WINDOW_SECONDS", 0.02)

    def installed(peer: Peer) -> Path:
        if peer.requirement:
            raise RuntimeError(f"cannot be installed: there is no {peer.requirement}")
        return Path(sys.executable).parent

    monkeypatch.setattr(peers_ways, "installed", installed)
    monkeypatch.setattr(peers_turns, "talks", lambda number, step: talks(1, step) * number)
    stops = _peer("stops", lambda start: [sys.executable, "-c", "import sys; sys.exit('no licence')"])
    peers = [_peer("relay", _relay), stops, _peer("missing", _relay, "missing==1")]
    with peers_ways.upstream(1, 10, 8) as port, peers_ways.ways(port, tmp_path, peers) as ways:
        assert [way.failure for way in ways] == [
            None, None, "ended with 1: no licence", "cannot be installed: there is no missing==1",
        ]  # fmt: skip
        tables = [asyncio.run(part.run(ways, 1)) for part in (peers_rates, peers_streams)]
        tables.append(asyncio.run(peers_turns.run(ways, 1, 10)))
        relay = ways[1]
        assert peers_proc.rows(relay.home, "seen")
        assert relay.usage().cpu > 0
        process = relay.process
    assert process is not None
    assert process.poll() is not None
    for table in tables:
        assert [row.name for row in table.rows] == ["direct", "relay", "stops", "missing"]
        assert [row.failure for row in table.rows[2:]] == [ways[2].failure, ways[3].failure]
        assert all(len(row.cells) == len(table.columns) and "nan" not in row.cells for row in table.rows[:2])
        assert not [note for note in table.notes if "failed" in note], table.notes
        assert "no licence" in table.text()
        assert "| stops | ended with 1: no licence |" in table.markdown()
    recorded = dict(zip(tables[2].columns, tables[2].rows[1].cells, strict=True))
    assert float(recorded["recorded"]) == 1  # one connection for a hundred turns


def test_background_goes_on_from_its_last_prompt() -> None:
    first, *_, ninth = background(9)
    assert ninth.request_body.startswith(first.request_body[:-2])
    assert 150_000 < len(first.request_body) < len(ninth.request_body) < 250_000
