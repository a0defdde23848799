#!/usr/bin/env bash
# Runs a server of tests/.venv-servers: python.sh FILE PORT. Ends with 3 if the packages are not installed.
set -euo pipefail
here=$(dirname "$0")
python=$here/../.venv-servers/bin/python
if [ ! -f "$here/../.venv-servers/installed" ]; then
    echo "no Python servers are installed (make deps)" >&2
    exit 3
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$python" "$here/$1" "${@:2}" 2>"$log" || { cat "$log" >&2; exit 1; }
