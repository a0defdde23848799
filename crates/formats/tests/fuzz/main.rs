//! Every decoder on broken bytes: seeds are mutated, and texts are made of a format's own tokens.
//!
//! A case fails where our code panics, where a record comes out twice or not at all, where more records come out than bytes can hold,
//! or where memory passes its bound. A reader of another maker may panic on its own thread: that must come out as an error.
//!
//! `cargo test` runs a few hundred cases a decoder, always the same. `FUZZ_SECONDS=600` (`make soak`) goes on for that long with others.
//! What fails is written to the temporary folder; keep it as `tests/data/fuzz/<decoder>/<name>`, and it is tried again each time.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod check;
mod mutate;
mod random;
mod seeds;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use check::Checker;
use mutate::Mutator;
use random::Random;

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// Cases of one decoder in the short form.
const CASES: u64 = 300;

/// One decoder, and what it is tried on.
struct Target {
    /// Its folder under `tests/data/fuzz`.
    name: &'static str,
    /// `format:` in its forms; an empty text leaves it to be guessed.
    formats: &'static [&'static str],
    /// What texts of it are made of.
    tokens: &'static [&'static [u8]],
    seeds: fn() -> Vec<Vec<u8>>,
    /// Whether its files are archives, whose members are mutated as well.
    is_packed: bool,
}

/// Memory is measured for the whole process, so that one decoder is tried at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn fuzz(target: &Target) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let checker = Checker::new(target);
    for (name, bytes) in seeds::found(target.name) {
        for seed in 0..8 {
            checker.check(&bytes, &mut Random::new(seed), &name);
        }
    }
    let seeds = (target.seeds)();
    for (number, bytes) in seeds.iter().enumerate() {
        checker.check(bytes, &mut Random::new(number as u64), "a seed");
    }
    let mutator = Mutator::new(seeds, target.tokens, target.is_packed);
    let seconds = std::env::var("FUZZ_SECONDS").ok();
    let seconds = seconds.map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
    let started = Instant::now();
    let goes_on = |case| match seconds {
        Some(seconds) => started.elapsed() < seconds,
        None => case < CASES,
    };
    let mut case = 0;
    while goes_on(case) {
        // Other cases than the short form's, which are tried anyway.
        let seed = case + seconds.map_or(0, |_| CASES);
        let mut random = Random::new(seed);
        let bytes = mutator.bytes(&mut random);
        checker.check(&bytes, &mut random, &format!("case {seed}"));
        case += 1;
    }
}

macro_rules! targets {
    ($($test:ident { formats: $formats:expr, tokens: $tokens:expr, seeds: $seeds:expr, is_packed: $packed:expr $(,)? })+) => {$(
        #[test]
        fn $test() {
            fuzz(&Target {
                name: stringify!($test),
                formats: $formats,
                tokens: $tokens,
                seeds: $seeds,
                is_packed: $packed,
            });
        }
    )+};
}

