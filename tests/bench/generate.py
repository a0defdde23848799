"""The bench's data, made from a seed: a GTFS feed of any number of stop times, and a year and more of hourly observations.

Same seed and size, same bytes. Beside each file goes what a load must find in it: row count and sums over the keys.
`python generate.py --dir DIR [--rows 5000000]`; `bench.py` calls `ensure`.
"""

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

SEED = 20250701
# Change it when the data change, so that a kept folder is made anew.
EDITION = 1
STOPS = 5_000
ROUTES = 200
TRIPS_PER_BLOCK = 20_000
PARAMETERS = ["pm25", "pm10", "no2", "o3", "co"]
UNITS = ["µg/m³", "µg/m³", "ppm", "ppm", "ppm"]
# Grams per mole; one ppm of a gas weighs this many times 1000 / 24.45 µg/m³ at 25 °C and 1013.25 hPa.
MOLAR_MASS = {"no2": 46.0055, "o3": 47.9982, "co": 28.0101}
MOLAR_VOLUME = 24.45
FIRST_HOUR = datetime(2024, 1, 1, tzinfo=UTC)
HOURS = 9_524  # a year and a month
CLOCK = pa.array([f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(30 * 3600)])


class Table:
    """Writes one CSV file block by block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = None
        self.rows = 0

    def write(self, columns: dict) -> None:
        """Append a block; the first one names the columns."""
        batch = pa.table(columns)
        if self.writer is None:
            options = pacsv.WriteOptions(quoting_style="none", quoting_header="none")
            self.writer = pacsv.CSVWriter(self.path, batch.schema, write_options=options)
        self.writer.write(batch)
        self.rows += batch.num_rows

    def close(self) -> None:
        """Finish the file."""
        self.writer.close()


def names(prefix: str, count: int, digits: int, start: int = 0) -> pa.Array:
    """`count` ids such as T0000000."""
    return pa.array([f"{prefix}{i:0{digits}}" for i in range(start, start + count)])


def write_feed(folder: Path, rows: int) -> dict:
    """A GTFS feed: trips sorted, their stop times in order, some running past midnight."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([SEED, 0])
    stop_ids = names("S", STOPS, 5)
    write_small_tables(folder, rng, stop_ids)
    stop_times, trips = Table(folder / "stop_times.txt"), Table(folder / "trips.txt")
    sums = {"rows": rows, "stop_sequence": 0, "trip_number": 0, "arrival_seconds": 0, "distance_tenths": 0}
    block = 0
    while stop_times.rows < rows:
        rng = np.random.default_rng([SEED, 1, block])
        first = block * TRIPS_PER_BLOCK
        lengths = rng.integers(15, 36, TRIPS_PER_BLOCK)
        left = rows - stop_times.rows
        count = int(np.searchsorted(np.cumsum(lengths), left) + 1)
        lengths = lengths[:count]
        if lengths.sum() > left:
            lengths[-1] -= lengths.sum() - left
        write_block(stop_times, trips, rng, stop_ids, first, lengths, sums)
        block += 1
    stop_times.close()
    trips.close()
    return sums | {"trips": trips.rows, "stops": STOPS, "routes": ROUTES}


def write_block(stop_times: Table, trips: Table, rng, stop_ids: pa.Array, first: int, lengths, sums: dict) -> None:
    """The trips `first`… of the given lengths, and their stop times."""
    count, total = len(lengths), int(lengths.sum())
    trip_ids = names("T", count, 7, first)
    trip = np.repeat(np.arange(count), lengths)
    starts = np.cumsum(lengths) - lengths
    sequence = np.arange(total) - starts[trip] + 1
    begin = rng.integers(4 * 3600, 26 * 3600, count)
    arrival = begin[trip] + (sequence - 1) * 180 + rng.integers(0, 60, total)
    departure = arrival + rng.integers(0, 4, total) * 15
    stop = (rng.integers(0, STOPS, count)[trip] + sequence * 7) % STOPS
    tenths = (sequence - 1) * 4_321 + rng.integers(0, 400, total)
    zero = np.zeros(total, dtype=np.int8)
    stop_times.write({
        "trip_id": trip_ids.take(pa.array(trip)),
        "arrival_time": CLOCK.take(pa.array(arrival)),
        "departure_time": CLOCK.take(pa.array(departure)),
        "stop_id": stop_ids.take(pa.array(stop)),
        "stop_sequence": sequence,
        "stop_headsign": pa.array([""]).take(pa.array(zero)),
        "pickup_type": zero,
        "drop_off_type": zero,
        "shape_dist_traveled": tenths / 10,
        "timepoint": zero + 1,
    })
    route = rng.integers(0, ROUTES, count)
    trips.write({
        "route_id": names("R", ROUTES, 3).take(pa.array(route)),
        "service_id": pa.array(["WEEKDAY", "WEEKEND"]).take(pa.array((route % 7 > 4).astype(int))),
        "trip_id": trip_ids,
        "trip_headsign": names("Bến ", 97, 1).take(pa.array(route % 97)),
        "direction_id": rng.integers(0, 2, count),
    })
    sums["stop_sequence"] += int(sequence.sum())
    sums["trip_number"] += int((first + trip).sum())
    sums["arrival_seconds"] += int(arrival.sum())
    sums["distance_tenths"] += int(tenths.sum())


