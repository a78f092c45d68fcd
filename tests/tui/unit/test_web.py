"""The browser's server answers who has its token, and its own page alone."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer
from llmprof_tui import web

TOKEN = "a-token"


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    port = web._free_port()
    made = await web._server("true", port, TOKEN)._make_app()
    async with TestClient(TestServer(made, host=web.HOST, port=port)) as found:
        yield found


async def test_its_own_page_is_served_and_asks_nobody_else(client: TestClient) -> None:  # type: ignore[type-arg]
    answer = await client.get("/", params={"token": TOKEN})
    assert answer.status == 200
    assert "llmprof" in await answer.text()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    answer = await client.get("/static/js/textual.js")  # by the cookie of the page
    assert answer.status == 200


@pytest.mark.parametrize("path", ["/", "/?token=another", "/?token=", "/ws", "/static/js/textual.js"])
async def test_who_has_no_token_is_refused(client: TestClient, path: str) -> None:  # type: ignore[type-arg]
    answer = await client.get(path)
    assert answer.status == 403
    assert TOKEN not in await answer.text()
    assert not answer.cookies


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}],
    ids=["other site", "other name", "sandbox"],
)
@pytest.mark.parametrize("path", ["/", "/ws"])
async def test_other_sites_are_refused(client: TestClient, headers: dict[str, str], path: str) -> None:  # type: ignore[type-arg]
    assert (await client.get(path, params={"token": TOKEN}, headers=headers)).status == 403
