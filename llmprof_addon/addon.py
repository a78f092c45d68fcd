"""The file for `mitmdump -s llmprof_addon/addon.py` in a checkout; elsewhere `llmprof addon` writes one."""

import importlib.util
import sys
from pathlib import Path

if "llmprof_addon" not in sys.modules:
    # mitmproxy loads this file by its path, so the package around it is looked for there and nowhere else.
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "llmprof_addon", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no llmprof at {folder}")
    sys.modules["llmprof_addon"] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)

from llmprof_addon.capture.addons import make_addons

addons = make_addons()
