//! Sensors of the archive, day by day: each day of a sensor is a partition. One without a file is a day on which it was silent.

use async_trait::async_trait;
use chrono::{NaiveDate, TimeDelta};
use sectorlake_connector::{
    Answer, Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext, Reads, Request,
    SettingsError, Slice, SourceUrl, Stream, UrlSetting,
};
use serde_json::json;

use super::{DaySettings, STREAM, archive, csv_format};

const ARCHIVE: &str = "https://archive.sensor.community";
/// A day's file may grow so long after it; then it is done, and nobody is asked for it again.
const SETTLED: TimeDelta = TimeDelta::days(7);

pub(super) struct Days {
    url: SourceUrl,
    sensors: Vec<String>,
    start: NaiveDate,
    end: Option<NaiveDate>,
}

impl Days {
    pub(super) fn of(settings: &DaySettings, context: &MakeContext) -> Result<Self, SettingsError> {
        let wrong = |key: &str, message: String, help: &str| {
            let path = vec!["days".to_owned(), key.to_owned()];
            SettingsError::new(path, message).with_help(help)
        };
        let is_name = |name: &&String| {
            let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            name.contains("_sensor_") && name.bytes().all(is_ours)
        };
        let help = "write type and number as the files do: sds011_sensor_12345";
        if settings.sensors.is_empty() {
            return Err(wrong("sensors", "names no sensor".to_owned(), help));
        }
        if let Some(name) = settings.sensors.iter().find(|name| !is_name(name)) {
            return Err(wrong(
                "sensors",
                format!("{name:?} is no sensor's name"),
                help,
            ));
        }
        let day = |key: &str, text: &String| {
            let day = text.trim().parse::<NaiveDate>();
            day.map_err(|_| {
                wrong(
                    key,
                    format!("{text:?} is no day"),
                    "write it as in 2024-05-01",
                )
            })
        };
        let url = settings.url.clone();
        let url = url.unwrap_or_else(|| UrlSetting::new(ARCHIVE));
        Ok(Self {
            url: url.resolve(&["days", "url"], context)?,
            sensors: settings.sensors.clone(),
            start: day("start", &settings.start)?,
            end: settings
                .end
                .as_ref()
                .map(|end| day("end", end))
                .transpose()?,
        })
    }

    /// The day's file, and where it lies, packed, when its year is over.
    fn files(&self, day: &str, sensor: &str) -> [SourceUrl; 2] {
        let name = format!("{day}_{sensor}.csv");
        let year = day.split('-').next().unwrap_or_default();
        [
            self.url.join(&[day, &name]),
            self.url.join(&[year, day, &format!("{name}.gz")]),
        ]
    }
}

#[async_trait]
impl Connector for Days {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stream = Stream::new(STREAM, STREAM);
        stream.format = Some(csv_format());
        let mut stream = archive(stream);
        // Later runs bring later days.
        for mapping in &mut stream.mappings {
            mapping.load = "merge";
        }
        stream.reads = Reads::On;
        Ok(vec![stream])
    }

    /// `2024-05-01/sds011_sensor_12345`, up to the day before the run.
    async fn partitions(&self, _unit: &str, io: &Io) -> Result<Vec<String>, ConnectorError> {
        let yesterday = io.started_at().date_naive() - TimeDelta::days(1);
        let last = self.end.unwrap_or(yesterday).min(yesterday);
        let days = self.start.iter_days().take_while(|day| *day <= last);
        let of = |day: NaiveDate| {
            let name = move |sensor: &String| format!("{day}/{sensor}");
            self.sensors.iter().map(name)
        };
        Ok(days.flat_map(of).collect())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let Some((day, sensor)) = slice.partition.and_then(|it| it.split_once('/')) else {
            return Ok(None);
        };
        let run = io.started_at();
        let read = cursor.and_then(|cursor| cursor.0["read"].as_str());
        let read = read.and_then(|day| day.parse::<NaiveDate>().ok());
        let parsed: Option<NaiveDate> = day.parse().ok();
        let is_settled = parsed
            .zip(read)
            .is_some_and(|(day, read)| read - day > SETTLED);
        if is_settled || read == Some(run.date_naive()) {
            return Ok(None);
        }
        for url in self.files(day, sensor) {
            let (key, name) = (url.to_string(), url.file_name());
            let request = Request::get(url).if_changed_since(io.validators(&key));
            let next = Some(Cursor(json!({ "read": run.date_naive().to_string() })));
            match io.http().get(&request).await {
                Ok(Answer::Unchanged) => return Ok(Some(Fetched::unchanged(key, next))),
                Ok(Answer::Fresh(answer)) => {
                    return Ok(Some(Fetched::part(answer.into_part(key, &name), next)));
                }
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}
