"""The UI in a browser, as far as one without a screen sees it: the page, its socket, what is drawn, the end."""

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp

from tests.e2e.running import ROOT, clean_environ
from tests.tui.recording import record, varied

SECONDS = 60
ADDRESS = re.compile(r"llmprof is at (http://127\.0\.0\.1:\d+)/\?token=(\S+)")


async def drawn(url: str, token: str, word: bytes) -> bytes:
    """What a page is sent until it holds this word."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(url, params={"token": token}) as page:
            assert page.status == 200
            assert f"{url}/static/js/textual.js" in await page.text()
        seen = b""
        async with browser.ws_connect(f"{url}/ws?width=120&height=30", headers={"Origin": url}) as socket:
            async for message in socket:
                seen += message.data if message.type is aiohttp.WSMsgType.BINARY else b""
                if word in seen:
                    await socket.send_json(["stdin", "q"])
                    break
    return seen


def test_a_page_shows_the_runs_and_another_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    record(home, varied())
    command = [sys.executable, "-m", "llmprof_addon", "tui", "--web", "--home", str(home)]
    with subprocess.Popen(
        command, cwd=ROOT, env=clean_environ(BROWSER="true"), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            found = ADDRESS.match(server.stdout.readline())
            assert found is not None
            url, token = found.groups()
            assert b"Fix the flaky upload" in asyncio.run(asyncio.wait_for(_opened(url, token), SECONDS))
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(SECONDS) == 0


async def _opened(url: str, token: str) -> bytes:
    async with aiohttp.ClientSession() as stranger:
        for _ in range(100):  # the line is printed before the port is open
            try:
                async with stranger.get(url) as refused:
                    assert refused.status == 403
                break
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.1)
    return await drawn(url, token, b"Fix the flaky upload")
