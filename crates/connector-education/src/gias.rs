//! `gias`: the register of schools in England and Wales, "Get Information about Schools" of the Department for Education.
//!
//! Reference: <https://www.get-information-schools.service.gov.uk/Downloads> and the glossary beside it; Open Government Licence 3.0. A
//! day's files are written in windows-1252 and named after the day. Places are on the British National Grid.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use schemars::JsonSchema;
use sectorlake_connector::paging::Pager;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext,
    Registration, Request, Saved, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

const SITE: &str = "https://ea-edubase-api-prod.azurewebsites.net/edubase/downloads/public";
const ESTABLISHMENTS: &str = "establishments";
const LINKS: &str = "links";

/// Settings of `gias`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The day whose files are fetched, `2025-11-01`. Default: that of the run.
    #[serde(default)]
    date: Option<String>,
    /// Another address of the folder with the files. Default: the Department's.
    #[serde(default)]
    url: Option<UrlSetting>,
    /// Files on this machine instead.
    #[serde(default)]
    path: Option<SavedSettings>,
}

/// Files on this machine: of each stream a file, a folder or a glob, absolute or relative to the project's folder.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SavedSettings {
    /// `edubasealldata….csv`
    #[serde(default)]
    establishments: Option<String>,
    /// `links_edubasealldata….csv`: predecessors and successors.
    #[serde(default)]
    links: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "gias",
        "Schools in England and Wales (Get Information about Schools).",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("gias/example.yaml"))
}

/// A file of the register, by its header, or by its name at the Department's.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let why = "it is a file of Get Information about Schools";
    if let Some(url) = sight.url() {
        let name = url.path_segments()?.next_back()?.to_owned();
        let day = name.strip_prefix("edubasealldata")?.strip_suffix(".csv")?;
        NaiveDate::parse_from_str(day, "%Y%m%d").ok()?;
        return Some(Claim::own([], why));
    }
    let header = sight.head.split(|byte| *byte == b'\n').next()?;
    let says = |text: &[u8]| header.windows(text.len()).any(|window| window == text);
    let is_ours = says(b"URN,") && says(b"EstablishmentName") && says(b"PhaseOfEducation (name)");
    is_ours.then(|| Claim::own([("path", json!({ "establishments": sight.location }))], why))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let source = match settings.path {
        Some(saved) => {
            let given = [
                ("date", settings.date.is_some()),
                ("url", settings.url.is_some()),
            ];
            Saved::refuse_beside(&given)?;
            let paths = [
                (ESTABLISHMENTS, saved.establishments.as_deref()),
                (LINKS, saved.links.as_deref()),
            ];
            let paths = paths
                .into_iter()
                .filter_map(|(stream, path)| Some((stream, path?)));
            Source::Saved(Saved::of(paths, &[ESTABLISHMENTS, LINKS], context)?)
        }
        None => {
            let day = |text: &String| {
                text.trim().parse::<NaiveDate>().map_err(|_| {
                    SettingsError::of_key("date", format!("{text:?} is no day"))
                        .with_help("write it as in 2025-11-01")
                })
            };
            let url = settings.url.unwrap_or_else(|| UrlSetting::new(SITE));
            Source::Site {
                url: url.resolve(&["url"], context)?,
                date: settings.date.as_ref().map(day).transpose()?,
            }
        }
    };
    Ok(Arc::new(Gias { source }))
}

struct Gias {
    source: Source,
}

enum Source {
    Saved(Saved),
    Site {
        url: SourceUrl,
        date: Option<NaiveDate>,
    },
}

#[async_trait]
impl Connector for Gias {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let stream = |name: &str| {
            let mut stream = Stream::new(name, name);
            let mut format = json!({ "name": "csv", "delimiter": "," });
            // Saved files may have been written anew.
            if matches!(self.source, Source::Site { .. }) {
                format["encoding"] = "windows-1252".into();
            }
            stream.format = Some(format);
            stream
        };
        let mut establishments = stream(ESTABLISHMENTS);
        let sql = include_str!("gias/establishments.sql");
        establishments.mappings = vec![DefaultMapping::new("education.schools", "replace", sql)];
        let mut streams = vec![establishments, stream(LINKS)];
        if let Source::Saved(saved) = &self.source {
            saved.keep(&mut streams);
        }
        Ok(streams)
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match &self.source {
            Source::Saved(saved) => saved.fetch(slice.unit, cursor, io).await,
            Source::Site { url, date } => {
                let day = date
                    .unwrap_or(io.started_at().date_naive())
                    .format("%Y%m%d");
                let name = match slice.unit {
                    LINKS => format!("links_edubasealldata{day}.csv"),
                    _ => format!("edubasealldata{day}.csv"),
                };
                Pager::new(url.join(&[&name]), None)
                    .fetch(cursor, io, &name, Request::get)
                    .await
            }
        }
    }
}
