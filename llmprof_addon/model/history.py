"""What grouping needs from the past, as one frozen value: the store fills it, the pipeline passes it on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestor:
    """A stored call whose messages are a prefix of the new call's (or equal to them)."""

    call_id: str
    run_id: str
    ended_ns: int
    depth: int
    """Nodes from the root to its message head."""
    answer: bytes | None
    """`answer_digest` of what it answered; `None` if it answered nothing."""
    complete: bool = True
    """Whether it ended as it should; a call that failed or was aborted is tried again."""
    peer: str | None = None
    user_agent: str | None = None
    weak_session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Continued:
    """Where the prompt of a call begins that continues another by its id: keys of the other's last nodes."""

    system: bytes
    messages: bytes
    """Of its answer, or of its prompt if it answered nothing."""
    elided: bool
    """Whether it continues a call itself of which nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The past of one new call."""

    session_run: str | None = None
    """Run that already carries the call's explicit or own session key."""
    ancestors: tuple[Ancestor, ...] = ()
    continued_run: str | None = None
    """Run of the call that `previous_response_id` names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChoice:
    """Which run a call belongs to."""

    run_id: str | None
    """`None`: a new run."""
    key: str
    """Session key of the run (`header:…`, `x-claude-code-session-id:…`), or `call:<id>` of the call that opened it."""
    reason: str
    """`header`, `session`, `continues`, `ancestry`, `retry`, `new`."""
