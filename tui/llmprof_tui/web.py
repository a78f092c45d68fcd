"""The UI in a browser: a loopback server that runs the same command for each page that is opened.

Who may open it has the address that was printed, with its token: prompts are private, other people of the machine reach
its loopback as well, and a browser lets any site's page connect there.
"""

import importlib.util
import secrets
import socket
import webbrowser
from typing import TYPE_CHECKING, Any

from llmprof_addon.errors import StartError

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
COOKIE = "llmprof-{port}"
"""Cookies do not know of ports: each server has a name of its own."""
POLICY = "default-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws://{host}"
"""The page's template names a font of another site, which need not learn of it."""


def serve(command: str) -> int:
    """Serve until ctrl-C; opens the page. Raises `StartError` if the extra is not installed."""
    if importlib.util.find_spec("textual_serve") is None:
        raise StartError(
            "the browser view is not installed",
            hint='install the extra: uv tool install "llmprof-addon[web]" (or pip install)',
        )
    token = secrets.token_urlsafe(16)
    server = _server(command, _free_port(), token)
    print(f"llmprof is at {server.public_url}/?token={token}      ctrl-C stops", flush=True)
    server.serve()
    return 0


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def _server(command: str, port: int, token: str) -> Any:
    from aiohttp import web
    from textual_serve.server import Server

    own, cookie = f"{HOST}:{port}", COOKIE.format(port=port)

    @web.middleware
    async def own_page(request: "web.Request", handler: Any) -> Any:
        """Refuse whoever does not have the token, and other sites' pages."""
        origin = request.headers.get("Origin")
        if request.host != own or (origin is not None and origin != f"http://{own}"):
            raise web.HTTPForbidden(text="not from here")
        shown = request.query.get("token") or request.cookies.get(cookie, "")
        if not secrets.compare_digest(shown.encode(), token.encode()):
            raise web.HTTPForbidden(text="open the address that llmprof printed, with its token")
        response = await handler(request)
        if not response.prepared:  # a WebSocket's was sent long ago
            response.headers["Content-Security-Policy"] = POLICY.format(host=own)
            response.headers["Referrer-Policy"] = "no-referrer"
            response.set_cookie(cookie, token, httponly=True, samesite="Strict")
        return response

    class Local(Server):
        """For the pages that it served itself, and without a banner."""

        async def _make_app(self) -> "web.Application":
            made: web.Application = await super()._make_app()
            made.middlewares.append(own_page)
            return made

        async def on_startup(self, app: "web.Application") -> None:
            """The line is printed before; a machine without a browser says nothing."""
            webbrowser.open(f"{self.public_url}/?token={token}")

        def initialize_logging(self) -> None:
            """Nothing to say but failures, which come by themselves."""

    return Local(command, host=HOST, port=port, title="llmprof", public_url=f"http://{own}")
