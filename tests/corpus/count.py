"""Counts the corpus with readers that are none of ours: Python's csv, json and zipfile, openpyxl, xlrd, DuckDB, gtfs-realtime-bindings.

`python tests/corpus/count.py` compares what it finds with `counts.json` (the end-to-end tests compare the lake with that file);
`--write` writes it anew. Each pipeline has questions in SQL and, beside them, how Python finds the answer in the file.
"""

import csv
import datetime
import io
import json
import re
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
DATASETS = {}


def dataset(pipeline: str):
    """Registers how the answers for a pipeline are found."""
    return lambda answers: DATASETS.setdefault(pipeline, answers)


def rows(path: str, delimiter: str = ",", encoding: str = "utf-8-sig", skip: int = 0, data: bytes | None = None) -> list[list[str]]:
    """Records that are not blank, after `skip` physical lines."""
    text = (DATA.joinpath(path).read_bytes() if data is None else data).decode(encoding)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = "\n".join(text.split("\n")[skip:])
    return [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]


def number(text: str) -> float | None:
    """A number with `,` between thousands, or nothing."""
    text = text.replace(",", "").replace(" ", "")
    return float(text) if re.fullmatch(r"-?[0-9]*[.]?[0-9]+(e-?[0-9]+)?", text, re.I) else None


def total(values) -> float:
    """The sum of what is there, to three places."""
    return round(sum(value for value in values if value is not None), 3)


def of(table: str, pipeline: str, what: str = "count(*)") -> str:
    """The question about one pipeline's rows."""
    return f"SELECT {what} FROM {table} WHERE _source = '{pipeline}'"


def column(path: str, name: str, **reading) -> list[str]:
    """The texts of one column."""
    header, *records = rows(path, **reading)
    return [record[header.index(name)] for record in records]


def plain(pipeline: str, table: str, path: str, sums: dict[str, str] | None = None, header: bool = True, **reading) -> None:
    """A file of which every record is a row; `sums`: field to column (a name, or an index where there is no header)."""

    @dataset(pipeline)
    def answers():
        records = rows(path, **reading)
        names, body = (records[0], records[1:]) if header else (None, records)
        found = {of(table, pipeline): len(body)}
        for field, source in (sums or {}).items():
            index = names.index(source) if header else source
            found[of(table, pipeline, f"round(sum({field}), 3)")] = total(number(record[index]) for record in body)
        return found


def indicators(pipeline: str, path: str, kept: int) -> None:
    """A wide table of the statistics office: one row a cell, `..` and `...` where nothing was published."""

    @dataset(pipeline)
    def answers():
        cells = [cell for record in rows(path, ";", skip=2)[1:] for cell in record[kept:]]
        return {
            of("common.indicators", pipeline): len(cells),
            of("common.indicators", pipeline, "count(obs_value)"): sum(number(cell) is not None for cell in cells),
            of("common.indicators", pipeline, "round(sum(obs_value), 3)"): total(map(number, cells)),
        }


indicators("gso-graduation", "education/vn_gso_graduation_rate.csv", 1)
indicators("gso-kindergartens", "education/vn_gso_kindergarten_by_province.csv", 1)
indicators("gso-universities", "education/vn_gso_universities_by_province.csv", 1)
indicators("gso-waterway-freight", "transport/vn_gso_freight_waterway_by_province.csv", 1)
indicators("gso-seaports", "transport/vn_gso_seaport_cargo.csv", 1)
indicators("gso-transport-capacity", "transport/vn_gso_transport_capacity.csv", 2)
indicators("gso-river-levels", "environment/vn_gso_river_water_level.csv", 1)
indicators("gso-sea-level", "environment/vn_gso_sea_level.csv", 2)

