"""`llmprof run`: a program recorded as it is, with its own terminal, signals and exit code; and what helps with it."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmprof_addon.spool.leases import living_leases
from llmprof_addon.spool.proxies import living
from tests.e2e import answers
from tests.e2e.replay import Replay
from tests.e2e.running import ROOT, clean_environ, llmprof, rows, running, until

BODY = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Mend the pump."}]})
POST = ("curl", "-sS", "-H", "content-type: application/json", "-H", "authorization: Bearer sk-fake-run", "-d", BODY)
URL = "https://api.openai.com/v1/chat/completions"


@pytest.fixture(scope="module")
def provider() -> Iterator[Replay]:
    with Replay(answers.answer) as server:
        yield server


@pytest.fixture
def environ(provider: Replay) -> dict[str, str]:
    """The shell that the user sits at; the provider's host is this machine's server."""
    return clean_environ(
        LLMPROF_CONNECT=f"api.openai.com:443={provider.url}",
        LLMPROF_UPSTREAM=provider.url,
        LLMPROF_ANTHROPIC_UPSTREAM=provider.url,
        LLMPROF_LOCAL_DISCOVERY="0",
        LLMPROF_UPSTREAM_PROXY="",
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    until(lambda: not living(tmp_path / "home"), 30)  # the proxy that was started ends by itself


def run(home: Path, environ: dict[str, str], *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llmprof_addon", "run", "--home", str(home), *words]
    given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 120}
    return subprocess.run(command, cwd=ROOT, env=environ, **(given | options))


def test_a_program_is_recorded_and_its_run_summed_up(home: Path, environ: dict[str, str]) -> None:
    done = run(home, environ, "--", *POST, URL)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == "You said: Mend the pump."
    (row,) = rows(home)
    (line,) = done.stderr.splitlines()
    assert line.startswith("llmprof: Mend the pump.: 1 turn, 110 in, ")
    assert f"llmprof tui {row['run_id']} --home" in line
    assert row["mode"] == "forward"
    assert list(row["tags"]) == ["launch"]


@pytest.mark.parametrize(
    "program",
    ["urllib.request", "httpx", "requests"],
)
def test_python_clients_trust_the_proxy(home: Path, environ: dict[str, str], program: str) -> None:
    if program == "urllib.request":
        kind = {"content-type": "application/json"}
        code = f"import urllib.request as r; print(r.urlopen(r.Request({URL!r}, {BODY!r}.encode(), {kind})).status)"
    else:
        pytest.importorskip(program)
        code = f"import {program} as c, json; print(c.post({URL!r}, json=json.loads({BODY!r})).status_code)"
    done = run(home, environ, "--", sys.executable, "-c", code)
    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr
    assert len(rows(home)) == 1


def test_by_base_url_the_provider_sees_the_usual_path(home: Path, environ: dict[str, str], provider: Replay) -> None:
    script = f"{shlex.join(POST)} $OPENAI_BASE_URL/chat/completions"
    done = run(home, environ, "--reverse", "--", "sh", "-c", script)
    assert "You said: Mend the pump." in done.stdout
    (row,) = rows(home)
    assert row["mode"] == "reverse"
    assert list(row["tags"]) == ["launch"]


def test_exit_code_standard_input_and_words_are_the_programs_own(home: Path, environ: dict[str, str]) -> None:
    done = run(
        home,
        environ,
        "--quiet",
        "--",
        "sh",
        "-c",
        'cat; printf %s "$2"; exit 7',
        "-",
        "a",
        "--json",
        input="in;",
        stdin=None,
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "in;--json", "")


def test_signals_reach_the_program_and_its_death_is_told(home: Path, environ: dict[str, str]) -> None:
    script = "trap 'echo mended; exit 3' USR1; echo ready; while :; do sleep 0.05; done"
    command = [sys.executable, "-m", "llmprof_addon", "run", "--home", str(home), "--quiet", "--", "sh", "-c"]
    with subprocess.Popen([*command, script], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.readline() == "mended\n"
        assert process.wait(120) == 3
    with subprocess.Popen(
        [*command, "echo ready; exec sleep 60"], cwd=ROOT, env=environ, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(120) == 128 + signal.SIGTERM


def test_launches_at_the_same_time_share_a_proxy_and_are_told_apart(home: Path, environ: dict[str, str]) -> None:
    done: dict[str, subprocess.CompletedProcess[str]] = {}

    def launch(name: str) -> None:
        post = shlex.join(
            ["curl", "-sS", "-d", BODY.replace("pump", name), "-H", "content-type: application/json", URL]
        )
        done[name] = run(home, environ, "--", "sh", "-c", f"{post}; sleep 1; echo; echo $HTTPS_PROXY")

    threads = [threading.Thread(target=launch, args=(name,)) for name in ("mast", "keel", "sail")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    ports = {each.stdout.splitlines()[-1].rpartition(":")[2] for each in done.values()}
    assert len(ports) == 1
    for name, each in done.items():
        assert each.returncode == 0, each.stderr
        assert [line for line in each.stderr.splitlines() if line.startswith(f"llmprof: Mend the {name}.: 1 turn")]
        assert len(each.stderr.splitlines()) == 1


def test_a_proxy_that_runs_is_joined_and_left_alone(home: Path, environ: dict[str, str], provider: Replay) -> None:
    with running(home, connect=f"api.openai.com:443={provider.url}", upstream=provider.url, upstream_proxy="") as proxy:
        done = run(home, environ, "--", "sh", "-c", f"{shlex.join(POST)} {URL} > /dev/null; echo $HTTPS_PROXY")
        assert done.stdout.strip().endswith(f":{proxy.forward_port}")
        assert not living_leases(home)
        time.sleep(2.5)
        assert proxy.process.poll() is None
        variables = llmprof(home, "env", "--shell", "sh").stdout
        assert f"export HTTPS_PROXY=http://127.0.0.1:{proxy.forward_port}\n" in variables
        sourced = ["sh", "-c", f"{variables}\n{shlex.join(POST)} {URL}"]
        said = subprocess.run(sourced, env=environ, capture_output=True, text=True, timeout=120, check=True).stdout
        assert "You said: Mend the pump." in said
        proxy.settle(2)


def test_without_a_proxy_the_program_runs_all_the_same(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "file").touch()
    done = run(tmp_path / "file", environ, "--", "sh", "-c", "echo worked; echo $HTTPS_PROXY; exit 5")
    assert (done.returncode, done.stdout) == (5, "worked\n\n")
    assert done.stderr.startswith("llmprof: not recording: cannot write to ")
    refused = run(tmp_path / "file", environ, "--require", "--", "sh", "-c", "echo worked")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(("words", "code"), [(("--", "no-such-program"), 127), (("--", "/etc/passwd"), 126), ((), 2)])
def test_what_cannot_be_run_is_one_line(home: Path, environ: dict[str, str], words: tuple[str, ...], code: int) -> None:
    done = run(home, environ, *words)
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == 1


def test_the_doctor_finds_every_client_on_the_way(home: Path, environ: dict[str, str]) -> None:
    done = llmprof(home, "doctor", "--json", "--", "sh")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stdout
    marks = {check["what"]: check["mark"] for check in found}
    assert marks["python urllib"] == "good"
    assert marks["authority"] == "good"
    if shutil.which("curl"):
        assert marks["curl"] == "good"


def test_the_doctor_names_the_variable_that_is_missing(home: Path, environ: dict[str, str]) -> None:
    with running(home, upstream_proxy="") as proxy:
        here = environ | {"HTTPS_PROXY": proxy.forward_url, "https_proxy": proxy.forward_url}
        command = [sys.executable, "-m", "llmprof_addon", "doctor", "--home", str(home)]
        done = subprocess.run(command, env=here, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 1
        assert f"set SSL_CERT_FILE={home}/ca/bundle" in done.stdout
        if shutil.which("curl"):
            assert f"set CURL_CA_BUNDLE={home}/ca/bundle" in done.stdout


def test_the_doctor_says_that_a_home_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = llmprof(tmp_path / "file", "doctor")
    assert done.returncode == 1
    assert "✗ home" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_users_own_proxy_password_is_not_printed(home: Path, environ: dict[str, str]) -> None:
    here = os.environ | environ | {"HTTPS_PROXY": "http://me:sk-fake-password@proxy.example:8080"}
    command = [sys.executable, "-m", "llmprof_addon", "doctor", "--home", str(home)]
    done = subprocess.run(command, env=here, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "proxy.example:8080" in done.stdout
    assert "sk-fake-password" not in done.stdout + done.stderr
