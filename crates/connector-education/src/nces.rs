//! `nces`: public schools of the United States, as the National Center for Education Statistics publishes them.
//!
//! Reference: the Common Core of Data, <https://nces.ed.gov/ccd/files.asp> (the directory, with its record layout), and EDGE,
//! <https://nces.ed.gov/programs/edge/Geographic/SchoolLocations> (places). A work of the US government, in the public domain. A school's
//! id, NCESSCH, has twelve digits and may lose its first zero in a spreadsheet.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, DefaultMapping, MakeContext, MemberPattern, OneOrMany, Origin,
    OriginSettings, PlainSource, Registration, SettingsError, Sight, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

const SCHOOLS: &str = "schools";
/// What releases of either layout know, and some leave out.
const CCD: &[&str] = &[
    "WEBSITE",
    "PHONE",
    "LEVEL",
    "GSLO",
    "GSHI",
    "SCH_TYPE_TEXT",
    "SY_STATUS_TEXT",
    "EFFECTIVE_DATE",
];
const EDGE: &[&str] = &["STREET", "CITY", "STATE", "ZIP", "NMCNTY"];

/// Settings of `nces`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// `ccd`: the directory of the Common Core of Data, with levels, status and address; `edge`: EDGE's list, with places.
    layout: Layout,
    /// An http or https URL, or a list of them; a zip is read with the table in it.
    #[serde(default)]
    url: Option<OneOrMany<UrlSetting>>,
    /// Files on this machine: one, a folder or a glob, absolute or relative to the project's folder.
    #[serde(default)]
    path: Option<String>,
}

/// Which of the Center's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Layout {
    /// `ccd_sch_029_…`
    Ccd,
    /// `EDGE_GEOCODE_PUBLICSCH_…`
    Edge,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "nces",
        "Public schools of the United States (NCES: Common Core of Data, EDGE).",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("nces/example.yaml"))
}

/// A file of the Center's, by its name or its header.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let name = sight
        .location
        .rsplit(['/', '\\'])
        .next()?
        .to_ascii_lowercase();
    let header = sight
        .head
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let says = |text: &[u8]| header.windows(text.len()).any(|window| window == text);
    let is_ccd = name.starts_with("ccd_sch_029") || (says(b"NCESSCH") && says(b"SCH_NAME"));
    let is_edge =
        name.starts_with("edge_geocode_publicsch") || (says(b"NCESSCH") && says(b"LOCALE"));
    let layout = match (is_ccd, is_edge) {
        (true, _) => "ccd",
        (false, true) => "edge",
        (false, false) => return None,
    };
    let (key, place) = sight.place();
    let settings = [("layout", layout.into()), (key, place.into())];
    Some(Claim::own(settings, "it is a list of schools of the NCES"))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let origin = OriginSettings {
        path: settings.path.as_deref(),
        url: settings.url.as_ref(),
        ..OriginSettings::default()
    };
    let origin = Origin::of(origin, context)?;
    let mut stream = Stream::new(SCHOOLS, SCHOOLS);
    let is_zip = origin.file_name().to_ascii_lowercase().ends_with(".zip");
    let (table, sql, columns) = match settings.layout {
        Layout::Ccd => {
            stream.format = Some(json!({ "name": "csv", "delimiter": "," }));
            ("*.csv", include_str!("nces/ccd_schools.sql"), CCD)
        }
        // Beside shapes a workbook; other copies are CSV.
        Layout::Edge => ("*.xlsx", include_str!("nces/edge_schools.sql"), EDGE),
    };
    if is_zip {
        let pattern = MemberPattern::new(table)
            .map_err(|error| SettingsError::new(Vec::new(), error.to_string()))?;
        stream.member = Some(pattern);
    }
    stream.mappings =
        vec![DefaultMapping::new("education.schools", "replace", sql).with_columns(columns)];
    Ok(Arc::new(PlainSource {
        origin,
        streams: vec![stream],
    }))
}