plain("norwegian-urban-areas", "corpus.urban_areas", "common/norwegian_urban_areas.csv", {"population": "population_2022"})
plain("vn-provinces-2025-07", "corpus.vn_provinces_2025", "common/vn_gso_provinces_2025-07.csv", header=False)
plain("vn-phone-area-codes", "corpus.vn_phone_area_codes", "common/vn_phone_area_codes_2017.csv")
plain("vn-province-codes", "corpus.vn_province_codes", "common/vn_province_code_crosswalk.csv")
plain("us-scorecard-earnings", "corpus.us_earnings", "education/us_college_scorecard_earnings.csv", {"median_earnings_10y": "MD_EARN_WNE_P10"})
plain("us-ipeds-institutions", "corpus.us_institutions", "education/us_ipeds_institutions_2023.csv", {"sector": "SECTOR"})
plain("us-ipeds-graduation", "corpus.us_graduation_rates", "education/us_ipeds_gradrates_2023.csv", {"cohort_2015": "TOTAL_COHORT_2015"})
plain("belgium-minimum-temperature", "environment.observations", "environment/belgium_daily_min_temperature_2020.csv", {"result": "air_temperature"})
plain("survey-species", "corpus.survey_species", "environment/biodiversity_species.csv", delimiter=";")
plain("openaq-stations-vietnam", "environment.stations", "environment/openaq_locations_vietnam.csv", {"latitude": "latitude"})
plain("wmo-stations", "environment.stations", "environment/wmo_station_list.csv", {"elevation": "elevation"})
plain("usgs-water-samples", "corpus.water_samples", "environment/usgs_water_quality_samples.csv", {"value": "Result_Measure"})
plain("openflights-airlines", "corpus.flights_airlines", "transport/openflights_airlines.dat", header=False)
plain("openflights-airports", "corpus.flights_airports", "transport/openflights_airports.dat", {"elevation": 8}, header=False)
plain("openflights-planes", "corpus.flights_planes", "transport/openflights_planes.dat", header=False)
plain("openflights-routes", "corpus.flights_routes", "transport/openflights_routes.dat", {"stops": 7}, header=False)
plain("french-carpool-places", "corpus.carpool_places", "transport/france_carpool_places.csv", {"spaces": "nbre_pl"})
plain("french-carpool-places-latin1", "corpus.carpool_places", "ugly/france_carpool_places_latin1.csv", {"spaces": "nbre_pl"}, delimiter=";", encoding="latin-1")
plain("german-research-plan", "corpus.research_plan", "ugly/germany_research_funding_latin1.csv", encoding="latin-1")
plain("nhs-detained-patients", "corpus.detained_patients", "ugly/nhs_utf16le.csv", {"part_2_patients": "Part_II_patients"}, encoding="utf-16")
plain("taiwan-attractions", "corpus.attractions", "ugly/taiwan_attractions_big5.csv", {"longitude": "X坐標"}, encoding="big5")
plain("uk-gias-schools", "education.schools", "education/uk_gias_establishments_anonymised.csv", {"pupils": "NumberOfPupils", "capacity": "SchoolCapacity"}, encoding="latin-1")


@dataset("openflights-countries")
def _():
    names = [record[0] for record in rows("transport/openflights_countries.dat")]
    rejected = "SELECT count(*) FROM meta.rejected_rows WHERE pipeline = 'openflights-countries'"
    return {of("corpus.flights_countries", "openflights-countries"): len(set(names)), rejected: len(names) - len(set(names))}


@dataset("vn-wards-draft")
def _():
    records = rows("common/vn_gso_wards_2025-07_draft.csv")
    return {of("corpus.vn_wards_draft", "vn-wards-draft"): sum(record[0].strip() != "" for record in records)}


@dataset("uk-gias-links")
def _():
    records = rows("education/uk_gias_links.csv")[1:]
    return {of("corpus.school_links", "uk-gias-links"): sum(record[0] != "" for record in records)}


@dataset("surveys")
def _():
    def is_date(year, month, day):
        try:
            return datetime.date(int(year), int(month), int(day)) is not None
        except ValueError:
            return False

    records = rows("environment/biodiversity_portal_surveys.csv")[1:]
    good = [record for record in records if is_date(record[3], record[1], record[2])]
    return {
        of("corpus.surveys", "surveys"): len(good),
        of("corpus.surveys", "surveys", "sum(weight)"): total(number(record[7]) for record in good),
        "SELECT count(*) FROM corpus.surveys WHERE species_code = 'NA'": sum(record[5] == "NA" for record in good),
    }


@dataset("eea-no2")
def _():
    records = rows("environment/eea_airbase_BETN029_NO2_hourly_1990-2012.tsv", "\t")
    values = [(number(value), flag) for record in records for value, flag in zip(record[1::2], record[2::2])]
    known = [value for value, flag in values if int(flag) > 0]
    table = "environment.observations"
    return {of(table, "eea-no2"): len(values), of(table, "eea-no2", "count(result)"): len(known), of(table, "eea-no2", "round(sum(result), 3)"): total(known)}


