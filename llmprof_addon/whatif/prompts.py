"""The prompts of a run as rules leave them: parts gone or cut, results cleared, history compacted, counted anew."""

from llmprof_addon.counting.families import family
from llmprof_addon.model.run_tree import RunCall
from llmprof_addon.whatif.chains import Altered, altered, running
from llmprof_addon.whatif.ground import Ground
from llmprof_addon.whatif.laid import Laid, lay
from llmprof_addon.whatif.rules import Rules
from llmprof_addon.whatif.sizes import kind_of
from llmprof_addon.whatif.stand import Stand
from llmprof_addon.whatif.target import NOT_CHATS, Recount, Target, cache_rules


class Prompts:
    """Lays out call after call; each needs those before it."""

    def __init__(self, ground: Ground, rules: Rules, goal: Target | None) -> None:
        self.stands: list[Stand] = []
        self.unknown_windows = 0
        """Calls that are never compacted, since their context window is not known."""
        self._ground = ground
        self._rules = rules
        self._goal = goal
        self._recount = Recount(ground.tree, goal) if goal else None
        self._columns: dict[str, tuple[list[float], Altered]] = {}
        self._preambles: dict[int, float] = {}
        for real in ground.stands:
            self.stands.append(self._stand(real))

    def goal(self, call: RunCall) -> Target | None:
        """The other model that a call goes to, if it does."""
        return None if call.api in NOT_CHATS else self._goal

    def window(self, call: RunCall) -> int | None:
        """Most tokens that its prompt may have."""
        goal = self.goal(call)
        return goal.window if goal else call.context_window

    def output(self, call: RunCall) -> int | None:
        """Tokens of its answer, which is the same text."""
        tokens = call.usage.output_tokens
        if tokens is None or self._recount is None or self.goal(call) is None:
            return tokens
        return round(tokens * self._recount.output(call))

    def _stand(self, real: Stand) -> Stand:
        call, rules = real.call, self._rules
        goal = self.goal(call)
        sums, nodes = self._nodes(call)
        laid = lay(self._ground.forest, nodes, call, sums, self._total(call))
        laid.front = max(0.0, laid.front - self._preamble(call, nodes))
        if rules.clear_results is not None:
            spoken = self._ground.turns
            limit = spoken[call.messages] - rules.clear_results - 1
            if limit >= 0:
                laid.upto, _ = self._ground.forest.climb(call.messages, spoken, limit)
        laid.settle()
        cached = cache_rules(call, goal)
        stand = Stand(call, laid, cached, goal.name if goal else call.model, real.before)
        if rules.compact is not None and real.before is not None and "messages" in laid.sections:
            self._compact(stand, self.stands[real.before].laid, rules.compact)
        stand.input = round(laid.total) if real.input else 0
        return stand

    def _total(self, call: RunCall) -> float:
        """Tokens of the prompt before the rules."""
        reported = float(call.usage.input_tokens or 0)
        if self._recount is None or self.goal(call) is None or not (factors := self._recount.factors(call)):
            return reported
        total = sum(part.tokens * factors.get(part.kind, 1.0) for part in call.composition)
        return max(0.0, total + self._recount.hidden(call)) if reported else 0.0

    def _nodes(self, call: RunCall) -> tuple[list[float], Altered]:
        """Sums before the rules and nodes after them, as the model counts that the call goes to."""
        factors = self._recount.factors(call) if self._recount and self.goal(call) else {}
        key = repr(sorted(factors.items()))
        if key not in self._columns:
            tree, forest, sizes = self._ground.tree, self._ground.forest, self._ground.sizes
            sums = self._ground.nodes.sums
            if factors:
                pairs = zip(sizes, tree.nodes, strict=True)
                sizes = [size * factors.get(kind_of(node), 1.0) for size, node in pairs]
                sums = running(forest, sizes)
            self._columns[key] = sums, altered(tree, forest, sizes, self._ground.media, self._rules)
        return self._columns[key]

    def _preamble(self, call: RunCall, nodes: Altered) -> float:
        """Tokens of the hidden preamble of tools, where the rules leave no tool."""
        if not self._rules.drops or call.tools == -1 or nodes.names[call.tools] != -1:
            return 0.0
        goal = self.goal(call)
        return (goal.family if goal else family(call.api, call.model, call.provider)).coefficients.tools

    def _compact(self, stand: Stand, before: Laid, most: int) -> None:
        """Put a summary in the place of the history, where it was so before or the prompt is too large."""
        laid, forest = stand.laid, self._ground.forest
        section = laid.sections.index("messages")
        head = laid.heads[section]
        if before.cut != -1 and forest.is_above(before.cut, head):
            laid.cut, laid.summary = before.cut, before.summary
            laid.settle()
        window = self.window(stand.call)
        if window is None:
            self.unknown_windows += 1
            return
        if laid.total * 100 <= window * most or "messages" not in before.sections:
            return
        cut = forest.common(head, before.heads[before.sections.index("messages")])
        if cut in (-1, laid.cut) or laid.within(section, cut) <= self._rules.summary:
            return
        stand.compacted = round(laid.at(section, cut))
        laid.cut, laid.summary = cut, float(self._rules.summary)
        laid.settle()
