"""Exchange, call and its past -> the run that the call belongs to. Pure: the store fills `History`.

In this order: the session that the client forces, the session id that its agent sends, the call that it continues by
id, ancestry. Ancestry means that prompt *and* answer are continued: the new messages start with a stored call's
messages, and what follows them is what that call answered. Equal first prompts alone never join two runs.
"""

import re
from collections.abc import Callable, Sequence

from llmprof_addon.grouping.said import answer_digest, is_said, said_after
from llmprof_addon.model.call import Call, Identity, Prompt
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.model.history import Ancestor, History, RunChoice
from llmprof_addon.model.part import Part, PartKind
from llmprof_addon.model.tree import Chains, root

LABEL_CHARS = 80


def session_key(exchange: Exchange, identity: Identity) -> str | None:
    """The key of the run that the wire names: forced by header, or by a session id that decides alone."""
    if exchange.session:
        return f"header:{exchange.session}"
    if identity.session:
        return f"{identity.session_source or 'session'}:{identity.session}"
    return None


def choose(exchange: Exchange, call: Call, chains: Chains, history: History) -> RunChoice:
    """Which run the call belongs to. `key` names the run if it has to be made."""
    own_key = f"call:{exchange.id}"
    if (key := session_key(exchange, call.identity)) is not None:
        return RunChoice(run_id=history.session_run, key=key, reason="header" if exchange.session else "session")
    if history.continued_run is not None:
        return RunChoice(run_id=history.continued_run, key=own_key, reason="continues")
    if chains.base == root("messages"):
        found, reason = _ancestor(exchange, call, chains, history.ancestors)
        if found is not None:
            return RunChoice(run_id=found.run_id, key=own_key, reason=reason)
    return RunChoice(run_id=None, key=own_key, reason="new")


def _ancestor(
    exchange: Exchange, call: Call, chains: Chains, candidates: Sequence[Ancestor]
) -> tuple[Ancestor | None, str]:
    parts = [link.part for link in chains.messages]
    past = [one for one in candidates if one.ended_ns <= exchange.started_ns and one.depth <= len(parts)]
    # Who reads a stream goes on at its last event, and the body's end comes after the next call has begun.
    ending = [one for one in candidates if exchange.started_ns < one.ended_ns <= exchange.ended_ns and one.answer]
    equal = [one for one in past if one.depth == len(parts)]
    broken = [one for one in equal if not one.complete and _same_client(one, exchange)]
    if broken:
        return _latest(broken, exchange, call), "retry"
    continued = [one for one in (*past, *ending) if one.depth < len(parts) and _continues(one, parts)]
    if continued:
        deepest = max(one.depth for one in continued)
        return _latest([one for one in continued if one.depth == deepest], exchange, call), "ancestry"
    if equal and any(map(is_said, parts)):
        # The conversation was under way before it was first seen; a fresh answer to the same turn is asked for.
        return _latest(equal, exchange, call), "retry"
    return None, "new"


def _continues(ancestor: Ancestor, parts: Sequence[Part]) -> bool:
    if ancestor.answer is None:
        # A call that failed answered nothing: its prompt grew by what the user said next.
        return not ancestor.complete and not is_said(parts[ancestor.depth])
    return ancestor.answer == answer_digest(said_after(parts, ancestor.depth))


def _same_client(one: Ancestor, exchange: Exchange) -> bool:
    return (one.peer, one.user_agent) == (exchange.client.peer, exchange.client.user_agent)


def _latest(candidates: Sequence[Ancestor], exchange: Exchange, call: Call) -> Ancestor:
    """The latest of the candidates, after weak signs have narrowed them where they can; best one that had ended."""
    client, weak = exchange.client, call.identity.weak_session
    signs: tuple[Callable[[Ancestor], bool], ...] = (
        lambda one: weak is not None and one.weak_session == weak,
        lambda one: one.peer == client.peer,
        lambda one: one.user_agent == client.user_agent,
    )
    for sign in signs:
        candidates = [one for one in candidates if sign(one)] or candidates
    candidates = [one for one in candidates if one.ended_ns <= exchange.started_ns] or candidates
    return max(candidates, key=lambda one: (one.ended_ns, one.call_id))


_WRAPPED = re.compile(r"\s*<([A-Za-z][\w.-]*)(?:\s[^<>]*)?>(.*?)</\1>", re.DOTALL)
_INJECTED = re.compile(r"# AGENTS\.md instructions", re.IGNORECASE)
_SEARCHED_CHARS = 200_000


def label(prompt: Prompt) -> str | None:
    """What a person would call the run: first line of the first text that a user wrote, at most 80 characters.

    Blocks in tags (`<environment_context>…`) are what agents put in by themselves; they count only if there is
    nothing else.
    """
    wrapped: str | None = None
    for part in prompt.messages:
        if part.role != "user" or part.kind is not PartKind.TEXT or not part.text or part.volatile:
            continue
        text = part.text[:_SEARCHED_CHARS]
        while match := _WRAPPED.match(text):
            if wrapped is None and "reminder" not in match[1]:
                wrapped = match[2]
            text = text[match.end() :]
        if (line := _first_line(text)) and not _INJECTED.match(line):
            return line
    return _first_line(wrapped or "")


def _first_line(text: str) -> str | None:
    line = " ".join(next((line for line in text.splitlines() if line.strip()), "").split())
    if not line:
        return None
    return line if len(line) <= LABEL_CHARS else line[: LABEL_CHARS - 1] + "…"