@dataset("flanders-river-flow")
def _():
    cells = [cell for record in rows("environment/flanders_river_flow_3h.csv")[1:] for cell in record[1:]]
    table, name = "environment.observations", "flanders-river-flow"
    return {of(table, name): len(cells), of(table, name, "count(result)"): sum(cell != "" for cell in cells), of(table, name, "round(sum(result), 3)"): total(map(number, cells))}


def rdb(path: str) -> list[list[str]]:
    """Records of a USGS RDB file: without comments, header and column widths."""
    text = DATA.joinpath(path).read_text("utf-8")
    return list(csv.reader([line for line in text.splitlines() if not line.startswith("#")], delimiter="\t"))[2:]


for _name, _path in (("usgs-sites", "environment/usgs_nwis_sites.rdb.txt"), ("usgs-site", "environment/usgs_site.rdb.txt")):
    DATASETS[_name] = lambda name=_name, path=_path: {
        of("environment.stations", name): len(rdb(path)),
        of("environment.stations", name, "round(sum(latitude), 3)"): total(number(record[4]) for record in rdb(path)),
    }


@dataset("usgs-peaks")
def _():
    records = rdb("environment/usgs_peaks.rdb.txt")
    return {of("corpus.flood_peaks", "usgs-peaks"): len(records), of("corpus.flood_peaks", "usgs-peaks", "sum(peak_flow)"): total(number(record[4]) for record in records)}


@dataset("usgs-linked-features")
def _():
    features = json.loads(DATA.joinpath("environment/usgs_nldi_features.geojson").read_bytes())["features"]
    return {of("corpus.linked_features", "usgs-linked-features"): len(features)}


@dataset("belgian-accident-victims")
def _():
    with zipfile.ZipFile(DATA / "transport/be_road_accident_victims_2020.zip") as archive:
        header, *records = rows("", "|", data=archive.read(archive.namelist()[0]))
    table, name = "corpus.accident_victims", "belgian-accident-victims"
    found = {of(table, name): len(records)}
    for field, source in (("victims", "MS_VICT"), ("dead_30_days", "MS_DEAD_30_DAYS")):
        found[of(table, name, f"sum({field})")] = total(number(record[header.index(source)]) for record in records)
    return found


for _name, _file in (("google-bad-eol", "gtfs_google_bad_eol"), ("google-good-feed", "gtfs_google_good_feed"), ("demo-transit", "gtfs_sample_dta")):

    def _gtfs(name=_name, file=_file):
        found = {}
        with zipfile.ZipFile(DATA / f"transport/{file}.zip") as archive:
            for member in archive.namelist():
                if member.endswith(".txt"):
                    found[of(f"transport.{member.removesuffix('.txt')}", name)] = len(rows("", data=archive.read(member))) - 1
        return {question: count for question, count in found.items() if count > 0}

    DATASETS[_name] = _gtfs


@dataset("uk-co2-manufacturing")
def _():
    body = [record for record in rows("ugly/uk_co2_manufacturing.csv", skip=4) if len(record) > 1 and record[1]]
    cells = [number(cell) for record in body for cell in record[1:]]
    return {of("common.indicators", "uk-co2-manufacturing"): len(cells), of("common.indicators", "uk-co2-manufacturing", "sum(obs_value)"): total(cells)}


@dataset("nasa-gistemp")
def _():
    cells = [cell for record in rows("ugly/nasa_gistemp_cr_only.csv", skip=4) for cell in record[1:]]
    known = [number(cell) for cell in cells if "*" not in cell]
    table, name = "common.indicators", "nasa-gistemp"
    return {of(table, name): len(cells), of(table, name, "count(obs_value)"): len(known), of(table, name, "round(sum(obs_value), 3)"): total(value / 100 for value in known)}


@dataset("dutch-province-figures")
def _():
    cells = [number(cell) for record in rows("ugly/netherlands_province_key_figures.csv", skip=7) for cell in record[2:14] if cell.strip()]
    return {of("common.indicators", "dutch-province-figures"): len(cells), of("common.indicators", "dutch-province-figures", "sum(obs_value)"): total(cells)}


@dataset("german-specialist-doctors")
def _():
    lines = [record for record in rows("ugly/germany_gbe_doctors_padded.csv", ";", skip=12)]
    end = next(index for index, record in enumerate(lines) if record[0].startswith("Die Tabelle wurde"))
    cells = [cell for record in lines[:end] if len(record) > 9 for cell in record[1:10] if "\u00a0" not in cell]
    known = [number(cell.replace(".", "")) for cell in cells if cell not in (".", "")]
    table, name = "corpus.specialists", "german-specialist-doctors"
    return {of(table, name): len(cells), of(table, name, "sum(physicians)"): total(known)}


