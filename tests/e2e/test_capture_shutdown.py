"""How a proxy ends: running answers come to their end first, and what cannot is kept as aborted."""

import http.client
import signal
import socket
import time
from pathlib import Path

from llmprof_addon.spool import files
from tests.e2e.replay import Answer, Replay
from tests.e2e.running import Proxy, running, until

EVENTS = [b'data: {"n": %d}\n\n' % number for number in range(6)]
CHAT = "/v1/chat/completions"


def streaming(pause_seconds: float) -> Answer:
    sse = (("content-type", "text/event-stream"),)
    return Answer(headers=sse, framing="chunked", chunks=EVENTS, pause_seconds=pause_seconds)


def begin(proxy: Proxy) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.reverse_port, timeout=120)
    connection.request("POST", CHAT, b"{}")
    response = connection.getresponse()
    assert response.read1(1000) == EVENTS[0]
    return response


def outcomes(home: Path) -> list[tuple[str, bytes]]:
    kept = [files.decode(path.read_bytes()) for path in (home / "kept").glob("*.exchange")]
    return [(exchange.outcome, exchange.response_body) for exchange in kept]


def test_a_signal_lets_running_answers_end(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Replay(lambda _: streaming(0.3)) as server:
        with running(home, upstream=server.url, upstream_proxy="", capture=str(home / "kept")) as proxy:
            idle = socket.create_connection(("127.0.0.1", proxy.reverse_port))
            response = begin(proxy)
            proxy.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            with socket.socket() as late:
                assert late.connect_ex(("127.0.0.1", proxy.reverse_port)) != 0
            assert response.read() == b"".join(EVENTS[1:])
            ended = time.monotonic()
            assert proxy.process.wait(120) == 0
            assert time.monotonic() - ended < 8  # an idle connection is not waited for
            idle.close()
        assert proxy.rows(1)[0]["outcome"] == "complete"
    assert outcomes(home) == [("complete", b"".join(EVENTS))]
    assert list((home / "proxies").iterdir()) == []
    assert "Traceback" not in proxy.log


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Replay(lambda _: streaming(3.0)) as server:
        with running(home, upstream=server.url, upstream_proxy="", capture=str(home / "kept")) as proxy:
            response = begin(proxy)
            began = time.monotonic()
            proxy.process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            proxy.process.send_signal(signal.SIGINT)
            assert proxy.process.wait(120) == 0
            assert time.monotonic() - began < 9
            response.close()
        (row,) = proxy.rows(1)
        assert row["outcome"] == "aborted"
    ((outcome, body),) = outcomes(home)
    assert (outcome, body[: len(EVENTS[0])]) == ("aborted", EVENTS[0])
    assert "Traceback" not in proxy.log


def test_state_of_a_killed_proxy_is_not_believed(tmp_path: Path) -> None:
    from llmprof_addon.spool.proxies import living

    home = tmp_path / "home"
    with running(home, upstream_proxy="") as proxy:
        until(lambda: len(living(home)) == 1, 120)
        proxy.process.kill()
        proxy.process.wait(120)
        assert living(home) == []
