"""`make bench`: all benchmarks, or those that are named (`make bench ARGS=growth`)."""

import sys
from importlib import import_module

NAMES = ("load", "growth", "steady", "screens", "postgres")

for name in sys.argv[1:] or NAMES:
    print(f"== {name}")
    import_module(f"tests.benchmarks.{name}").main()