@dataset("mexican-budget")
def _():
    values = column("ugly/mexico_budget_latin1.csv", "Gasto total 2011", encoding="latin-1")
    known = [number(value) for value in values if value]
    return {of("corpus.budget_lines", "mexican-budget"): len(known), of("corpus.budget_lines", "mexican-budget", "round(sum(amount), 3)"): total(known)}


for _name, _file, _table, _field in (
    ("openaq-location", "openaq_v3_locations.json", "environment.stations", None),
    ("openaq-location-variation", "openaq_v3_locations_variation.json", "environment.stations", None),
    ("openaq-measurements", "openaq_v3_measurements.json", "environment.observations", "result"),
    ("openaq-countries", "openaq_v3_countries.json", "corpus.openaq_countries", None),
    ("openaq-parameters", "openaq_v3_parameters.json", "corpus.openaq_parameters", None),
):

    def _openaq(name=_name, file=_file, table=_table, field=_field):
        results = json.loads(DATA.joinpath("environment", file).read_bytes())["results"]
        found = {of(table, name): len(results)}
        if field:
            found[of(table, name, f"sum({field})")] = total(result["value"] for result in results)
        return found

    DATASETS[_name] = _openaq


@dataset("usgs-ogc-features")
def _():
    collections = json.loads(DATA.joinpath("environment/usgs_ogc_api_features_responses.json").read_bytes())
    features = [feature for collection in collections.values() for feature in collection["features"]]
    table, name = "corpus.ogc_features", "usgs-ogc-features"
    return {of(table, name): len(features), of(table, name, "count(geometry)"): sum(feature.get("geometry") is not None for feature in features)}


@dataset("overture-buildings")
def _():
    import duckdb

    path = DATA / "common/geoparquet_nyc_overture.parquet"
    count, heights, names = duckdb.sql(f"SELECT count(*), round(sum(height), 3), count(names.primary) FROM '{path}'").fetchall()[0]
    table, name = "corpus.buildings", "overture-buildings"
    return {of(table, name): count, of(table, name, "round(sum(height), 3)"): heights, of(table, name, "count(name)"): names}


@dataset("ghent-bicycle-counts")
def _():
    with zipfile.ZipFile(DATA / "transport/be_ghent_bicycle_counts_2023.zip") as archive:
        header, *records = rows("", ";", data=archive.read(archive.namelist()[0]))
    table, name = "transport.traffic_counts", "ghent-bicycle-counts"
    # The hour that summer time leaves out is there all the same, at the instants of the hour after it: the first of each instant counts.
    first = {}
    for record in records:
        instant = datetime.datetime.fromisoformat(record[header.index("Ordening")]).timestamp()
        first.setdefault((record[0], instant), number(record[header.index("Totaal")]))
    totals = first.values()
    both = f"{of(table, name, 'sum(vehicle_count)')} AND direction = 'allDirections'"
    return {of(table, name): 3 * len(first), both: total(totals)}


def feed(path: str):
    """A GTFS Realtime message, by Google's own reader."""
    from google.transit import gtfs_realtime_pb2

    message = gtfs_realtime_pb2.FeedMessage()
    message.ParseFromString(DATA.joinpath(path).read_bytes())
    return message


@dataset("aomori-trip-updates")
def _():
    entities = feed("transport/gtfs_rt_aomori_trip_updates.pb").entity
    stops = [stop for entity in entities for stop in entity.trip_update.stop_time_update]
    table, name = "transport.trip_updates", "aomori-trip-updates"
    return {
        of(table, name): len(stops),
        of(table, name, "sum(departure_delay)"): sum(stop.departure.delay for stop in stops),
        of(table, name, "count(DISTINCT trip_id)"): len({entity.trip_update.trip.trip_id for entity in entities}),
    }


@dataset("aomori-vehicle-positions")
def _():
    vehicles = [entity.vehicle for entity in feed("transport/gtfs_rt_aomori_vehicle_positions.pb").entity]
    table, name = "transport.vehicle_positions", "aomori-vehicle-positions"
    return {
        of(table, name): len(vehicles),
        of(table, name, "round(sum(latitude), 3)"): total(vehicle.position.latitude for vehicle in vehicles),
        of(table, name, "sum(current_stop_sequence)"): sum(vehicle.current_stop_sequence for vehicle in vehicles),
    }


