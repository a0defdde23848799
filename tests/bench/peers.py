"""The peers, each as one process: `python peers.py PEER LOAD INPUT OUTPUT CODEC` reads the CSV and writes the lake's equivalent.

All write the same columns with the same types and the codec our tables have, in monthly folders for observations; none checks
anything. DuckDB and Polars write plain Parquet, dlt writes a Delta table by its Arrow path. The last line printed is what the work
took inside the process, imports left out.
"""

import os
import shutil
import sys
import time
from pathlib import Path

TEXT = ["trip_id", "arrival_time", "departure_time", "stop_id", "stop_headsign"]
WHOLE = ["stop_sequence", "pickup_type", "drop_off_type", "timepoint"]
STOP_TIMES = [*TEXT[:4], "stop_sequence", "stop_headsign", "pickup_type", "drop_off_type", "shape_dist_traveled", "timepoint"]
# ppm to µg/m³ at 25 °C and 1013.25 hPa: 1000 × molar mass / 24.45 l/mol. The mapping of our bench pipeline has the same.
FACTORS = {"no2": 1000 * 46.0055 / 24.45, "o3": 1000 * 47.9982 / 24.45, "co": 1000 * 28.0101 / 24.45}


def conversion() -> str:
    """The unit conversion as SQL, for DuckDB."""
    cases = " ".join(f"WHEN '{name}' THEN {factor!r}" for name, factor in FACTORS.items())
    return f"value * CASE WHEN unit = 'ppm' THEN CASE parameter {cases} END ELSE 1.0 END"


def duckdb_load(load: str, source: str, target: str, codec: str) -> None:
    """CSV to Parquet in one COPY."""
    import duckdb

    started = time.perf_counter()
    connection = duckdb.connect()
    if load == "stop_times":
        types = ", ".join(
            f"'{c}': '{'BIGINT' if c in WHOLE else 'VARCHAR' if c in TEXT else 'DOUBLE'}'" for c in STOP_TIMES
        )
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{source}', header = true, columns = {{{types}}})) "
            f"TO '{target}/part.parquet' (FORMAT parquet, COMPRESSION {codec})"
        )
    else:
        types = "{'station_id': 'VARCHAR', 'parameter': 'VARCHAR', 'datetime_utc': 'TIMESTAMP', 'value': 'DOUBLE', 'unit': 'VARCHAR'}"
        connection.execute(
            f"COPY (SELECT station_id, parameter AS observed_property, datetime_utc AS phenomenon_time, {conversion()} AS result, 'ug/m3' AS unit, "
            f"strftime(datetime_utc, '%Y-%m') AS month FROM read_csv('{source}', header = true, columns = {types})) "
            f"TO '{target}' (FORMAT parquet, COMPRESSION {codec}, PARTITION_BY (month), OVERWRITE)"
        )
    print(time.perf_counter() - started)


def polars_load(load: str, source: str, target: str, codec: str) -> None:
    """A streaming scan into a Parquet sink."""
    import polars as pl

    started = time.perf_counter()
    if load == "stop_times":
        schema = {c: pl.Int64 if c in WHOLE else pl.String if c in TEXT else pl.Float64 for c in STOP_TIMES}
        pl.scan_csv(source, schema=schema).sink_parquet(f"{target}/part.parquet", compression=codec)
    else:
        schema = {"station_id": pl.String, "parameter": pl.String, "datetime_utc": pl.String, "value": pl.Float64, "unit": pl.String}
        instant = pl.col("datetime_utc").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
        factor = pl.col("parameter").replace_strict(FACTORS, default=1.0, return_dtype=pl.Float64)
        result = pl.col("value") * pl.when(pl.col("unit") == "ppm").then(factor).otherwise(1.0)
        lazy = pl.scan_csv(source, schema=schema).select(
            "station_id", observed_property="parameter", phenomenon_time=instant, result=result, unit=pl.lit("ug/m3")
        )
        lazy = lazy.with_columns(month=pl.col("phenomenon_time").dt.strftime("%Y-%m"))
        lazy.sink_parquet(pl.PartitionBy(target, key="month"), compression=codec, mkdir=True)
    print(time.perf_counter() - started)


def dlt_load(load: str, source: str, target: str, codec: str) -> None:
    """Arrow batches through dlt's filesystem destination into a Delta table; the conversion is done on the batches."""
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DATA_WRITER__FLAVOR": "spark"}
    import dlt
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pacsv

    started = time.perf_counter()

    def batches():
        types = {c: pa.int64() if c in WHOLE else pa.string() if c in TEXT else pa.float64() for c in STOP_TIMES}
        if load != "stop_times":
            types = {"datetime_utc": pa.timestamp("us", "UTC"), "value": pa.float64()}
        options = pacsv.ConvertOptions(column_types=types)
        for batch in pacsv.open_csv(source, pacsv.ReadOptions(block_size=16 << 20), convert_options=options):
            table = pa.Table.from_batches([batch])
            if load != "stop_times":
                factor = pa.array([1.0] * len(table))
                for name, one in FACTORS.items():
                    factor = pc.if_else(pc.and_(pc.equal(table["parameter"], name), pc.equal(table["unit"], "ppm")), one, factor)
                table = table.set_column(3, "value", pc.multiply(table["value"], factor))
                table = table.set_column(4, "unit", pa.array(["ug/m3"] * len(table)))
                table = table.rename_columns(["station_id", "observed_property", "phenomenon_time", "result", "unit"])
                table = table.append_column("month", pc.strftime(table["phenomenon_time"], format="%Y-%m"))
            yield table

    columns = {"month": {"partition": True}} if load != "stop_times" else None
    resource = dlt.resource(batches, name=load, table_format="delta", columns=columns, write_disposition="append")
    destination = dlt.destinations.filesystem(bucket_url=Path(target).resolve().as_uri())
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="bench", pipelines_dir=f"{target}/.dlt")
    pipeline.run(resource)
    print(time.perf_counter() - started)


def dlt_postgres(source: str, target: str) -> None:
    """A table of PostgreSQL in Arrow batches through dlt into a Delta table; SOURCE is its URL."""
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DATA_WRITER__FLAVOR": "spark"}
    import dlt
    from dlt.sources.sql_database import sql_table

    started = time.perf_counter()
    table = sql_table(credentials=source, table="measurements", backend="pyarrow", chunk_size=100_000, reflection_level="full_with_precision")
    table.apply_hints(table_format="delta", write_disposition="append")
    destination = dlt.destinations.filesystem(bucket_url=Path(target).resolve().as_uri())
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="bench", pipelines_dir=f"{target}/.dlt")
    pipeline.run(table)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    peer, *rest = sys.argv[1:]
    shutil.rmtree(rest[2], ignore_errors=True)
    Path(rest[2]).mkdir(parents=True)
    if rest[0] == "postgres":
        dlt_postgres(rest[1], rest[2])
        sys.exit()
    {"duckdb": duckdb_load, "polars": polars_load, "dlt": dlt_load}[peer](*rest)
