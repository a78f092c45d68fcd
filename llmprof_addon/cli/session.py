"""Put calls into a run of your own: all that start while it is active, whichever program makes them.

A call belongs to it by its start, however late it is recorded; a call with the header `x-llmprof-session` goes to the
run that this names. One is active at a time: starting one ends the other. `rename` and `tag` change the latest one,
also after its end.

Examples:
  llmprof session start "new prompt, second try" --note "temperature 0"
  llmprof session pause
  llmprof session resume
  llmprof session tag team:search
  llmprof session end
"""

import argparse
from typing import TYPE_CHECKING

from llmprof_addon.cli.opened import NotFoundError, settings_of

if TYPE_CHECKING:
    from llmprof_addon.store.manual import ManualRun

_NONE = {
    "pause": "no session is active",
    "resume": "no session is paused",
    "end": "no session is active or paused",
    "rename": "no session was ever started",
    "tag": "no session was ever started",
    "status": "no session was ever started",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with it."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    start = actions.add_parser("start", help="begin one; the one before ends")
    start.add_argument("name", type=_name, metavar="NAME", help="what to call the run")
    start.add_argument("--note", metavar="TEXT", help="a remark, shown by `session status`")
    actions.add_parser("pause", help="leave calls out that start from now on")
    actions.add_parser("resume", help="take calls in again")
    actions.add_parser("end", help="leave it as it is")
    actions.add_parser("rename", help="call it otherwise").add_argument("name", type=_name, metavar="NAME")
    tag = actions.add_parser("tag", help="set tags of its run; KEY: takes one away")
    tag.add_argument("tags", nargs="+", type=_tag, metavar="KEY:VALUE")
    actions.add_parser("status", help="whether one is active, and since when")
    for action in actions.choices.values():
        action.add_argument(
            "--home", metavar="DIR", default=argparse.SUPPRESS, help="where llmprof keeps its things (~/.llmprof)"
        )
        action.add_argument(
            "--json", action="store_true", help="one JSON object; of `status` null if there never was one"
        )


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("a name needs a letter")
    return " ".join(text.split())


def _tag(text: str) -> tuple[str, str | None]:
    key, colon, value = text.partition(":")
    if not key or not colon:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY:VALUE")
    return key, value or None


def run(args: argparse.Namespace) -> int:
    """Do it, and say what is then. Raises `NotFoundError` if there is nothing to do it with."""
    from llmprof_addon import clock
    from llmprof_addon.store import manual
    from llmprof_addon.store.open import open_store

    now_ns = clock.now_ns()
    with open_store(settings_of(args).db_url, read_only=args.action == "status") as store:
        match args.action:
            case "start":
                found: ManualRun | None = manual.start(store, args.name, args.note, now_ns)
            case "pause":
                found = manual.pause(store, now_ns)
            case "resume":
                found = manual.resume(store, now_ns)
            case "end":
                found = manual.end(store, now_ns)
            case "rename":
                found = manual.rename(store, args.name)
            case "tag":
                found = manual.tag(store, dict(args.tags))
            case _:
                found = manual.latest(store)
    if found is None and args.action != "status":
        raise NotFoundError(_NONE[args.action], hint="`llmprof session start NAME` begins one")
    if args.json:
        _print_json(found)
    elif found is None:
        print(_NONE["status"])
    else:
        _print(found)
    return 0


def _print_json(found: "ManualRun | None") -> None:
    from llmprof_addon.cli.terminal import print_json

    if found is None:
        print("null")
        return
    intervals = [{"started_ns": started, "ended_ns": ended} for started, ended in found.intervals]
    said = {"key": found.key, "name": found.name, "note": found.note, "tags": found.tags, "state": found.state}
    print_json(said | {"intervals": intervals, "run_id": found.run_id, "calls": found.calls})


def _print(found: "ManualRun") -> None:
    from llmprof_addon.cli.terminal import one_line
    from llmprof_addon.export import text

    begun, last = found.intervals[0][0], found.intervals[-1][1]
    until = f" to {text.when(last)}" if last is not None else ""
    print(f"{one_line(found.name)}: {found.state}, from {text.when(begun)}{until}, {text.counted(found.calls, 'call')}")
    if found.note:
        print(one_line(found.note))
    if found.tags:
        print(one_line(", ".join(f"{key}:{value}" for key, value in found.tags.items())))
    if found.run_id:
        print(f"llmprof report {found.run_id}")
