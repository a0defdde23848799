"""The bench's project: contracts taken from the repository's own, pipelines over the generated files.

`stop_times` is checked against the shared contract less its keys; `stop_times_keyed` has its primary key too; observations alike.
Foreign keys are left out: the peers have nothing like them, and they read other tables.
"""

import json
import shutil
from pathlib import Path

from peers import FACTORS

SCHEMAS = Path(__file__).parents[2] / "schemas"
QUESTION_PIPELINES = ["stop-times", "trips", "stops", "stations", "observations"]
TEXT = {"type": "string", "constraints": {"required": True}}
STOP_TIMES = (
    "trip_id, arrival_time, departure_time, stop_id, stop_sequence, stop_headsign, pickup_type, drop_off_type, shape_dist_traveled, timepoint"
)


def pipeline(load: str) -> str:
    """The pipeline that feeds a table."""
    return load.replace("_", "-")


def write(folder: Path, data: Path) -> Path:
    """Write the project anew for the data in a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    contracts(folder / "schemas/bench")
    pipelines(folder / "pipelines/bench", data.resolve())
    return folder


def contracts(folder: Path) -> None:
    """The repository's contracts with and without keys, and small ones for what the questions join."""
    folder.mkdir(parents=True)
    for source, name in (("transport/stop_times", "stop_times"), ("environment/observations", "observations")):
        shared = json.loads((SCHEMAS / f"{source}.json").read_text("utf-8"))
        shared.pop("foreignKeys", None)
        shared.get("sectorlake", {}).pop("foreign_keys_any", None)
        shared["name"] = f"{name}_keyed"
        put(folder, f"{name}_keyed", shared)
        put(folder, name, {key: value for key, value in shared.items() if key != "primaryKey"} | {"name": name})
    number = {"type": "number", "constraints": {"required": True}}
    put(folder, "trips", table("trip_id", route_id=TEXT, service_id=TEXT, trip_id=TEXT, trip_headsign={"type": "string"}, direction_id={"type": "integer"}))
    put(folder, "stops", table("stop_id", stop_id=TEXT, stop_name=TEXT, stop_lat=number, stop_lon=number))
    put(folder, "stations", table("station_id", station_id=TEXT, name=TEXT, latitude=number, longitude=number))


def table(key: str, **fields: dict) -> dict:
    """A Table Schema of the given fields."""
    return {
        "fields": [{"name": name, "title": name, "sectorlake": {"classification": "public", "title": {"vi": name, "en": name}}} | field for name, field in fields.items()],
        "primaryKey": [key],
    }


def put(folder: Path, name: str, schema: dict) -> None:
    """Write a contract."""
    (folder / f"{name}.json").write_text(json.dumps(schema, ensure_ascii=False, indent=2), "utf-8")


def pipelines(folder: Path, data: Path) -> None:
    """A pipeline per table, all with the `file` connector."""
    folder.mkdir(parents=True)
    factor = " ".join(f"WHEN '{name}' THEN {value!r}" for name, value in FACTORS.items())
    observations = f"""SELECT station_id, parameter AS observed_property, datetime_utc AS phenomenon_time,
        CAST(value AS DOUBLE) * CASE WHEN unit = 'ppm' THEN CASE parameter {factor} END ELSE 1.0 END AS result, 'ug/m3' AS unit FROM source"""
    mappings = {
        "stop_times": ("gtfs/stop_times.txt", f"SELECT 'bench' AS feed_id, {STOP_TIMES} FROM source"),
        "stop_times_keyed": ("gtfs/stop_times.txt", f"SELECT 'bench' AS feed_id, {STOP_TIMES} FROM source"),
        "observations": ("observations.csv", observations),
        "observations_keyed": ("observations.csv", observations),
        "trips": ("gtfs/trips.txt", "SELECT route_id, service_id, trip_id, trip_headsign, direction_id FROM source"),
        "stops": ("gtfs/stops.txt", "SELECT stop_id, stop_name, stop_lat, stop_lon FROM source"),
        "stations": ("stations.csv", "SELECT station_id, name, latitude, longitude FROM source"),
    }
    for name, (path, sql) in mappings.items():
        document = {
            "title": {"vi": name, "en": name},
            "source": {"connector": "file", "path": str(data / path), "format": "csv"},
            "tables": {f"bench.{name}": {"load": "replace", "map": sql}},
        }
        # JSON is YAML.
        (folder / f"{pipeline(name)}.yaml").write_text(json.dumps(document, ensure_ascii=False, indent=2), "utf-8")
