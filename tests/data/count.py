"""Counts the real files with Python's own readers: the counts our loads are compared with.

`python tests/data/count.py` compares what it finds with `counts.json`; `--write` writes that file anew.
Only Python's standard library is used, so nothing of ours takes part in the count.
"""

import csv
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parent


def records(data: bytes, delimiter: str = ",", skip: int = 0, encoding: str = "utf-8-sig") -> list[list[str]]:
    """Non-blank CSV records after `skip` physical lines; the header, if any, is still the first."""
    text = "\n".join(data.decode(encoding).splitlines()[skip:])
    return [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]


def count_zip(path: Path) -> dict[str, int]:
    """Data rows of each member: sensor logs are split by semicolons, GTFS tables by commas."""
    counts = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if not member.endswith((".txt", ".csv")):
                continue
            delimiter = ";" if member.endswith(".csv") else ","
            counts[member] = len(records(archive.read(member), delimiter)) - 1
    return counts


def count_csv(path: Path) -> dict[str, int | float]:
    """Data rows; of the statistics office's wide tables also the cells that hold a number, and their sum."""
    data = path.read_bytes()
    if path.name == "vn_ward_conversion_2025_old_new.csv":
        rows = records(data)[2:]
        pairs = {(row[4].strip(), row[2].strip()) for row in rows if row[2].strip()}
        return {"rows": len(rows), "titles": sum(not row[2].strip() for row in rows), "pairs": len(pairs)}
    if not path.name.startswith("vn_gso_"):
        return {"rows": len(records(data)) - 1}
    if path.name == "vn_gso_units_2025-01-04.csv":
        rows = records(data)[1:]
        return {
            "rows": len(rows),
            "provinces": len({row[1] for row in rows}),
            "districts": len({row[3] for row in rows}),
            "wards": len({row[5] for row in rows if row[5]}),
        }
    from_r = path.name == "vn_gso_pupils_by_province.csv"
    rows = records(data, ";", skip=0 if from_r else 2)[1:]
    kept = 2 if from_r or "monthly" in path.name else 1
    cells = [cell for row in rows for cell in row[kept:]]
    missing = [cell for cell in cells if cell in ("..", "NA")]
    numbers = [float(cell) for cell in cells if cell.strip(".").replace(".", "", 1).isdigit()]
    counts = {"rows": len(rows), "cells": len(cells), "missing": len(missing), "numbers": len(numbers)}
    return counts | {"neither": len(cells) - len(missing) - len(numbers), "sum": round(sum(numbers), 3)}


def count_json(path: Path) -> dict[str, int | float]:
    """Entries of the list that the document is, or holds."""
    document = json.loads(path.read_bytes())
    if path.name.startswith("vn_units"):
        return {"provinces": len(document), "wards": sum(len(province["Wards"]) for province in document)}
    if path.suffix == ".geojson":
        features = [feature["properties"] for feature in document["features"]]
        counts = {"features": len(features), "ids": len({feature["id"] for feature in features})}
        if "RoadSegment" in features[0]["type"]:
            counts["length_sum"] = round(sum(feature["length"] for feature in features), 2)
        else:
            counts["schools"] = sum("school" in feature["category"] for feature in features)
        return counts
    if "records" in document:
        records = document["records"]
        estimates = sum((record["qualifier"] or "").endswith("EST") for record in records)
        total = round(sum(record["value"] for record in records), 3)
        return {"records": len(records), "estimates": estimates, "value_sum": total}
    results = document["results"]
    counts = {"results": len(results)}
    if "sensors" in results[0]:
        counts["sensors"] = sum(len(location["sensors"]) for location in results)
    if "value" in results[0]:
        counts["value_sum"] = round(sum(result["value"] for result in results), 3)
    return counts


def count_ndjson(path: Path) -> dict[str, int]:
    """Lines, and lines with another id."""
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return {"rows": len(entries), "ids": len({entry["id"] for entry in entries})}


COUNTERS = {".zip": count_zip, ".csv": count_csv, ".json": count_json, ".geojson": count_json, ".ndjson": count_ndjson}


def count(path: Path) -> dict:
    """What `counts.json` holds for one file."""
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "counts": COUNTERS[path.suffix](path)}


def main() -> int:
    """Write, or compare and say what differs."""
    target = HERE / "counts.json"
    if "--write" in sys.argv:
        paths = sorted(json.loads(target.read_text("utf-8"))) if target.exists() else []
        new = [str(p.relative_to(HERE)) for p in map(Path, sys.argv[2:])] if len(sys.argv) > 2 else []
        found = {name: count(HERE / name) for name in sorted({*paths, *new})}
        target.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return 0
    wrong = 0
    sources = (HERE / "SOURCES.md").read_text("utf-8")
    for name, known in json.loads(target.read_text("utf-8")).items():
        found = count(HERE / name)
        if found != known:
            wrong += 1
            print(f"{name}: counts.json says {known}, the file holds {found}")
    for path in sorted(HERE.glob("*/**/*")):
        # Inputs of the fuzzing tests were made by mutation: they come from nowhere.
        if path.is_file() and "fuzz" not in path.parts and path.name not in sources:
            wrong += 1
            print(f"{path.relative_to(HERE)}: no line in SOURCES.md says where it comes from")
    print(f"real files: {'every count agrees' if wrong == 0 else f'{wrong} disagree'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
