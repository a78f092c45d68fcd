"""Search prompts, answers and tools, the newest texts first.

A text is shown once, at the call where it first appeared, with the number of calls that carried it. All words have to
be in it, in any case and order: start* finds what begins so, "two words" a phrase, -word leaves texts out that have it.
Names are found by their parts: `src/upload.py` is a phrase of three words. Of a text of more than 200,000 characters
the start is searched.

Filters ask for calls, and list them where no word is given: model: provider: app: tool: (any part of the name, of a
tool also of its MCP server), tag: (KEY or KEY:VALUE, of its run), status: (429, 5xx, ok, error), has: (image, error,
break), after: before: (2026-11-20), cost>0.1 (dollars), tokens>50k (prompt and answer). -model:opus asks for all
others.

Examples:
  llmprof search 'flaky upload*'
  llmprof search '"connection refused" tool:bash after:2026-11-01'
  llmprof search 'has:break cost>0.5' --json | jq -r .call.id
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import changing, positive, reading

if TYPE_CHECKING:
    from rich.text import Text

    from llmprof_addon.store.search import Hit, Hits
    from llmprof_addon.store.search_words import Snippet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, how much, in which form."""
    parser.add_argument("query", nargs="*", metavar="QUERY", help="words and filters; in one pair of quotes at best")
    parser.add_argument("--limit", type=positive, default=20, metavar="N", help="so many hits, newest first (20)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--reindex", action="store_true", help="make the index anew first, of all that is stored")


def run(args: argparse.Namespace) -> int:
    """Print the hits; what was left out goes to stderr."""
    import sys

    from llmprof_addon.store.search import search
    from llmprof_addon.store.search_query import parse_query

    query = parse_query(" ".join(args.query)) if args.query or not args.reindex else None
    if args.reindex:
        _reindex(args)
    if query is None:
        return 0
    with reading(args) as store:
        found = search(store, query, limit=args.limit)
    if args.json:
        from llmprof_addon.cli.terminal import print_json
        from llmprof_addon.export.search import hit_json

        for hit in found.hits:
            print_json(hit_json(hit))
    else:
        _print(found)
    for note in found.notes:
        print(f"llmprof: {note}", file=sys.stderr)
    return 0


def _reindex(args: argparse.Namespace) -> None:
    import sys

    from llmprof_addon.store import search_index

    with changing(args) as store:
        search_index.start_anew(store)
        while search_index.catch_up(store):
            if sys.stderr.isatty():
                at = search_index.progress(store)
                print(f"\r{100 * at.indexed // max(at.nodes, 1)}% of the texts are indexed", end="", file=sys.stderr)
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        print(f"{search_index.size(store):,} texts are indexed", file=sys.stderr)


def _print(found: "Hits") -> None:
    from rich.text import Text

    from llmprof_addon.cli.terminal import console

    if not found.hits:
        print("nothing found")
        return
    out = console()
    for hit in found.hits:
        out.print(_head(hit), soft_wrap=True)
        if hit.snippet is not None:
            out.print(Text("  ").append_text(_marked(hit.snippet, plainly=out.color_system is None)), soft_wrap=True)
    if found.more:
        print(f"there are more; --limit N shows more than {len(found.hits)}")


def _head(hit: "Hit") -> "Text":
    from rich.text import Text

    from llmprof_addon.cli.terminal import plain
    from llmprof_addon.export import text
    from llmprof_addon.model.component import Kind

    call = hit.call
    line = Text.assemble(text.when(call.started_ns), "  run ", call.run_id[:8], "  call ", (call.id, "bold"), "  ")
    if hit.kind is None:
        cost = text.dollars(call.cost.total if call.cost else None)
        tokens = text.tokens(call.usage.input_tokens)
        what = f"{call.model or text.UNKNOWN}  {f'✗ {call.status or call.outcome}  ' if call.failed else ''}"
        return line.append_text(plain(f"{what}{tokens} in  {cost}"))
    tool = f" {hit.tool}" if hit.tool else ""
    line.append_text(Text(plain(text.KIND_NAMES[Kind(hit.kind)] + tool).plain, style=text.KIND_COLOURS[Kind(hit.kind)]))
    many = text.counted(hit.carried or 0, "call")
    line.append(f"  carried by {'≥' if hit.carried_at_least else ''}{many}", style="dim")
    return line.append("  only its start is searched", style="dim") if hit.cut else line


def _marked(shown: "Snippet", *, plainly: bool) -> "Text":
    """The snippet with its matches in bold, or in brackets where nothing can be bold."""
    from rich.text import Text

    from llmprof_addon.cli.terminal import plain

    out, at = Text(), 0
    for start, end in shown.marks:
        out.append_text(plain(shown.text[at:start]))
        match = plain(shown.text[start:end]).plain
        out.append(f"[{match}]" if plainly else match, style="bold reverse")
        at = end
    return out.append_text(plain(shown.text[at:]))
