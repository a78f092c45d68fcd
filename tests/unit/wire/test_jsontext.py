import math

import pytest

from llmprof_addon.errors import WireError
from llmprof_addon.wire.jsontext import loads


def test_values() -> None:
    assert loads(b'{"a": [1, 2.5, null, true, "\xc3\xa9"]}') == {"a": [1, 2.5, None, True, "é"]}
    assert loads('{"a": 1}') == {"a": 1}


def test_byte_order_marks() -> None:
    assert loads(b"\xef\xbb\xbf[1]") == [1]
    assert loads("\ufeff[1]") == [1]
    assert loads("[1]".encode("utf-16")) == [1]
    assert loads('["é"]'.encode("utf-16-le")) == ["é"]


def test_lone_surrogates_escaped_and_as_bytes() -> None:
    assert loads(rb'"\ud83d"') == "\ud83d"
    assert loads(b'"\xed\xa0\xbd"') == "\ud83d"


def test_numbers_that_json_does_not_have() -> None:
    assert math.isnan(loads(b"NaN"))
    assert loads(b"[-Infinity]") == [-math.inf]


def test_error_says_line_column_and_byte() -> None:
    with pytest.raises(WireError) as caught:
        loads('{"é": 1,\n  "b": oops}'.encode())
    assert caught.value.offset == 17
    assert "line 2 column 8 (byte 17)" in caught.value.message


def test_error_offset_counts_the_byte_order_mark() -> None:
    with pytest.raises(WireError) as caught:
        loads(b"\xef\xbb\xbf[x]")
    assert caught.value.offset == 4


def test_bytes_that_are_no_utf8() -> None:
    with pytest.raises(WireError) as caught:
        loads(b'{"a":\n "\xff"}')
    assert caught.value.offset == 8
    assert "line 2 column 3 (byte 8)" in caught.value.message


@pytest.mark.parametrize(
    "text", [b"[" * 200_000, b'{"a":' * 200_000, b"9" * 5000, b"", b"\xef\xbb\xbf", b"\xff\xfe\x00"]
)
def test_nothing_but_wire_errors(text: bytes) -> None:
    with pytest.raises(WireError):
        loads(text)
