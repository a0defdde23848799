"""Reads one answer in every machine's format with other makers' readers: all must hold the same rows.

Wants `SECTORLAKE_BIN` and `SECTORLAKE_LAKE`, as `run.sh` sets them.
"""

import io
import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq

# Text beyond ASCII, NULLs, numbers, dates, instants, bytes.
SQL = """
SELECT place_code, name, name_en, parent_code, valid_from, CAST(_row AS INT) AS row_number
FROM common.places WHERE _source = 'vn-units' ORDER BY place_code LIMIT 2000
"""


def answer(kind: str) -> bytes:
    """What `sectorlake sql --format` writes into a pipe."""
    done = subprocess.run([os.environ["SECTORLAKE_BIN"], "sql", "--format", kind, SQL], capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"--format {kind}: {done.stderr.decode()}")
    return done.stdout


def plain(table: pa.Table) -> list[dict]:
    """Rows with dates as text, as JSON has them."""
    return [{name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()} for row in table.to_pylist()]


def csv_rows() -> list[dict]:
    """The CSV as text: what stands in quotes is a text even if empty, what does not is NULL if empty."""
    data = answer("csv")
    names = data.decode("utf-8").split("\n", 1)[0].split(",")
    as_text = pa.csv.ConvertOptions(
        column_types={name: pa.string() for name in names}, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    return pa.csv.read_csv(io.BytesIO(data), convert_options=as_text).to_pylist()


def main() -> int:
    """Compare all with the JSON answer."""
    expected = json.loads(answer("json"))
    arrow = pa.ipc.open_stream(answer("arrow")).read_all()
    parquet = pq.read_table(io.BytesIO(answer("parquet")))
    readings = {
        "ndjson": [json.loads(line) for line in answer("ndjson").splitlines()],
        "arrow": plain(arrow),
        "parquet": plain(parquet),
    }
    wrong = [f"{kind}: {len(rows)} rows differ from JSON's {len(expected)}" for kind, rows in readings.items() if rows != expected]
    as_text = [{name: None if value is None else str(value) for name, value in row.items()} for row in expected]
    if csv_rows() != as_text:
        wrong.append("csv: differs from JSON")
    if not pa.types.is_date(arrow.schema.field("valid_from").type) or not pa.types.is_date(parquet.schema.field("valid_from").type):
        wrong.append("a date is no date in Arrow or Parquet")
    if len(expected) != 2000:
        wrong.append(f"{len(expected)} rows instead of 2000")
    print("\n".join(wrong) or f"answers: {len(expected)} rows are the same in JSON, NDJSON, CSV, Arrow and Parquet")
    return 1 if wrong else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # PyArrow's threads now and then abort an interpreter that is being taken down ("terminate called without an active exception").
    os._exit(code)
