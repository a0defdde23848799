"""Reads every table of a lake with deltalake, DuckDB and Polars and compares counts and sums with what `sectorlake sql` says.

Wants `SECTORLAKE_BIN` and `SECTORLAKE_LAKE`, as `run.sh` sets them.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import deltalake
import duckdb
import polars as pl
import pyarrow as pa

LAKE = Path(os.environ["SECTORLAKE_LAKE"])
# Each is asked of every column: how many values, and a figure over all of them that a lost or doubled row would change.
NUMBER = "sum(CAST({column} AS DOUBLE))"
TEXT = "sum(length({column}))"
COUNT = "count({column})"


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def figure(kind: pa.DataType) -> str:
    """What is asked of a column of this type."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return NUMBER
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return TEXT
    return COUNT


def statement(schema: pa.Schema, table: str) -> str:
    """One row of figures: rows, then count and figure of each column, named c0, f0, c1, f1…"""
    parts = ["count(*) AS rows"]
    for index, field in enumerate(schema):
        column = quoted(field.name)
        parts.append(f"{COUNT.format(column=column)} AS c{index}")
        parts.append(f"{figure(field.type).format(column=column)} AS f{index}")
    return f"SELECT {', '.join(parts)} FROM {table}"


def ours(sql: str) -> list[float]:
    """What `sectorlake sql` answers."""
    command = [os.environ["SECTORLAKE_BIN"], "sql", "--lake", str(LAKE), "--format", "ndjson", sql]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{sql}\n{done.stderr}")
    return list(json.loads(done.stdout).values())


def by_polars(table: Path, schema: pa.Schema) -> list[float]:
    """The same figures by Polars' own Delta reader."""
    frame = pl.scan_delta(str(table)).collect()
    figures = [frame.height]
    for field in schema:
        column = frame[field.name]
        kind = figure(field.type)
        figures.append(column.count())
        if kind == TEXT:
            figures.append(column.cast(pl.String).str.len_chars().sum() if column.count() else None)
        else:
            figures.append(column.cast(pl.Float64).sum() if kind == NUMBER and column.count() else column.count() if kind == COUNT else None)
    return figures


def same(left: list, right: list) -> bool:
    """Whether figures agree; sums of floats up to the order of adding."""
    return len(left) == len(right) and all(
        a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)) for a, b in zip(left, right)
    )


def check(folder: Path) -> tuple[int, list[str]]:
    """Rows of a table, and what disagrees."""
    name = f"{folder.parent.name}.{folder.name}"
    table = deltalake.DeltaTable(str(folder))
    data = table.to_pyarrow_dataset()
    answers = {
        "sectorlake": ours(statement(data.schema, name)),
        "duckdb": list(duckdb.sql(statement(data.schema, "data")).fetchall()[0]),
        "polars": by_polars(folder, data.schema),
    }
    rows = data.count_rows()
    wrong = [f"{name}: deltalake counts {rows} rows, sectorlake {answers['sectorlake'][0]}"] if rows != answers["sectorlake"][0] else []
    for other in ("duckdb", "polars"):
        if not same(answers["sectorlake"], answers[other]):
            fields = ["rows", *(f"{kind} of {field.name}" for field in data.schema for kind in ("count", "sum"))]
            differ = [f"{f}: {a} and {b}" for f, a, b in zip(fields, answers["sectorlake"], answers[other]) if not same([a], [b])]
            wrong.append(f"{name}: sectorlake and {other} disagree in {'; '.join(differ)}")
    return rows, wrong


def main() -> int:
    """Check every table of the lake."""
    folders = sorted(log.parent for log in (LAKE / "tables").glob("*/*/_delta_log"))
    if not folders:
        print(f"no table under {LAKE}")
        return 1
    wrong: list[str] = []
    for folder in folders:
        rows, found = check(folder)
        wrong += found
        print(f"  {folder.parent.name}.{folder.name}: {rows} rows")
    print("\n".join(wrong) or f"{len(folders)} tables: deltalake, DuckDB and Polars read what sectorlake says")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
