"""A run's calls under the rules of a scenario: prompts first, then what the cache makes of them, then their price."""

from collections import defaultdict
from dataclasses import replace

from llmprof_addon.cachedoctor.expected import noise
from llmprof_addon.errors import ConfigError
from llmprof_addon.model.cache import CacheStatus
from llmprof_addon.model.component import Kind
from llmprof_addon.model.run_tree import RunCall, RunTree
from llmprof_addon.model.usage import Usage
from llmprof_addon.pricing.book import PriceBook
from llmprof_addon.pricing.cost import CacheSplit
from llmprof_addon.whatif.chains import is_dropped
from llmprof_addon.whatif.ground import Ground, left
from llmprof_addon.whatif.laid import common
from llmprof_addon.whatif.money import Prices
from llmprof_addon.whatif.notes import Notes
from llmprof_addon.whatif.outcome import Outcome, Replayed, by_lane, summed
from llmprof_addon.whatif.prompts import Prompts
from llmprof_addon.whatif.rules import Rules
from llmprof_addon.whatif.stand import Stand, expect
from llmprof_addon.whatif.target import target


def real(ground: Ground) -> Outcome:
    """The run as it is stored."""
    calls = tuple(
        Replayed(
            call=at,
            lane=stand.call.lane,
            input=stand.call.usage.input_tokens,
            read=split.read,
            write=split.write,
            output=stand.call.usage.output_tokens or 0,
            cost=stand.call.cost,
            status=_status(stand),
            overflows=_overflows(stand.input, stand.call.context_window),
        )
        for at, (stand, split) in enumerate(zip(ground.stands, ground.splits, strict=True))
    )
    return Outcome(rules=Rules(), total=summed(calls), lanes=by_lane(calls), calls=calls)


def replay(ground: Ground, rules: Rules, book: PriceBook) -> Outcome:
    """The run under these rules. Raises `ConfigError` for a tool that is not in the run and a model without a price."""
    _check_tools(ground.tree, rules)
    return _Replay(ground, rules, book).outcome()


def _check_tools(tree: RunTree, rules: Rules) -> None:
    """Raises `ConfigError` for a glob that no tool of the run matches."""
    tools = sorted({key for node in tree.nodes if node.kind is Kind.TOOL_SCHEMAS for key, _ in node.tools})
    for glob in rules.drop_tools:
        if not any(is_dropped(Rules(drop_tools=(glob,)), *key) for key in tools):
            raise ConfigError(f"no tool {glob!r} in the run", hint=_held([name for _, name in tools]))
    for glob in rules.drop_servers:
        if not any(is_dropped(Rules(drop_servers=(glob,)), *key) for key in tools):
            raise ConfigError(f"no tool server {glob!r} in the run", hint=_held([server for server, _ in tools]))


def _saved(call: RunCall) -> int:
    """Pico-dollars a token that is read costs less than a fresh one."""
    rates = dict(call.cost.price.rates) if call.cost else {}
    return max(0, rates.get("input", 0) - rates.get("cache_read", 0))


def _premium(call: RunCall) -> int:
    """Pico-dollars a token that is written costs more than a fresh one."""
    rates = dict(call.cost.price.rates) if call.cost else {}
    return max(0, rates.get("cache_write_5m", 0) - rates.get("input", 0))


def _held(names: list[str]) -> str:
    found = sorted(set(filter(None, names)))
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    return f"it has {', '.join(found[:8])}{more}" if found else "it has none"


