import asyncio
from collections.abc import Callable, Iterator
from copy import copy
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http, options
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client, Server
from mitmproxy.master import Master
from mitmproxy.proxy import commands, events, mode_specs
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http._hooks import HttpRequestHeadersHook, HttpRequestHook

from llmprof_addon.capture import lean
from llmprof_addon.capture.dispatch import Dispatch

NAMES = st.sampled_from([b"Accept", b"accept", b"ACCEPT", b"host", b"x-\xff"])
FIELDS = st.lists(st.tuples(NAMES, st.sampled_from([b"", b"a", b"b, c", b"\xff"])), max_size=5)


@given(FIELDS, st.sampled_from(["accept", "Accept", b"HOST", "x-\udcff", "none"]))
def test_headers_are_found_as_mitmproxy_finds_them(fields: list[tuple[bytes, bytes]], name: str | bytes) -> None:
    headers = http.Headers(fields)
    assert lean.get_all(headers, name) == headers.get_all(name)
    assert lean.get(headers, name) == headers.get(name)
    assert lean.get(headers, name, "other") == headers.get(name, "other")
    assert lean.contains(headers, name) == (name in headers)


def test_a_forked_context_has_the_same_ends_and_layers_of_its_own() -> None:
    client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))
    context = Context(client, options.Options())
    context.layers.append(layer := object())  # type: ignore[arg-type]
    forked, theirs = lean.fork(context), context.fork()
    assert vars(forked) == vars(theirs)
    forked.layers.append(object())  # type: ignore[arg-type]
    assert context.layers == [layer]


class Writer:
    """The side of a connection that is written to."""

    def __init__(self, log: list[Any], name: str):
        self.log, self.name = log, name

    def get_extra_info(self, what: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(what, default)

    def write(self, data: bytes) -> None:
        self.log.append((self.name, data))

    def is_closing(self) -> bool:
        return False


class Listener:
    def __init__(self, log: list[Any]):
        self.log = log

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        self.log.append("requestheaders")
        raise ValueError("of an addon")


class Slow:
    def __init__(self, log: list[Any]):
        self.log = log

    async def request(self, flow: http.HTTPFlow) -> None:
        await asyncio.sleep(0)
        self.log.append("request")


type Commands = Callable[[lean.Handler, events.Event], Iterator[commands.Command]]


async def handled(layer: Commands, log: list[Any]) -> None:
    """Give a handler with this layer an event, and wait for all that follows from it."""
    opts = options.Options()
    master = Master(opts)
    master.addons = Dispatch(master)
    master.addons.add(Proxyserver(), Listener(log), Slow(log))  # type: ignore[no-untyped-call]
    writer: Any = Writer(log, "client")
    handler = lean.Handler(master, writer, writer, opts, mode_specs.ProxyMode.parse("regular"))  # type: ignore[no-untyped-call]
    there: Any = SimpleNamespace(handle_event=lambda event: layer(handler, event))
    handler.layer = there
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    await handler.server_event(events.Start())
    await asyncio.gather(*asyncio.all_tasks(loop) - {asyncio.current_task()})


@pytest.mark.parametrize("size", [10, lean.JOINED_BYTES])
async def test_hooks_are_done_in_place_and_behind_what_was_sent_before(
    size: int, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[Any] = []
    upstream = Server(address=("upstream", 80))

    def layer(handler: lean.Handler, event: events.Event) -> Iterator[commands.Command]:
        flow = http.HTTPFlow(handler.client, upstream)
        if isinstance(event, events.Start):
            handler.transports[upstream] = copy(handler.transports[handler.client])
            handler.transports[upstream].writer = Writer(log, "upstream")  # type: ignore[assignment]
            yield commands.SendData(handler.client, b"100")
            yield HttpRequestHeadersHook(flow)
            log.append("and on")
        elif isinstance(event.command, HttpRequestHeadersHook):  # type: ignore[attr-defined]
            yield commands.SendData(upstream, b"head")
            yield commands.SendData(handler.client, b"x")
            yield commands.SendData(upstream, b"b" * size)
            yield HttpRequestHook(flow)
        else:
            yield commands.SendData(Server(address=("gone", 1)), b"to nobody")
            yield commands.SendData(handler.client, b"end")

    await handled(layer, log)
    body = b"b" * size
    sent = [("upstream", b"head" + body)] if size == 10 else [("upstream", b"head"), ("upstream", body)]
    assert log == [
        ("client", b"100"),
        "requestheaders",
        "and on",
        *sent,
        ("client", b"x"),
        "request",
        ("client", b"end"),
    ]
    assert "error in requestheaders" in caplog.text


async def test_where_a_layer_fails_what_was_to_be_sent_is_sent_and_the_connection_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log: list[Any] = []

    def layer(handler: lean.Handler, event: events.Event) -> Iterator[commands.Command]:
        handler.transports[handler.client].handler = SimpleNamespace(cancel=log.append)  # type: ignore[assignment]
        yield commands.SendData(handler.client, b"some")
        raise ValueError("in a layer")

    await handled(layer, log)
    assert log == [("client", b"some"), "closed by command"]
    assert "which is closed: ValueError: in a layer" in caplog.text