@dataset("brest-alerts")
def _():
    entities = feed("transport/gtfs_rt_brest_alerts.pb").entity
    informed = [selector for entity in entities for selector in entity.alert.informed_entity]
    table, name = "transport.alerts", "brest-alerts"
    return {
        of(table, name): len(informed),
        of(table, name, "count(DISTINCT entity_id)"): len(entities),
        of(table, name, "count(DISTINCT route_id)"): len({selector.route_id for selector in informed if selector.route_id}),
    }


@dataset("bike-counters")
def _():
    pages = [json.loads(path.read_bytes()) for path in sorted(DATA.glob("transport/socrata_bike_counts*.json"))]
    counts = [int(record["counts"]) for page in pages for record in page]
    table, name = "transport.traffic_counts", "bike-counters"
    return {of(table, name): len(counts), of(table, name, "sum(vehicle_count)"): sum(counts)}


for _name, _file, _list, _table, _field, _source in (
    ("gbfs-stations-2-2", "station_information.2.2", "stations", "transport.shared_mobility_stations", "latitude", "lat"),
    ("gbfs-stations-3-0", "station_information.3.0", "stations", "transport.shared_mobility_stations", "latitude", "lat"),
    ("gbfs-status-2-2", "station_status.2.2", "stations", "transport.shared_mobility_status", "num_docks_available", "num_docks_available"),
    ("gbfs-status-3-0", "station_status.3.0", "stations", "transport.shared_mobility_status", "num_docks_available", "num_docks_available"),
    ("gbfs-bikes-2-2", "free_bike_status.2.2", "bikes", "corpus.shared_vehicles", "latitude", "lat"),
    ("gbfs-vehicles-3-0", "vehicle_status.3.0", "vehicles", "corpus.shared_vehicles", "latitude", "lat"),
):

    def _gbfs(name=_name, file=_file, list=_list, table=_table, field=_field, source=_source):
        entries = json.loads(DATA.joinpath(f"transport/gbfs/{file}.json").read_bytes())["data"][list]
        return {of(table, name): len(entries), of(table, name, f"sum({field})"): sum(entry.get(source, 0) for entry in entries)}

    DATASETS[_name] = _gbfs


SIRI = "{http://www.siri.org.uk/siri}"
NETEX = "{http://www.netex.org.uk/netex}"


@dataset("norwegian-trains")
def _():
    root = ElementTree.fromstring(DATA.joinpath("transport/siri_et_norway_nsb.xml").read_bytes())
    journeys = list(root.iter(f"{SIRI}EstimatedVehicleJourney"))
    calls = [(journey, call) for journey in journeys for kind in ("RecordedCall", "EstimatedCall") for call in journey.iter(SIRI + kind)]

    def late(call, what: str) -> int | None:
        aimed = call.findtext(f"{SIRI}Aimed{what}Time")
        told = call.findtext(f"{SIRI}Actual{what}Time") or call.findtext(f"{SIRI}Expected{what}Time")
        return int((datetime.datetime.fromisoformat(told) - datetime.datetime.fromisoformat(aimed)).total_seconds()) if aimed and told else None

    arrivals = [late(call, "Arrival") for _, call in calls]
    table, name = "transport.trip_updates", "norwegian-trains"
    return {
        of(table, name): len(calls),
        of(table, name, "count(DISTINCT trip_id)"): len(journeys),
        of(table, name, "count(arrival_delay)"): sum(delay is not None for delay in arrivals),
        of(table, name, "sum(arrival_delay)"): total(arrivals),
        of(table, name, "sum(departure_delay)"): total(late(call, "Departure") for _, call in calls),
        of(table, name, "count(*) FILTER (WHERE schedule_relationship = 'SKIPPED')"): sum(
            call.findtext(f"{SIRI}Cancellation") == "true" for _, call in calls
        ),
        of(table, name, "count(*) FILTER (WHERE arrival_uncertainty = 0)"): sum(call.find(f"{SIRI}ActualArrivalTime") is not None for _, call in calls),
    }


