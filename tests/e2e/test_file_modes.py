"""What others of this machine may read of a home: nothing, whatever the umask is and however loose the home was."""

import os
import stat
import sys
import urllib.request
from pathlib import Path

import pytest
from llmprof_tui.preferences import Preferences

from tests.e2e import answers
from tests.e2e.replay import Replay
from tests.e2e.running import running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
CHAT = b'{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello."}]}'


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_reads_a_home(tmp_path: Path) -> None:
    home, kept = tmp_path / "home", tmp_path / "kept"
    for folder in (home, home / "spool", home / "ca"):
        folder.mkdir()
        folder.chmod(0o777)
    (home / "token").write_text("fake-token-0123456789\n")
    (home / "token").chmod(0o644)
    (home / "spool" / "failed").mkdir(mode=0o755)
    before = os.umask(0)
    try:
        with (
            Replay(answers.answer) as server,
            running(home, upstream=server.url, upstream_proxy="", capture=str(kept)) as proxy,
        ):
            url = f"{proxy.reverse_url}/v1/chat/completions"
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            opener.open(urllib.request.Request(url, CHAT, {"content-type": "application/json"})).read()
            proxy.settle(1)
            Preferences(home / "ui.json").set("theme", "dark")
            loose = [path for path in (home, *home.rglob("*"), kept, *kept.rglob("*")) if mode(path) & 0o077]
    finally:
        os.umask(before)
    # Public certificates, which programs of other accounts have to read, and this test's own log.
    public = {"mitmproxy-ca-cert.pem", "mitmproxy-ca-cert.p12", "mitmproxy-ca-cert.cer", "mitmproxy-dhparam.pem"}
    public |= {"bundle.pem", "upstream.pem", "up.log"}
    assert {path.name for path in loose} <= public
    assert {mode(path) for path in home.glob("llmprof.db*")} == {0o600}
    assert {mode(path) for path in kept.glob("*.exchange")} == {0o600}
    assert [line for line in proxy.log.splitlines() if "others could read" in line] == [
        f"llmprof: others could read {home}, spool, spool/failed, ca, token: taken away"
    ]
