"""A table of PostgreSQL: COPY to nowhere, our fetch, our load and dlt's, and a second run of ours after a few rows came.

The server is one of its own, in the folder of the bench; it ends with us. COPY is `psql` writing to /dev/null: what the server alone can
do. `read` fetches the table into raw parts (Parquet) and throws them away; `load` is the whole `sectorlake run`, into checked Delta tables. dlt
reads by its fastest backend for PostgreSQL (Arrow batches) and writes a Delta table, checking nothing.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import measure

HERE = Path(__file__).parent
ROWS = 5_000_000
# Rows that come between the two runs.
LATER = 10_000
# What the issue asks for: the most our time may be of another's.
TARGETS = {("read", "copy"): 2.0, ("load", "copy"): 2.0, ("load", "dlt"): 1 / 5}
FILL = """
CREATE TABLE measurements AS
SELECT g::bigint AS id, 'VN-HP-' || lpad((g % 400)::text, 4, '0') AS station_code, (ARRAY['pm25', 'pm10', 'no2', 'o3', 'co'])[1 + g % 5] AS parameter,
       '2024-01-01 00:00+00'::timestamptz + (g / 2000) * interval '10 minutes' AS measured_at,
       (((g::bigint * 7919) % 100000)::numeric / 100)::numeric(10, 2) AS value, 'ug/m3' AS unit, g % 97 = 0 AS is_estimated,
       '2024-01-01 00:00+00'::timestamptz + (g / 2000) * interval '10 minutes' + (g % 2000) * interval '1 millisecond' AS updated_at
FROM generate_series({first}, {last}) g
"""
FIELDS = {
    "id": "integer", "station_code": "string", "parameter": "string", "measured_at": "datetime", "value": "number", "unit": "string",
    "is_estimated": "boolean", "updated_at": "datetime",
}  # fmt: skip


@contextmanager
def server(base: Path, rows: int):
    """A PostgreSQL with the table; gives its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = HERE.parents[0] / "servers/postgres.sh"
    settings = ["shared_buffers=1GB", "max_wal_size=4GB", "autovacuum=off", "jit=off"]
    # As root the server runs as a user of its own, whom a private home keeps out.
    environment = os.environ if os.geteuid() == 0 else {**os.environ, "TMPDIR": str(base.resolve())}
    child = subprocess.Popen(
        ["bash", str(script), str(port), *settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    try:
        if not child.stdout.readline().strip():
            raise measure.Failed("no PostgreSQL server starts here: make deps")
        statements = [FILL.format(first=1, last=rows), "CREATE INDEX ON measurements (updated_at)", "VACUUM ANALYZE measurements", "CHECKPOINT"]
        for statement in statements:
            measure.run([*psql(port), statement], environment=PASSWORD, quiet=True)
        yield port
    finally:
        # The server ends when this end is closed.
        child.stdin.close()
        child.wait()


PASSWORD = {"PGPASSWORD": "s3cr3t"}


def psql(port: int) -> list[str]:
    """The client, up to its statement."""
    return ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(port), "-U", "owner", "-d", "city", "-c"]


def project(folder: Path, port: int) -> Path:
    """A project with a pipeline of the whole table and one of what is new."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "pipelines").mkdir(parents=True)
    (folder / "schemas/bench").mkdir(parents=True)
    fields = [{"name": name, "type": kind, "title": name} for name, kind in FIELDS.items()]
    for name, load, options in (("whole", "replace", ""), ("later", "append", " { incremental: { column: updated_at } }")):
        (folder / f"schemas/bench/{name}.json").write_text(json.dumps({"title": name, "fields": fields}), "utf-8")
        (folder / f"pipelines/{name}.yaml").write_text(
            f"title: {{ vi: {name}, en: {name} }}\nowner: bench@city.example\nlicence: CC0-1.0\nsource:\n  connector: postgres\n"
            f"  url: postgres://owner:${{env:PGPASSWORD}}@127.0.0.1:{port}/city\n  tables:\n    measurements:{options}\n"
            f"tables:\n  bench.{name}:\n    from: measurements\n    load: {load}\n    map: SELECT {', '.join(FIELDS)} FROM source\n",
            "utf-8",
        )
    return folder


def run(binary: str, example: str, base: Path, rounds: int, rows: int = ROWS) -> dict:
    """Runs by subject, and what the second run of an incremental pipeline took."""
    with server(base, rows) as port:
        folder, lake, target = project(base / "project-postgres", port), base / "lake-postgres", base / "out-dlt-postgres"
        ours = [binary, "--project", str(folder), "--lake", str(lake)]
        settings = json.dumps({"url": f"postgres://owner:${{env:PGPASSWORD}}@127.0.0.1:{port}/city", "tables": ["measurements"]})

        def count(table: str) -> int:
            return int(measure.run([*ours, "sql", "--format", "csv", f"SELECT count(*) FROM {table}"]).output.split()[-1])

        def load(pipeline: str) -> measure.Run:
            shutil.rmtree(lake, ignore_errors=True)
            done = measure.run([*ours, "run", pipeline], environment=PASSWORD)
            if count(f"bench.{pipeline}") != rows:
                raise measure.Failed(f"{pipeline}: {count(f'bench.{pipeline}')} rows, not {rows}")
            return done

        def dlt() -> measure.Run:
            shutil.rmtree(target, ignore_errors=True)
            source = f"postgresql+psycopg2://owner:s3cr3t@127.0.0.1:{port}/city"
            done = measure.run([sys.executable, str(HERE / "peers.py"), "dlt", "postgres", source, str(target), "snappy"])
            shutil.rmtree(target)
            return done

        subjects = {
            "copy": lambda: measure.run([*psql(port), "COPY measurements TO STDOUT"], environment=PASSWORD, quiet=True),
            "copy binary": lambda: measure.run([*psql(port), "COPY measurements TO STDOUT (FORMAT binary)"], environment=PASSWORD, quiet=True),
            "read": lambda: measure.run([example, "postgres", settings, "measurements"], environment=PASSWORD),
            "load": lambda: load("whole"),
            "dlt": dlt,
        }
        found: dict[str, list[measure.Run]] = {}
        for number in range(rounds):
            for name, subject in subjects.items():
                done = subject()
                found.setdefault(name, []).append(done)
                print(f"round {number + 1}: {'postgres':<20} {name:<11} {done.seconds:6.2f} s {done.peak_mib:6.0f} MiB", flush=True)
        load("later")
        measure.run([*psql(port), "INSERT INTO measurements " + FILL.split("AS", 1)[1].format(first=rows + 1, last=rows + LATER)], environment=PASSWORD)
        second = measure.run([*ours, "run", "later"], environment=PASSWORD)
        statement = "SELECT count(*) AS n FROM bench.later GROUP BY _part ORDER BY n LIMIT 1"
        came = int(measure.run([*ours, "sql", "--format", "csv", statement]).output.split()[-1])
        if came != LATER or count("bench.later") != rows + LATER:
            raise measure.Failed(f"the second run fetched {came} rows of {LATER}, and {count('bench.later')} are there")
        shutil.rmtree(lake)
        return {"runs": found, "later": {"rows": LATER, "seconds": second.seconds}, "rows": rows}
