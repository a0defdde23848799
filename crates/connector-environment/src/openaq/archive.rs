//! Files of the archive, a location's month a partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use quick_xml::Reader;
use quick_xml::events::Event;
use sectorlake_connector::incremental::span;
use sectorlake_connector::{
    Answer, ConnectorError, Cursor, DefaultMapping, ErrorKind, Fetched, Io, MakeContext, Request,
    SettingsError, SourceUrl, Stream, UrlSetting,
};
use serde_json::json;
use tokio::sync::Mutex;

use super::MEASUREMENTS;
use super::settings::ArchiveSettings;
use crate::ask;

const BUCKET: &str = "https://openaq-data-archive.s3.amazonaws.com";

pub(super) struct Archive {
    url: SourceUrl,
    locations: Vec<u64>,
    start: NaiveDate,
    end: Option<NaiveDate>,
    period_s: i64,
    listed: Mutex<Listed>,
}

/// What lay in each partition when the run that began then asked.
#[derive(Debug, Default)]
struct Listed {
    run: DateTime<Utc>,
    files: BTreeMap<String, Arc<[File]>>,
}

/// A file of the bucket, as its listing tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct File {
    key: String,
    etag: String,
}

impl Archive {
    pub(super) fn new(
        settings: &ArchiveSettings,
        url: Option<&UrlSetting>,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let wrong = |key: &str, message: String, help: &str| {
            let path = vec!["archive".to_owned(), key.to_owned()];
            SettingsError::new(path, message).with_help(help)
        };
        let month = |key: &str, text: &str| {
            let day = format!("{}-01", text.trim()).parse::<NaiveDate>();
            day.map_err(|_| {
                wrong(
                    key,
                    format!("{text:?} is no month"),
                    "write it as in 2024-01",
                )
            })
        };
        if settings.locations.is_empty() {
            return Err(wrong(
                "locations",
                "names no location".to_owned(),
                "write ids, as in `locations: [2178]`",
            ));
        }
        let period = settings.period.as_deref().unwrap_or("1h");
        let period = span(period).ok_or_else(|| {
            wrong(
                "period",
                format!("{period:?} is no time"),
                "write it as in 1h or 15m",
            )
        })?;
        let url = url.cloned().unwrap_or_else(|| UrlSetting::new(BUCKET));
        Ok(Self {
            url: url.resolve(&["url"], context)?,
            locations: settings.locations.clone(),
            start: month("start", &settings.start)?,
            end: settings
                .end
                .as_deref()
                .map(|end| month("end", end))
                .transpose()?,
            period_s: period.num_seconds(),
            listed: Mutex::default(),
        })
    }

    pub(super) fn stream(&self) -> Stream {
        let mut stream = Stream::new(MEASUREMENTS, MEASUREMENTS);
        stream.format = Some(json!({ "name": "csv", "delimiter": "," }));
        let stations = include_str!("archive_stations.sql");
        let observations = include_str!("archive_observations.sql");
        stream.mappings = vec![
            DefaultMapping::new("environment.stations", "merge", stations),
            DefaultMapping::new("environment.observations", "merge", observations)
                .with_parameter("period", format!("{} seconds", self.period_s)),
        ];
        stream
    }

    /// `2178/2024-01`, from the first month to the last.
    pub(super) fn partitions(&self, io: &Io) -> Vec<String> {
        let last = self.end.unwrap_or(io.started_at().date_naive());
        let mut names = Vec::new();
        for location in &self.locations {
            let mut month = self.start;
            while month <= last {
                names.push(format!("{location}/{}", month.format("%Y-%m")));
                let (year, next) = (month.year(), month.month() % 12 + 1);
                let year = if next == 1 { year + 1 } else { year };
                match NaiveDate::from_ymd_opt(year, next, 1) {
                    Some(next) => month = next,
                    None => break,
                }
            }
        }
        names
    }