const JSON: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b":",
    b" ",
    b"\n",
    b"null",
    b"true",
    b"1.5e9",
    b"-",
    b"\"a\":",
    b"\"features\":",
    b"\"type\": \"Feature\"",
    b"\"geometry\": {\"type\": \"Point\", \"coordinates\": [1, 2]}",
    b"\"list\": [",
    b"{\"v\": 1}",
    b"\\ud800",
    b"\xFF",
];
const ESRI: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\"features\": [",
    b"\"fields\": [",
    b"\"attributes\": {",
    b"\"geometry\": ",
    b"{\"x\": 1, \"y\": \"NaN\"}",
    b"{\"rings\": [[[1, 2], [3, 4], [5, 0]]]}",
    b"{\"paths\": [[[1, 2, null]]]}",
    b"{\"name\": \"d\", \"type\": \"esriFieldTypeDate\"}",
    b"\"d\": 1e300",
    b"\"d\": -99999999999999",
    b"\"error\": {\"code\": 1}",
    b"\"spatialReference\": {\"wkid\": 3857}",
    b"null",
    b"\xFF",
];
const SDMX: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"data\": {",
    b"\"dataSets\": [",
    b"\"observations\": {",
    b"\"series\": {",
    b"\"attributes\": [0, null]",
    b"\"structure\": 9",
    b"\"dimensionGroupAttributes\": {\"0:::0\": [0]}",
    b"\"0:0\": [1, 0]",
    b"\"~:99999999999999999999\": [1]",
    b"\"structure\": {\"dimensions\": {\"observation\": [{\"id\": \"A\", \"values\": [null, 1, {\"id\": \"x\"}]}]}}",
    b"null",
    b"\xFF",
];
const ENTITIES: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\"id\": \"urn:ngsi-ld:A:1\"",
    b"\"type\": \"Property\"",
    b"\"value\": ",
    b"\"object\": [1]",
    b"\"a\": {",
    b"\"a\": [{\"value\": 1, \"datasetId\": \"x\"}]",
    b"\"metadata\": {\"m\": {\"value\": 1}}",
    b"\"@context\": []",
    b"\\ud800",
    b"null",
    b"\xFF",
];
const GML: &[&[u8]] = &[
    b"<",
    b">",
    b"</member>",
    b"<member>",
    b"<featureMembers>",
    b"<a fid='1'>",
    b"</a>",
    b"<p>",
    b"</p>",
    b"<Point srsName='urn:ogc:def:crs:EPSG::4326'><pos>1 2</pos></Point>",
    b"<LineString><posList srsDimension='3'>1 2 3 4</posList></LineString>",
    b"<Polygon><exterior>",
    b"<LinearRing><coordinates>1,2 3</coordinates></LinearRing>",
    b"</exterior></Polygon>",
    b"<MultiSurface><surfaceMembers>",
    b"<Curve><segments><Arc/></segments></Curve>",
    b"<Envelope><lowerCorner>NaN 1e999</lowerCorner></Envelope>",
    b"<ows:ExceptionReport>",
    b"\xFF",
];
const MARKUP: &[&[u8]] = &[
    b"<",
    b">",
    b"/",
    b"\"",
    b"'",
    b"=",
    b"&",
    b";",
    b"<r>",
    b"</r>",
    b"<i>",
    b"</i>",
    b"<i a='1'>",
    b"<i/>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE r [<!ENTITY b \"&b;\">]>",
    b"&lt;",
    b"&b;",
    b"&#xD800;",
    b"<?xml version='1.0' encoding='",
    b"?>",
    b"<table>",
    b"<tr>",
    b"<td colspan=9999999 rowspan=9999999>",
    b"<th>",
    b"</table>",
    b"text",
    b"\n",
    b"\xFF",
];
const TRANSIT: &[&[u8]] = &[
    b"<",
    b">",
    b"</",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\"MonitoredStopVisit\":",
    b"\"value\": 1",
    b"<ServiceDelivery>",
    b"<EstimatedVehicleJourney>",
    b"</EstimatedVehicleJourney>",
    b"<RecordedCalls><RecordedCall/></RecordedCalls>",
    b"<ErrorCondition><OtherError/></ErrorCondition>",
    b"<ValidityPeriod><StartTime>9999-99-99</StartTime></ValidityPeriod>",
    b"<DayTypeAssignment><DayTypeRef ref='a'/><OperatingPeriodRef ref='p'/></DayTypeAssignment>",
    b"<OperatingPeriod id='p'><FromDate>0001-01-01</FromDate><ToDate>9999-12-31</ToDate></OperatingPeriod>",
    b"<UicOperatingPeriod id='p'><FromDate>2025-01-01</FromDate><ToDate>2024-01-01</ToDate><ValidDayBits>1</ValidDayBits></UicOperatingPeriod>",
    b"<ArrivalTime>24:00:00</ArrivalTime><ArrivalDayOffset>99999999999</ArrivalDayOffset>",
    b"<Quay id='q'><quays><Quay id='r'/></quays></Quay>",
    b"&b;",
    b"\xFF",
];
const DELIMITED: &[&[u8]] = &[
    b",",
    b";",
    b"\t",
    b"|",
    b"\"",
    b"\"\"",
    b"\n",
    b"\r\n",
    b"\r",
    b"a",
    b"1.234,5",
    b"x y",
    b"\0",
    b"\xFF",
    b"\xEF\xBB\xBF",
    b"#",
    b"",
    b"a,b,c\n",
    b"1,2,3\n",
    b"Total\n",
];
const BINARY: &[&[u8]] = &[
    b"\0",
    b"\xFF",
    b"\x80\x80\x80\x80\x01",
    b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F",
    b"\x7F\xFF\xFF\xFF",
    b"\x12\x05",
    b"\x0A",
    b"Obj\x01",
    b"PAR1",
    b"\x1A\x02",
];

