"""Show one call: what is in its prompt and its answer, and what each part cost.

The flame has one line a component. Its numbers are tokens, the share of the prompt, how much of it was read from the
provider's cache, written to it or fresh, and dollars; a parent's are the sums of its children's. `≈` marks estimates,
`–` what is unknown.

Examples:
  llmprof show                     the newest call
  llmprof show 0199c2 --depth 5    down to every tool's parameters
  llmprof show 0199c2 --json | jq '.components[] | select(.kind == "tool_schemas")'
  llmprof show 0199c2 --raw        the request body, put together again from the store
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import NOTHING_YET, NotFoundError, positive, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llmprof_addon.model.cache import CacheVerdict
    from llmprof_addon.model.finding import Finding
    from llmprof_addon.pipeline import Explanation
    from llmprof_addon.store.open import Store
    from llmprof_addon.store.rows import CallRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which call, how deep, and in which form."""
    parser.add_argument("id", nargs="?", metavar="ID", help="id of the call, or its start; the newest by default")
    parser.add_argument("--depth", type=positive, default=3, metavar="N", help="levels of the flame (3)")
    parser.add_argument("--most", type=positive, default=8, metavar="N", help="the largest so many below each (8)")
    parser.add_argument("--all", action="store_true", help="show all of them, instead of folding the smaller ones")
    parser.add_argument("--json", action="store_true", help="one JSON object, of the shape in the readme")
    parser.add_argument("--raw", action="store_true", help="print the request body as it was received (redacted)")


def run(args: argparse.Namespace) -> int:
    """Print the call."""
    import json

    from llmprof_addon.pipeline import explain

    with reading(args) as store:
        explained = explain(store, _chosen(store, args.id))
        findings = _findings(store, explained)
    if args.raw:
        print(json.dumps(explained.body, indent=2))
    elif args.json:
        from llmprof_addon.cli.terminal import print_json
        from llmprof_addon.export.findings import findings_json
        from llmprof_addon.export.shapes import call_json, component_json, messages_json

        trees = {
            "components": [component_json(each) for each in explained.components],
            "output_components": [component_json(each) for each in explained.output_components],
            "findings": findings_json(findings, explained.paths),
            "messages": messages_json(explained.call),
        }
        print_json(call_json(explained.row) | trees)
    else:
        _print(explained, findings, args.depth, None if args.all else args.most)
    return 0


def _chosen(store: "Store", id: str | None) -> "CallRow":
    from llmprof_addon.store import queries

    if id is None:
        for newest in queries.calls(store, limit=1):
            return newest
        raise NotFoundError(NOTHING_YET)
    if found := queries.call(store, id):
        return found
    raise NotFoundError(f"there is no call whose id starts with {id!r}", hint="`llmprof calls` lists them")


def _findings(store: "Store", explained: "Explanation") -> "tuple[Finding, ...]":
    """Those of its run that concern the call."""
    from llmprof_addon.findings.of_call import of_call
    from llmprof_addon.store.findings import findings_of

    row = explained.row
    return of_call(findings_of(store, row.run_id), row.id, row.started_ns, explained.by_node)


def _print(explained: "Explanation", findings: "Sequence[Finding]", depth: int, most: int | None) -> None:
    from rich.text import Text

    from llmprof_addon.cli import flame
    from llmprof_addon.cli.terminal import console, plain
    from llmprof_addon.export.findings import finding_rows

    out = console()
    for line in header(explained.row):
        out.print(line, soft_wrap=True)
    for found in finding_rows(findings):
        saved = f"{found.tokens} tokens, {found.cost} here: " if found.cost != "–" or found.tokens != "–" else ""
        head = Text.assemble(f"{found.sign} ", (found.label, "bold"), f"  {saved}{plain(found.advice).plain}")
        out.print(head, soft_wrap=True)
    for components, answer in ((explained.components, False), (explained.output_components, True)):
        if components:
            out.print()
            shown = flame.lines(components, depth=depth, most=most)
            flame.print_flame(shown, sum(component.tokens for component in components), answer=answer)


