"""What a person types into a line of search: how it is said, and what is wrong with it."""

from llmprof_addon.export.text import plain
from llmprof_addon.store.search_query import QueryError, parse_query

ASKS = 'words, "a phrase", start*, -without, model:… has:break cost>0.1'

LANGUAGE = """\
flaky upload        both words, in one prompt, answer or tool
"connection reset"  one after the other
upload* -timeout    what starts so, without what has that
model:opus app:claude provider:anthropic tool:bash
tag:team:blue status:429 has:image has:error has:break
cost>0.1 tokens>50k after:2026-11-01 before:2026-12"""


def complaint_of(typed: str) -> str | None:
    """Why this is no query, in one line; `None` if it is one, or nothing."""
    if not typed.strip():
        return None
    try:
        parse_query(typed)
    except QueryError as error:
        return plain(f"{error.message}; {error.hint}" if error.hint else error.message)
    return None
