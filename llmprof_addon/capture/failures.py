"""What a client is told when its call cannot be answered: JSON in its own dialect, where mitmproxy would send HTML.

`JsonStream` takes the place of mitmproxy's `HttpStream` in llmprof's own proxy. A mitmproxy of the user's keeps its
own behaviour.
"""

import json
from collections.abc import Callable
from typing import Any

from mitmproxy import http
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers import http as layer
from mitmproxy.proxy.layers.http._events import (
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)

from llmprof_addon.providers.registry import api_of

OWN = "llmprof_own"
"""Key in a flow's metadata: llmprof itself will answer, so the request is not streamed and its body dropped."""
IS_DIRECT = "llmprof_is_direct"
"""Key in a flow's metadata: sent to the forward listener as if that were the server."""
CLIENT_LEFT = "llmprof_client_left"
"""Key in a flow's metadata: its error came from the client's side."""
ANSWERS_JSON = "llmprof_answers_json"
"""Key in a flow's metadata: an error is told as JSON."""


def error_response(path: str, status: int, code: str, message: str) -> http.Response:
    """An error in the dialect of the request's path; in OpenAI's where the path tells none."""
    body: dict[str, Any] = {"error": {"message": message, "type": "api_error", "param": None, "code": code}}
    if "/messages" in path.partition("?")[0]:
        body = {"type": "error", "error": {"type": "api_error", "message": message}}
    elif shape := _SHAPES.get(api_of(path) or ""):
        body = shape(status, code, message)
    return http.Response.make(status, json.dumps(body), {"content-type": "application/json"})


_SHAPES: dict[str, Callable[[int, str, str], dict[str, Any]]] = {
    "gemini.generate_content": lambda status, code, message: {
        "error": {"code": status, "message": message, "status": code.upper()}
    },
    "ollama.chat": lambda _, code, message: {"error": message},
    "ollama.generate": lambda _, code, message: {"error": message},
    "bedrock.converse": lambda _, code, message: {"message": message},
    "bedrock.invoke": lambda _, code, message: {"message": message},
}


class JsonStream(layer.HttpStream):
    """An HTTP stream whose failure upstream, before any answer came, is told as JSON.

    The body of a request that llmprof answers itself is dropped as it comes.
    """

    def check_invalid(self, request: bool) -> CommandGenerator[bool]:
        """As in `HttpStream`; notes how the request addresses us, which mitmproxy forgets after this."""
        if (
            request
            and self.mode is not layer.HTTPMode.transparent
            and self.flow.request.first_line_format == "relative"
        ):
            self.flow.metadata[IS_DIRECT] = True
        return (yield from super().check_invalid(request))

    def check_body_size(self, request: bool) -> CommandGenerator[bool]:
        """As in `HttpStream`, but of what nobody reads nothing is held, however long it is."""
        if request and OWN in self.flow.metadata:
            self.request_body_buf.clear()
            return False
        return (yield from super().check_body_size(request))

    def handle_protocol_error(self, event: RequestProtocolError | ResponseProtocolError) -> CommandGenerator[None]:
        """As in `HttpStream`, but for what is sent to the client."""
        self.flow.metadata[CLIENT_LEFT] = isinstance(event, RequestProtocolError)
        tells = self.flow.response is None and self.flow.metadata.get(ANSWERS_JSON, False)
        for command in super().handle_protocol_error(event):
            if tells and isinstance(command, layer.SendHttp) and isinstance(command.event, ResponseProtocolError):
                yield from self._tell(command.event)
            else:
                yield command

    def _tell(self, event: ResponseProtocolError) -> CommandGenerator[None]:
        request, client = self.flow.request, self.context.client
        where = f"{request.scheme}://{request.host}:{request.port}"
        message = f"llmprof: no answer from {where}: {event.message}"
        answer = error_response(request.path, event.code.http_status_code() or 502, "upstream_error", message)
        if not (request.is_http2 or request.is_http3):
            # The rest of a request that was being streamed is nobody's any more.
            answer.headers["connection"] = "close"
        yield layer.SendHttp(ResponseHeaders(self.stream_id, answer, end_stream=False), client)
        yield layer.SendHttp(ResponseData(self.stream_id, answer.raw_content or b""), client)
        yield layer.SendHttp(ResponseEndOfMessage(self.stream_id), client)


def install() -> None:
    """Let every connection of this process use `JsonStream`."""
    layer.HttpStream = JsonStream  # type: ignore[misc]  # the name by which `HttpLayer.make_stream` finds it