targets! {
    csv {
        formats: &["\"csv\"", r#"{"name": "csv", "header_rows": []}"#, r#"{"name": "csv", "short_records": "fill", "delimiter": ";"}"#,
            r#"{"name": "csv", "header_rows": [1, 2], "skip_footer": 2, "comment": "%"}"#, r#"{"name": "csv", "footer": "^Total"}"#],
        tokens: DELIMITED, seeds: seeds::csv, is_packed: false,
    }
    encodings {
        formats: &[r#"{"name": "csv", "encoding": "windows-1258"}"#, r#"{"name": "csv", "encoding": "tcvn3"}"#,
            r#"{"name": "csv", "encoding": "vni"}"#, r#"{"name": "csv", "encoding": "utf-16le"}"#, r#"{"name": "csv", "encoding": "big5"}"#,
            r#"{"name": "csv", "encoding": "iso-2022-jp"}"#, "\"csv\""],
        tokens: DELIMITED, seeds: seeds::encodings, is_packed: false,
    }
    fixed {
        formats: &[r#"{"name": "fixed", "columns": [{"name": "a", "start": 1, "width": 3}, {"name": "b", "start": 4, "width": 9}]}"#],
        tokens: DELIMITED, seeds: seeds::csv, is_packed: false,
    }
    json {
        formats: &["\"json\"", r#"{"name": "json", "record_path": "results"}"#, r#"{"name": "json", "unnest": "list"}"#,
            r#"{"name": "json", "record_path": "data.stations", "unnest": "vehicle_types_available"}"#],
        tokens: JSON, seeds: seeds::json, is_packed: false,
    }
    ndjson {
        formats: &["\"ndjson\"", r#"{"name": "ndjson", "unnest": "list"}"#],
        tokens: JSON, seeds: seeds::ndjson, is_packed: false,
    }
    geojson { formats: &["\"geojson\""], tokens: JSON, seeds: seeds::geojson, is_packed: false }
    esri_json { formats: &["\"esri_json\""], tokens: ESRI, seeds: seeds::esri_json, is_packed: false }
    sdmx_json { formats: &["\"sdmx_json\""], tokens: SDMX, seeds: seeds::sdmx_json, is_packed: false }
    ngsi_ld { formats: &["\"ngsi_ld\""], tokens: ENTITIES, seeds: seeds::ngsi_ld, is_packed: false }
    gml {
        formats: &["\"gml\"", r#"{"name": "gml", "axis_order": "yx"}"#],
        tokens: GML, seeds: seeds::gml, is_packed: false,
    }
    xml {
        formats: &["\"xml\"", r#"{"name": "xml", "record_path": "r/i"}"#, r#"{"name": "xml", "record_path": "*/*"}"#,
            r#"{"name": "xml", "record_path": "r/i", "unnest": "b"}"#],
        tokens: MARKUP, seeds: seeds::xml, is_packed: false,
    }
    html {
        formats: &["\"html\"", r#"{"name": "html", "table": 1}"#, r#"{"name": "html", "header_rows": [1, 2]}"#],
        tokens: MARKUP, seeds: seeds::html, is_packed: false,
    }
    xlsx { formats: &["\"xlsx\"", r#"{"name": "xlsx", "header_rows": [1, 2]}"#], tokens: BINARY, seeds: seeds::xlsx, is_packed: true }
    xls { formats: &["\"xls\"", r#"{"name": "xls", "header_rows": [2]}"#], tokens: BINARY, seeds: seeds::xls, is_packed: false }
    ods { formats: &["\"ods\"", r#"{"name": "ods", "header_rows": [1, 2]}"#], tokens: MARKUP, seeds: seeds::ods, is_packed: true }
    gtfs_realtime {
        formats: &["\"gtfs_realtime\"", r#"{"name": "gtfs_realtime", "entity": "alerts"}"#,
            r#"{"name": "gtfs_realtime", "entity": "vehicle_positions", "encoding": "shift_jis"}"#],
        tokens: BINARY, seeds: seeds::gtfs_realtime, is_packed: false,
    }
    siri {
        formats: &["\"siri\"", r#"{"name": "siri", "service": "stop_monitoring"}"#, r#"{"name": "siri", "service": "vehicle_monitoring"}"#,
            r#"{"name": "siri", "service": "situation_exchange"}"#],
        tokens: TRANSIT, seeds: seeds::siri, is_packed: false,
    }
    netex {
        formats: &["\"netex\"", r#"{"name": "netex", "objects": "passing_times"}"#, r#"{"name": "netex", "objects": "service_journeys"}"#,
            r#"{"name": "netex", "objects": "day_type_dates"}"#, r#"{"name": "netex", "objects": "operators"}"#],
        tokens: TRANSIT, seeds: seeds::netex, is_packed: false,
    }
    avro { formats: &["\"avro\""], tokens: BINARY, seeds: seeds::avro, is_packed: false }
    parquet { formats: &["\"parquet\""], tokens: BINARY, seeds: seeds::parquet, is_packed: false }
    archive { formats: &[""], tokens: DELIMITED, seeds: seeds::archive, is_packed: true }
    packing { formats: &["", "\"csv\"", "\"json\""], tokens: BINARY, seeds: seeds::packing, is_packed: false }
    guessed { formats: &[""], tokens: MARKUP, seeds: seeds::guessed, is_packed: false }
}
