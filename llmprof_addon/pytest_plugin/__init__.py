"""The pytest plugin: fixture `llmprof` and options `--llmprof-…`. Where neither is used, next to nothing is loaded.

A test with the fixture has its LLM calls recorded as one run, by the base URLs that its environment then names or by
`llmprof.base_url`. It fails if it breaks a limit: one given to `llmprof.check(…)`, or by option for all such tests.
"""

import warnings
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from llmprof_addon.gate.options import LIMITS

if TYPE_CHECKING:
    from llmprof_addon.pytest_plugin.budget import Budget
    from llmprof_addon.pytest_plugin.recorded import Recorded, Recorder

_RECORDED: "pytest.StashKey[Recorded]" = pytest.StashKey()
_BUDGET: "pytest.StashKey[Budget]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("llmprof", "what a test with the fixture `llmprof` may cost")
    for name, (metavar, said) in LIMITS.items():
        group.addoption(_flag(name), metavar=metavar, help=said.replace("%", "%%"))
    group.addoption("--llmprof-baseline", metavar="DIR", help="compare each test with its file there")
    group.addoption("--llmprof-write-baseline", action="store_true", help="write these files instead")
    group.addoption("--llmprof-tolerance", metavar="N%", default="5%", help="how much worse than the baseline (5%%)")
    group.addoption("--llmprof-home", metavar="DIR", help="where to record (LLMPROF_HOME, ~/.llmprof)")


def pytest_configure(config: pytest.Config) -> None:
    """Read what the options ask, if they ask anything; wrong ones end the session with a line."""
    given = {name: config.getoption(_flag(name)) for name in LIMITS}
    folder, writes = config.getoption("--llmprof-baseline"), config.getoption("--llmprof-write-baseline")
    if not writes and folder is None and not any(value is not None for value in given.values()):
        return
    from llmprof_addon.errors import ConfigError
    from llmprof_addon.pytest_plugin.budget import budget

    try:
        config.stash[_BUDGET] = budget(given, folder, config.getoption("--llmprof-tolerance"), writes=writes)
    except ConfigError as error:
        raise pytest.UsageError(f"--llmprof-{error.message}; {error.hint}") from None


def _flag(name: str) -> str:
    return f"--llmprof-{name.replace('_', '-')}"


@pytest.fixture(scope="session")
def _llmprof_recorder(request: pytest.FixtureRequest) -> "Iterator[Recorder]":
    """The proxy of the home, for as long as the tests run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a test suite's own filters are not for what we import
        from llmprof_addon.errors import LlmprofError
        from llmprof_addon.pytest_plugin.recorded import recorder
    try:
        context = recorder(request.config.getoption("--llmprof-home"))
        found = context.__enter__()
    except LlmprofError as error:
        pytest.fail(f"llmprof: {error.message}{f'; {error.hint}' if error.hint else ''}", pytrace=False)
    yield found
    context.__exit__(None, None, None)


@pytest.fixture
def llmprof(
    request: pytest.FixtureRequest, _llmprof_recorder: "Recorder", monkeypatch: pytest.MonkeyPatch
) -> "Recorded":
    """Record this test's LLM calls as one run; `llmprof.check(max_usd=0.05)` fails it if they cost more."""
    recorded = _llmprof_recorder.test(request.node.nodeid)
    for name, value in recorded.base_urls.items():
        monkeypatch.setenv(name, value)
    request.node.stash[_RECORDED] = recorded
    return recorded


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """After the test itself, as part of it, hold it to the options."""
    result = yield
    if (recorded := pyfuncitem.stash.get(_RECORDED, None)) and (wanted := pyfuncitem.config.stash.get(_BUDGET, None)):
        recorded.keep_to(wanted)
    return result
