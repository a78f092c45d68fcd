"""What a person types -> a query: words, phrases and filters. Pure; any text is a query or a `QueryError` of one line.

`word` (in any case), `start*`, `"a phrase"`, `-word` (is not in it); `name.of/something` is a phrase. All have to be in
one text. Filters are `KEY:VALUE` (`-KEY:VALUE` for all others) of `KEYS`, and `cost>0.1`, `tokens>=50000`. There are
no other operators: `OR` and `NEAR` are words.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Literal

from llmprof_addon.errors import ConfigError
from llmprof_addon.model.cost import PICO
from llmprof_addon.store.search_words import Phrase, words

KEYS = ("model", "provider", "app", "tag", "status", "tool", "has", "after", "before", "cost", "tokens")
HAS = ("image", "error", "break")
LEAST_PREFIX = 3
"""Characters before `*`: a shorter start is in every text, and takes seconds in a large store."""

MOST_TERMS = 40
MOST_CHARS = 2_000

type Key = Literal["model", "provider", "app", "tag", "status", "tool", "has", "started_ns", "cost", "tokens"]


class QueryError(ConfigError):
    """A query that cannot be understood; message and hint are one line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One condition on a call."""

    key: Key
    value: str = ""
    """Of names: what is in them, in lower case. Of `status`: `200`, `5xx`, `ok` or `error`."""
    least: int | None = None
    """Of numbers: pico-dollars, tokens, ns since the epoch; at least this many, and"""
    most: int | None = None
    """at most this many."""
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked for."""

    wanted: tuple[Phrase, ...] = ()
    unwanted: tuple[Phrase, ...] = ()
    filters: tuple[Filter, ...] = ()


_TOKEN = re.compile(
    r"""
    (?P<minus>-?)
    (?: (?P<key>[^\W\d]\w*) (?P<relation>:|>=|<=|>|<) (?: "(?P<said>[^"]*)"? | (?P<bare>[^\s"]+) )
      | "(?P<phrase>[^"]*)(?P<closed>"?)(?P<star>\*?)
      | (?P<word>[^\s"]+)
    )
    """,
    re.VERBOSE,
)


def parse_query(text: str) -> Query:
    """Read a query. A quote that is not closed reaches to the end. Raises `QueryError`."""
    if len(text) > MOST_CHARS:
        raise QueryError(f"the query is longer than {MOST_CHARS:,} characters", hint="search for less of it")
    wanted: list[Phrase] = []
    unwanted: list[Phrase] = []
    filters: list[Filter] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            at += 1
            continue
        at = found.end()
        negated = bool(found["minus"])
        one = _filter(found, negated)
        if one is not None:
            filters.append(one)
        elif (phrase := _phrase(found)) is not None:
            (unwanted if negated else wanted).append(phrase)
    if len(wanted) + len(unwanted) + len(filters) > MOST_TERMS:
        raise QueryError(f"the query has more than {MOST_TERMS} terms", hint="search for fewer words")
    if unwanted and not wanted:
        raise QueryError("a query of words that must not be there finds everything", hint="add one that has to be")
    if not wanted and not filters:
        what = "there is no word to search for" + (f" in {text.strip()[:40]!r}" if text.strip() else "")
        raise QueryError(what, hint='give a word, a "phrase", or a filter such as model:NAME')
    return Query(wanted=tuple(wanted), unwanted=tuple(unwanted), filters=tuple(filters))


def _phrase(found: re.Match[str]) -> Phrase | None:
    if found["phrase"] is not None:
        said, prefix = found["phrase"], bool(found["star"]) or found["phrase"].endswith("*")
    else:
        said = found["word"] or f"{found['key']}{found['relation']}{found['said'] or found['bare'] or ''}"
        prefix = said.endswith("*")
    parts = tuple(words(said))
    if not parts:
        return None
    if prefix and len(parts[-1]) < LEAST_PREFIX:
        raise QueryError(f"too much starts with {said!r}", hint=f"give at least {LEAST_PREFIX} letters before the *")
    return Phrase(parts, prefix)


