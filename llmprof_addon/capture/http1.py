"""What mitmproxy's HTTP/1 leaves out: trailers, on which it hangs, and interim answers, which it takes for the answer.

Both are passed on as they came. The classes take the places of mitmproxy's in llmprof's own proxy; a mitmproxy of the
user's keeps its own behaviour.
"""

from h11 import Data, EndOfMessage
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy import http
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers import http as layer
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.proxy.layers.http._base import HttpCommand, ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    HttpEvent,
    RequestEndOfMessage,
    RequestTrailers,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseTrailers,
)

_LAST_CHUNK = b"0\r\n\r\n"
_SWITCHING = 101
"""The one status of its kind that is an answer."""

_usual_reader = _http1.make_body_reader


class TrailingReader(ChunkedReader):
    """Chunks as h11 reads them; mitmproxy is shown an end without trailers, which stay here."""

    def __init__(self) -> None:
        super().__init__()
        self.trailers: http.Headers | None = None

    def __call__(self, buf: ReceiveBuffer) -> Data | EndOfMessage | None:
        event = super().__call__(buf)
        if isinstance(event, EndOfMessage) and event.headers:
            self.trailers = http.Headers(event.headers.raw_items())
            return EndOfMessage()
        return event


class _Trailing(_http1.Http1Connection):
    """A connection that receives trailers and sends them."""

    _to_send: http.Headers | None = None

    def read_body(self, event: events.Event) -> CommandGenerator[None]:
        body = super().read_body(event)
        return self._with_trailers(body) if isinstance(self.body_reader, TrailingReader) else body

    def _with_trailers(self, body: CommandGenerator[None]) -> CommandGenerator[None]:
        for command in body:
            if isinstance(command, ReceiveHttp) and (trailers := getattr(self.body_reader, "trailers", None)):
                of = {RequestEndOfMessage: RequestTrailers, ResponseEndOfMessage: ResponseTrailers}
                if kind := of.get(type(command.event)):
                    if self.request is not None and not self.request.http_version.startswith("HTTP/1"):
                        # The other end speaks HTTP/2, where names are in lower case.
                        trailers = http.Headers((name.lower(), value) for name, value in trailers.fields)
                    yield ReceiveHttp(kind(command.event.stream_id, trailers))
            yield command

    def send(self, event: HttpEvent) -> CommandGenerator[None]:
        if isinstance(event, RequestTrailers | ResponseTrailers):
            self._to_send = event.trailers  # sent with the end of the message, which follows
            yield from ()
            return
        sent = super().send(event)
        if self._to_send is None:
            yield from sent
            return
        last, self._to_send = b"0\r\n%s\r\n" % bytes(self._to_send), None
        for command in sent:
            is_last = isinstance(command, commands.SendData) and command.data == _LAST_CHUNK
            yield commands.SendData(self.conn, last) if is_last else command


class Server(_Trailing, _http1.Http1Server):
    """Towards a client."""


class Client(_Trailing, _http1.Http1Client):
    """Towards a server."""

    def read_headers(self, event: events.ConnectionEvent) -> CommandGenerator[None]:
        """As in `Http1Client`; an interim answer goes to the client, and what follows it is read."""
        while True:
            for command in super().read_headers(event):
                if _is_interim(command):
                    break
                yield command
            else:
                return
            assert isinstance(command, ReceiveHttp)
            assert isinstance(command.event, ResponseHeaders)
            if self.request is not None and self.request.http_version != "HTTP/1.0":
                interim = ResponseHeaders(command.event.stream_id, command.event.response, end_stream=False)
                yield layer.SendHttp(interim, self.context.client)
            self.response = None
            event = events.DataReceived(self.conn, b"")


def _is_interim(command: HttpCommand | commands.Command) -> bool:
    if not isinstance(command, ReceiveHttp) or not isinstance(command.event, ResponseHeaders):
        return False
    status = command.event.response.status_code
    return 100 <= status < 200 and status != _SWITCHING


def _reader(expected_size: int | None) -> _http1.TBodyReader:
    return TrailingReader() if expected_size is None else _usual_reader(expected_size)


def install() -> None:
    """Let every connection of this process use these classes."""
    # The names by which `HttpLayer` and `HttpClient` find them.
    layer.Http1Client = Client  # type: ignore[attr-defined]
    layer.Http1Server = Server  # type: ignore[attr-defined]
    _http1.make_body_reader = _reader
