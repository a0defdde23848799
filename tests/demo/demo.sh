#!/usr/bin/env bash
# Loads the project's real files and asks across sectors: demo.sh BINARY LAKE
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$1 lake=$2
# As one would type it: relative to here if the binary is below, the lake only where it is not the project's own.
shown=${binary#"$PWD"/}
elsewhere=""
case $lake in lake | "$PWD/lake") ;; *) elsewhere=" --lake $lake" ;; esac

step() {
    printf '\n── %s\n   $ %s%s\n\n' "$1" "$2" "$elsewhere"
}
hint() {
    printf '\n   %s\n   $ %s\n' "$1" "$2"
}
sectorlake() { "$binary" "$@" --lake "$lake"; }

# Pipelines of public addresses are played back: nothing here asks the network. What is real in the recording, its README says.
recording=tests/recordings/pipelines
step "1. Real files of three sectors into one lake, each row checked against its contract; sources on the net are played back" \
    "$shown run --all --replay $recording"
sectorlake run --all --replay "$recording"

step "2. What was rejected, and why" "$shown rejected"
sectorlake rejected

number=3
for file in tests/demo/*.sql; do
    step "$number. $(sed -n '1s/^-- //p' "$file")" "$shown sql -f $file"
    sectorlake sql -f "$file"
    number=$((number + 1))
done

printf '\n── What to try next\n'
hint 'Ask: a prompt with history and completion; \dt lists the tables, \d TABLE its columns, \q ends' "$shown sql$elsewhere"
hint "Run again: nothing has changed, so nothing is published" "$shown run --all --replay $recording$elsewhere"
hint "Ask sources on the net themselves, into a lake of their own: the answers played back for Hải Phòng are made up" \
    "$shown run hai-phong-air hai-phong-stops hai-phong-schools --lake lake-live"
hint "What a table holds: columns, units, titles, licence" "$shown describe environment.observations$elsewhere"
hint "The rejected rows as a sheet, for the data's owner to correct" "$shown rejected hcmc-schools --export rejected.xlsx$elsewhere"
hint "Each pipeline has published a snapshot; any of them can be asked" "$shown snapshots$elsewhere"
hint "Have sectorlake on the PATH, so that its name alone will do" "make install"
hint "Start a project of your own" "$shown init ../my-city && $shown run --all --project ../my-city"
hint "The tables are plain Delta, so other tools read them; here Polars" \
    "make deps && tests/.venv/bin/python -c 'import polars; print(polars.read_delta(\"$lake/tables/transport/stops\"))'"
