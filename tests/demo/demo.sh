#!/usr/bin/env bash
# Loads the project's real files and asks across sectors: demo.sh BINARY LAKE
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$1 lake=$2
# As one would type it: relative to here if the binary is below.
shown=${binary#"$PWD"/}

step() {
    printf '\n── %s\n' "$1"
    shift
    printf '   $ %s\n\n' "$*"
}
sectorlake() { "$binary" "$@" --lake "$lake"; }

step "Real files of three sectors into one lake, each row checked against its contract" "$shown run --all"
sectorlake run --all

step "What was rejected, and why" "$shown rejected"
sectorlake rejected

for file in tests/demo/*.sql; do
    step "$(sed -n '1s/^-- //p' "$file")" "$shown sql -f $file"
    sectorlake sql -f "$file"
done

cat <<END

── What to try next
   $shown sql                                   a prompt with history and completion; \\d lists the tables
   $shown run --all                             again: nothing has changed, so nothing is published
   $shown describe environment.observations     columns, units, titles, licence
   $shown rejected gso-rainfall -o rejected.csv   the list for the data's owner
   $shown init my-city                          a small project of your own
   tests/.venv/bin/python -c 'import polars; print(polars.read_delta("$lake/tables/transport/stops"))'
                                                the tables are plain Delta: any tool reads them (make deps brings Polars)
END
