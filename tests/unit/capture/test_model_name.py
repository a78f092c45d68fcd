import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.capture.model_name import in_body, in_path, replaced_in_body, replaced_in_path


@pytest.mark.parametrize(
    ("path", "model", "other"),
    [
        (
            "/v1beta/models/gemini-2.5-pro:generateContent?alt=sse",
            "gemini-2.5-pro",
            "/v1beta/models/m@1:generateContent?alt=sse",
        ),
        ("/model/a.b-v1%3A0/converse", "a.b-v1:0", "/model/m@1/converse"),
        ("/openai/deployments/mine/chat/completions", "mine", "/openai/deployments/m@1/chat/completions"),
        ("/v1/models/gpt-5", None, "/v1/models/gpt-5"),
        ("/v1/chat/completions?x=/model/a/", None, "/v1/chat/completions?x=/model/a/"),
    ],
)
def test_in_a_path(path: str, model: str | None, other: str) -> None:
    assert in_path(path) == model
    assert replaced_in_path(path, "m@1") == other


@pytest.mark.parametrize(
    ("body", "model"),
    [
        (b'{"model":"a"}', "a"),
        (
            b' { "x" : [{"model":"no"}, "model", 1.5e3], "s": "\\"model\\": \\"no\\"" ,\n"model"\t: "\\u0061/b" } tail',
            "a/b",
        ),
        (b'\xef\xbb\xbf{"model":"a"}', "a"),
        (b'{"x":"\xff\xfe","model":"a\xc3\xa9"}', "aé"),
        (b'{"model":null}', None),
        (b'{"model":{"id":"a"}}', None),
        (b'[{"model":"a"}]', None),
        (b'{"x":1', None),
        (b'{"x" 1}', None),
        (b"{" * 100_000, None),
        (b'{"x":' + b"[" * 100_000, None),
        (b"", None),
    ],
)
def test_in_a_body(body: bytes, model: str | None) -> None:
    assert in_body(body) == model


@given(
    before=st.dictionaries(
        st.text().filter(lambda key: key != "model"), st.none() | st.integers() | st.text(), max_size=4
    ),
    model=st.text(),
    other=st.text(),
    tail=st.binary(),
)
def test_only_the_one_string_changes(before: dict[str, object], model: str, other: str, tail: bytes) -> None:
    head = json.dumps(before)[:-1] + (", " if before else "") + '"model" : '
    body = head.encode() + json.dumps(model).encode() + b" , " + tail
    assert replaced_in_body(body, other) == head.encode() + json.dumps(other).encode() + b" , " + tail


@given(st.binary())
def test_whatever_has_no_model_stays(body: bytes) -> None:
    if in_body(body) is None:
        assert replaced_in_body(body, "x") == body