def write_small_tables(folder: Path, rng, stop_ids: pa.Array) -> None:
    """Agency, routes, calendar and stops: what trips and stop times refer to."""
    (folder / "agency.txt").write_text(
        "agency_id,agency_name,agency_url,agency_timezone\nHPB,Xe buýt,https://bus.example,Asia/Ho_Chi_Minh\n", "utf-8"
    )
    (folder / "calendar.txt").write_text(
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "WEEKDAY,1,1,1,1,1,0,0,20240101,20251231\nWEEKEND,0,0,0,0,0,1,1,20240101,20251231\n", "utf-8"
    )
    routes = Table(folder / "routes.txt")
    route_ids = names("R", ROUTES, 3)
    routes.write({
        "route_id": route_ids, "agency_id": pa.array(["HPB"] * ROUTES), "route_short_name": route_ids,
        "route_long_name": names("Tuyến ", ROUTES, 1), "route_type": np.full(ROUTES, 3),
    })
    routes.close()
    stops = Table(folder / "stops.txt")
    stops.write({
        "stop_id": stop_ids, "stop_name": names("Trạm ", STOPS, 1),
        "stop_lat": np.round(20.7 + rng.random(STOPS) * 0.4, 6), "stop_lon": np.round(106.4 + rng.random(STOPS) * 0.5, 6),
    })
    stops.close()


def write_observations(folder: Path, rows: int, order: str) -> dict:
    """Hourly values of five pollutants, gases in ppm; `order` is how a publisher sorted the file: by time or by station."""
    folder.mkdir(parents=True, exist_ok=True)
    series = -(-rows // HOURS)
    stations = -(-series // len(PARAMETERS))
    series = stations * len(PARAMETERS)
    station_ids = names("VN-", stations, 4)
    hours = pa.array([(FIRST_HOUR + timedelta(hours=h)).strftime("%Y-%m-%dT%H:%M:%SZ") for h in range(HOURS + 1)])
    write_stations(folder, station_ids)
    table = Table(folder / "observations.csv")
    sums = {"rows": rows, "station_number": 0, "hours": 0, "micrograms": 0.0, "stations": stations}
    factors = np.array([1000 * MOLAR_MASS[p] / MOLAR_VOLUME if p in MOLAR_MASS else 1.0 for p in PARAMETERS])
    span = 500_000
    for start in range(0, rows, span):
        at = np.arange(start, min(start + span, rows))
        hour, which = (at // series, at % series) if order == "time" else (at % HOURS, at // HOURS)
        station, parameter = which // len(PARAMETERS), which % len(PARAMETERS)
        rng = np.random.default_rng([SEED, 2, start])
        raw = rng.gamma(4.0, 9.0, len(at))
        value = np.where(parameter < 2, np.round(raw, 1), np.round(raw / 1000, 4))
        table.write({
            "station_id": station_ids.take(pa.array(station)),
            "parameter": pa.array(PARAMETERS).take(pa.array(parameter)),
            "datetime_utc": hours.take(pa.array(hour)),
            "value": value,
            "unit": pa.array(UNITS).take(pa.array(parameter)),
        })
        sums["station_number"] += int(station.sum())
        sums["hours"] += int(hour.sum())
        sums["micrograms"] += float((value * factors[parameter]).sum())
    table.close()
    return sums


def write_stations(folder: Path, station_ids: pa.Array) -> None:
    """The stations of the observations, with their place."""
    rng = np.random.default_rng([SEED, 3])
    table = Table(folder / "stations.csv")
    table.write({
        "station_id": station_ids, "name": names("Quan trắc ", len(station_ids), 1),
        "latitude": np.round(20.7 + rng.random(len(station_ids)) * 0.4, 6),
        "longitude": np.round(106.4 + rng.random(len(station_ids)) * 0.5, 6),
    })
    table.close()


def ensure(base: Path, rows: int, order: str = "time") -> tuple[Path, dict]:
    """The folder with the data of that size and what a load of them must find; made once."""
    folder = base / f"data-{EDITION}-{rows}-{order}"
    expected = folder / "expected.json"
    if not expected.exists():
        found = {"stop_times": write_feed(folder / "gtfs", rows), "observations": write_observations(folder, rows, order)}
        expected.write_text(json.dumps(found, indent=2), "utf-8")
    return folder, json.loads(expected.read_text("utf-8"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--order", choices=["time", "station"], default="time")
    arguments = parser.parse_args()
    made, sums = ensure(arguments.dir, arguments.rows, arguments.order)
    print(made, json.dumps(sums, indent=2), sep="\n")