    /// The next day of a month. The listing tells which files are what they were: for those nobody is asked.
    pub(super) async fn fetch(
        &self,
        partition: Option<&str>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let Some(partition) = partition else {
            return Ok(None);
        };
        let files = self.files(partition, io).await?;
        let done = cursor.and_then(|cursor| cursor.0["after"].as_str());
        let mut left = files
            .iter()
            .filter(|file| done.is_none_or(|done| file.key.as_str() > done));
        let Some(file) = left.next() else {
            return Ok(None);
        };
        let next = left.next().map(|_| Cursor(json!({ "after": file.key })));
        let url = self.url.join(&file.key.split('/').collect::<Vec<_>>());
        let key = url.to_string();
        let known = io.validators(&key);
        if known
            .as_ref()
            .is_some_and(|known| known.etag.as_ref() == Some(&file.etag))
        {
            return Ok(Some(Fetched::unchanged(key, next)));
        }
        let request = Request::get(url.clone()).if_changed_since(known);
        Ok(Some(match io.http().get(&request).await? {
            Answer::Unchanged => Fetched::unchanged(key, next),
            Answer::Fresh(answer) => Fetched::part(answer.into_part(key, &url.file_name()), next),
        }))
    }

    async fn files(&self, partition: &str, io: &Io) -> Result<Arc<[File]>, ConnectorError> {
        let mut listed = self.listed.lock().await;
        if listed.run != io.started_at() {
            *listed = Listed {
                run: io.started_at(),
                files: BTreeMap::new(),
            };
        }
        if let Some(files) = listed.files.get(partition) {
            return Ok(Arc::clone(files));
        }
        let files: Arc<[File]> = self.listing(partition, io).await?.into();
        listed
            .files
            .insert(partition.to_owned(), Arc::clone(&files));
        Ok(files)
    }

    /// A month has 31 files at most, so that its listing (ListObjectsV2) is one page.
    async fn listing(&self, partition: &str, io: &Io) -> Result<Vec<File>, ConnectorError> {
        let (location, month) = partition.split_once('/').unwrap_or((partition, ""));
        let (year, month) = month.split_once('-').unwrap_or((month, ""));
        let prefix = format!("records/csv.gz/locationid={location}/year={year}/month={month}/");
        let url = self
            .url
            .with_query(&[("list-type", "2"), ("prefix", &prefix)]);
        let place = url.to_string();
        let (_, bytes) = ask::read(&Request::get(url), io).await?;
        let mut files = contents(&bytes).map_err(|message| {
            ConnectorError::new(ErrorKind::Invalid, format!("is no listing of a bucket: {message}"))
                .at(place)
                .with_help("`url` is the address of the bucket, such as https://openaq-data-archive.s3.amazonaws.com")
        })?;
        // What the listing names is fetched from the bucket itself, and from nowhere above the prefix.
        files.retain(|file| file.key.starts_with(&prefix) && !file.key.contains(".."));
        files.sort_by(|one, two| one.key.cmp(&two.key));
        Ok(files)
    }
}

/// The `Contents` of a `ListBucketResult`.
fn contents(xml: &[u8]) -> Result<Vec<File>, String> {
    let xml = std::str::from_utf8(xml).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(xml);
    let (mut files, mut element, mut file) = (Vec::new(), String::new(), File::default());
    let mut is_listing = false;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                element = start.local_name().as_ref().to_owned();
                is_listing |= element == "ListBucketResult";
            }
            Event::Text(text) => match element.as_str() {
                "Key" => file.key.push_str(&text),
                "ETag" => file.etag.push_str(&text),
                _ => {}
            },
            // An ETag stands in quotes, which are written as entities.
            Event::GeneralRef(entity) if element == "ETag" && entity.as_ref() == "quot" => {
                file.etag.push('"');
            }
            Event::End(end) => {
                element.clear();
                if end.local_name().as_ref() == "Contents" {
                    files.push(std::mem::take(&mut file));
                }
            }
            Event::Eof if is_listing => return Ok(files),
            Event::Eof => return Err("it has no ListBucketResult".to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
