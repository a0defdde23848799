#!/usr/bin/env bash
# Makes a virtual environment with exactly the pinned packages: venv.sh PYTHON FOLDER REQUIREMENTS
set -euo pipefail
python=$1 folder=$2 requirements=$3

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "python3-venv is missing: apt-get install python3-venv"
        apt-get update -q && apt-get install -qy python3-venv
    else
        echo "Python's venv module is missing. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$("$python" --version) is too old, 3.11 or newer is needed. Say which: make deps PYTHON3=python3.12" >&2
    exit 1
fi
"$python" -m venv --clear "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
touch "$folder/installed"
echo "$folder: ready"
