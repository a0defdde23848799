#![expect(clippy::unwrap_used, reason = "tests")]
use sectorlake_connector::kit::{Abilities, Exchange, Fault, Server, Subject, check};
use serde_json::Value;

use super::*;
use crate::testing::{SECRET, io, make, read, recording, say};

const FLOW: &str = "UIS,DF_OOS,1.0";

fn settings(server: &str, more: Value) -> Value {
    let mut settings = json!({
        "url": format!("{server}/rest"), "flow": FLOW, "key": "A.VNM..", "start": "2022",
        "indicators": { "dimensions": ["SEX", "AGE"] },
    });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings
}

const DATA: &str = "/rest/data/UIS,DF_OOS,1.0/A.VNM..?startPeriod=2022";
const STRUCTURE: &str = "/rest/dataflow/UIS/DF_OOS/1.0?references=children";

#[tokio::test]
async fn csv_passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            make(
                &registration(),
                settings(
                    server,
                    json!({ "headers": { "Ocp-Apim-Subscription-Key": "${env:KEY}" } }),
                ),
            )
        },
        recording: vec![Exchange::new(DATA, recording("sdmx/schools.csv")).with_etag("\"v1\"")],
        abilities: Abilities {
            conditional: true,
            ..Abilities::default()
        },
        secrets: &[SECRET],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn json_of_version_3_passes_the_kit() {
    let target = "/rest/data/dataflow/UIS/DF_OOS/1.0/A.VNM.*.*?c%5BTIME_PERIOD%5D=ge%3A2022%2Ble%3A2024&dimensionAtObservation=AllDimensions";
    let subject = Subject {
        make: &|server| {
            make(
                &registration(),
                settings(
                    server,
                    json!({ "api": "3.0", "format": "json", "end": "2024" }),
                ),
            )
        },
        recording: vec![Exchange::new(
            target,
            recording("../data/education/oecd_innovation_in_education.sdmx.json"),
        )],
        abilities: Abilities::default(),
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn a_service_that_tells_the_structure_passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            make(
                &registration(),
                settings(server, json!({ "indicators": {} })),
            )
        },
        recording: vec![
            Exchange::new(STRUCTURE, recording("sdmx/df_oos_structure.xml")),
            Exchange::new(DATA, recording("sdmx/schools.csv")),
        ],
        abilities: Abilities {
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

/// The SQL of the default mapping, or why there is none, with what the service was asked.
async fn mapped(target: &str, file: &str, more: Value) -> String {
    let server = Server::start(vec![Exchange::new(target, recording(file))])
        .await
        .unwrap();
    let sdmx = make(&registration(), settings(server.url(), more)).unwrap();
    let run = io("2025-02-10T00:00:00Z");
    // Once for all that is asked of it in a run.
    let _ = sdmx.streams(&run).await;
    let said = match sdmx.streams(&run).await {
        Ok(streams) => {
            let sql = streams[0].mappings[0].sql.clone();
            let told = [
                "_code,",
                "_name,",
                "ref_area,",
                "freq,",
                "dimensions,",
                "unit_measure,",
            ];
            let lines = sql
                .lines()
                .filter(|line| told.iter().any(|it| line.ends_with(it)));
            lines
                .map(|line| line.chars().take(150).collect::<String>())
                .collect::<Vec<_>>()
                .join("\n")
        }
        Err(error) => format!("{error} / {}", error.help.as_deref().unwrap_or_default()),
    };
    format!("{}\n{said}\n", server.asked().join(" ")).replace(server.url(), "SERVER")
}

#[tokio::test]
async fn the_structure_names_the_dimensions() {
    let said = [
        mapped(STRUCTURE, "sdmx/df_oos_structure.xml", json!({ "indicators": {} })).await,
        mapped(
            "/rest/dataflow/all/apro_mk_cola/latest?references=children",
            "sdmx/apro_mk_cola_structure.xml",
            json!({ "flow": "apro_mk_cola", "indicators": { "dimension": "PRODMILK" }, "format": "json" }),
        )
        .await,
        mapped(
            "/rest/structure/dataflow/ECB/EXR/1.0?references=children",
            "sdmx/exr_structure.json",
            json!({ "flow": "ECB,EXR,1.0", "api": "3.0", "indicators": { "area": "CURRENCY" } }),
        )
        .await,
        // The service has no place, another dimension than is written, no structure.
        mapped(
            "/rest/structure/dataflow/ECB/EXR/1.0?references=children",
            "sdmx/exr_structure.json",
            json!({ "flow": "ECB,EXR,1.0", "api": "3.0", "indicators": {} }),
        )
        .await,
        mapped(STRUCTURE, "sdmx/df_oos_structure.xml", json!({ "indicators": { "dimension": "SEXE" } })).await,
        mapped(STRUCTURE, "sdmx/schools.csv", json!({ "indicators": {} })).await,
        mapped("/other", "sdmx/schools.csv", json!({ "indicators": {} })).await,
    ];
    insta::assert_snapshot!(said.join("\n"), @r#"
/rest/dataflow/UIS/DF_OOS/1.0?references=children
  'DF_OOS' AS indicator_code,
  'Children & adolescents out of school' AS indicator_name,
  "REF_AREA" AS ref_area,
  NULL AS ref_area_name,
  CASE WHEN "FREQ" IN ('A', 'S', 'Q', 'M', 'W', 'D', 'H') THEN "FREQ" END AS freq,
  '{' || concat_ws(',', '"AGE":"' || NULLIF("AGE", '') || '"', '"SEX":"' || NULLIF("SEX", '') || '"') || '}' AS dimensions,
  CASE "UNIT_MEASURE" WHEN 'GPI' THEN '{index}' WHEN 'INDEX' THEN '{index}' WHEN 'IX' THEN '{index}' WHEN 'NR' THEN '{number}' WHEN 'NUMBER' THEN '{nu

/rest/dataflow/all/apro_mk_cola/latest?references=children
  "PRODMILK" AS indicator_code,
  "PRODMILK_label" AS indicator_name,
  "GEO" AS ref_area,
  "GEO_label" AS ref_area_name,
  CASE WHEN "FREQ" IN ('A', 'S', 'Q', 'M', 'W', 'D', 'H') THEN "FREQ" END AS freq,
  '{' || concat_ws(',', '"UNIT":"' || NULLIF("UNIT", '') || '"') || '}' AS dimensions,
  CASE "UNIT" WHEN 'GPI' THEN '{index}' WHEN 'INDEX' THEN '{index}' WHEN 'IX' THEN '{index}' WHEN 'NR' THEN '{number}' WHEN 'NUMBER' THEN '{number}' W

/rest/structure/dataflow/ECB/EXR/1.0?references=children
  'EXR' AS indicator_code,
  'Exchange Rates' AS indicator_name,
  "CURRENCY" AS ref_area,
  NULL AS ref_area_name,
  CASE WHEN "FREQ" IN ('A', 'S', 'Q', 'M', 'W', 'D', 'H') THEN "FREQ" END AS freq,
  '{' || concat_ws(',', '"CURRENCY_DENOM":"' || NULLIF("CURRENCY_DENOM", '') || '"', '"EXR_SUFFIX":"' || NULLIF("EXR_SUFFIX", '') || '"', '"EXR_TYPE":
  CASE "UNIT_MEASURE" WHEN 'GPI' THEN '{index}' WHEN 'INDEX' THEN '{index}' WHEN 'IX' THEN '{index}' WHEN 'NR' THEN '{number}' WHEN 'NUMBER' THEN '{nu

/rest/structure/dataflow/ECB/EXR/1.0?references=children /rest/structure/dataflow/ECB/EXR/1.0?references=children
SERVER/rest/structure/dataflow/ECB/EXR/1.0?references=children: the dataflow has no dimension that is known to be the place / write `indicators: { area: … }` with one of: FREQ, CURRENCY, CURRENCY_DENOM, EXR_TYPE, EXR_SUFFIX; or, where the pipeline has a mapping of its own, `indicators: { dimensions: [] }`

/rest/dataflow/UIS/DF_OOS/1.0?references=children /rest/dataflow/UIS/DF_OOS/1.0?references=children
SERVER/rest/dataflow/UIS/DF_OOS/1.0?references=children: the dataflow has no dimension "SEXE" / did you mean "SEX"?

/rest/dataflow/UIS/DF_OOS/1.0?references=children /rest/dataflow/UIS/DF_OOS/1.0?references=children
SERVER/rest/dataflow/UIS/DF_OOS/1.0?references=children: is no structure message that tells what the dataflow's data are made of / write the dimensions yourself, as in `indicators: { dimensions: [SEX, AGE] }`: then it is not asked for

/rest/dataflow/UIS/DF_OOS/1.0?references=children /rest/dataflow/UIS/DF_OOS/1.0?references=children
SERVER/rest/dataflow/UIS/DF_OOS/1.0?references=children: there is nothing at this address (HTTP 404) / is `flow` right? `sectorlake discover` with the service's address lists its dataflows; else write the dimensions yourself, as in `indicators: { dimensions: [SEX, AGE] }`: then it is not asked for
"#);
}

#[tokio::test]
async fn later_runs_ask_for_what_was_updated_since() {
    let target = |since: &str| format!("{DATA}&updatedAfter={since}T00%3A00%3A00Z");
    let server = Server::start(vec![Exchange::new(
        &target("2025-01-01"),
        recording("sdmx/schools.csv"),
    )])
    .await
    .unwrap();
    let more = json!({ "incremental": { "start": "2025-01-01", "lookback": "2d" } });
    let sdmx = make(&registration(), settings(server.url(), more)).unwrap();
    let slice = Slice::whole("observations");
    let (parts, cursor) = read(&*sdmx, slice, None, (&io("2025-02-10T00:00:00Z"), &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 1);
    // Nothing was updated: the service says 404, the mark stays.
    server.fail(Fault::Status(404, vec![]), 1);
    let run = io("2025-02-11T00:00:00Z");
    let (parts, kept) = read(&*sdmx, slice, cursor.clone(), (&run, &server))
        .await
        .unwrap();
    assert_eq!((parts.len(), &kept), (0, &cursor));
    assert!(
        server
            .asked()
            .last()
            .unwrap()
            .ends_with("updatedAfter=2025-02-08T00%3A00%3A00Z"),
        "{:?}",
        server.asked()
    );
}

#[tokio::test]
async fn several_keys_are_partitions() {
    let more = json!({ "key": ["A.VNM..", "A.THA.."], "query": { "format": "SDMX-CSV" } });
    let target = format!("{DATA}&format=SDMX-CSV").replace("VNM", "THA");
    let server = Server::start(vec![Exchange::new(&target, recording("sdmx/schools.csv"))])
        .await
        .unwrap();
    let sdmx = make(&registration(), settings(server.url(), more)).unwrap();
    let run = io("2025-02-10T00:00:00Z");
    assert_eq!(
        sdmx.partitions("observations", &run).await.unwrap(),
        ["A.VNM..", "A.THA.."]
    );
    let slice = Slice {
        unit: "observations",
        partition: Some("A.THA.."),
    };
    let (parts, _) = read(&*sdmx, slice, None, (&run, &server)).await.unwrap();
    assert_eq!(parts.len(), 1);
}

#[test]
fn addresses_are_claimed() {
    let claim = |location: &str| {
        claims(&Sight {
            location,
            members: &[],
            head: &[],
        })
        .map(|claim| Value::Object(claim.settings).to_string())
    };
    let said: Vec<String> = [
        "https://sdmx.oecd.org/public/rest/data/OECD.EDU.IMEP,DSD_EAG@DF_EAG,1.0/.VNM?startPeriod=2015&format=csvfile",
        "https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/data/EDUC_UOE_ENRA02/all",
        "https://sdmx.example.org/rest/v2/data/dataflow/UIS/SDG4/4.0/*",
        "https://data-api.ecb.europa.eu/service/data/ECB,EXR,1.0/all",
        "https://example.org/rest/data/a/b/c/d",
        "https://example.org/data/file.csv",
    ]
    .iter()
    .map(|location| claim(location).unwrap_or_else(|| "not claimed".to_owned()))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
{"flow":"OECD.EDU.IMEP,DSD_EAG@DF_EAG,1.0","key":".VNM","start":"2015","url":"https://sdmx.oecd.org/public/rest"}
{"flow":"EDUC_UOE_ENRA02","query":{"format":"SDMX-CSV"},"url":"https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1"}
{"api":"3.0","flow":"UIS,SDG4,4.0","url":"https://sdmx.example.org/rest/v2"}
{"flow":"ECB,EXR,1.0","url":"https://data-api.ecb.europa.eu/service"}
not claimed
not claimed
"#);
}

#[test]
fn the_default_mapping_follows_the_settings() {
    let indicators = json!({ "dimensions": ["SEX", "AGE"], "name": "Trẻ em ngoài nhà trường", "units": { "X": "%" } });
    let indicators: mapping::Indicators = serde_json::from_value(indicators).unwrap();
    let mapping = indicators.mapping(FLOW, None, Format::Csv).unwrap();
    insta::assert_snapshot!(mapping.sql, @r#"
-- https://sdmx.org/?page_id=4345 (cross-domain concepts): one observation a record.
SELECT
  'DF_OOS' AS indicator_code,
  'Trẻ em ngoài nhà trường' AS indicator_name,
  "REF_AREA" AS ref_area,
  NULL AS ref_area_name,
  "TIME_PERIOD" AS time_period,
  CASE WHEN "FREQ" IN ('A', 'S', 'Q', 'M', 'W', 'D', 'H') THEN "FREQ" END AS freq,
  '{' || concat_ws(',', '"AGE":"' || NULLIF("AGE", '') || '"', '"SEX":"' || NULLIF("SEX", '') || '"') || '}' AS dimensions,
  -- SDMX-CSV leaves a missing value empty, or writes NaN.
  NULLIF(NULLIF("OBS_VALUE", ''), 'NaN') AS obs_value,
  CASE "UNIT_MEASURE" WHEN 'GPI' THEN '{index}' WHEN 'INDEX' THEN '{index}' WHEN 'IX' THEN '{index}' WHEN 'NR' THEN '{number}' WHEN 'NUMBER' THEN '{number}' WHEN 'PC' THEN '%' WHEN 'PCT' THEN '%' WHEN 'PER' THEN '{person}' WHEN 'PERCENT' THEN '%' WHEN 'PERS' THEN '{person}' WHEN 'PERSONS' THEN '{person}' WHEN 'PS' THEN '{person}' WHEN 'PT' THEN '%' WHEN 'X' THEN '%' WHEN 'YRS' THEN 'a' END AS unit_measure,
  CASE
    WHEN "OBS_STATUS" IN ('A', 'B', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'S', 'U', 'V', 'W') THEN "OBS_STATUS"
    WHEN NULLIF(NULLIF("OBS_VALUE", ''), 'NaN') IS NULL THEN 'M'
  END AS obs_status,
  NULLIF("COMMENT_OBS", '') AS comment_obs
FROM source
"#);
    assert!(
        mapping
            .columns
            .ends_with(&["AGE".to_owned(), "SEX".to_owned()])
    );
}

#[test]
fn settings_are_checked() {
    let said: Vec<String> = [
        json!({ "flow": "a/b" }),
        json!({ "flow": "DF", "api": "3.0" }),
        json!({ "key": "A/B" }),
        json!({ "key": "A.VNM+THA..", "api": "3.0" }),
        json!({ "api": "1.0" }),
        json!({ "incremental": { "lookback": "x" } }),
        json!({ "indicators": { "dimensions": ["a\" b"] } }),
        json!({ "flow": "DF" }),
    ]
    .into_iter()
    .map(|more| say(&registration(), settings("https://example.org", more)))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
flow: "a/b" is no dataflow / write its agency, id and version, as in `OECD.EDU.IMEP,DSD_EAG@DF_EAG,1.0`
flow: "DF" lacks its agency or version / the address of version 3.0 needs both: AGENCY,ID,VERSION; `*` for any version
key: "A/B" is no key / write a code or nothing for each dimension, as in `A.VNM..T`
key: "A.VNM+THA.." has `+`, which version 3.0 does not know in a key / write several keys in a list, or leave the dimension empty and write its codes in `query: { "c[REF_AREA]": "VNM,THA" }`
api: "1.0" is none of its values / one of: 2.1, 3.0
incremental.lookback: "x" is no window / write it as in 30m, 6h, 2d or 1w
indicators.dimensions: "a\" b" is no dimension / write its id, as in REF_AREA, not its name
fine
"#);
}
