import hashlib
import lzma
from importlib.resources import files

import pytest

from llmprof_addon.counting.encodings import ENCODINGS, PIECE_CHARS, _encoding, count

# `expected_hash` of tiktoken_ext/openai_public.py.
SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_vendored_file_is_tiktokens_own(name):
    packed = files("llmprof_addon.counting").joinpath("data", f"{name}.tiktoken.xz").read_bytes()
    assert hashlib.sha256(lzma.decompress(packed)).hexdigest() == SHA256[name]


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_split_pattern_is_tiktokens_own(name):
    import tiktoken_ext.openai_public as public

    kept, public.load_tiktoken_bpe = public.load_tiktoken_bpe, lambda *_, **__: {}
    try:
        assert _encoding(name)._pat_str == public.ENCODING_CONSTRUCTORS[name]()["pat_str"]
    finally:
        public.load_tiktoken_bpe = kept


@pytest.mark.parametrize(
    ("text", "cl100k", "o200k"),
    [
        ("", 0, 0),
        ("hello world", 2, 2),
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 9, 8),
        ("<|endoftext|>", 7, 7),
    ],
)
def test_counts_of_published_examples(text, cl100k, o200k):
    assert (count(text, "cl100k_base"), count(text, "o200k_base")) == (cl100k, o200k)


@pytest.mark.parametrize("name", ENCODINGS)
def test_any_content_has_a_count(name):
    assert count("a\ud800b", name) == count("a\ufffdb", name)
    assert count(" " * 1_000_000, name) > 1000
    assert count("x" + "\t" * 1_200_000 + "y", name) > 1000
    assert count("A" * 300_000, name) >= 300_000 // 128


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize(
    "line",
    [
        "The quick brown fox, 1234567 times over the lazy dog's fence.\n",
        '{"path": "src/main.py", "lines": [1, 22, 333]},',
        "    if x:\n        return y  # why\n\n\n",
        "//path/to/file\n/and/another\n\r\n",
        "многоязычный текст и 中文字符 ",
        "a\n \n  \nb/\n/",
    ],
)
def test_a_long_text_counts_as_if_it_were_tokenised_at_once(name, line):
    text = line * (250_000 // len(line))
    assert len(text) > 2 * PIECE_CHARS
    assert count(text, name) == len(_encoding(name).encode_ordinary(text))
