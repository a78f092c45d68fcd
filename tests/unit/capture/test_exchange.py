from mitmproxy import http
from mitmproxy.test import tflow, tutils

from llmprof_addon.capture.exchange import Pending, finished, saved, take_wishes
from llmprof_addon.capture.tee import Tee


def flow(**headers: str) -> http.HTTPFlow:
    made = tflow.tflow(req=tutils.treq(method=b"POST", path=b"/v1/chat/completions"), resp=True)
    for name, value in headers.items():
        made.request.headers[name.replace("_", "-")] = value
    return made


def test_wishes_are_read_and_removed() -> None:
    request = flow(X_LLMProf_Session=" run 7 ", x_llmprof_tag="a:b, c ,d:e:f", X_LLMPROF_PROVIDER="Groq").request
    wishes = take_wishes(request)
    assert (wishes.session, wishes.provider) == ("run 7", "groq")
    assert wishes.tags == (("a", "b"), ("c", ""), ("d", "e:f"))
    assert not [name for name in request.headers if "llmprof" in name.lower()]


def test_other_headers_stay_as_they_are() -> None:
    request = flow(x_llmprofiler="stays", X_Probe="A").request
    before = request.headers.fields
    assert take_wishes(request).session is None
    assert request.headers.fields is before


def test_a_streamed_answer_is_what_the_tee_saw() -> None:
    made, tee = flow(), Tee()
    made.response = tutils.tresp(content=None)
    made.response.headers["content-type"] = "text/event-stream; charset=utf-8"
    pending = Pending(flow=made, mode="reverse", url="https://h/v1/chat/completions", wishes=take_wishes(made.request))
    pending.tee = tee
    tee(b"data: 1\n\n")
    exchange = finished(pending, "complete")
    assert (exchange.response_body, exchange.transport) == (b"data: 1\n\n", "sse")
    assert exchange.started_ns <= (exchange.first_chunk_ns or 0) <= exchange.ended_ns
    assert exchange.request_body == b"content"
    assert len(exchange.id) == 32


def test_a_clock_that_is_set_back_makes_no_time_negative() -> None:
    made, tee = flow(), Tee()
    pending = Pending(flow=made, mode="reverse", url="https://h/", wishes=take_wishes(made.request), tee=tee)
    tee(b"data: 1\n\n", pending.started_ns - 5_000)
    exchange = finished(pending, "complete", ended_ns=pending.started_ns - 1_000)
    assert exchange.started_ns == exchange.first_chunk_ns == exchange.ended_ns == pending.started_ns


def test_an_answer_of_another_addon_is_kept() -> None:
    made = flow()
    pending = Pending(flow=made, mode="forward", url="https://h/", wishes=take_wishes(made.request))
    exchange = finished(pending, "complete")
    assert (exchange.response_body, exchange.status, exchange.first_chunk_ns) == (b"message", 200, None)


def test_saved_flows_have_ids_of_their_own() -> None:
    one, other = flow(), flow()
    assert saved(one).id == saved(one).id
    assert saved(one).id != saved(other).id
    assert len(saved(one).id) == 32
    assert saved(one).mode == "import"


def test_har_entries_have_ids_of_their_content() -> None:
    one, other = flow(), flow()
    for made in (one, other):
        made.client_conn.peername = ("127.0.0.1", 0)
    assert one.id != other.id
    assert saved(one).id == saved(other).id
    other.request.raw_content = b"something else"
    assert saved(one).id != saved(other).id
    later = flow()
    later.client_conn.peername = ("127.0.0.1", 0)
    later.request.timestamp_start += 1
    assert saved(one).id < saved(later).id


def test_a_saved_flow_without_an_answer() -> None:
    made = tflow.tflow(err=True)
    exchange = saved(made)
    assert (exchange.outcome, exchange.error, exchange.status) == ("error", "error", None)
