"""Asks DuckDB the analyst's statements of `crates/query/tests/slt/*.slt` over the same fixture and compares with the answers written there.

A statement that DuckDB spells otherwise has its spelling above it (`# duckdb: SELECT …`); one that DuckDB cannot answer says so and why
(`# duckdb: none …`). `slt_check.py FILE…` checks only those files.
"""

import datetime
import decimal
import json
import math
import sys
from pathlib import Path

import duckdb

SLT = Path(__file__).resolve().parents[2] / "crates" / "query" / "tests" / "slt"
# The largest share of statements that nobody else confirms.
UNCONFIRMED_MAX = 0.1
SPELLING = "# duckdb:"
# Settings and functions that make DuckDB mean what the same words mean here.
SETUP = """
SET TimeZone = 'UTC';
SET integer_division = true;
SET default_null_order = 'nulls_last_on_asc_first_on_desc';
CREATE MACRO vn_unaccent(t) AS replace(replace(strip_accents(t), 'đ', 'd'), 'Đ', 'D');
CREATE MACRO gtfs_seconds(t) AS
    CAST(split_part(t, ':', 1) AS BIGINT) * 3600 + CAST(split_part(t, ':', 2) AS BIGINT) * 60 + CAST(split_part(t, ':', 3) AS BIGINT);
CREATE MACRO sphere(lon1, lat1, lon2, lat2) AS 2 * 6371008.771415059 * asin(sqrt(
    pow(sin(radians(lat2 - lat1) / 2), 2) + cos(radians(lat1)) * cos(radians(lat2)) * pow(sin(radians(lon2 - lon1) / 2), 2)));
"""


def connect() -> duckdb.DuckDBPyConnection:
    """DuckDB with the fixture's tables."""
    connection = duckdb.connect()
    connection.execute(SETUP)
    for name, types in json.loads((SLT / "data" / "tables.json").read_text()).items():
        csv = {column: "VARCHAR" if kind == "WKB" else kind for column, kind in types.items()}
        path = SLT / "data" / f"{name}.csv"
        order = path.read_text().splitlines()[0].split(",")
        columns = ", ".join(f"ST_GeomFromWKB(unhex({c})) AS {c}" if types[c] == "WKB" else c for c in order)
        read = f"read_csv('{path}', header = true, columns = {json.dumps({c: csv[c] for c in order})})"
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name.split('.')[0]}")
        connection.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM {read}")
    return connection


def statements(file: Path):
    """Line number, whether the order is free, the SQL, DuckDB's spelling (None: the same), and the rows as written."""
    lines = file.read_text().splitlines()
    at, spelling = 0, None
    while at < len(lines):
        line = lines[at]
        if line.startswith(SPELLING):
            spelling = line.removeprefix(SPELLING).strip()
        elif line.startswith("query error"):
            raise SystemExit(f"{file.name}:{at + 1}: an analyst's statement must not fail")
        elif line.startswith("query "):
            start, words = at + 1, line.split()
            sql = []
            at += 1
            while lines[at] != "----":
                sql.append(lines[at])
                at += 1
            rows = []
            while at + 1 < len(lines) and lines[at + 1]:
                at += 1
                rows.append(lines[at].split("\t"))
            yield start, "rowsort" in words, "\n".join(sql), spelling, rows
            spelling = None
        at += 1


def cell(value) -> str:
    """A value as the files write it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        text = value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat() + "Z" if value.tzinfo else value.isoformat()
        return text
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(cell(item) for item in value) + "]"
    return str(value) or "(empty)"


def same(ours: str, theirs) -> bool:
    """Whether two cells say the same: numbers up to the order of adding, a date and its midnight."""
    text = cell(theirs)
    if ours == text or (text.endswith("T00:00:00") and ours == text.removesuffix("T00:00:00")):
        return True
    if isinstance(theirs, (int, float, decimal.Decimal)) and not isinstance(theirs, bool):
        try:
            return math.isclose(float(ours), float(theirs), rel_tol=1e-9, abs_tol=1e-9) or (math.isnan(float(ours)) and math.isnan(theirs))
        except ValueError:
            return False
    return False


def differ(rows: list, found: list, free: bool) -> bool:
    """Whether the answers differ."""
    if free:
        rows, found = sorted(rows), sorted(found, key=lambda row: [cell(value) for value in row])
    pairs = zip(rows, found)
    return len(rows) != len(found) or any(len(a) != len(b) or not all(map(same, a, b)) for a, b in pairs)


def main() -> int:
    """Check the files; tell every disagreement."""
    connection = connect()
    files = [Path(name) for name in sys.argv[1:]] or sorted(SLT.glob("*.slt"))
    asked = unconfirmed = 0
    wrong = []
    for file in files:
        for line, free, sql, spelling, rows in statements(file):
            asked += 1
            if spelling is not None and spelling.split()[0] == "none":
                unconfirmed += 1
                continue
            try:
                found = connection.execute(spelling or sql).fetchall()
            except duckdb.Error as error:
                wrong.append(f"{file.name}:{line}: DuckDB cannot: {str(error).splitlines()[0]}\n  {spelling or sql}")
                continue
            if differ(rows, found, free):
                theirs = "\n".join("    " + "\t".join(cell(value) for value in row) for row in found[:8])
                ours = "\n".join("    " + "\t".join(row) for row in rows[:8])
                wrong.append(f"{file.name}:{line}: {sql}\n  sectorlake:\n{ours}\n  DuckDB:\n{theirs}")
    if unconfirmed > asked * UNCONFIRMED_MAX:
        wrong.append(f"{unconfirmed} of {asked} statements are confirmed by nobody; at most {UNCONFIRMED_MAX:.0%} may be")
    print("\n".join(wrong) or f"{asked} statements: DuckDB confirms {asked - unconfirmed}, cannot answer {unconfirmed}")
    return 1 if wrong or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
