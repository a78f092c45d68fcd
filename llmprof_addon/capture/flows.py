"""Saved flows and HAR files as exchanges, for `llmprof import`."""

from collections.abc import Iterator
from pathlib import Path

from mitmproxy import exceptions, http
from mitmproxy.io import FlowReader

from llmprof_addon.capture.hooks import saved_calls
from llmprof_addon.capture.redaction import redact
from llmprof_addon.errors import SpoolError
from llmprof_addon.model.exchange import Exchange
from llmprof_addon.settings import Settings

_ODD = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a flow whose state is not as mitmproxy writes it fails with, there or here, wherever it is first looked at."""


def read_exchanges(path: Path, settings: Settings) -> Iterator[Exchange]:
    """The LLM calls of a file, redacted, in its order. Raises `SpoolError` where the file cannot be read (further)."""
    try:
        with path.open("rb") as file:
            for flow in FlowReader(file).stream():
                if isinstance(flow, http.HTTPFlow):
                    yield from map(redact, saved_calls(flow, settings))
    except OSError as error:
        raise SpoolError(f"cannot be read: {error.strerror}") from error
    except exceptions.FlowReadException as error:
        raise SpoolError(f"is neither a flow file nor HAR, or is cut: {error}") from error
    except _ODD as error:
        raise SpoolError(f"holds a flow that mitmproxy did not write: {type(error).__name__}: {error}") from error
