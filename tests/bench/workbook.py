"""A workbook of 200,000 rows and 20 columns, made from a seed, loaded by us and read by Polars (calamine) and openpyxl.

Ours is the whole way: every cell checked against a contract and written as a durable Delta version. Polars reads the sheet and writes
plain Parquet; openpyxl, in its read-only mode, only walks over the values. Each is one whole process, in turn.
"""

import argparse
import json
import math
import shutil
import sys
from pathlib import Path

import check
import measure

SEED = 20250702
# Change it when the data change, so that a kept folder is made anew.
EDITION = 1
ROWS = 200_000
WHOLE, FLOATS = 6, 8
# What the issue asks for: the most our time may be of each reader's.
TARGETS = {"polars": 1.0, "openpyxl": 1 / 5}
FIRST_DAY = 45_658  # 2025-01-01


def columns() -> list[str]:
    """The header: text, two dates, whole numbers, numbers with decimals."""
    return ["pupil_id", "school", "sex", "district", "born_on", "enrolled_on", *(f"count_{i}" for i in range(WHOLE)), *(f"score_{i}" for i in range(FLOATS))]


def make(path: Path, rows: int) -> dict:
    """Write the workbook as spreadsheet programs do, texts shared; give what a load of it must find."""
    import numpy as np
    import xlsxwriter

    rng = np.random.default_rng(SEED)
    book = xlsxwriter.Workbook(path)
    sheet, day = book.add_worksheet("Học sinh"), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, columns())
    sums = {"rows": rows, "pupil_number": 0, "days": 0, "counts": 0, "scores": 0.0}
    for row in range(1, rows + 1):
        for column, text in enumerate((f"{row:08}", f"Trường {row % 997}", ("Nam", "Nữ")[row % 2], f"Quận {row % 15}")):
            sheet.write_string(row, column, text)
        born = FIRST_DAY - 6_000 + row % 5_000
        sheet.write_number(row, 4, born, day)
        sheet.write_number(row, 5, FIRST_DAY + row % 300, day)
        values = rng.random(WHOLE + FLOATS) * 1000
        for index, value in enumerate(values):
            value = int(value) if index < WHOLE else float(value)
            sheet.write_number(row, 6 + index, value)
            sums["counts" if index < WHOLE else "scores"] += value
        sums["pupil_number"] += row
        sums["days"] += born - FIRST_DAY
    book.close()
    return sums


def ensure(base: Path) -> tuple[Path, dict]:
    """The workbook and what a load must find; made once, by a process of its own: what it holds would count as its children's peak."""
    folder = base / f"workbook-{EDITION}-{ROWS}"
    source, expected = folder / "pupils.xlsx", folder / "expected.json"
    if not expected.exists():
        folder.mkdir(parents=True, exist_ok=True)
        expected.write_text(measure.run([sys.executable, __file__, "make", str(source), ""]).output, "utf-8")
    return source, json.loads(expected.read_text("utf-8"))


def write_project(folder: Path, source: Path) -> Path:
    """A contract with a type for each column, and a pipeline over the workbook."""
    shutil.rmtree(folder, ignore_errors=True)
    kinds = {"pupil_id": "string", "school": "string", "sex": "string", "district": "string", "born_on": "date", "enrolled_on": "date"}
    kinds |= {name: "integer" if name.startswith("count") else "number" for name in columns() if name not in kinds}
    fields = [
        {
            "name": name,
            "title": name,
            "type": kind,
            "constraints": {"required": True},
            "sectorlake": {"classification": "public", "title": {"vi": name, "en": name}},
        }
        for name, kind in kinds.items()
    ]
    contract = {"name": "pupils", "fields": fields}
    document = {
        "title": {"vi": "pupils", "en": "pupils"},
        "source": {"connector": "file", "path": str(source.resolve()), "format": "xlsx"},
        "tables": {"bench.pupils": {"load": "replace", "map": f"SELECT {', '.join(columns())} FROM source"}},
    }
    (folder / "schemas/bench").mkdir(parents=True)
    (folder / "pipelines/bench").mkdir(parents=True)
    (folder / "schemas/bench/pupils.json").write_text(json.dumps(contract, ensure_ascii=False), "utf-8")
    # JSON is YAML.
    (folder / "pipelines/bench/pupils.yaml").write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return folder


def found(files: list[str], expected: dict) -> None:
    """Compare row count and sums of what was written."""
    counts = " + ".join(f"sum(count_{i})" for i in range(WHOLE))
    scores = " + ".join(f"sum(score_{i})" for i in range(FLOATS))
    answer = check.connection().execute(
        f"SELECT count(*), sum(pupil_id::BIGINT), sum(date_diff('day', DATE '2025-01-01', born_on::DATE)), {counts}, {scores} "
        f"FROM read_parquet({files!r})"
    ).fetchone()
    for name, value in zip(expected, answer, strict=True):
        if not math.isclose(value, expected[name], rel_tol=1e-9):
            raise check.Wrong(f"workbook: {name} is {value}, not {expected[name]}")


def run(binary: str, work: Path, rounds: int) -> dict[str, list[measure.Run]]:
    """The runs of each subject, interleaved."""
    source, expected = ensure(work)
    folder, lake, target = write_project(work / "project-workbook", source), work / "lake-workbook", work / "out-workbook"
    measure.warm(source)

    def ours() -> measure.Run:
        shutil.rmtree(lake, ignore_errors=True)
        one = measure.run([binary, "run", "pupils", "--project", str(folder), "--lake", str(lake)])
        found(check.delta_files(lake / "tables/bench/pupils"), expected)
        return one

    def peer(name: str) -> measure.Run:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        one = measure.run([sys.executable, __file__, name, str(source), str(target / "pupils.parquet")])
        if name == "polars":
            found(check.parquet_files(target), expected)
        elif one.output != str(expected["rows"] + 1):
            raise check.Wrong(f"openpyxl walked over {one.output} rows")
        return one

    runs: dict[str, list[measure.Run]] = {}
    for number in range(rounds):
        for name, subject in {"sectorlake": ours, "polars": lambda: peer("polars"), "openpyxl": lambda: peer("openpyxl")}.items():
            one = subject()
            runs.setdefault(name, []).append(one)
            print(f"round {number + 1}: workbook             {name:<11} {one.seconds:6.2f} s {one.peak_mib:6.0f} MiB", flush=True)
    shutil.rmtree(lake, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    return runs


def read(peer: str, source: str, target: str) -> None:
    """One peer's process, or that which makes the workbook."""
    if peer == "make":
        print(json.dumps(make(Path(source), ROWS)))
        return
    if peer == "polars":
        import polars

        polars.read_excel(source, engine="calamine").write_parquet(target, compression="zstd")
        return
    import openpyxl

    sheet = openpyxl.load_workbook(source, read_only=True).worksheets[0]
    print(sum(1 for _ in sheet.iter_rows(values_only=True)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=["make", *TARGETS])
    parser.add_argument("source")
    parser.add_argument("target")
    arguments = parser.parse_args()
    read(arguments.peer, arguments.source, arguments.target)
