#!/bin/sh
# Makes $VENV from a lock file, with nothing but a Python >= 3.12 on the path. Says what it does in one line, and what is
# missing in another.
set -eu
lock=$1
venv=${VENV:-.venv}

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }

if [ ! -x "$venv/bin/python" ] || ! usable "$venv/bin/python"; then
    python=
    # Asked one by one: a version manager's shim may exist for a version that is not selected here, and fails.
    for candidate in ${PYTHON:-} python3.13 python3.14 python3.12 python3 python; do
        if usable "$candidate"; then python=$candidate; break; fi
    done
    if [ -z "$python" ]; then
        echo "llmprof needs Python 3.12 or newer and found none on the path; install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2
        exit 3
    fi
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "$python comes without ensurepip; install the system package python$version-venv (Debian, Ubuntu: apt install python$version-venv)" >&2
        exit 3
    fi
    echo "Setting up $venv with $("$python" --version) ..."
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

echo "Installing what $lock names ..."
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$lock"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-build-isolation --no-deps --editable .
