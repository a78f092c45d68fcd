"""An agent that calls the same tool with the same arguments turn after turn."""

from collections.abc import Iterable, Iterator, Sequence

from llmprof_addon.findings.tool_use import asked, results
from llmprof_addon.findings.view import RunView
from llmprof_addon.model.component import Kind
from llmprof_addon.model.finding import Finding, Severity

CODE = "loop"


def find(run: RunView) -> Iterable[Finding]:
    """The turns that asked again though the result was the same could be saved; others are only told."""
    answered = {call: result for result, call in results(run).items()}
    for lane in run.lanes.values():
        for turns in _repeated(run, lane):
            if len(turns) < run.thresholds.loop_repeats:
                continue
            said = [[answered.get(node) for node in _calls(run, at)] for at in turns]
            texts = [[run.features(node) if node is not None else None for node in nodes] for nodes in said]
            # A turn is wasted if the one before had asked the same and been told what it was told before that.
            idle = [at for number, at in enumerate(turns) if number > 1 and _same(texts[number - 1], texts[number - 2])]
            tools = ", ".join(dict.fromkeys(run.name(node) for node in _calls(run, turns[0])))
            title = f"{tools} was called {len(turns)} times in a row with the same arguments"
            advice = "stop the agent after the second identical result, and tell it that nothing changed"
            found = list(run.saving(CODE, title, advice, [run.whole(at, tools) for at in idle], estimated=False))
            evidence = [run.shown(at, name=tools) for at in turns]
            yield from found or [run.note(CODE, title, advice, evidence, severity=Severity.WARNING)]


def _repeated(run: RunView, lane: list[int]) -> Iterator[list[int]]:
    """Turns one after the other whose answers ask for the same."""
    group: list[int] = []
    last: object = None
    for at in lane:
        call = run.calls[at]
        if call.failed:
            continue
        question = [asked(run, node) for node in _calls(run, at)]
        goes_on = bool(group) and call.predecessor == group[-1] and call.link not in ("retry", "branch")
        if goes_on and question and None not in question and question == last:
            group.append(at)
        else:
            yield group
            group = [at]
        last = question
    yield group


def _calls(run: RunView, at: int) -> list[int]:
    return [node for node in run.tree.answer(run.calls[at]) if run.nodes[node].kind is Kind.TOOL_CALLS]


def _same(one: Sequence[object], other: Sequence[object]) -> bool:
    return None not in one and one == other
