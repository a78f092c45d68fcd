"""`python -m tests.e2e.faults.jumping up …`: llmprof, its clock ahead by the seconds in the file `FAULTS_CLOCK`."""

import os
import runpy
from pathlib import Path

from llmprof_addon import clock

_now_ns, _ahead = clock.now_ns, Path(os.environ["FAULTS_CLOCK"])


def _jumping_ns() -> int:
    return _now_ns() + int(_ahead.read_text()) * 10**9


if __name__ == "__main__":
    clock.now_ns = _jumping_ns
    runpy.run_module("llmprof_addon", run_name="__main__")
