//! `vn_exam_results`: scores of Vietnam's national exams, as they are published candidate by candidate.
//!
//! Reference: Circular 24/2024/TT-BGDĐT (the upper secondary graduation exam, scale of 10), <https://moet.gov.vn>; the first two digits of a
//! candidate's number are the exam council's, which until 2025 was that of a province. There is no standard of the files: this reads a
//! table with a column a subject, CSV or workbook, and the older one with all scores in one text.
//!
//! Scores of single candidates are personal: `education.exam_results` is restricted. What may be published is counted from it, in a
//! project's own model; bands of fewer than five candidates are left out, as the contract of `education.exam_statistics` asks. (Where one
//! band alone is left out, the total `_T` tells its size: widen the bands then, or leave the total out too.)
//!
//! ```sql
#![doc = include_str!("vn_exam_results/statistics.sql")]
//! ```

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, DefaultMapping, MakeContext, OneOrMany, Origin, OriginSettings, PlainSource,
    Registration, SettingsError, Sight, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

const SCORES: &str = "scores";
/// The last year whose candidates' numbers begin with the councils below.
const COUNCILS_UNTIL: u16 = 2025;
/// Exam council and the province's code of the statistics office, before July 2025.
const COUNCILS: &str = "|01=01|02=79|03=31|04=48|05=02|06=04|07=12|08=10|09=08|10=20|11=06|12=19|13=15|14=14|15=25|16=26|17=22\
    |18=24|19=27|21=30|22=33|23=17|24=35|25=36|26=34|27=37|28=38|29=40|30=42|31=44|32=45|33=46|34=49|35=51|36=62|37=52|38=64|39=54\
    |40=66|41=56|42=68|43=70|44=74|45=58|46=72|47=60|48=75|49=80|50=87|51=89|52=77|53=82|54=91|55=92|56=83|57=86|58=84|59=94|60=95\
    |61=96|62=11|63=67|64=93|";

/// Settings of `vn_exam_results`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Files on this machine: one, a folder or a glob, absolute or relative to the project's folder.
    #[serde(default)]
    path: Option<String>,
    /// An http or https URL, or a list of them.
    #[serde(default)]
    url: Option<OneOrMany<UrlSetting>>,
    /// The year of the exam.
    #[schemars(range(min = 1975, max = 2100))]
    year: u16,
    /// Which exam: `THPT` upper secondary graduation, `TS10` entrance to grade 10. Default: `THPT`.
    #[serde(default)]
    exam: Option<String>,
    /// The column of the candidate's number. Default: `sbd`.
    #[serde(default)]
    candidate: Option<String>,
    /// The column that holds all scores as one text, as in `Toán: 6.20 Ngữ văn: 7.00`. Left out: each subject has a column.
    #[serde(default)]
    scores: Option<String>,
    /// Subjects whose columns have unusual names: `{ "Môn 4": tin_hoc }`. Columns that are no subject's are not read.
    #[serde(default)]
    subjects: BTreeMap<String, String>,
    /// The files' format, as under `format:` of other connectors. Default: found out.
    #[serde(default)]
    format: Option<serde_json::Value>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "vn_exam_results",
        "Scores of Vietnam's national exams, candidate by candidate (personal).",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("vn_exam_results/example.yaml"))
}

/// A table whose header has the candidate's number and the two subjects that all must take.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let header = sight.head.split(|byte| *byte == b'\n').next()?;
    let header = String::from_utf8_lossy(header);
    let names: Vec<&str> = header
        .trim_start_matches('\u{feff}')
        .split([',', ';', '\t'])
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    let has = |wanted: &[&str]| {
        let is_wanted = |name: &&&str| {
            wanted
                .iter()
                .any(|it| it.to_lowercase() == name.to_lowercase())
        };
        names.iter().find(is_wanted).copied()
    };
    let candidate = has(&["sbd", "số báo danh", "so_bao_danh", "sobaodanh"])?;
    has(&["toan", "toán"])?;
    has(&["ngu_van", "ngữ văn", "van", "văn", "nguvan"])?;
    let (key, place) = sight.place();
    let mut settings = vec![(key, place.into()), ("candidate", candidate.into())];
    // The table does not tell it; where its name does not either, the setting is missing, and validating says so.
    settings.extend(year_of(place).map(|year| ("year", json!(year))));
    Some(Claim::own(
        settings,
        "its header has a candidate's number and subjects of the exam",
    ))
}

/// The one year in a file's name.
fn year_of(place: &str) -> Option<u16> {
    let name = place.rsplit(['/', '\\']).next()?;
    let numbers = name.split(|letter: char| !letter.is_ascii_digit());
    let years = numbers.filter(|number| number.len() == 4);
    let years: Vec<u16> = years.filter_map(|number| number.parse().ok()).collect();
    match years.as_slice() {
        [year @ 1975..=2100] => Some(*year),
        _ => None,
    }
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let is_code = |code: &str| {
        let is_ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        !code.is_empty() && code.bytes().all(is_ours)
    };
    if let Some((column, code)) = settings.subjects.iter().find(|(_, code)| !is_code(code)) {
        let path = vec!["subjects".to_owned(), column.clone()];
        return Err(
            SettingsError::new(path, format!("{code:?} is no subject's code"))
                .with_help("write small letters without accents, as in `tin_hoc`"),
        );
    }
    if settings.scores.is_some() && !settings.subjects.is_empty() {
        return Err(
            SettingsError::of_key("subjects", "has no effect beside `scores`")
                .with_help("leave it out: the text names its subjects"),
        );
    }
    let origin = OriginSettings {
        path: settings.path.as_deref(),
        url: settings.url.as_ref(),
        ..OriginSettings::default()
    };
    let origin = Origin::of(origin, context)?;
    Ok(Arc::new(PlainSource {
        streams: vec![stream(&settings)],
        origin,
    }))
}

fn stream(settings: &Settings) -> Stream {
    let mut stream = Stream::new(SCORES, SCORES);
    stream.format.clone_from(&settings.format);
    let candidate = settings.candidate.as_deref().unwrap_or("sbd");
    let quoted = |column: &str| format!("\"{}\"", column.replace('"', "\"\""));
    let councils = if settings.year <= COUNCILS_UNTIL {
        COUNCILS
    } else {
        "|"
    };
    let named =
        |(column, code): (&String, &String)| format!("{}={code}|", column.replace('|', "/"));
    let subjects: String = settings.subjects.iter().map(named).collect();
    let (rows, unpivot) = match &settings.scores {
        Some(scores) => {
            let rows = include_str!("vn_exam_results/text.sql");
            (rows.replace("\"scores\"", &quoted(scores)), None)
        }
        None => {
            let unpivot = json!({ "keep": [candidate], "name": "subject", "value": "score" });
            let rows = include_str!("vn_exam_results/columns.sql");
            (rows.to_owned(), Some(unpivot))
        }
    };
    // The column's name is the file's own.
    let rows = rows.replace("\"candidate\"", &quoted(candidate));
    let sql = include_str!("vn_exam_results/scores.sql").replace("{rows}", &rows);
    let mut mapping = DefaultMapping::new("education.exam_results", "replace", &sql)
        .with_parameter("exam", settings.exam.as_deref().unwrap_or("THPT"))
        .with_parameter("year", settings.year.to_string())
        .with_parameter("councils", councils)
        .with_parameter("subjects", format!("|{subjects}"));
    mapping.unpivot = unpivot;
    stream.mappings = vec![mapping];
    stream
}
