"""llmprof: a profiler for LLM context windows, as a mitmproxy addon with a worker and a store beside it."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("llmprof-addon")
except PackageNotFoundError:  # loaded by a mitmdump of another environment, straight from its folder
    __version__ = "0+unpackaged"
