import json
import os
from dataclasses import replace
from pathlib import Path

from llmprof_addon.spool.proxies import ProxyFile, ProxyRecord, living
from tests.unit.spool.test_folder import dead_pid

ME = ProxyRecord(pid=os.getpid(), version="0", started_ns=5, ports={"reverse": 4000}, upstreams={"openai": "https://u"})


def test_a_running_proxy_is_seen_until_it_removes_its_record(tmp_path: Path) -> None:
    file = ProxyFile(tmp_path, os.getpid())
    assert file.write(ME)
    assert living(tmp_path) == [ME]
    file.remove()
    file.remove()
    assert living(tmp_path) == []


def test_writes_are_throttled_unless_they_matter(tmp_path: Path) -> None:
    file = ProxyFile(tmp_path, os.getpid())
    assert file.write(ME)
    assert not file.write(replace(ME, in_flight=1))
    assert living(tmp_path) == [ME]
    assert file.write(replace(ME, in_flight=2), now=True)
    assert living(tmp_path)[0].in_flight == 2


def test_records_of_the_dead_are_removed_and_odd_files_ignored(tmp_path: Path) -> None:
    pid = dead_pid()
    ProxyFile(tmp_path, pid).write(replace(ME, pid=pid))
    folder = tmp_path / "proxies"
    (folder / "note.json").write_text("[]")
    (folder / "half.json").write_text('{"pid": 1')
    (folder / f"{os.getpid()}.json").write_text(json.dumps(ME.to_json() | {"colour": "blue"}))
    assert living(tmp_path) == [ME]
    assert not (folder / f"{pid}.json").exists()


def test_writing_never_raises(tmp_path: Path) -> None:
    (tmp_path / "proxies").write_text("no folder")
    assert not ProxyFile(tmp_path, 1).write(ME)
    assert living(tmp_path) == []
