import tomllib
from pathlib import Path

import pytest

from llmprof_addon import __version__

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.skipif(not PROJECT.exists(), reason="the package is tested without its sources")
def test_the_version_is_that_of_the_package() -> None:
    assert __version__ == tomllib.loads(PROJECT.read_text())["project"]["version"]
