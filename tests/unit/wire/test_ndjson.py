from llmprof_addon.wire.ndjson import NdjsonDecoder, parse


def test_lines_of_any_kind() -> None:
    assert parse(b'{"a": 1}\r\n\n[2]\n"\xc3\xa9"') == [{"a": 1}, [2], "é"]
    assert parse(b"") == []


def test_cut_last_line_is_dropped_and_said() -> None:
    decoder = NdjsonDecoder()
    assert decoder.feed(b'{"a": 1}\n{"b": ') == [{"a": 1}]
    assert decoder.complete
    assert decoder.flush() == []
    assert not decoder.complete
    assert decoder.errors[0].offset == 15


def test_whole_last_line_without_line_end_is_kept() -> None:
    decoder = NdjsonDecoder()
    decoder.feed(b'{"a": 1}\n{"b"')
    decoder.feed(b": 2}")
    assert decoder.flush() == [{"b": 2}]
    assert decoder.complete


def test_unreadable_line_is_left_out_and_placed() -> None:
    decoder = NdjsonDecoder()
    assert decoder.feed(b"1\nnope\n2\n") == [1, 2]
    assert decoder.flush() == []
    assert decoder.complete
    assert [error.offset for error in decoder.errors] == [2]
    assert decoder.errors[0].message.startswith("line at byte 2: not JSON")
