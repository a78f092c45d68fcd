"""A PostgreSQL server that goes away while calls go on, or cannot be used: nothing is lost, and a line says so.

Long version by `LLMPROF_FAULTS=long`: 10,000 calls while it is away.
"""

import http.client
import json
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from llmprof_tui.app import LlmprofApp
from llmprof_tui.source import Source
from llmprof_tui.widgets.notice import Notice

from llmprof_addon.spool.folder import Spool
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.benchmarks.load import SMALL
from tests.e2e.replay import Answer, Replay
from tests.e2e.running import Proxy, llmprof, running, until
from tests.store.conftest import SERVER
from tests.store.server import PASSWORD, Server

LONG = os.environ.get("LLMPROF_FAULTS") == "long"
CALLS, BEFORE, WHILE_AWAY = (10_600, 100, 10_000) if LONG else (240, 80, 80)
SECONDS = 900 if LONG else 90
AWAY = "the PostgreSQL server is away: postgresql://llmprof:…@/postgres?host="


@pytest.fixture
def server() -> Iterator[Server]:
    """One of the test's own, which it may crash: what was committed has to be there afterwards."""
    if SERVER is None:
        pytest.skip("only beside a server; `make test-postgres` runs one")
    with Server(durable=True) as server:
        yield server


class Client(threading.Thread):
    """Sends calls, one after the other, each with its number; waits where it is told to."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self.sent = 0
        self.answers: set[bytes] = set()
        self.may_send = BEFORE
        self._proxy = proxy

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._proxy.reverse_port, timeout=60)
        while self.sent < CALLS:
            if self.sent == self.may_send:
                threading.Event().wait(0.02)
                continue
            body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"Call {self.sent}"}]}
            headers = {"content-type": "application/json", "x-llmprof-tag": f"number:{self.sent}"}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            self.answers.add(connection.getresponse().read())
            self.sent += 1
        connection.close()


async def shown(url: str, home: Path, server: Server) -> tuple[str, int]:
    """What the list of runs says while the server is away, and how many runs it has soon after that is back."""
    with closing(Source(url, home)) as source:
        app = LlmprofApp(source)
        async with app.run_test(size=(120, 30)) as pilot:
            notice = app.screen.query_one(Notice)
            for _ in range(300):
                await pilot.pause(0.02)
                if str(notice.text):
                    break
            said = str(notice.text)
            server.start()
            for _ in range(500):
                await pilot.pause(0.02)
                if app.screen.has_class("-listing"):
                    break
            return said, app.screen.query_one("#runs").row_count  # type: ignore[attr-defined]


async def test_calls_go_on_while_the_server_is_away(server: Server, tmp_path: Path) -> None:
    home, url = tmp_path / "home", server.url()
    with Replay(lambda request: Answer(chunks=[SMALL])) as upstream:
        with running(home, upstream=upstream.url, upstream_proxy="", db_url=url) as proxy:
            spool = Spool(home / "spool")
            client = Client(proxy)
            client.start()
            until(lambda: client.sent == BEFORE and not spool.scan(), SECONDS)
            client.may_send = CALLS
            server.stop("immediate")
            until(lambda: len(spool.scan()) >= WHILE_AWAY, SECONDS)
            status = llmprof(home, "status", LLMPROF_DB_URL=url)
            assert (status.returncode, status.stderr) == (1, "")
            assert [line.startswith(f"✗ {AWAY}") for line in status.stdout.splitlines() if "✗" in line] == [True]
            client.join()
            said, rows = await shown(url, home, server)
            assert said.startswith(AWAY[:29])
            assert rows > 0
            until(lambda: not spool.scan(), SECONDS, lambda: (home / "worker.json").read_text())
        assert client.answers == {SMALL}
        assert spool.failed().files == 0
    with open_store(url, read_only=True) as store:
        stored = sorted(queries.calls(store), key=lambda call: call.number)
    assert [call.tags["number"] for call in stored] == [str(number) for number in range(CALLS)]
    done = llmprof(home, "status", LLMPROF_DB_URL=url)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"password": "fake-wrong"}, "the server refuses the user or the password: "),
        ({"database": "nowhere"}, "the server has no such database: "),
        ({}, "the PostgreSQL server is away: "),
    ],
    ids=["wrong password", "unknown database", "away"],
)
def test_a_server_that_cannot_be_used(postgresql: str, tmp_path: Path, given: dict[str, str], line: str) -> None:
    url = postgresql.replace(PASSWORD, given.get("password", PASSWORD))
    url = url.replace("/postgres?", f"/{given.get('database', 'postgres')}?")
    url = url if given else url.replace("host=/tmp/", "host=/tmp/nowhere-")
    done = llmprof(tmp_path, "runs", LLMPROF_DB_URL=url)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"llmprof: {line}")
    assert len(done.stderr.splitlines()) == 1
    assert given.get("password", PASSWORD) not in done.stderr


def test_a_postgresql_database_without_a_store(postgresql: str, tmp_path: Path) -> None:
    done = llmprof(tmp_path, "runs", LLMPROF_DB_URL=postgresql)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("llmprof: no store at postgresql://")
