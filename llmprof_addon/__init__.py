"""llmprof: a profiler for LLM context windows, as a mitmproxy addon with a worker and a store beside it."""

# Written here and not read from the package's metadata, which takes as long as all else that `llmprof runs` imports.
__version__ = "0.1.0"
