import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from llmprof_addon.errors import SpoolError
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.spool.folder import Backlog, Spool, metadata_only
from tests.unit.spool.exchanges import make_exchange


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "home" / "spool")


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_goes_in_comes_out_by_end_time(spool: Spool) -> None:
    late, early = make_exchange(id="a", ended_ns=2_000), make_exchange(id="b", ended_ns=999)
    names = [spool.add(late), spool.add(early)]
    assert (
        spool.scan() == [names[1], names[0]] == ["00000000000000000999-b.exchange", "00000000000000002000-a.exchange"]
    )
    assert [spool.read(name) for name in spool.scan()] == [early, late]
    spool.done(names[1])
    spool.done(names[1])
    assert spool.scan() == [names[0]]


def test_missing_folder_is_an_empty_spool(spool: Spool) -> None:
    assert spool.scan() == []
    assert spool.backlog() == spool.failed() == Backlog()
    assert spool.sweep() == 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
def test_nobody_else_can_read(spool: Spool) -> None:
    name = spool.add(make_exchange())
    spool.quarantine(name, "Traceback")
    for path in (spool.folder, spool.failed_folder, spool.folder.parent):
        assert path.stat().st_mode & 0o777 == 0o700
    for path in spool.failed_folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_quarantine_keeps_file_and_traceback_redacted(spool: Spool) -> None:
    def redact(exchange: Exchange) -> Exchange:
        return replace(exchange, response_body=exchange.response_body.replace(b"sk-fake-1", b"[gone]"))

    spool = Spool(spool.folder, redact=redact)
    name = spool.add(make_exchange(response_body=b"my sk-fake-1"))
    spool.quarantine(name, "Traceback: lone \udc80 surrogate")
    assert spool.scan() == []
    failed = sorted(path.name for path in spool.failed_folder.iterdir())
    assert failed == sorted([name, name.replace(".exchange", ".traceback.txt")])
    assert Spool(spool.failed_folder).read(name).response_body == b"my [gone]"
    assert spool.failed().files == 1


def test_unreadable_file_is_quarantined_as_it_is(spool: Spool) -> None:
    spool.add(make_exchange())
    (spool.folder / "junk.exchange").write_bytes(b"\x00junk")
    with pytest.raises(SpoolError):
        spool.read("junk.exchange")
    spool.quarantine("junk.exchange", "why")
    assert (spool.failed_folder / "junk.exchange").read_bytes() == b"\x00junk"
    assert len(spool.scan()) == 1


def test_read_of_a_missing_file(spool: Spool) -> None:
    with pytest.raises(SpoolError, match="cannot read"):
        spool.read("1-a.exchange")


def test_backlog_counts_files_bytes_and_age(spool: Spool) -> None:
    names = [spool.add(make_exchange(ended_ns=ended)) for ended in (70, 50)]
    size = sum((spool.folder / name).stat().st_size for name in names)
    assert spool.backlog() == Backlog(files=2, bytes=size, oldest_ended_ns=50)


def test_drafts_are_never_seen_and_those_of_the_dead_are_swept(spool: Spool) -> None:
    spool.add(make_exchange())
    mine = spool.folder / f".1-a.exchange.{os.getpid()}.tmp"
    dead = spool.folder / f".1-b.exchange.{dead_pid()}.tmp"
    for draft in (mine, dead):
        draft.write_bytes(b"half")
    assert len(spool.scan()) == spool.backlog().files == 1
    assert spool.sweep() == 1
    assert mine.exists()
    assert not dead.exists()


def test_failed_write_leaves_no_draft(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.add(make_exchange())

    def refuse(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        spool.add(make_exchange())
    assert list(spool.folder.glob(".*.tmp")) == []


def test_metadata_only_holds_nothing_secret() -> None:
    bare = metadata_only(
        make_exchange(
            url="https://user:sk-fake@api.example.test/v1/chat?key=sk-fake",
            request_headers=(("Authorization", "Bearer sk-fake"), ("Content-Type", "application/json")),
            response_headers=(("Set-Cookie", "sk-fake"),),
            request_body=b"sk-fake",
        )
    )
    assert "sk-fake" not in repr(bare)
    assert bare.url == "https://api.example.test/v1/chat"
    assert bare.request_headers == (("Content-Type", "application/json"),)
    assert (bare.request_truncated, bare.response_truncated) == (7, 13)