def header(row: "CallRow") -> list[str]:
    """What is to say of a call before its flame."""
    from rich.markup import escape

    from llmprof_addon.cli.terminal import plain
    from llmprof_addon.export import text
    from llmprof_addon.model.usage import Source

    def safe(value: object) -> str:
        return escape(plain(str(value)).plain)

    usage = row.usage
    estimated = usage.source is not Source.REPORTED
    first = None if row.first_chunk_ns is None else row.first_chunk_ns - row.started_ns
    of_window = text.share(usage.input_tokens, row.context_window)
    window = "" if of_window == text.UNKNOWN else f", {of_window} of the window"
    lines = [
        f"[bold]{safe(row.model or text.UNKNOWN)}[/]  {safe(row.provider)}, {row.api}, {row.mode}  [dim]{row.id}[/]",
        f"{text.when(row.started_ns)}, {text.duration(row.ended_ns - row.started_ns)}"
        f" (first byte after {text.duration(first)}), {row.status or text.UNKNOWN} {row.outcome}"
        f"{''.join(f', {safe(reason)}' for reason in row.finish_reasons)}",
        f"input  {text.exact(usage.input_tokens, estimated=estimated)}{window}:"
        f" {text.exact(usage.cache_read_input_tokens)} read from cache,"
        f" {text.exact(usage.cache_creation_input_tokens)} written to it",
        f"output {text.exact(usage.output_tokens, estimated=estimated)}:"
        f" {text.exact(usage.reasoning_output_tokens)} of it reasoning",
    ]
    if row.cost:
        cost = row.cost
        parts = {"fresh input": cost.input, "cache read": cost.cache_read, "cache write": cost.cache_write}
        parts |= {"output": cost.output, "requests": cost.other}
        named = ", ".join(f"{text.dollars(pico)} {name}" for name, pico in parts.items() if pico)
        price = " ".join(filter(None, (cost.price.source, cost.price.model, cost.price.as_of, cost.price.tier)))
        lines.append(
            f"cost   [bold]{text.dollars(cost.total)}[/]{f': {named}' if named else ''}  [dim]{safe(price)}[/]"
        )
    else:
        lines.append(f"cost   {text.UNKNOWN}  [dim]no price is known for this model; LLMPROF_PRICING can give one[/]")
    if row.estimated_input_tokens is not None and usage.input_tokens and not estimated:
        ratio = row.estimated_input_tokens / usage.input_tokens
        counted = text.exact(row.estimated_input_tokens)
        lines.append(f"[dim]counted before reconciliation: {counted}, {ratio:.3f} of what was reported[/]")
    if row.cache is not None:
        lines.append(_cache_line(row.cache, safe))
    said = (row.request_class, row.link if row.link != "turn" else None)
    more = "".join(f", {word}" for word in said if word)
    lines.append(f"[dim]run {row.run_id}, lane {safe(row.lane)}, turn {row.turn or text.UNKNOWN}{more}[/]")
    lines += [f"[red]✗ {safe(row.error)}[/]"] if row.error else []
    return lines + [f"[yellow]! {safe(warning)}[/]" for warning in row.warnings]


def _cache_line(verdict: "CacheVerdict", safe: "Callable[[object], str]") -> str:
    """What became of the cached prefix."""
    from llmprof_addon.export import text
    from llmprof_addon.export.cache import in_words, is_loss

    if not is_loss(verdict):
        return f"cache  {verdict.status.value}{f': {safe(in_words(verdict))}' if verdict.cause else ''}"
    lost = text.exact(verdict.lost, estimated=verdict.estimated)
    return (
        f"cache  [bold]{verdict.status.value}[/]: {safe(in_words(verdict))};"
        f" {lost} tokens paid for anew, {text.dollars(verdict.wasted)} wasted"
    )
