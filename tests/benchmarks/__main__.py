"""`make bench`: all benchmarks, or those that are named (`make bench ARGS=growth`).

What follows the name `peers` is for it: `make bench ARGS="peers rates --rounds 2"`.
"""

import sys
from importlib import import_module

NAMES = ("load", "growth", "steady", "screens", "postgres", "peers")

if sys.argv[1:2] == ["peers"]:
    import_module("tests.benchmarks.peers").main(sys.argv[2:])
else:
    for name in sys.argv[1:] or NAMES:
        print(f"== {name}")
        import_module(f"tests.benchmarks.{name}").main()
