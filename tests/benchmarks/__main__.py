"""`make bench`: all benchmarks, or those that are named (`make bench ARGS=growth`).

What follows the names `peers` and `soak` is for them: `make bench ARGS="peers rates --rounds 2"`.
"""

import sys
from importlib import import_module

NAMES = ("startup", "load", "growth", "steady", "screens", "live", "postgres", "peers")

if sys.argv[1:2] in (["peers"], ["soak"]):
    sys.exit(import_module(f"tests.benchmarks.{sys.argv[1]}").main(sys.argv[2:]))
for name in sys.argv[1:] or NAMES:
    print(f"== {name}")
    import_module(f"tests.benchmarks.{name}").main()
