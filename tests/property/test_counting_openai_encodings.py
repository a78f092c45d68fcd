from hypothesis import given, settings
from hypothesis import strategies as st

from llmprof_addon.counting import encodings
from llmprof_addon.counting.encodings import ENCODINGS, _encoding, count

ATOMS = st.sampled_from(
    [" ", "  ", "\n", "\r\n", "\t", "/", "//", "a", "The", "'s", "1234", "{", '"', "é", "中", "😀", ".\n", "=" * 9]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(ATOMS, max_size=60), st.integers(20, 60), st.sampled_from(ENCODINGS))
def test_cutting_at_seams_never_changes_a_count(atoms, piece, name):
    text = "".join(atoms)
    kept, encodings.PIECE_CHARS = encodings.PIECE_CHARS, piece
    try:
        pieces = list(encodings._pieces(text))
    finally:
        encodings.PIECE_CHARS = kept
    assert "".join(pieces) == text
    assert all(0 < len(each) <= piece for each in pieces[:-1])
    whole = len(_encoding(name).encode_ordinary(text))
    at_seams = all(encodings._SEAM.match(text, len("".join(pieces[: i + 1]))) for i in range(len(pieces) - 1))
    if at_seams:
        assert sum(count(each, name) for each in pieces) == whole


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec=None), max_size=200), st.sampled_from(ENCODINGS))
def test_every_text_has_a_count_of_at_most_its_bytes(text, name):
    # A lone surrogate becomes U+FFFD, three bytes.
    assert (0 < count(text, name) <= len(text.encode("utf-8", "surrogatepass"))) if text else count(text, name) == 0
