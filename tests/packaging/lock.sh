#!/bin/sh
# Makes the lock files: versions and hashes for every platform, no addresses. Run by `make lock`; needs uv on the path.
set -eu
flags="--quiet --universal --python-version 3.12 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links"
uv pip compile pyproject.toml --group build $flags --output-file requirements.lock
uv pip compile pyproject.toml --group build --group dev $flags --constraint requirements.lock --output-file requirements-dev.lock
uv pip compile pyproject.toml --group build --group sdks $flags --constraint requirements.lock --output-file requirements-sdks.lock
