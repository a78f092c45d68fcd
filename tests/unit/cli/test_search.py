"""`search`: hits for people and for programs, and queries that cannot be understood."""

import json
import shutil
from pathlib import Path

from llmprof_addon.store.open import open_store
from llmprof_addon.store.upkeep import upkeep
from tests.unit.cli.conftest import Cli


def indexed(home: Path) -> Path:
    with open_store(f"sqlite:///{home}/llmprof.db") as store:
        while upkeep(store):
            pass
    return home


def test_texts_are_shown_at_their_first_call(llmprof: Cli, own: Path) -> None:
    ran = llmprof("search", "boat leaks", "--home", indexed(own))
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0].split("  ")[2:] == [f"call 01bb0001{'0' * 24}", "user", "carried by 2 calls"]
    assert ran.lines[1] == "  My [boat] [leaks] near the keel."
    (row,) = map(json.loads, llmprof("search", "boat leaks", "--json", "--home", own).lines)
    assert row["call"]["id"] == f"01bb0001{'0' * 24}"
    assert (row["kind"], row["carried_calls"], row["marks"]) == ("user", 2, [[3, 7], [8, 13]])
    assert row["snippet"] == "My boat leaks near the keel."


def test_filters_alone_list_calls(llmprof: Cli, own: Path) -> None:
    ran = llmprof("search", "has:error", "--home", indexed(own))
    assert ran.code == 0
    assert all("✗" in line for line in ran.lines)
    assert llmprof("search", "model:nobody", "--home", own).out == "nothing found\n"
    assert len(llmprof("search", "status:ok", "--limit", "2", "--home", own).lines) == 3


def test_what_cannot_be_understood_is_one_line(llmprof: Cli, own: Path) -> None:
    for typed in ("modle:x", "", "***", "has:money", "cost>much", "a*", "-boat", "after:2026-99-01"):
        ran = llmprof("search", typed, "--home", own)
        assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1), typed
    assert llmprof("search", '"keel NEAR( ^', "--home", own).code == 0


def test_a_store_without_an_index_says_so_and_gets_one(llmprof: Cli, recorded: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(recorded, tmp_path / "bare"))
    ran = llmprof("search", "boat", "--home", home)
    assert ran.out == "nothing found\n"
    assert "--reindex" in ran.err
    assert "texts are indexed" in llmprof("search", "--reindex", "--home", home).err
    ran = llmprof("search", "boat", "--home", home)
    assert "[boat]" in ran.out
    assert ran.err == ""
