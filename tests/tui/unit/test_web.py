"""The browser's server answers its own page alone."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer
from llmprof_tui import web


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestClient]:  # type: ignore[type-arg]
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    port = web._free_port()
    made = await web._server("true", port)._make_app()
    async with TestClient(TestServer(made, host=web.HOST, port=port)) as found:
        yield found


async def test_its_own_page_is_served(client: TestClient) -> None:  # type: ignore[type-arg]
    answer = await client.get("/")
    assert answer.status == 200
    assert "llmprof" in await answer.text()


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}],
    ids=["other site", "other name", "sandbox"],
)
@pytest.mark.parametrize("path", ["/", "/ws"])
async def test_other_sites_are_refused(client: TestClient, headers: dict[str, str], path: str) -> None:  # type: ignore[type-arg]
    assert (await client.get(path, headers=headers)).status == 403
