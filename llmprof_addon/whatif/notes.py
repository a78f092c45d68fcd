"""What has to be said beside the numbers of a scenario: what was assumed, and what the model does not know."""

from llmprof_addon.whatif.rules import PLACEHOLDER, Rules
from llmprof_addon.whatif.stand import Stand


class Notes:
    """Sees every call, and says at the end what held for some."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._unmodelled: set[str] = set()
        self._automatic: set[str] = set()
        self._marked: set[str] = set()

    def see(self, was: Stand, stand: Stand, *, is_switched: bool) -> None:
        """Take in a call as it was and as it is replayed."""
        name = stand.model or "unknown"
        if stand.rules is None:
            self._unmodelled.add(name)
        elif not stand.rules.opt_in:
            self._automatic.add(name)
        elif is_switched:
            self._marked.add(name)

    def lines(self, unknown_windows: int) -> tuple[str, ...]:
        """One sentence each."""
        rules = self._rules
        found = ["the answers are held constant: the same texts, whatever the model or the prompt"]
        if rules.compact is not None:
            size = f"{rules.summary:,}"
            found.append(
                f"a compaction is a call of its own that reads the history; its summary is taken as {size} tokens"
            )
            if unknown_windows:
                found.append(f"{unknown_windows:,} calls are never compacted: their context window is not known")
        if rules.clear_results is not None:
            found.append(f"a cleared result leaves {PLACEHOLDER} tokens; each clearing breaks the cache at its place")
        if rules.ttl and self._automatic:
            found.append(f"a TTL changes nothing for {_listed(self._automatic)}: its cache is automatic")
        if self._marked:
            found.append(f"a cache marker at the end of every prompt is assumed for {_listed(self._marked)}")
        if self._unmodelled:
            kept = "nothing is cached" if rules.model else "what was read stays as far as prompts are the same"
            why = "unknown, or without a promise"
            found.append(f"the cache of {_listed(self._unmodelled)} is not modelled ({why}): {kept}")
        return tuple(found)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
