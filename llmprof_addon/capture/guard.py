"""Whether a request may come in: what its headers say of a browser, a name and a token, against the rules of a proxy.

Pure. A program may name us as it likes; a page in a browser may not, and is told apart by the headers that no page can
forge or leave out: `Origin` and `Sec-Fetch-Site` (not `Sec-Fetch-Mode`, which Node's `fetch` sends as well).
"""

import ipaddress
import re
from dataclasses import dataclass

_NAMES = ("localhost", "host.docker.internal")
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[^\s/:@\[\],]*)(?::\d{1,5})?")
_APPS = ("app", "file", "tauri", "vscode-file", "vscode-webview")
"""Schemes of programs that show pages of their own; no page of the web has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one proxy lets in."""

    bound_to: str = "127.0.0.1"
    machine: str = ""
    """The name of this machine."""
    has_keys: bool = False
    """It sends keys where clients send none."""
    origins: tuple[str, ...] = ()
    """Pages that the user lets use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, as far as it matters here."""

    names: tuple[str, ...] = ()
    """All that it calls us: the authority and every Host header."""
    origin: str | None = None
    site: str | None = None
    """`Sec-Fetch-Site`."""
    is_own: bool = False
    """It is for llmprof itself, not to be passed on."""
    is_data: bool = False
    """It asks for what was recorded."""
    is_near: bool = True
    """It comes from this machine."""
    has_token: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not."""

    status: int
    code: str
    message: str


def refusal(asked: Asked, rules: Rules) -> Refusal | None:
    """Why a request of the reverse listener is refused; `None` if it is not."""
    if not asked.has_token and (asked.is_data or not (asked.is_near or is_loopback(rules.bound_to))):
        return Refusal(401, "token_required", "llmprof: this needs the proxy's token in the header x-llmprof-token")
    is_page = asked.origin is not None or asked.site is not None
    # A name that was made to lead here (DNS rebinding) is of the same origin. In a network names are the user's own.
    if asked.is_own or is_page or (rules.has_keys and is_loopback(rules.bound_to)):
        stranger = next((name for name in asked.names or ("",) if not is_us(name, rules)), None)
        if stranger is not None and (is_page or not asked.has_token):
            return Refusal(421, "misdirected", f"llmprof: {stranger!r:.100} is no name of this machine")
    if not is_page or _is_own_page(asked):
        return None
    if not asked.is_own and not rules.has_keys and asked.origin is not None and may_use(asked.origin, rules):
        return None
    who = "a page of another site" if asked.origin is None else f"a page of {asked.origin!r:.100}"
    if asked.is_own or rules.has_keys:
        what = "ask llmprof about itself" if asked.is_own else "use the keys of this proxy"
        return Refusal(403, "cross_site", f"llmprof: {who} may not {what}")
    return Refusal(403, "cross_site", f"llmprof: {who} may not use this proxy unless LLMPROF_ALLOW_ORIGINS names it")


def _is_own_page(asked: Asked) -> bool:
    """Whether all that a browser says is that the page is ours, or that a person typed the address."""
    same = asked.origin is None or asked.origin.partition("://")[2].lower() in {each.lower() for each in asked.names}
    return same and (asked.site is None or asked.site in ("same-origin", "none"))


def may_use(origin: str, rules: Rules) -> bool:
    """Whether pages of this origin may use a proxy without keys: this machine's own, and those that the user named."""
    origin = origin.lower()
    if origin in rules.origins:
        return True
    parts = _ORIGIN.fullmatch(origin)
    if parts is None:  # `null` of sandboxed frames and files, a list, nonsense
        return False
    return parts[1] in _APPS or (parts[1] in ("http", "https") and is_loopback(parts[2].strip("[]")))


def is_us(host: str, rules: Rules) -> bool:
    """Whether the value of a Host header is a name or an address of this machine."""
    name = name_of(host)
    if name in _NAMES or is_loopback(name) or name == rules.bound_to.lower():
        return True
    if is_loopback(rules.bound_to):
        return False
    return is_address(name) or (name != "" and name == rules.machine.lower())


def name_of(host: str) -> str:
    """A Host header's value without its port, in lower case."""
    return (host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]).lower()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches this name or address (RFC 6761 for `localhost` and below it)."""
    host = host.lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def is_near(peer: str, own: str) -> bool:
    """Whether a connection from `peer` to our address `own` was made on this machine: no router passes on either."""
    return is_loopback(peer) or (peer == own and is_address(peer))


def is_address(host: str) -> bool:
    """Whether this is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Rate:
    """So many requests a second, and as many at once."""

    def __init__(self, per_second: float):
        self._per_second = per_second
        self._left = per_second
        self._at: float | None = None

    def allows(self, at: float) -> bool:
        """Whether one more may come at this time, in seconds of any clock that does not go back."""
        if self._at is not None:
            self._left = min(self._per_second, self._left + (at - self._at) * self._per_second)
        self._at = at
        if self._left < 1:
            return False
        self._left -= 1
        return True
