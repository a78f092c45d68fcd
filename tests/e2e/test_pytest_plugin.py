"""The pytest plugin in test suites of its own, over a real proxy and worker and a made-up provider."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmprof_addon.spool.leases import living_leases
from llmprof_addon.spool.proxies import living
from tests.e2e import answers
from tests.e2e.replay import Replay
from tests.e2e.running import Proxy, llmprof, rows, running, until

pytest_plugins = ["pytester"]

CLIENT = """
    import json, os, urllib.request

    def ask(text, url=None):
        url = url or os.environ["OPENAI_BASE_URL"]
        body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}).encode()
        headers = {"content-type": "application/json", "authorization": "Bearer sk-fake-plugin"}
        request = urllib.request.Request(url + "/chat/completions", body, headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return json.load(opener.open(request, timeout=120))["choices"][0]["message"]["content"]
"""
USD = "0.0000207"
"""Of one call: 110 tokens in, 7 out."""


@pytest.fixture(scope="module")
def provider() -> Iterator[Replay]:
    with Replay(answers.answer) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(provider: Replay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy that runs anyway: it is joined."""
    connect = f"api.openai.com:443={provider.url}"
    home = tmp_path_factory.mktemp("plugin") / "home"
    with running(home, upstream=provider.url, connect=connect, upstream_proxy="") as proxy:
        yield proxy


@pytest.fixture
def suite(pytester: pytest.Pytester, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test suite that records to the home of that proxy."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # of this project's others, which load much
    monkeypatch.setenv("LLMPROF_HOME", str(proxy.home))
    pytester.makepyfile(client=CLIENT)
    return pytester


def run(suite: pytest.Pytester, *words: str) -> pytest.RunResult:
    # What a strict suite does with warnings is not for what we import.
    return suite.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error", "-p", "llmprof", *words, timeout=180)


def failed_lines(result: pytest.RunResult) -> list[str]:
    """What is said of failed tests: one line each."""
    return [line for line in result.outlines if line.startswith("llmprof: ")]


def test_each_test_is_a_run_and_is_held_to_its_limits(suite: pytest.Pytester, proxy: Proxy) -> None:
    suite.makepyfile(
        test_agent=f"""
        from client import ask

        def test_cheap(llmprof):
            assert ask("Mend the pump.") == "You said: Mend the pump."
            assert ask("Mend the mast.", llmprof.base_url + "/v1")
            assert len(llmprof.calls()) == 2
            llmprof.check(max_usd={2 * float(USD):.7f}, max_context=110, max_breaks=0)

        def test_dear(llmprof):
            ask("Mend the keel.")
            llmprof.check(max_usd="{float(USD) / 2:.8f}", max_context="1k")

        def test_silent(llmprof):
            llmprof.check(max_usd=1)
        """
    )
    result = run(suite)
    result.assert_outcomes(passed=1, failed=2)
    dear, silent = failed_lines(result)
    assert dear.startswith(
        f"llmprof: max-usd: ${USD}; allowed is at most $0.00001035 (1 call: llmprof report test_agent"
    )
    assert silent.startswith(
        "llmprof: no LLM call of this test was recorded; its client has to go to http://127.0.0.1:"
    )
    assert "Traceback" not in result.stdout.str()
    found = rows(proxy.home)
    assert [row["run_id"] == found[0]["run_id"] for row in found] == [True, True, False]
    assert "Mend the keel." in llmprof(proxy.home, "report", dear.partition("llmprof report ")[2].split()[0]).stdout
    assert proxy.process.poll() is None


def test_options_hold_all_tests_and_a_baseline_each_its_own(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_agent="""
        import pathlib
        import pytest
        from client import ask

        @pytest.mark.usefixtures("llmprof")
        @pytest.mark.parametrize("place", ["keel", "the mast/top"])
        def test_mend(place):
            more = pathlib.Path("more.txt")
            ask(f"Mend the {place}." + (more.read_text() if more.exists() else ""))

        def test_without_a_call():
            pass
        """
    )
    missing = run(suite, "--llmprof-baseline", "kept")
    missing.assert_outcomes(passed=1, failed=2)
    assert failed_lines(missing)[0].endswith("--llmprof-write-baseline makes it")
    written = run(suite, "--llmprof-baseline", "kept", "--llmprof-write-baseline", "--llmprof-max-usd", USD)
    written.assert_outcomes(passed=3)
    files = sorted(path.relative_to(suite.path) for path in suite.path.glob("kept/**/*.json"))
    assert [str(path) for path in files] == [
        "kept/test_agent.py/test_mend[keel].json",
        "kept/test_agent.py/test_mend[the mast%2Ftop].json",
    ]
    assert json.loads((suite.path / files[0]).read_text())["cost_usd"] == USD
    run(suite, "--llmprof-baseline", "kept", "-k", "keel").assert_outcomes(passed=1, deselected=2)
    (suite.path / "more.txt").write_text(" And the deck, the sails, the rudder, the lamps and the stove." * 9)
    worse = run(suite, "--llmprof-baseline", "kept", "--llmprof-max-usd", "0.00001")
    worse.assert_outcomes(passed=1, failed=2)
    for line in failed_lines(worse):
        assert line.startswith(f"llmprof: max-usd: ${USD}; allowed is at most $0.00001; baseline: user: ")


def test_workers_side_by_side_share_a_proxy_that_ends_with_them(
    suite: pytest.Pytester, provider: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = suite.path / "home"
    for name, value in {"HOME": str(home), "UPSTREAM": provider.url, "LOCAL_DISCOVERY": "0"}.items():
        monkeypatch.setenv(f"LLMPROF_{name}", value)
    suite.makepyfile(
        test_many="""
        import pytest
        from client import ask

        @pytest.mark.parametrize("number", range(6))
        def test_mend(llmprof, number):
            for turn in range(1 + number % 3):
                ask(f"Mend pump {number}, part {turn}.")
            assert len(llmprof.calls()) == 1 + number % 3
            llmprof.check(max_usd=1)
            with open("ports.txt", "a") as ports:
                ports.write(llmprof.base_url.split("/")[2] + "\\n")
        """
    )
    result = run(suite, "-p", "xdist", "-n", "2", "--llmprof-max-breaks", "0")
    result.assert_outcomes(passed=6)
    assert len(set((suite.path / "ports.txt").read_text().split())) == 1
    assert len({row["run_id"] for row in rows(home)}) == 6
    assert not living_leases(home)
    until(lambda: not living(home), 120)


def test_a_child_process_in_forward_mode(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_child="""
        import subprocess, sys

        def test_child(llmprof):
            code = (
                "import json, urllib.request as r;"
                "body = json.dumps({'model': 'gpt-4o-mini', 'messages': [{'role': 'user', 'content': 'Hello.'}]});"
                "q = r.Request('https://api.openai.com/v1/chat/completions', body.encode(),"
                " {'content-type': 'application/json'});"
                "answer = r.urlopen(q, timeout=120); answer.read(); print(answer.status)"
            )
            done = subprocess.run([sys.executable, "-c", code], env=llmprof.environ, capture_output=True, text=True)
            assert done.stdout == "200\\n", done.stderr
            (call,) = llmprof.calls()
            assert call.mode == "forward"
            assert "OPENAI_BASE_URL" not in llmprof.environ
            llmprof.check(max_usd=1)
        """
    )
    run(suite).assert_outcomes(passed=1)


def test_wrong_use_is_one_line(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_agent="""
        from client import ask

        def test_no_limit(llmprof):
            ask("Hello.")
            llmprof.check(max_usd="cheap")

        def test_no_file(llmprof):
            ask("Hello.")
            llmprof.check(baseline="none.json")
        """
    )
    result = run(suite)
    result.assert_outcomes(failed=2)
    assert failed_lines(result) == [
        "llmprof: max-usd: 'cheap' is no amount of dollars; write e.g. 0.50",
        "llmprof: none.json: No such file or directory",
    ]
    wrong = run(suite, "--llmprof-max-usd", "x")
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR
    assert wrong.errlines[0] == "ERROR: --llmprof-max-usd: 'x' is no amount of dollars; write e.g. 0.50"


def test_without_a_home_to_record_to(suite: pytest.Pytester) -> None:
    (suite.path / "file").touch()
    suite.makepyfile("def test_agent(llmprof):\n    pass\n\n\ndef test_other():\n    pass\n")
    result = run(suite, "--llmprof-home", str(suite.path / "file"))
    result.assert_outcomes(errors=1, passed=1)
    (line,) = failed_lines(result)
    assert line.startswith("llmprof: cannot write to ")


def test_it_costs_nothing_where_it_is_not_used(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMPROF_HOME", str(suite.path / "home"))
    suite.makepyfile(
        """
        import sys

        def test_plain():
            own = {name for name in sys.modules if name.startswith("llmprof")}
            assert own == {
                "llmprof_addon", "llmprof_addon.pytest_plugin", "llmprof_addon.gate", "llmprof_addon.gate.options"
            }
            assert not {"mitmproxy", "peewee", "rich", "textual", "tiktoken", "sqlite3"} & set(sys.modules)
        """
    )
    run(suite).assert_outcomes(passed=1)
    assert not Path(suite.path / "home").exists()
