import json
import os
from pathlib import Path
from typing import Any

from llmprof_addon.spool.folder import Spool
from tests.unit.cli.conftest import Cli
from tests.unit.cli.recording import turn


def write(path: Path, state: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(state if isinstance(state, str) else json.dumps(state))


def proxy(**fields: Any) -> dict[str, Any]:
    given = {"pid": os.getpid(), "version": "0.1.0", "started_ns": 1, "ports": {"reverse": 4000, "forward": 4001}}
    return given | {"in_flight": 3} | fields


def worker(**fields: Any) -> dict[str, Any]:
    return {"pid": os.getpid(), "processed": 12, "failed": 0, "last_error": None, "store_error": None} | fields


def test_nothing_at_all_is_fine_and_makes_nothing(llmprof: Cli, tmp_path: Path) -> None:
    ran = llmprof("status", "--home", tmp_path / "none")
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines == [
        f"home      {tmp_path}/none",
        "proxy     none; `llmprof up` starts one",
        "worker    none",
        "waiting   nothing",
        "recorded  nothing yet",
    ]
    assert not (tmp_path / "none").exists()


def test_what_runs_waits_and_was_recorded(llmprof: Cli, own: Path) -> None:
    write(own / "proxies" / f"{os.getpid()}.json", proxy())
    write(own / "proxies" / "999999999.json", proxy(pid=999_999_999))
    write(own / "worker.json", worker())
    Spool(own / "spool").add(turn(1, ["Hello? " * 100], "Hi."))
    ran = llmprof("status", "--home", own)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[1:] == [
        f"proxy     {os.getpid()}  reverse :4000  forward :4001  3 in flight",
        f"worker    {os.getpid()}  12 processed",
        "waiting   1 call, 1.7 KB",
        "recorded  8 calls in 7 runs",
    ]
    state = json.loads(llmprof("status", "--home", own, "--json").out)
    assert [each["pid"] for each in state["proxies"]] == [os.getpid()]
    assert state["worker"]["processed"] == 12
    assert state["backlog"]["files"] == 1
    assert state["failed"]["files"] == 0
    assert state["recorded"] == {"runs": 7, "calls": 8}
    assert state["problems"] == []


def test_a_dead_worker_is_none_and_what_waits_says_who_stores_it(llmprof: Cli, own: Path) -> None:
    Spool(own / "spool").add(turn(1, ["Hello?"], "Hi."))
    for state in (worker(pid=999_999_999), worker(pid="x"), {}, "no json", "[]"):
        write(own / "worker.json", state)
        ran = llmprof("status", "--home", own)
        assert ran.code == 0
        assert "worker    none" in ran.lines
        assert "the worker of `llmprof up` stores them" in ran.out


def test_failed_files_are_a_problem(llmprof: Cli, own: Path) -> None:
    spool = Spool(own / "spool")
    spool.quarantine(spool.add(turn(1, ["Hello?"], "Hi.")), "Traceback")
    ran = llmprof("status", "--home", own)
    assert ran.code == 1
    assert ran.lines[-1] == f"✗ 1 exchange not processed; see {own}/spool/failed, with the reason beside each"
    state = llmprof("status", "--home", own, "--json")
    assert state.code == 1
    assert len(json.loads(state.out)["problems"]) == 1


def test_lost_calls_dropped_bodies_and_a_store_that_takes_nothing_are_problems(llmprof: Cli, own: Path) -> None:
    write(own / "proxies" / f"{os.getpid()}.json", proxy(lost=2, last_error="disk\x1b[2J full", dropped_bodies=1))
    write(own / "worker.json", worker(store_error="the store is locked"))
    ran = llmprof("status", "--home", own)
    assert ran.code == 1
    assert ran.lines[-3:] == [
        f"✗ proxy {os.getpid()} could not write 2 calls: disk [2J full",
        f"✗ proxy {os.getpid()} dropped 1 body: too much was waiting",
        "✗ the store takes nothing: the store is locked",
    ]


def test_a_store_that_cannot_be_read_is_a_problem(llmprof: Cli, tmp_path: Path) -> None:
    (tmp_path / "llmprof.db").write_bytes(b"something else " * 100)
    ran = llmprof("status", "--home", tmp_path)
    assert ran.code == 1
    assert "recorded  unknown" in ran.lines
    assert "not a database" in ran.lines[-1]
