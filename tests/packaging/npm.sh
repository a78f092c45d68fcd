#!/bin/sh
# Installs what a folder's package-lock.json names into another folder (by default the same), if node and npm are there;
# says so if they are not.
set -eu
from=$1
to=${2:-$1}
if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    echo "node and npm are not there: nothing of $from is installed, and its tests are skipped" >&2
    exit 0
fi
echo "Installing what $from/package-lock.json names ..."
mkdir -p "$to"
[ "$from" = "$to" ] || cp "$from/package.json" "$from/package-lock.json" "$to/"
cd "$to"
npm ci --no-audit --no-fund --loglevel=error
touch node_modules/.installed
