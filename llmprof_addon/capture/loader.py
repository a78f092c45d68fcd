"""The file that a mitmproxy of the user's own loads: `mitmdump -s llmprof_addon`.

mitmproxy wants a file, not a package. This one finds the package by its path, without adding the site-packages around
it to the other environment, and names the interpreter that has the worker's dependencies.
"""

import sys
from pathlib import Path

import llmprof_addon

FILE_NAME = "llmprof_addon"

_LOADER = '''\
"""llmprof as a mitmproxy addon: `mitmdump -s {name}`. Written by `llmprof addon`; write it again after an upgrade."""

import importlib.util
import sys

PACKAGE = {package!r}
INTERPRETER = {interpreter!r}
HOME = {home!r}

if sys.version_info < (3, 12):
    raise RuntimeError("llmprof needs a mitmproxy (12.2 or newer) that runs on Python 3.12 or newer")
if "llmprof_addon" not in sys.modules:
    spec = importlib.util.spec_from_file_location(
        "llmprof_addon", PACKAGE + "/__init__.py", submodule_search_locations=[PACKAGE]
    )
    if spec is None or spec.loader is None:
        raise ImportError("no llmprof at " + PACKAGE)
    sys.modules["llmprof_addon"] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)

from llmprof_addon.capture.addons import make_addons

addons = make_addons(interpreter=INTERPRETER, home=HOME)
'''


def write_loader(folder: Path, *, home: Path | None = None, interpreter: str | None = None) -> Path:
    """Write the loader file into a folder and return its path; it works under any mitmproxy of this machine.

    Without `home` the loader goes by LLMPROF_HOME. Raises `OSError`.
    """
    path = folder / FILE_NAME
    text = _LOADER.format(
        name=FILE_NAME,
        package=Path(llmprof_addon.__file__).resolve().parent.as_posix(),
        interpreter=interpreter or sys.executable,
        home=str(home) if home else None,
    )
    path.write_text(text, "utf-8")
    return path.absolute()
