import json
from pathlib import Path
from typing import Any

import pytest
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow, tutils

from llmprof_addon.spool import files
from llmprof_addon.spool.folder import Spool
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.factories import CHAT_URL, fixture_exchange, make_exchange
from tests.unit.cli.conftest import Cli
from tests.unit.cli.recording import cases, conversation


@pytest.fixture
def exchanges(tmp_path: Path) -> Path:
    """A folder with a conversation's two exchanges, one of them below, and a file that is none."""
    folder = tmp_path / "recorded"
    (folder / "below").mkdir(parents=True)
    first, second = conversation()
    (folder / "b.exchange").write_bytes(files.encode(first))
    (folder / "below" / "a.exchange").write_bytes(files.encode(second))
    (folder / "notes.txt").write_text("not an exchange")
    return folder


def test_a_folder_is_in_the_store_when_it_returns(llmprof: Cli, exchanges: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    ran = llmprof("import", exchanges, "--home", home)
    assert (ran.code, ran.out, ran.err) == (0, "2 exchanges read, 2 calls added\n", "")
    assert not Spool(home / "spool").scan()
    with open_store(f"sqlite:///{home}/llmprof.db", read_only=True) as store:
        assert [row.calls for row in queries.runs(store)] == [2]
    assert llmprof("selftest", "--home", home).code == 0
    # The files are the user's, and stay.
    assert len(list(exchanges.rglob("*.exchange"))) == 2


def test_reading_again_adds_nothing(llmprof: Cli, exchanges: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    llmprof("import", exchanges, "--home", home)
    before = llmprof("calls", "--home", home, "--json").out, llmprof("runs", "--home", home, "--json").out
    ran = llmprof("import", exchanges / "b.exchange", exchanges, "--home", home)
    assert (ran.code, ran.out) == (0, "3 exchanges read, 0 calls added\n")
    after = llmprof("calls", "--home", home, "--json").out, llmprof("runs", "--home", home, "--json").out
    assert after == before


def test_a_damaged_file_is_named_and_the_others_are_read(llmprof: Cli, exchanges: Path, tmp_path: Path) -> None:
    whole = (exchanges / "b.exchange").read_bytes()
    (exchanges / "cut.exchange").write_bytes(whole[:-1])
    (exchanges / "other.exchange").write_bytes(b"\x1b[2J no header")
    (exchanges / "newer.exchange").write_bytes(whole.replace(b'"v":1', b'"v":9', 1))
    ran = llmprof("import", exchanges, "--home", tmp_path / "home")
    assert (ran.code, ran.out) == (1, "2 exchanges read, 2 calls added\n")
    lines = ran.err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(f"llmprof: {exchanges}/cut.exchange: damaged exchange file: ")
    assert lines[1].startswith(f"llmprof: {exchanges}/newer.exchange: exchange file of version 9")
    assert lines[2] == f"llmprof: {exchanges}/other.exchange: not an exchange file: it has no header line"


def test_a_path_that_is_not_there_is_wrong_use_and_reads_nothing(llmprof: Cli, exchanges: Path, tmp_path: Path) -> None:
    ran = llmprof("import", exchanges, tmp_path / "nowhere", "--home", tmp_path / "home")
    assert (ran.code, ran.out, ran.err) == (2, "", f"llmprof: there is no file {tmp_path}/nowhere\n")
    assert not Spool(tmp_path / "home" / "spool").scan()


def test_what_is_no_llm_call_is_read_and_not_added(llmprof: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.exchange").write_bytes(files.encode(make_exchange(url="https://api.openai.com/v1/models")))
    ran = llmprof("import", tmp_path / "x.exchange", "--home", tmp_path / "home")
    assert (ran.code, ran.out) == (0, "1 exchange read, 0 calls added\n")


def test_a_credential_in_a_file_does_not_reach_the_store(llmprof: Cli, tmp_path: Path) -> None:
    secret = "sk-ant-api03-" + "fake0" * 12
    body = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": f"Is {secret} a key?"}]}
    (tmp_path / "x.exchange").write_bytes(files.encode(make_exchange(body)))
    home = tmp_path / "home"
    assert llmprof("import", tmp_path / "x.exchange", "--home", home).code == 0
    raw = llmprof("show", "--raw", "--home", home).out
    assert "a key?" in raw
    assert secret not in raw
    assert not any(secret.encode() in file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert llmprof("selftest", "--home", home).code == 0


def test_every_case_can_be_imported(llmprof: Cli, tmp_path: Path) -> None:
    for number, exchange in enumerate(cases()):
        (tmp_path / f"{number}.exchange").write_bytes(files.encode(exchange))
    ran = llmprof("import", tmp_path, "--home", tmp_path / "home")
    assert (ran.code, ran.out) == (0, "6 exchanges read, 6 calls added\n")


def har(url: str, request: bytes, response: bytes) -> dict[str, Any]:
    """A browser's recording of one call."""
    json_type = [{"name": "content-type", "value": "application/json"}]
    sent = {"method": "POST", "url": url, "httpVersion": "HTTP/1.1", "headers": json_type, "cookies": []}
    sent |= {"queryString": [], "headersSize": -1, "bodySize": len(request)}
    sent |= {"postData": {"mimeType": "application/json", "text": request.decode()}}
    got = {"status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": json_type, "cookies": []}
    got |= {"content": {"size": len(response), "mimeType": "application/json", "text": response.decode()}}
    got |= {"redirectURL": "", "headersSize": -1, "bodySize": len(response)}
    timings = {"send": 1, "wait": 300, "receive": 100}
    entry = {"startedDateTime": "2026-11-20T08:00:00.000Z", "time": 401, "request": sent, "response": got}
    entry |= {"cache": {}, "timings": timings, "serverIPAddress": "127.0.0.1"}
    return {"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": [entry]}}


def test_a_har_file_twice(llmprof: Cli, tmp_path: Path) -> None:
    plain = fixture_exchange("openai.chat", "plain")
    (tmp_path / "one.har").write_text(json.dumps(har(CHAT_URL, plain.request_body, plain.response_body)))
    home = tmp_path / "home"
    ran = llmprof("import", tmp_path / "one.har", "--home", home)
    assert (ran.code, ran.out, ran.err) == (0, "1 exchange read, 1 call added\n", "")
    assert llmprof("import", tmp_path, "--home", home).out == "1 exchange read, 0 calls added\n"
    call = json.loads(llmprof("calls", "--json", "--home", home).out)
    assert (call["mode"], call["usage"]["input_tokens"]) == ("import", 29)


def test_saved_flows_and_a_file_of_neither_kind(llmprof: Cli, tmp_path: Path) -> None:
    plain = fixture_exchange("openai.chat", "plain")
    flow = tflow.tflow(
        req=tutils.treq(
            scheme=b"https", host="api.openai.com", port=443, authority=b"", method=b"POST",
            path=b"/v1/chat/completions", content=plain.request_body,
        ),
        resp=tutils.tresp(content=plain.response_body),
    )  # fmt: skip
    with (tmp_path / "saved.flows").open("wb") as file:
        FlowWriter(file).add(flow)
    (tmp_path / "other.mitm").write_bytes(b"neither")
    home = tmp_path / "home"
    ran = llmprof("import", tmp_path, "--home", home)
    assert (ran.code, ran.out) == (1, "1 exchange read, 1 call added\n")
    assert ran.err.startswith(f"llmprof: {tmp_path}/other.mitm: is neither a flow file nor HAR")
    assert ran.err.count("\n") == 1
