"""Overwriting a secret: nothing of it is left, JSON stays JSON, and a second time changes nothing."""

import json

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.model.secrets import redact_bytes, redact_json, redact_text

values = st.recursive(
    st.none()
    | st.integers()
    | st.text()
    | st.sampled_from(["sk-fake-0123456789abcdef", "-----BEGIN PRIVATE KEY-----\n"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
known = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"\\'), min_size=8), max_size=3
)


@given(values, known, st.booleans())
def test_json_stays_json_and_the_value_is_gone(value: object, secrets: list[str], ascii_only: bool) -> None:
    body = json.dumps({"it": value, "key": secrets[:1]}, ensure_ascii=ascii_only)
    data, _ = redact_bytes(body.encode("utf-8", "surrogatepass"), sorted(secrets, key=len, reverse=True))
    json.loads(data)
    assert all(secret.encode() not in data for secret in secrets if secret not in "[redacted]")


@given(values)
def test_twice_is_once(value: object) -> None:
    once, _ = redact_json(value)
    assert redact_json(once) == (once, 0)
    text = json.dumps(value)
    redacted, _ = redact_text(text)
    assert redact_text(redacted)[1] == 0
