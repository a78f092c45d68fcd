"""Token counts of text in OpenAI's encodings, from files in this package: never the network.

The merge ranks are tiktoken's own files (see `data/LICENSE.encodings`), unpacked when an encoding is first used: about
0.3 s each. A text of any length and content has a count; nothing here raises for what a text contains.
"""

import lzma
import re
from binascii import a2b_base64
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

# How text is split before merging: tiktoken 0.12, `tiktoken_ext/openai_public.py`.
_PATTERNS = {
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|"
        r"\s+(?!\S)|\s"
    ),
    "o200k_base": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
ENCODINGS = tuple(_PATTERNS)

PIECE_CHARS = 100_000
"""Longest text handed to the tokenizer at once: it panics on a run of about 10^6 spaces, and not on 5 x 10^5."""

# Neither pattern has a match that spans these places, so that a text cut there counts the same as a whole one.
_SEAM = re.compile(r"(?<=\S)(?= )|(?<=\n)(?=[^\s/])|(?<=[A-Za-z0-9])(?=[!-&(-/:-@\[-`{-~])")


@cache
def _encoding(name: str) -> "tiktoken.Encoding":
    import tiktoken  # with its regular expressions: what reads stored counts alone needs neither

    packed = files("llmprof_addon.counting").joinpath("data", f"{name}.tiktoken.xz").read_bytes()
    # Lines of `<base64 token> <rank>`, ranks 0, 1, 2, … in order.
    tokens = lzma.decompress(packed).split()[::2]
    ranks = dict(zip(map(a2b_base64, tokens), range(len(tokens)), strict=True))
    return tiktoken.Encoding(name, pat_str=_PATTERNS[name], mergeable_ranks=ranks, special_tokens={})


def count(text: str, encoding: str) -> int:
    """Tokens of a text, special tokens such as `<|endoftext|>` read as plain text.

    Exact, except that a run of more than `PIECE_CHARS` characters without a seam (a megabyte of spaces or base64) may
    be off by a token for each piece. Lone surrogates count as U+FFFD.
    """
    tokenizer = _encoding(encoding)
    if len(text) <= PIECE_CHARS:
        return len(tokenizer.encode_ordinary(text))
    return sum(len(tokenizer.encode_ordinary(piece)) for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PIECE_CHARS:
        end = start + PIECE_CHARS
        # Seams are dense in ordinary text: the last stretch of the piece has one, or else we look at all of it.
        for reach in (1_000, PIECE_CHARS):
            seams = [seam.start() for seam in _SEAM.finditer(text, max(end - reach, start + 1), end)]
            if seams:
                end = seams[-1]
                break
        yield text[start:end]
        start = end
    yield text[start:]
