"""Raw counts: how many tokens a part's own text has, by what it is made of, in one encoding.

They depend on the part alone, so that the store keeps them with the part and no later call tokenises it again; what a
family makes of them (framing, coefficients) is applied per call.
"""

import json
import re

from llmprof_addon.counting.encodings import count
from llmprof_addon.model.count import RawCount
from llmprof_addon.model.part import Part, PartKind

_JSON_KINDS = (PartKind.TOOL_CALL, PartKind.TOOL_SCHEMA, PartKind.OUTPUT_SCHEMA)
_LABELLED = (PartKind.TEXT, PartKind.TOOL_CALL, PartKind.TOOL_RESULT)

# Greek and all that stands behind it, without punctuation and symbols (U+1E00.. extended Latin, U+2000.., U+FF00..).
_NONLATIN = re.compile(
    "[\u0370-\u1dff\u1f00-\u1fff\u2c80-\u2dff\u3040-\ud7ff\uf900-\ufaff\ufb13-\ufdff\ufe70-\ufefe\uff66-\uffdc"
    "\U00010000-\U0001cfff\U0001e000-\U0001efff\U00020000-\U000323af]"
)
_SPACED = re.compile(r"[:,{\[]\s")
_SAMPLE_CHARS = 20_000
_NONLATIN_SHARE = 0.3


def count_part(part: Part, encoding: str) -> RawCount:
    """Tokens of one part's text, of its label and of its inner parts; each text is tokenised once.

    The arguments of a call are counted as compact JSON, which is what a prompt holds of them.
    A text is one thing as a whole: `json` if it is a call's arguments, a schema or reads like a JSON object or list,
    `nonlatin` if at least a third of its letters are of other scripts, else `prose`.
    """
    inner = tuple(count_part(each, encoding) for each in part.inner)
    label = count(part.name, encoding) if part.name and part.kind in _LABELLED else 0
    if not part.text:
        return RawCount(prose=_token_ids(part), label=label, inner=inner)
    text = _as_billed(part.text) if part.kind is PartKind.TOOL_CALL else part.text
    tokens = count(text, encoding)
    if part.kind in _JSON_KINDS or _looks_like_json(part.text):
        return RawCount(json=tokens, label=label, inner=inner)
    if _mostly_nonlatin(part.text):
        return RawCount(nonlatin=tokens, label=label, inner=inner)
    return RawCount(prose=tokens, label=label, inner=inner)


def fits(raw: RawCount, part: Part) -> bool:
    """Whether a count is that of a part so made; dialects that share a node may find other parts inside."""
    if not (raw.inner or part.inner):
        return True
    return len(raw.inner) == len(part.inner) and all(map(fits, raw.inner, part.inner))


def _token_ids(part: Part) -> int:
    """How many tokens a part is that was sent as token ids."""
    ids = part.value if part.kind is PartKind.TEXT and part.text is None else None
    return len(ids) if isinstance(ids, list) else 0


def _as_billed(arguments: str) -> str:
    """Arguments of a call as providers write them into a prompt: without the white space that the model put in."""
    if not _SPACED.search(arguments):
        return arguments
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return arguments


def _looks_like_json(text: str) -> bool:
    ends = text[:64].lstrip()[:1] + text[-64:].rstrip()[-1:]
    return ends == "{}" or (ends == "[]" and not text.lstrip()[1:].lstrip()[:1].isalpha())


def _mostly_nonlatin(text: str) -> bool:
    if text.isascii():
        return False
    sample = text[:_SAMPLE_CHARS]
    letters = sum(map(str.isalpha, sample))
    return len(_NONLATIN.findall(sample)) > _NONLATIN_SHARE * max(letters, 1)