class _Replay:
    """One scenario at work."""

    def __init__(self, ground: Ground, rules: Rules, book: PriceBook) -> None:
        self.ground = ground
        self.rules = rules
        self.prices = Prices(book)
        self.prompts = Prompts(ground, rules, target(rules.model, ground.tree, book) if rules.model else None)
        self.notes = Notes(rules)
        self.calls: list[Replayed] = []

    def outcome(self) -> Outcome:
        """All calls, one after the other."""
        needed = self._needed() if self.rules.perfect_cache else {}
        for at, stand in enumerate(self.prompts.stands):
            self._serve(at, stand, needed.get(at, 0))
        return Outcome(
            rules=self.rules,
            total=summed(self.calls),
            lanes=by_lane(self.calls),
            calls=tuple(self.calls),
            notes=self.notes.lines(self.prompts.unknown_windows),
        )

    def _needed(self) -> dict[int, int]:
        """How much of each prompt a later one begins with: what a perfect cache holds where a request marks nothing.

        Only where reading it saves those later ones more than writing it costs: some read it as it was.
        """
        found: dict[int, int] = {}
        gains: defaultdict[int, int] = defaultdict(int)
        for at, stand in enumerate(self.prompts.stands):
            if stand.before is None:
                continue
            before = self.prompts.stands[stand.before]
            if None in (stand.call.cost, before.call.cost) or stand.model != before.model:
                continue
            shared = min(int(min(common(stand.laid, before.laid))), stand.input)
            if stand.rules is not None and shared >= stand.rules.minimum:
                found[stand.before] = max(found.get(stand.before, 0), shared)
                gains[stand.before] += max(0, shared - self.ground.splits[at].read) * _saved(stand.call)
        return {at: end for at, end in found.items() if gains[at] >= end * _premium(self.prompts.stands[at].call)}

    def _serve(self, at: int, stand: Stand, needed: int) -> None:
        """What a call reads and writes, and what it costs."""
        was, split, call = self.ground.stands[at], self.ground.splits[at], stand.call
        goal = self.prompts.goal(call)
        if not was.input:
            cost = self.prices.cost(call, call.usage, goal) if goal else call.cost
            unread = Replayed(call=at, lane=call.lane, input=call.usage.input_tokens, cost=cost)
            self.calls.append(replace(unread, output=call.usage.output_tokens or 0, status=_status(was)))
            return
        expect(self.prompts.stands, stand, perfect=self.rules.perfect_cache)
        moves = _Moves(was, stand, switched=goal is not None and _habit(was) != _habit(stand))
        stand.read = self._read(was, stand, moves)
        end = max(self._end(was, stand, split, moves), stand.read)
        if self.rules.perfect_cache and stand.rules and stand.rules.opt_in and not call.cache_ttls:
            end = max(end, min(needed, stand.input))
        write = end - stand.read
        stand.end = left(stand.input, end, write, stand.rules)
        hour = self._hour(was, stand, moves)
        stand.hour = min(hour, stand.end)
        if (stand.input, stand.read, write) == (was.input, split.read, split.write) and self._ttl(stand) is None:
            hour = split.write_1h
        else:
            hour = max(0, min(hour, end) - stand.read)
        numbers = CacheSplit(fresh=stand.input - end, read=stand.read, write_5m=write - hour, write_1h=hour)
        output = self.prompts.output(call)
        is_changed = goal is not None or numbers != split
        usage = _usage(call.usage, numbers, output) if is_changed else call.usage
        if stand.compacted:
            self._add_compaction(at, stand)
        self.notes.see(was, stand, is_switched=moves.switched)
        self.calls.append(
            Replayed(
                call=at,
                lane=call.lane,
                input=stand.input,
                read=stand.read,
                write=write,
                output=output or 0,
                cost=self.prices.cost(call, usage, goal),
                status=self._became(was, stand, moves),
                overflows=_overflows(stand.input, self.prompts.window(call)),
                is_changed=is_changed,
            )
        )

    def _read(self, was: Stand, stand: Stand, moves: "_Moves") -> int:
        """Tokens that are read from the cache."""
        rules = stand.rules
        if rules is None:
            if moves.switched:
                return 0
            read = moves(was.read)
            if stand.parted is None or was.parted is None or stand.parted >= moves(int(was.parted)) - 1:
                return read
            return min(read, int(stand.parted))  # rules made the prompts part earlier than they did
        expected = stand.expected
        if moves.switched:
            read = expected
        elif abs(was.read - was.expected) <= noise(rules, was.expected):
            read = moves(was.read) + expected - moves(was.expected)
        elif was.read < was.expected:  # lost for reasons outside: evicted, a request field, a marker
            read = min(moves(was.read), expected)
        else:  # others had written it
            read = max(expected, min(moves(was.read), moves.stable))
        if self.rules.perfect_cache:
            read = max(read, expected)
        read = max(0, min(read, stand.input))
        if read != was.read or moves.moved or stand.model != was.model:
            read -= read % rules.step
            read = read if stand.input >= rules.minimum else 0
        return read

    def _end(self, was: Stand, stand: Stand, split: CacheSplit, moves: "_Moves") -> int:
        """Where the prefix ends that is read or written."""
        rules = stand.rules
        if rules is None:
            return 0 if moves.switched or not split.write else moves(split.read + split.write)
        marks_all = moves.switched and (rules.opt_in or rules.step == 1)
        was_too_short = bool(stand.call.cache_ttls) and was.rules is not None and was.input < was.rules.minimum
        if marks_all or (moves.switched is False and rules.opt_in and was_too_short and stand.model != was.model):
            return stand.input if stand.input >= rules.minimum else 0
        if moves.switched or not (rules.opt_in or split.write or rules.step == 1):
            return 0
        end = moves(split.read + split.write)
        is_same = not moves.moved and stand.model == was.model
        return end if is_same or end >= rules.minimum else 0

    def _ttl(self, stand: Stand) -> str | None:
        """The lifetime that a rule gives to a call's markers."""
        return self.rules.ttl if stand.rules and stand.rules.opt_in else None

    def _hour(self, was: Stand, stand: Stand, moves: "_Moves") -> int:
        """Up to where a prefix is kept for an hour."""
        if (ttl := self._ttl(stand)) is not None:
            return stand.input if ttl == "1h" else 0
        if moves.switched or stand.rules is None:
            return 0
        hour = moves(was.hour)
        is_other = moves.moved or stand.model != was.model
        return 0 if is_other and hour < stand.rules.minimum else hour

    def _became(self, was: Stand, stand: Stand, moves: "_Moves") -> CacheStatus | None:
        """The verdict on a call."""
        if stand.rules is None:
            return None if moves.switched else _status(was)
        slack = noise(stand.rules, stand.expected)
        there = self.prompts.stands[stand.before].end if stand.before is not None else 0
        if not moves.switched:
            change = stand.expected - moves(was.expected)
            if abs(change) <= slack or (change > 0 and stand.read < stand.expected - slack):
                return _status(was)
        if min(there, stand.input) - stand.read > slack and stand.parted is not None:
            return CacheStatus.BREAK if stand.alive else CacheStatus.EXPIRED
        return CacheStatus.HIT if stand.read else CacheStatus.COLD

    def _add_compaction(self, at: int, stand: Stand) -> None:
        """The call that reads the history and writes its summary."""
        before = self.prompts.stands[stand.before] if stand.before is not None else stand
        read = min(before.end, stand.compacted) if stand.alive else 0
        marks = stand.rules is not None and (stand.rules.opt_in and stand.marks > 0)
        write = stand.compacted - read if marks else 0
        hour = write if marks and before.hour >= before.end > 0 else 0
        split = CacheSplit(fresh=stand.compacted - read - write, read=read, write_5m=write - hour, write_1h=hour)
        usage = replace(
            _usage(stand.call.usage, split, self.rules.summary),
            reasoning_output_tokens=None,
            by_modality=(),
            server_tool_requests=(),
        )
        self.calls.append(
            Replayed(
                call=at,
                lane=stand.call.lane,
                input=stand.compacted,
                read=read,
                write=write,
                output=self.rules.summary,
                cost=self.prices.cost(stand.call, usage, self.prompts.goal(stand.call)),
                overflows=_overflows(stand.compacted, self.prompts.window(stand.call)),
                is_added=True,
            )
        )


