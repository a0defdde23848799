#!/usr/bin/env bash
# Loads the real files that may be used but not passed on, and compares with what Python counts in them: check.sh BINARY DIR
# DIR holds them as tests/data/SOURCES.md would: common/hai_phong_districts_2025-03.json and so on.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$1 dir=${2:-}
[ -d "$dir/common" ] || { echo "usage: make corpus DIR=folder, with common/hai_phong_*.json and .geojson, and sdmx_csv_*.csv, in it" >&2; exit 2; }
dir=$(cd "$dir" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/schemas"
cp -r "$here/pipelines" "$scratch/"
ln -s "$dir" "$scratch/data"
"$binary" run --all --project "$scratch"
python3 - "$binary" "$scratch" <<'PYTHON'
import csv, json, subprocess, sys
from pathlib import Path

binary, project = sys.argv[1:]
common = Path(project, "data/common")
districts = json.loads(common.joinpath("hai_phong_districts_2025-03.json").read_bytes())["level2s"]
wards = [json.loads(path.read_bytes())["features"] for path in common.glob("hai_phong_wards/*.geojson")]
points = sum(len(ring) for district in districts for polygon in district["coordinates"] for ring in polygon)
expected = {
    "SELECT count(*) FROM common.places WHERE level = 'district'": len(districts),
    "SELECT sum(ST_NPoints(geometry)) FROM common.places WHERE level = 'district'": points,
    "SELECT count(*) FROM common.places WHERE level = 'ward'": sum(map(len, wards)),
    "SELECT count(*) FROM common.places WHERE level = 'province' AND ST_Contains(geometry, ST_Point(106.68, 20.86))": 1,
}
for path in sorted(common.glob("sdmx_csv_example-*.csv")):
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = ";" if ";" in file.readline().replace("[;]", "").replace("[en;fr]", "") else ","
        file.seek(0)
        rows = list(csv.DictReader(file, delimiter=delimiter))
    values = [next(float(value.replace(",", ".")) for name, value in row.items() if name.startswith("OBS_VALUE")) for row in rows]
    source = f"'sdmx-csv-{path.stem.rsplit('-')[-1].lower()}'"
    expected[f"SELECT count(*) FROM common.indicators WHERE _source = {source}"] = len(rows)
    expected[f"SELECT round(sum(obs_value), 6) FROM common.indicators WHERE _source = {source}"] = round(sum(values), 6)
wrong = 0
for question, counted in expected.items():
    done = subprocess.run([binary, "sql", "--project", project, "--format", "ndjson", question], capture_output=True, text=True)
    answer = next(iter(json.loads(done.stdout).values())) if done.returncode == 0 else done.stderr
    print("ok" if answer == counted else "WRONG", question, counted, answer)
    wrong += answer != counted
sys.exit(1 if wrong else 0)
PYTHON
