"""What a worker leaves on the disk of what went through it: `LLMPROF_BODIES` and the limits of the settings."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon import clock, pipeline, settings, worker
from llmprof_addon.errors import ConfigError
from llmprof_addon.settings import Settings
from llmprof_addon.spool.folder import Spool
from llmprof_addon.store import queries
from llmprof_addon.store.open import open_store
from tests.factories import CHAT_URL, make_exchange
from tests.unit.pipeline.test_unkept import stored

PLANTED = "the heron nests in march"
ARGUMENT, RESULT, ANSWER, ERROR = (
    "open sesame seven",
    "a list of forty eels",
    "say it to nobody",
    "heron is not allowed",
)
DAY = 86_400 * 10**9


def exchange(number: int, **more: Any) -> Any:
    call = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": json.dumps({"path": ARGUMENT})}}
    messages = [
        {"role": "system", "content": f"Know that {PLANTED}."},
        {"role": "user", "content": [{"type": "text", "text": f"Why is it that {PLANTED}?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": RESULT},
    ]
    reply = {
        "id": f"chatcmpl-{number}",
        "model": "gpt-4.1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 90, "completion_tokens": 5, "total_tokens": 95},
    }
    at = clock.now_ns() - number * DAY
    body = {"model": "gpt-4.1", "messages": messages, "metadata": {"note": PLANTED}}
    times = {"started_ns": at, "first_chunk_ns": at + 10**8, "ended_ns": at + 10**9}
    return make_exchange(body, reply, url=f"{CHAT_URL}?q=heron", id=f"{number:032x}", **(times | more))


def at(home: Path, **environ: str) -> Settings:
    found = settings.load({"home": str(home)}, {f"LLMPROF_{name.upper()}": value for name, value in environ.items()})
    found.ensure_home()
    return found


def everything(home: Path) -> bytes:
    """All bytes below a home, and its rows unpacked."""
    files = b"\0".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())
    return files + stored(home / "llmprof.db").encode("utf-8", "replace")


def said_in(held: bytes) -> list[str]:
    words = (PLANTED, ARGUMENT, RESULT, ANSWER, ERROR, "heron", "sesame", "eels")
    return [word for word in words if word.encode() in held]


def poisoned(process: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(exchange: Any, *rest: Any, **more: Any) -> Any:
        if exchange.id.endswith("f"):
            raise ValueError(f"cannot read {exchange.request_body!r}")
        return process(exchange, *rest, **more)

    return wrapped


def test_off_leaves_no_text_in_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = at(tmp_path, bodies="off")
    monkeypatch.setattr(pipeline, "process", poisoned(pipeline.process))
    spool = Spool(where.spool_dir)
    error = {"error": {"type": "invalid_request_error", "message": ERROR}}
    spool.add(exchange(1))
    spool.add(exchange(2, response_body=json.dumps(error).encode(), status=400))
    spool.add(exchange(15))
    (where.spool_dir / "00000000000000000001-damaged.exchange").write_bytes(f"no exchange: {PLANTED}".encode())
    assert said_in(b"".join(path.read_bytes() for path in where.spool_dir.iterdir() if path.is_file()))
    assert worker.settle(where) == 1
    assert {path.name.partition("-")[2] for path in spool.failed_folder.iterdir()} == {
        "damaged.traceback.txt",
        f"{15:032x}.exchange",
        f"{15:032x}.traceback.txt",
    }
    assert "ValueError in test_kept_bodies.py" in next(spool.failed_folder.glob("*f.traceback.txt")).read_text()
    assert said_in(everything(tmp_path)) == []
    with closing(open_store(where.db_url, read_only=True)) as store:
        rows = {row.id: row for row in queries.calls(store)}
        assert {row.bodies for row in rows.values()} == {"off"}
        assert rows[f"{1:032x}"].usage.input_tokens == 90
        assert rows[f"{2:032x}"].error is not None
        assert rows[f"{2:032x}"].error.startswith("invalid_request_error: text was not kept")  # type: ignore[union-attr]


def test_limits_of_the_settings_are_kept(tmp_path: Path) -> None:
    where = at(tmp_path, bodies_days="3", calls_days="10")
    spool = Spool(where.spool_dir)
    for number in (1, 5, 20):
        spool.add(exchange(number, session=str(number)))
    assert worker.settle(where) == 0
    with closing(open_store(where.db_url, read_only=True)) as store:
        assert {int(row.id, 16): row.bodies for row in queries.calls(store)} == {1: None, 5: "dropped"}
    assert said_in(everything(tmp_path))  # the youngest carries them still


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"bodies": "none"}, "LLMPROF_BODIES must be full, redacted or off, not 'none'"),
        ({"bodies_days": "0"}, "LLMPROF_BODIES_DAYS must be a whole number above 0"),
        ({"calls_days": "1.5"}, "LLMPROF_CALLS_DAYS must be a whole number above 0"),
        ({"max_db_mb": "1GB"}, "LLMPROF_MAX_DB_MB must be a whole number above 0"),
        ({"bodies": "off", "capture": "/tmp/x"}, "LLMPROF_BODIES=off keeps no bodies, and LLMPROF_CAPTURE saves them"),
    ],
)
def test_bad_settings_are_one_line(variables: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        at(tmp_path, **variables)
    assert said in refused.value.message
    assert "\n" not in refused.value.message


def test_a_child_process_keeps_to_the_same(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('bodies = "redacted"\nmax_db_mb = 9\n')
    where = at(tmp_path, bodies_days="3")
    again = settings.load({}, where.as_environ())
    assert (again.bodies, again.max_db_mb, again.bodies_days, again.calls_days) == ("redacted", 9, 3, None)
    assert again.retention == where.retention
