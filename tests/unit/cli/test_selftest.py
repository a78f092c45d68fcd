"""Breaches planted into a store that the real pipeline wrote: each has to be found, and named."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from llmprof_addon.spool import files
from tests.factories import fixture_exchange, make_exchange
from tests.unit.cli.conftest import Cli
from tests.unit.cli.recording import case_id, cases, conversation, record

CACHED = case_id("cache_5m")
TOOLS = case_id("mcp_tools")


def plant(home: Path, *statements: str) -> None:
    db = sqlite3.connect(home / "llmprof.db")
    for statement in statements:
        changed = db.execute(statement).rowcount
        assert changed > 0, statement
    db.commit()
    db.close()


def test_a_store_of_the_pipeline_obeys_the_laws(llmprof: Cli, recorded: Path) -> None:
    ran = llmprof("selftest", "--home", recorded)
    assert (ran.code, ran.out, ran.err) == (0, "8 calls and 7 runs checked: no breaches\n", "")


OTHER = f"(SELECT composition FROM call WHERE uid = '{TOOLS}')"
PARENT = "(SELECT run_id FROM call WHERE uid = '{}')"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE run SET reclaimable_cost = '9000000000000'", "says 9000000000000 pico-dollars could be saved"),
        (f"UPDATE call SET input_tokens = input_tokens + 1 WHERE uid = '{TOOLS}'", "components of the input sum to"),
        (f"UPDATE call SET output_tokens = output_tokens + 1 WHERE uid = '{TOOLS}'", "components of the output sum to"),
        (
            f"UPDATE call SET cache_read_input_tokens = cache_read_input_tokens - 1 WHERE uid = '{CACHED}'",
            "tokens read from cache, the call",
        ),
        (f"UPDATE call SET cache_creation_input_tokens = 7 WHERE uid = '{TOOLS}'", "tokens written to cache, the call"),
        (f"UPDATE call SET output_cost = output_cost + 1 WHERE uid = '{TOOLS}'", "pico-dollars, the call"),
        (f"UPDATE call SET price_id = NULL WHERE uid = '{TOOLS}'", "has no price, and components that cost something"),
        (
            f"UPDATE call SET price_id = 1, input_cost = 5 WHERE uid = '{case_id('error')}'",
            "failed without usage and costs 5 pico-dollars",
        ),
        (f"UPDATE call SET composition = {OTHER} WHERE uid = '{CACHED}'", "does not have the stored composition"),
        (
            "UPDATE node_count SET own = (SELECT own FROM node_count ORDER BY length(own) DESC LIMIT 1)",
            "the prompt derived again does not have the stored composition",
        ),
        (
            f"UPDATE node SET key = randomblob(16) WHERE id = (SELECT message_head_id FROM call WHERE uid = '{TOOLS}')",
            "keys of the messages chain are not those of its contents",
        ),
        (
            f"UPDATE node SET key = randomblob(16) WHERE id = (SELECT tools_head_id FROM call WHERE uid = '{TOOLS}')",
            "keys of the tools chain are not those of its contents",
        ),
        (
            f"UPDATE node SET key = randomblob(16) WHERE id = (SELECT answer_head_id FROM call WHERE uid = '{TOOLS}')",
            "keys of the answer chain are not those of its contents",
        ),
        (
            f"DELETE FROM envelope WHERE call_id = (SELECT id FROM call WHERE uid = '{TOOLS}')",
            f"call {TOOLS}: cannot be derived again: ",
        ),
        ("UPDATE content SET data = x'00', size = 9000 WHERE size > 40", "cannot be derived again: "),
        ("UPDATE run SET calls = calls + 1 WHERE calls = 2", "says 3 calls, has 2"),
        ("UPDATE run SET input_tokens = input_tokens + 1 WHERE calls = 2", "input_tokens is 421, its calls sum to 420"),
        (
            "UPDATE run SET reasoning_output_tokens = 1 WHERE calls = 2",
            "reasoning_output_tokens is 1, its calls sum to 0",
        ),
        (
            "UPDATE run SET output_cost = output_cost + 1 WHERE calls = 2",
            "its cost is not the 720000000 pico-dollars of its calls",
        ),
        (
            "UPDATE call SET run_id = (SELECT id FROM run WHERE calls = 2) WHERE uid = '" + TOOLS + "'",
            "says 2 calls, has 3",
        ),
    ],
)
def test_a_planted_breach_is_found(statement: str, said: str, llmprof: Cli, own: Path) -> None:
    plant(own, statement)
    ran = llmprof("selftest", "--home", own)
    assert (ran.code, ran.err) == (1, "")
    assert said in ran.out
    assert ran.lines[0].startswith("✗ ")
    assert ran.lines[-1].endswith(("breach", "breaches"))
    assert "checked: no" not in ran.out


def test_a_call_of_another_version_may_be_split_otherwise_but_not_sum_otherwise(llmprof: Cli, own: Path) -> None:
    swapped = ("UPDATE node_count SET own = (SELECT own FROM node_count ORDER BY length(own) DESC LIMIT 1)",)
    plant(own, *swapped, "UPDATE call SET version = '0.0.1'")
    ran = llmprof("selftest", "--home", own)
    assert ran.code == 0, ran.out
    plant(own, f"UPDATE call SET input_tokens = input_tokens + 1 WHERE uid = '{TOOLS}'")
    ran = llmprof("selftest", "--home", own)
    assert ran.code == 1
    assert f"call {TOOLS}: components of the input sum to" in ran.out


def test_a_credential_in_the_store_is_found(llmprof: Cli, tmp_path: Path) -> None:
    secret = "sk-ant-api03-" + "fake0" * 12
    body = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": f"Is {secret} a key?"}]}
    record(tmp_path, [make_exchange(body)])
    ran = llmprof("selftest", "--home", tmp_path)
    assert ran.code == 1
    assert "the stored request holds what looks like a credential" in ran.out
    assert secret not in ran.out


def test_many_breaches_are_counted_not_listed(llmprof: Cli, own: Path) -> None:
    plant(own, *(f"UPDATE run SET {name} = 77777" for name in ("calls", "input_tokens", "output_tokens")))
    plant(own, *(f"UPDATE run SET {name} = 1" for name in ("cache_read_input_tokens", "reasoning_output_tokens")))
    plant(own, *(f"UPDATE run SET cache_creation_{name}input_tokens = 1" for name in ("", "5m_", "1h_")))
    ran = llmprof("selftest", "--home", own)
    assert ran.code == 1
    assert len(ran.lines) == 52
    assert ran.lines[50].startswith("… and ")


def test_a_folder_of_exchange_files(llmprof: Cli, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for number, exchange in enumerate([*cases(), *conversation()]):
        (tmp_path / "below" / f"{number}.exchange").write_bytes(files.encode(exchange))
    models = make_exchange(url="https://api.openai.com/v1/models", id="9" * 32)
    (tmp_path / "no-call.exchange").write_bytes(files.encode(models))
    ran = llmprof("selftest", "--corpus", tmp_path, "--home", tmp_path / "none")
    assert ran.code == 0, ran.out
    assert ran.out.startswith("8 calls and ")
    assert ran.out.endswith(" checked: no breaches\n")
    assert not (tmp_path / "none").exists()


def test_damaged_files_of_a_corpus_are_breaches(llmprof: Cli, tmp_path: Path) -> None:
    whole = files.encode(fixture_exchange("openai.chat", "plain"))
    (tmp_path / "a.exchange").write_bytes(whole)
    (tmp_path / "b.exchange").write_bytes(whole[:-1])
    (tmp_path / "c.exchange").mkdir()
    ran = llmprof("selftest", "--corpus", tmp_path)
    assert ran.code == 1
    assert ran.lines[0].startswith(f"✗ {tmp_path}/b.exchange: damaged exchange file: ")
    assert ran.lines[1].startswith(f"✗ {tmp_path}/c.exchange: cannot be read: ")
    assert ran.lines[2].startswith("1 call and ")


def test_an_exchange_that_is_processed_otherwise_when_compressed_is_a_breach(
    llmprof: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmprof_addon import pipeline
    from llmprof_addon.wire import encodings

    def half(body: bytes, encoding: str | None) -> encodings.Decoded:
        decoded = encodings.decode(body, encoding)
        return replace(decoded, data=b"{}") if encoding == "br" else decoded

    (tmp_path / "a.exchange").write_bytes(files.encode(fixture_exchange("openai.chat", "plain")))
    monkeypatch.setattr(pipeline, "decode", half)
    ran = llmprof("selftest", "--corpus", tmp_path)
    assert ran.code == 1
    assert ran.lines[0] == f"✗ {tmp_path}/a.exchange: sent as br it gives other numbers"


def test_an_exchange_that_cannot_be_processed_is_a_breach(
    llmprof: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **named: object) -> None:
        raise ZeroDivisionError("no")

    (tmp_path / "a.exchange").write_bytes(files.encode(fixture_exchange("openai.chat", "plain")))
    monkeypatch.setattr("llmprof_addon.pipeline.process", fail)
    ran = llmprof("selftest", "--corpus", tmp_path)
    assert ran.code == 1
    assert ran.lines[0] == f"✗ {tmp_path}/a.exchange: cannot be processed: ZeroDivisionError: no"


def test_a_corpus_that_is_no_folder_is_wrong_use(llmprof: Cli, tmp_path: Path) -> None:
    ran = llmprof("selftest", "--corpus", tmp_path / "none")
    assert (ran.code, ran.out, ran.err) == (2, "", f"llmprof: there is no folder {tmp_path}/none\n")