class _Moves:
    """Where a place of the real prompt is in the changed one."""

    def __init__(self, was: Stand, stand: Stand, *, switched: bool) -> None:
        self.switched = switched
        """Whether the other model's cache works in another way, so that nothing follows from what was read."""
        self.moved = was.input != stand.input
        self._was, self._is = was.laid, stand.laid

    def __call__(self, position: int) -> int:
        """Tokens from the start."""
        return round(self._was.place(position, self._is)) if self.moved else position

    @property
    def stable(self) -> int:
        """Up to where the prompt is one that others could have sent too: no summary, nothing cleared."""
        laid = self._is
        if laid.cut != -1:
            return int(laid.begins("messages"))
        first = laid.altered.first[laid.upto]
        return int(laid.at(laid.sections.index("messages"), laid.ground.parent[first])) if first != -1 else 10**15


def _habit(stand: Stand) -> tuple[bool, int] | None:
    """How a cache works, apart from its sizes and lifetimes."""
    return (stand.rules.opt_in, stand.rules.step) if stand.rules else None


def _status(stand: Stand) -> CacheStatus | None:
    return stand.call.cache.status if stand.call.cache else None


def _overflows(tokens: int, window: int | None) -> bool:
    return window is not None and tokens > window


def _usage(usage: Usage, split: CacheSplit, output: int | None) -> Usage:
    """The usage with other input and output."""
    tokens = split.fresh + split.read + split.write
    billed = usage.billed_input_tokens
    return replace(
        usage,
        input_tokens=tokens,
        cache_read_input_tokens=split.read,
        cache_creation_input_tokens=split.write,
        cache_creation_5m_input_tokens=split.write_5m,
        cache_creation_1h_input_tokens=split.write_1h,
        output_tokens=output,
        billed_input_tokens=None if billed is None else billed * tokens // max(usage.input_tokens or 0, 1),
    )