@dataset("finistere-ferries")
def _():
    with zipfile.ZipFile(DATA / "transport/netex_marseille_par_abm.zip") as archive:
        roots = [ElementTree.fromstring(archive.read(member)) for member in archive.namelist()]
    every = lambda name: [element for root in roots for element in root.iter(NETEX + name)]  # noqa: E731
    journeys = every("ServiceJourney")
    outbound = {route.get("id") for route in every("Route") if route.findtext(f"{NETEX}DirectionType") == "outbound"}
    patterns = {pattern.get("id"): pattern.find(f"{NETEX}RouteRef").get("ref") for pattern in every("ServiceJourneyPattern")}
    name = "finistere-ferries"
    hours = [int(time.findtext(f"{NETEX}ArrivalTime")[:2]) + 24 * int(time.findtext(f"{NETEX}ArrivalDayOffset")) for time in every("TimetabledPassingTime")]
    used = {reference.get("ref") for reference in every("QuayRef")}
    return {
        of("transport.stops", name): len(every("StopPlace")) + len(every("Quay")),
        of("transport.stops", name, "round(sum(stop_lat), 3)"): total(
            float(place.findtext(f"{NETEX}Centroid/{NETEX}Location/{NETEX}Latitude")) for place in every("StopPlace") + every("Quay")
        ),
        of("transport.stops", name, "count(parent_station)"): len(every("Quay")),
        of("transport.routes", name): len(every("Line")),
        of("transport.agency", name): len(every("Operator")) + len(every("Authority")),
        of("transport.trips", name): len(journeys),
        of("transport.trips", name, "count(*) FILTER (WHERE direction_id = 0)"): sum(
            patterns[journey.find(f"{NETEX}JourneyPatternRef").get("ref")] in outbound for journey in journeys
        ),
        of("transport.stop_times", name): len(every("TimetabledPassingTime")),
        of("transport.stop_times", name, "count(DISTINCT stop_id)"): len(
            {assignment.find(f"{NETEX}QuayRef").get("ref") for assignment in every("PassengerStopAssignment")} & used
        ),
        of("transport.stop_times", name, "sum(CAST(split_part(arrival_time, ':', 1) AS BIGINT))"): sum(hours),
        of("transport.calendar_dates", name): len(every("DayTypeAssignment")),
        of("transport.calendar_dates", name, "count(DISTINCT \"date\")"): len({day.findtext(f"{NETEX}Date") for day in every("DayTypeAssignment")}),
    }


def esri(path: str) -> list[dict]:
    """The features of an ArcGIS server's answer."""
    return json.loads(DATA.joinpath(path).read_bytes())["features"]


for _name, _path in (("columbia-addresses", "common/arcgis_query_columbia.json"), ("carson-esri-addresses", "common/arcgis_query_carson.json")):

    def _addresses(name=_name, path=_path):
        # An object id that is there twice belongs to the first.
        first = {feature["attributes"]["OBJECTID"]: feature for feature in reversed(esri(path))}
        table = "corpus.addresses"
        return {
            of(table, name): len(first),
            of(table, name, "round(sum(ST_X(location)), 3)"): total(feature["geometry"]["x"] for feature in first.values()),
            of(table, name, "sum(object_id)"): sum(first),
            f"SELECT count(*) FROM meta.rejected_rows WHERE pipeline = '{name}'": len(esri(path)) - len(first),
        }

    DATASETS[_name] = _addresses


