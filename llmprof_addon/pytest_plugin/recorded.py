"""One test's calls: where its clients have to go, and what came of them once the worker has stored them."""

import json
import os
import re
import secrets
import time
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import pytest

from llmprof_addon import clock
from llmprof_addon import settings as settings_
from llmprof_addon.capture.addresses import SESSION, forward_url, reverse_url
from llmprof_addon.capture.agents import GENERIC
from llmprof_addon.cli.opened import home_flag, reachable_host
from llmprof_addon.errors import LlmprofError
from llmprof_addon.export.text import counted
from llmprof_addon.gate.baseline import baseline_text, read_baseline
from llmprof_addon.gate.formats import failures
from llmprof_addon.gate.limits import TOLERANCE, Limits, Written, limits, share
from llmprof_addon.gate.measure import Measured, measure
from llmprof_addon.gate.rules import judge
from llmprof_addon.pytest_plugin.budget import Budget, baseline_file
from llmprof_addon.settings import Settings
from llmprof_addon.spool.folder import Spool
from llmprof_addon.spool.joining import join
from llmprof_addon.spool.leases import launching, lease
from llmprof_addon.spool.proxies import ProxyRecord
from llmprof_addon.store import queries
from llmprof_addon.store.database import sqlite_path
from llmprof_addon.store.open import open_store
from llmprof_addon.store.rows import CallRow

STORED_SECONDS = 60.0
"""How long to wait for the worker, which runs niced."""
_PAUSE_SECONDS = 0.02
_NAME_LENGTH = 60


@contextmanager
def recorder(home: str | None) -> "Iterator[Recorder]":
    """The proxy of this home, joined or started, kept alive until the block ends. Raises `LlmprofError`."""
    settings = settings_.load({"home": home})
    settings.ensure_home()
    with ExitStack() as stack:
        with launching(settings.home):
            stack.enter_context(lease(settings.home))
            proxy = join(settings.home, db_url=settings.db_url)
        assert proxy is not None  # it was started where there was none
        yield Recorder(settings, proxy)


@dataclass(frozen=True, slots=True)
class Recorder:
    """The proxy that the tests of this process share."""

    settings: Settings
    proxy: ProxyRecord

    def test(self, nodeid: str) -> "Recorded":
        """What records a test. Its session is new in every run of it, and still tells which test it was."""
        name = re.sub(r"[^0-9A-Za-z._-]+", "-", nodeid.rpartition("/")[2]).strip("-")[-_NAME_LENGTH:]
        return Recorded(self, nodeid, f"{name}-{secrets.token_hex(4)}")