def _filter(found: re.Match[str], negated: bool) -> Filter | None:
    """The filter, if what was found is one; what only looks like one (`http://…`, `std::map`) is text."""
    key, relation = (found["key"] or "").lower(), found["relation"]
    if not key:
        said = (found["word"] or "").lower()
        if (bare := said.rstrip(":<>=")) != said and bare in KEYS:
            raise QueryError(f"{said} needs a value", hint=_EXAMPLES[bare])
        return None
    value = (found["said"] if found["said"] is not None else found["bare"] or "").strip()
    if key not in KEYS:
        close = get_close_matches(key, KEYS, n=1, cutoff=0.75)
        if close and relation == ":" and value and value[0] not in ":/":
            hint = f'did you mean {close[0]}: (to search for the text, put it in quotes: "{key}:{_shown(value)}")'
            raise QueryError(f"there is no filter {key!r}", hint=hint)
        return None
    if not value:
        raise QueryError(f"{key}{relation} needs a value", hint=_EXAMPLES[key])
    if key in ("cost", "tokens"):
        return _bound(key, relation, value, negated)
    if relation != ":":
        raise QueryError(f"{key} cannot be compared by {relation}", hint=_EXAMPLES[key])
    if key in ("after", "before"):
        return _date(key, value, negated)
    value = value.lower()
    if key == "has" and value not in HAS:
        raise QueryError(f"nothing is known of has:{_shown(value)}", hint=_EXAMPLES[key])
    if key == "status" and not re.fullmatch(r"[1-5](xx|[0-9]{2})|ok|error", value):
        raise QueryError(f"{value[:20]!r} is no status", hint=_EXAMPLES[key])
    return Filter(key=key, value=value, negated=negated)  # type: ignore[arg-type]  # one of KEYS


def _shown(value: str) -> str:
    """Its start, in one line."""
    return " ".join(value.split())[:20]


_EXAMPLES = {
    "model": "for instance model:sonnet",
    "provider": "for instance provider:anthropic",
    "app": "for instance app:claude",
    "tag": "for instance tag:team or tag:team:blue",
    "status": "for instance status:429, status:5xx, status:ok or status:error",
    "tool": "for instance tool:read_file",
    "has": "has:image, has:error or has:break",
    "after": "a day, or a day and a time: after:2026-11-20, after:2026-11-20T09:30",
    "before": "a day, or a day and a time: before:2026-11-20, before:2026-11-20T09:30",
    "cost": "dollars, for instance cost>0.1",
    "tokens": "for instance tokens>50000 or tokens>50k",
}

_UNITS = {"k": 1_000, "m": 1_000_000}


def _bound(key: str, relation: str, value: str, negated: bool) -> Filter:
    """`cost>0.1`, `tokens<=5k`, `cost:0.1` (at least)."""
    number = value.removeprefix("=" if relation in (">", "<") else "").removeprefix("$").lower()
    unit = _UNITS.get(number[-1:], 1) if key == "tokens" else 1
    if unit > 1:
        number = number[:-1]
    try:
        if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15}", number):
            raise InvalidOperation
        amount = Decimal(number) * (PICO if key == "cost" else unit)
    except InvalidOperation:
        raise QueryError(f"{value[:20]!r} is no amount of {key}", hint=_EXAMPLES[key]) from None
    name: Key = "cost" if key == "cost" else "tokens"
    if relation == ">":
        return Filter(key=name, least=math.floor(amount) + 1, negated=negated)
    if relation == "<":
        return Filter(key=name, most=math.ceil(amount) - 1, negated=negated)
    if relation == "<=":
        return Filter(key=name, most=math.floor(amount), negated=negated)
    return Filter(key=name, least=math.ceil(amount), negated=negated)


_DATE = re.compile(r"(\d{4})-(\d\d?)(?:-(\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d))?)?)?(Z?)", re.ASCII)


def _date(key: str, value: str, negated: bool) -> Filter:
    """A month, day or minute of local time, or of UTC with a `Z`: `after:` from its start, `before:` until then."""
    found = _DATE.fullmatch(value)
    try:
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(part) if part else None for part in found.groups()[:6])
        moment = datetime(year or 0, month or 0, day or 1, hour or 0, minute or 0, second or 0)
        moment = moment.replace(tzinfo=UTC) if found[7] else moment.astimezone()
        at = (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError, OSError):
        raise QueryError(f"{value[:20]!r} is no date", hint=_EXAMPLES[key]) from None
    least, most = (at, None) if key == "after" else (None, at - 1)
    return Filter(key="started_ns", least=least, most=most, negated=negated)