@dataset("esri-reports")
def _():
    features = esri("common/arcgis_query_no_geometry.json")
    times = [feature["attributes"]["observed"] for feature in features]
    table, name = "corpus.facility_reports", "esri-reports"
    return {
        of(table, name): len(features),
        of(table, name, "count(location)"): sum("geometry" in feature for feature in features),
        of(table, name, "sum(CAST(date_part('epoch', observed_at) AS BIGINT))"): sum(time // 1000 for time in times if time is not None),
    }


for _name, _path in (("oecd-innovation", "education/oecd_innovation_in_education.sdmx.json"), ("ecb-exchange-rates", "common/ecb_exr_flat.sdmx.json")):

    def _sdmx(name=_name, path=_path):
        message = json.loads(DATA.joinpath(path).read_bytes())
        values = [value[0] for part in message["dataSets"] for value in part["observations"].values()]
        table = "common.indicators"
        return {of(table, name): len(values), of(table, name, "round(sum(obs_value), 3)"): total(values)}

    DATASETS[_name] = _sdmx


@dataset("estat-demography")
def _():
    import xml.etree.ElementTree

    root = xml.etree.ElementTree.parse(DATA / "common/estat_demography_cross_section.sdmx.xml").getroot()
    observations = list(root.iter("Obs"))
    table, name = "common.indicators", "estat-demography"
    return {
        of(table, name): len(observations),
        of(table, name, "round(sum(obs_value), 3)"): total(number(it.get("OBS_VALUE", "")) for it in observations),
        of(table, name, "count(DISTINCT time_period)"): len({series.get("TIME_PERIOD") for series in root.iter("Series")}),
    }


for _name, _glob in (("ngsi-normalized", "*.example-normalized.jsonld"), ("ngsi-key-values", "*.example.jsonld"), ("ngsi-v2", "*.example.json")):
    DATASETS[_name] = lambda name=_name, glob=_glob: {
        of("corpus.entities", name): len(list((DATA / "environment/ngsi_ld").glob(glob))),
    }


@dataset("ngsi-air-quality")
def _():
    entity = json.loads((DATA / "environment/ngsi_ld/AirQualityObserved.example-normalized.jsonld").read_bytes())
    values = [entity[key]["value"] for key in ("no", "no2", "nox", "so2", "co", "temperature", "windSpeed")]
    table, name = "environment.observations", "ngsi-air-quality"
    return {of(table, name): len(values), of(table, name, "round(sum(result), 3)"): total(values)}


@dataset("us-ipeds-enrolments")
def _():
    values = [number(text) for text in column("education/us_ipeds_enrollment_2023.csv", "ENR_TOTAL")]
    table, name = "education.enrolments", "us-ipeds-enrolments"
    return {of(table, name): len(values), of(table, name, "sum(obs_value)"): total(values)}


@dataset("hcmc-schools-ndjson")
def _():
    entities = map(json.loads, DATA.joinpath("education/hcmc_poi_schools_hospitals.ndjson").read_text("utf-8").splitlines())
    named = [entity for entity in entities if "school" in entity["category"] and entity["name"] != "Unnamed POI"]
    return {of("education.schools", "hcmc-schools-ndjson"): len(named)}


def sheet(path: str, name: str) -> list[list]:
    """All cells of a sheet, row by row; empty ones are None."""
    if path.endswith(".xls"):
        import xlrd

        book = xlrd.open_workbook(DATA / path)
        return [[None if cell == "" else cell for cell in book.sheet_by_name(name).row_values(row)] for row in range(book.sheet_by_name(name).nrows)]
    import openpyxl

    book = openpyxl.load_workbook(DATA / path, data_only=True)
    return [list(row) for row in book[name].iter_rows(values_only=True)]


def numbers(cells) -> list[float]:
    """The cells that hold a number."""
    return [float(cell) for cell in cells if isinstance(cell, int | float)]


@dataset("flemish-energy-use")
def _():
    header, *body = sheet("ugly/fluvius_gas_electricity_by_month.xlsx", "P0269_FLUVIUS")
    months = [index for index, name in enumerate(header) if re.fullmatch("[0-9]{6}", str(name))]
    values = numbers(row[index] for row in body for index in months)
    table, name = "common.indicators", "flemish-energy-use"
    return {of(table, name): len(values), of(table, name, "round(sum(obs_value), 3)"): total(values)}


@dataset("survey-plots")
def _():
    body = sheet("environment/biodiversity_plot_location.xlsx", "plot_coordinates")[4:]
    return {of("corpus.survey_plots", "survey-plots"): len(body)}


for _name, _sheet, _table, _field, _column in (
    ("us-ipeds-variables", "varlist", "corpus.ipeds_variables", "field_width", 3),
    ("us-ipeds-descriptions", "Description", "corpus.ipeds_descriptions", "length(description)", None),
    ("us-ipeds-codes", "Frequencies", "corpus.ipeds_codes", "frequency", 4),
):

    def _ipeds(name=_name, sheet_name=_sheet, table=_table, field=_field, column=_column):
        body = sheet("education/us_ipeds_eap2023_dictionary.xlsx", sheet_name)[1:]
        values = [len(row[2]) for row in body] if column is None else [number(str(row[column])) for row in body]
        return {of(table, name): len(body), of(table, name, f"sum({field})"): total(values)}

    DATASETS[_name] = _ipeds


@dataset("us-savings-bonds")
def _():
    body = [row for row in sheet("ugly/us_treasury_savings_bonds.xlsx", "data")[3:] if row[1]]
    table, name = "corpus.savings_bonds", "us-savings-bonds"
    return {of(table, name): len(body), of(table, name, "sum(pieces)"): sum(row[3] for row in body)}


@dataset("us-savings-bonds-outstanding")
def _():
    body = [row for row in sheet("ugly/us_treasury_savings_bonds.xlsx", "data")[3:] if row[6]]
    table, name = "corpus.savings_bonds_outstanding", "us-savings-bonds-outstanding"
    return {of(table, name): len(body), of(table, name, "sum(issued)"): sum(row[10] or 0 for row in body)}


@dataset("us-direct-loans")
def _():
    path = "ugly/us_fsa_direct_loan_volume_ay2015_16_q4.xls"
    body = [row for name in ("Quarterly Activity", "Award Year Summary") for row in sheet(path, name)[6:] if row[0] and row[0].strip()]
    table, name = "corpus.direct_loans", "us-direct-loans"
    leading = f"SELECT count(DISTINCT opeid) FROM {table} WHERE opeid LIKE '00%'"
    return {
        of(table, name): 25 * len(body),
        of(table, name, "round(sum(value), 3)"): total(numbers(cell for row in body for cell in row[5:30])),
        leading: len({row[0] for row in body if row[0].startswith("00")}),
    }


for _number, _name, _first in (
    (1, "uk-visits-to-uk-by-area", 6),
    (2, "uk-visits-to-uk-by-purpose", 6),
    (3, "uk-visits-abroad-by-area", 6),
    (4, "uk-visits-abroad-by-purpose", 6),
    (5, "uk-earnings-and-expenditure", 7),
):

    def _ons(table_number=_number, name=_name, first=_first):
        months = [row for row in sheet("ugly/ons_overseas_travel_tourism.xls", f"Table {table_number}")[first:] if row[1] and row[1][:3].isalpha() and row[2] is not None]
        values = numbers(cell for row in months for cell in row[2:])
        return {of("common.indicators", name): len(values), of("common.indicators", name, "round(sum(obs_value), 3)"): total(values)}

    DATASETS[_name] = _ons


def html_rows(path: str) -> list[list[str]]:
    """Texts of each row's cells, all tables of a page one after the other, by Python's HTML parser."""
    from html.parser import HTMLParser

    class Rows(HTMLParser):
        found: list[list[str]] = []
        cell = False

        def handle_starttag(self, tag, attrs):
            if tag == "tr":
                self.found.append([])
            if tag in ("td", "th"):
                self.found[-1].append("")
                self.cell = True

        def handle_endtag(self, tag):
            self.cell = self.cell and tag not in ("td", "th")

        def handle_data(self, data):
            if self.cell:
                self.found[-1][-1] += data

    reader = Rows()
    reader.feed(DATA.joinpath(path).read_text("utf-8"))
    return reader.found


@dataset("undp-under-five-mortality")
def _():
    body = [row for row in html_rows("ugly/undp_hdi_table.html") if len(row) == 6]
    values = [cell.strip() for row in body for cell in (row[2], row[4])]
    known = [number(value) for value in values if value != ".."]
    table, name = "common.indicators", "undp-under-five-mortality"
    return {of(table, name): len(values), of(table, name, "sum(obs_value)"): total(known)}


@dataset("spanned-cells")
def _():
    cells = [cell for row in html_rows("ugly/rowcolspan.html") for cell in row]
    return {of("corpus.spans", "spanned-cells"): len(html_rows("ugly/rowcolspan.html")), "SELECT count(DISTINCT c) FROM (SELECT unnest([first, second, third, fourth, fifth]) AS c FROM corpus.spans)": len(set(cells))}


@dataset("carson-addresses")
def _():
    text = DATA.joinpath("ugly/trailing_comma_carson.geojson").read_text("utf-8")
    features = json.loads(re.sub(r",\s*\]", "]", text))["features"]
    table, name = "corpus.addresses", "carson-addresses"
    return {of(table, name): len(features), of(table, name, "sum(object_id)"): sum(feature["properties"]["OBJECTID"] for feature in features)}


def main() -> int:
    """Write, or compare and say what differs."""
    target = HERE / "counts.json"
    found = {name: DATASETS[name]() for name in sorted(DATASETS)}
    pipelines = {path.stem for path in HERE.glob("pipelines/*/*.yaml")}
    wrong = [f"{name}: a pipeline that nothing counts" for name in sorted(pipelines - set(found))]
    wrong += [f"{name}: counted, but there is no such pipeline" for name in sorted(set(found) - pipelines)]
    if "--write" in sys.argv:
        target.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    else:
        known = json.loads(target.read_text("utf-8"))
        wrong += [f"{name}: counts.json says {known.get(name)}, the file holds {it}" for name, it in found.items() if it != known.get(name)]
    print("\n".join(wrong) or f"{len(found)} datasets counted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
