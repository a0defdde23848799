#!/usr/bin/env bash
# Loads the project's real files into a fresh lake and lets other makers' readers look at it: run.sh BINARY PYTHON
# What cannot run is skipped loudly; with CI=true a skip is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$1 python=$2
skipped=0

if [ -x "$python" ] && "$python" -c 'import deltalake, duckdb, polars, frictionless, jsonschema, openpyxl, xlrd, google.transit.gtfs_realtime_pb2' 2>/dev/null; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    export SECTORLAKE_BIN=$binary SECTORLAKE_LAKE=$scratch/lake
    "$python" tests/data/count.py
    "$python" tests/corpus/count.py
    "$binary" run --all --replay tests/recordings/pipelines --lake "$SECTORLAKE_LAKE" >"$scratch/run.txt" 2>&1 || { cat "$scratch/run.txt"; exit 1; }
    for check in tests/openness/*.py; do
        echo "== $check"
        "$python" "$check"
    done
else
    skipped=$((skipped + 1))
    echo "!! SKIPPED: the openness checks (tests/openness/*.py) need Python packages that are not here; run: make deps" >&2
fi

if [ "$skipped" -gt 0 ]; then
    if [ "${CI:-}" = true ]; then
        echo "sectorlake tests: FAILED, $skipped skipped where nothing may be" >&2
        exit 1
    fi
    echo "sectorlake tests: passed, $skipped SKIPPED"
else
    echo "sectorlake tests: all passed"
fi