@dataclass
class Recorded:
    """The fixture: where a test's clients go, and what it cost."""

    _recorder: Recorder = field(repr=False)
    _nodeid: str
    session: str
    """The run of this test: `llmprof report SESSION`."""
    _began_ns: int = field(default_factory=clock.now_ns, repr=False)

    @property
    def base_url(self) -> str:
        """For clients: OpenAI's take `base_url + "/v1"`, Anthropic's this, others a prefix: `base_url + "/groq/v1"`."""
        return reverse_url(self._host, self._recorder.proxy.ports["reverse"], self.session, SESSION)

    @property
    def base_urls(self) -> Mapping[str, str]:
        """The variables of SDKs that lead here; they are set while the test runs."""
        return {name: value.format(reverse=self.base_url) for name, value in GENERIC.reverse.items()}

    @cached_property
    def environ(self) -> dict[str, str]:
        """The environment of a child process that is to go through the proxy with its URLs as they are."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from llmprof_addon.capture import child

        proxy_url = forward_url(self._host, self._recorder.proxy.ports["forward"], self.session, SESSION)
        kept = {name: value for name, value in os.environ.items() if value != self.base_urls.get(name)}
        return child.forward(self._recorder.settings, proxy_url, kept).applied(kept)

    @property
    def _host(self) -> str:
        return reachable_host(self._recorder.settings)

    def calls(self) -> list[CallRow]:
        """The calls that were made so far, the oldest first. Waits until they are stored; fails if they never are."""
        self._wait()
        settings = self._recorder.settings
        path = sqlite_path(settings.db_url)
        if path is not None and not path.exists():
            return []
        with open_store(settings.db_url, read_only=True) as store:
            run = queries.run(store, self.session)
            return [] if run is None else list(queries.calls(store, run=run.id))[::-1]

    def check(
        self,
        *,
        max_usd: Written = None,
        max_context: Written = None,
        max_growth: Written = None,
        max_schema_tokens: Written = None,
        min_cache_hit: Written = None,
        max_breaks: Written = None,
        baseline: str | Path | None = None,
        tolerance: Written = TOLERANCE,
    ) -> None:
        """Fail the test if its calls so far break a limit, or are worse than the baseline in this file."""
        __tracebackhide__ = True
        with self._told():
            wanted = limits(
                max_usd=max_usd,
                max_context=max_context,
                max_growth=max_growth,
                max_schema_tokens=max_schema_tokens,
                min_cache_hit=min_cache_hit,
                max_breaks=max_breaks,
            )
            if not wanted and baseline is None:
                raise TypeError("llmprof.check() needs a limit or a baseline")
            kept = None if baseline is None else read_baseline(Path(baseline))
            self._judge(self._measured(), wanted, kept, share(tolerance, "tolerance"))

    def keep_to(self, budget: Budget) -> None:
        """Fail the test if it breaks what the options ask; or write its baseline."""
        __tracebackhide__ = True
        with self._told():
            measured, kept = self._measured(), None
            if budget.folder is not None:
                path = baseline_file(budget.folder, self._nodeid)
                if budget.writes:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(baseline_text(measured), "utf-8")
                elif path.exists():
                    kept = read_baseline(path)
                else:
                    self._fail(f"there is no baseline at {path}; --llmprof-write-baseline makes it")
            self._judge(measured, budget.limits, kept, budget.tolerance)

    def _measured(self) -> Measured:
        calls = self.calls()
        if not calls:
            self._fail(f"no LLM call of this test was recorded; its client has to go to {self.base_url}")
        return measure(calls)

    def _judge(self, measured: Measured, wanted: Limits, kept: Measured | None, tolerance: Fraction) -> None:
        if broken := failures(judge(measured, wanted, kept, tolerance)):
            where = f"llmprof report {self.session}{home_flag(self._recorder.settings)}"
            self._fail(f"{'; '.join(broken)} ({counted(measured.calls, 'call')}: {where})")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What keeps a check from being made fails the test, in a line."""
        try:
            yield
        except LlmprofError as error:
            self._fail(f"{error.message}{f'; {error.hint}' if error.hint else ''}")
        except OSError as error:
            self._fail(f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}")

    @staticmethod
    def _fail(said: str) -> NoReturn:
        pytest.fail(f"llmprof: {said}", pytrace=False)

    def _wait(self) -> None:
        """Until this test's calls are handed over, written, and stored."""
        until = time.monotonic() + STORED_SECONDS
        spool = Spool(self._recorder.settings.spool_dir)
        while self._is_on_its_way(self._state()):
            self._pause(until, "its calls are still in flight")
        mark = clock.now_ns()
        while (oldest := spool.backlog().oldest_ended_ns) is not None and oldest <= mark:
            self._pause(until, "the worker has not stored them")
        if any(self._is_ours(path) for path in spool.failed_folder.glob("*.exchange")):
            self._fail(f"a call could not be analysed; {spool.failed_folder} holds it with the reason")

    def _is_on_its_way(self, state: Mapping[str, Any]) -> bool:
        return self.session in state["sessions"] or state["queued_bytes"] > 0

    def _pause(self, until: float, why: str) -> None:
        if time.monotonic() > until:
            self._fail(f"not checked: after {STORED_SECONDS:.0f} s {why}; see `llmprof status`")
        time.sleep(_PAUSE_SECONDS)

    def _is_ours(self, path: Path) -> bool:
        """Whether a file that could not be processed is of this test."""
        ended = path.name.partition("-")[0]
        if ended.isdigit() and int(ended) < self._began_ns:
            return False
        try:
            head = path.open("rb").readline()
            return bool(json.loads(head).get("session") == self.session)
        except (OSError, ValueError, AttributeError):
            return True  # too damaged to say, and of this time

    def _state(self) -> Mapping[str, Any]:
        """What the proxy says of itself at this moment."""
        # Not through the proxy that the environment may name.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        port = self._recorder.proxy.ports["reverse"]
        try:
            with opener.open(f"http://{self._host}:{port}/llmprof/health", timeout=10) as answer:
                state: dict[str, Any] = json.load(answer)
        except OSError as error:
            self._fail(f"the proxy is gone ({error}); see {self._recorder.settings.home / 'up.log'}")
        return state
