"""The UI in a browser: a loopback server that runs the same command for each page that is opened."""

import importlib.util
import socket
import webbrowser
from typing import TYPE_CHECKING, Any

from llmprof_addon.errors import StartError

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"


def serve(command: str) -> int:
    """Serve until ctrl-C; opens the page. Raises `StartError` if the extra is not installed."""
    if importlib.util.find_spec("textual_serve") is None:
        raise StartError(
            "the browser view is not installed",
            hint='install the extra: uv tool install "llmprof-addon[web]" (or pip install)',
        )
    server = _server(command, _free_port())
    print(f"llmprof is at {server.public_url}      ctrl-C stops", flush=True)
    server.serve()
    return 0


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def _server(command: str, port: int) -> Any:
    from aiohttp import web
    from textual_serve.server import Server

    @web.middleware
    async def own_page(request: "web.Request", handler: Any) -> Any:
        """Refuse other sites' pages: prompts are private, and a browser lets any page connect to this machine."""
        own = f"{HOST}:{port}"
        origin = request.headers.get("Origin")
        if request.host != own or (origin is not None and origin != f"http://{own}"):
            raise web.HTTPForbidden(text="not from here")
        return await handler(request)

    class Local(Server):
        """For the pages that it served itself, and without a banner."""

        async def _make_app(self) -> "web.Application":
            made: web.Application = await super()._make_app()
            made.middlewares.append(own_page)
            return made

        async def on_startup(self, app: "web.Application") -> None:
            """The line is printed before; a machine without a browser says nothing."""
            webbrowser.open(self.public_url)

        def initialize_logging(self) -> None:
            """Nothing to say but failures, which come by themselves."""

    return Local(command, host=HOST, port=port, title="llmprof", public_url=f"http://{HOST}:{port}")
