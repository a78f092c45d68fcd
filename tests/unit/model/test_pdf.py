import zlib

from llmprof_addon.model.pdf import pages

HEAD = b"%PDF-1.5\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"


def page(number: int) -> bytes:
    return b"%d 0 obj\n<< /Type/Page /Parent 2 0 R >>\nendobj\n" % number


def packed(objects: bytes) -> bytes:
    data = zlib.compress(objects)
    head = b"9 0 obj\n<< /Type /ObjStm /N 3 /First 20 /Filter /FlateDecode /Length %d >>\nstream\n" % len(data)
    return head + data + b"\nendstream\nendobj\n"


def test_page_objects_are_counted_and_page_trees_are_not() -> None:
    tree = b"2 0 obj\n<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>\nendobj\n"
    assert pages(HEAD + tree + page(3) + page(4)) == 2


def test_pages_in_an_object_stream() -> None:
    assert pages(HEAD + packed(page(3) + page(4) + page(5))) == 3


def test_the_count_of_the_page_tree_serves_where_the_pages_cannot_be_read() -> None:
    tree = b"<< /Type /Pages /Count 4 >> << /Type /Pages /Count 12 >>"
    assert pages(HEAD + tree) == 12


def test_no_pages_no_number() -> None:
    assert pages(b"%PDF-1.7\n") is None
    assert pages(HEAD + b"<< /Type /ObjStm /Filter /FlateDecode >>\nstream\nthis is not deflate") is None
