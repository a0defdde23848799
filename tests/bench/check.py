"""What was written is read back by DuckDB and compared with what the generator knows; a time without that does not count."""

import csv
import io
import math
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from deltalake import DeltaTable

SUMS = {
    "stop_times": """
        SELECT count(*) AS rows, sum(stop_sequence) AS stop_sequence, sum(substr(trip_id, 2)::BIGINT) AS trip_number,
          sum(substr(arrival_time, 1, 2)::BIGINT * 3600 + substr(arrival_time, 4, 2)::BIGINT * 60 + substr(arrival_time, 7, 2)::BIGINT) AS arrival_seconds,
          sum(round(shape_dist_traveled * 10)::BIGINT) AS distance_tenths FROM written""",
    "observations": """
        SELECT count(*) AS rows, sum(substr(station_id, 4)::BIGINT) AS station_number,
          sum(date_diff('hour', TIMESTAMP '2024-01-01', phenomenon_time::TIMESTAMP)) AS hours, sum(result) AS micrograms FROM written""",
}


class Wrong(Exception):
    """What was written is not what was to be written."""


def delta_files(table: Path) -> list[str]:
    """The files of the newest version of a Delta table."""
    return [uri.removeprefix("file://") for uri in DeltaTable(str(table)).file_uris()]


def parquet_files(folder: Path) -> list[str]:
    """Every Parquet file under a folder."""
    return [str(path) for path in folder.rglob("*.parquet")]


def codec(files: list[str]) -> str:
    """The codec of a Parquet file's largest column, as DuckDB and Polars name it: columns of one value need none."""
    group = pq.ParquetFile(files[0]).metadata.row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    return max(columns, key=lambda column: column.total_uncompressed_size).compression.lower()


def connection() -> duckdb.DuckDBPyConnection:
    """A session in UTC: our instants carry their zone, the peers' do not."""
    session = duckdb.connect()
    session.execute("SET TimeZone = 'UTC'")
    return session


def sums(load: str, files: list[str], expected: dict) -> None:
    """Compare row count and key sums."""
    session = connection()
    session.execute(f"CREATE VIEW written AS SELECT * FROM read_parquet({files!r}, union_by_name = true)")
    answer = session.execute(SUMS[load]).fetchone()
    for name, found in zip((column[0] for column in session.description), answer, strict=True):
        if not math.isclose(found, expected[name], rel_tol=1e-9):
            raise Wrong(f"{load}: {name} is {found}, not {expected[name]}")


def write_views(tables: Path, target: Path) -> Path:
    """A DuckDB script that names the files of each Delta table as our snapshot does."""
    lines = ["SET TimeZone = 'UTC';", "CREATE SCHEMA bench;"]
    for table in sorted(path.name for path in tables.iterdir() if path.is_dir()):
        lines.append(f"CREATE VIEW bench.{table} AS SELECT * FROM read_parquet({delta_files(tables / table)!r}, hive_partitioning = true);")
    target.write_text("\n".join(lines), "utf-8")
    return target


def cells(answer: str) -> list[list[str]]:
    """CSV without its header, numbers cut to nine digits."""
    return [[rounded(cell) for cell in row] for row in csv.reader(io.StringIO(answer))][1:]


def rounded(cell: str) -> str:
    """A number in nine digits, anything else as it is."""
    try:
        return f"{float(cell):.9g}"
    except ValueError:
        return cell


def same_answer(question: str, ours: str, theirs: str) -> None:
    """Both engines must say the same before their times are compared."""
    left, right = cells(ours), cells(theirs)
    if left != right or not left:
        differs = next((pair for pair in zip(left, right) if pair[0] != pair[1]), (len(left), len(right)))
        raise Wrong(f"{question}: the answers differ, ours {differs[0]}, DuckDB's {differs[1]}")
