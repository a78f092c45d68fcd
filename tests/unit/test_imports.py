"""What a module may load, proved in a fresh interpreter: the floors that import contracts cannot see at run time."""

import subprocess
import sys

import pytest

BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {blocked!r}:
            raise ImportError(f'{{name}} is blocked')
sys.meta_path.insert(0, Blocked())
"""

THIRD_PARTY = ("peewee", "playhouse", "genai_prices", "tiktoken", "rich", "textual", "pydantic", "requests")


def load(code: str, blocked: tuple[str, ...] = ()) -> set[str]:
    """The top-level and own modules that are loaded after `code` ran with `blocked` packages missing."""
    script = BLOCK.format(blocked=blocked) + code + "\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_capture_loads_with_no_third_party_package_but_mitmproxy() -> None:
    load("import llmprof_addon.addon", blocked=THIRD_PARTY)


def test_registry_loads_with_the_standard_library_alone() -> None:
    load("import llmprof_addon.providers.registry", blocked=(*THIRD_PARTY, "mitmproxy"))


@pytest.mark.parametrize("module", ["llmprof_addon.cli", "llmprof_addon.settings", "llmprof_addon.spool.files"])
def test_light_modules_stay_light(module: str) -> None:
    loaded = load(f"import {module}")
    assert not {name.partition(".")[0] for name in loaded} & {*THIRD_PARTY, "mitmproxy"}


@pytest.mark.parametrize(
    "module", ["spool.lock", "spool.workerprocess", "worker", "capture.master", "settings", "cli.up"]
)
def test_nothing_posix_only_fails_at_import(module: str) -> None:
    load(f"import llmprof_addon.{module}", blocked=("fcntl", "resource", "termios", "pwd", "grp"))


def test_package_loads_no_network_library_for_counting() -> None:
    loaded = load("from llmprof_addon.counting.encodings import count; assert count('hello', 'o200k_base') == 1")
    assert "tiktoken_ext.openai_public" not in loaded


def test_the_first_screen_loads_no_other_place_and_nothing_that_counts_or_prices() -> None:
    loaded = load("import llmprof_tui.app, llmprof_tui.screens.runs")
    assert not {name.partition(".")[0] for name in loaded} & {
        "mitmproxy",
        "tiktoken",
        "genai_prices",
        "pydantic",
        "hypothesis",
    }
    late = ("llmprof_tui.panes", "llmprof_tui.screens.run", "llmprof_tui.screens.call", "llmprof_tui.screens.trends")
    assert not loaded & {*late, "llmprof_addon.pipeline", "textual.widgets._markdown", "textual.widgets._text_area"}
