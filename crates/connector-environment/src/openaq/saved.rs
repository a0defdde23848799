//! Saved answers of the API.

use std::path::PathBuf;

use futures::TryStreamExt;
use sectorlake_connector::files;
use sectorlake_connector::{ConnectorError, Cursor, ErrorKind, Fetched};
use serde_json::json;

use super::api::{Page, Sensor, location_of};
use super::measurements_key;
use super::settings::SavedSettings;

pub(super) struct Saved {
    project_dir: PathBuf,
    paths: SavedSettings,
}

impl Saved {
    pub(super) fn new(project_dir: PathBuf, paths: SavedSettings) -> Self {
        Self { project_dir, paths }
    }

    pub(super) async fn locations(&self) -> Result<Option<Fetched>, ConnectorError> {
        let path = self.project_dir.join(&self.paths.locations);
        Ok(Some(Fetched::part(
            files::open(&self.project_dir, &path).await?,
            None,
        )))
    }

    /// The answer after the one that the cursor counts to, in the order of sensors and file names.
    pub(super) async fn measurements(
        &self,
        cursor: Option<&Cursor>,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let at = cursor
            .and_then(|cursor| cursor.0["answer"].as_u64())
            .unwrap_or(0);
        let mut answers = Vec::new();
        for (sensor, path) in &self.paths.measurements {
            let found = files::find(&self.project_dir, path).await?;
            answers.extend(
                found
                    .paths()
                    .iter()
                    .map(|path| (sensor.clone(), path.clone())),
            );
        }
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let Some((sensor, path)) = answers.get(at) else {
            return Ok(None);
        };
        let (sensor, location) = self.location(sensor).await?;
        let mut part = files::open(&self.project_dir, path).await?;
        part.key = measurements_key(&part.key, &location.to_string(), &sensor.to_string());
        let next = (at + 1 < answers.len()).then(|| Cursor(json!({ "answer": at + 1 })));
        Ok(Some(Fetched::part(part, next)))
    }

    /// Which location the sensor stands at, from the saved locations.
    async fn location(&self, sensor: &str) -> Result<(u64, u64), ConnectorError> {
        let unknown = |message: String| {
            ConnectorError::new(ErrorKind::Invalid, message)
                .at(&self.paths.locations)
                .with_help(
                    "write the sensor's id in quotes before its answers: \"7772024\": answers.json",
                )
        };
        let id: u64 = sensor
            .parse()
            .map_err(|_| unknown(format!("{sensor:?} is no id of a sensor")))?;
        let path = self.project_dir.join(&self.paths.locations);
        let part = files::open(&self.project_dir, &path).await?;
        let bytes = part.body.try_collect::<Vec<_>>().await?.concat();
        let page = Page::<super::api::Location>::parse(&bytes, &part.key)?;
        let sensors: Vec<Sensor> = page.results.into_iter().flat_map(location_of).collect();
        let found = sensors.iter().find(|known| known.id == id);
        let found = found.ok_or_else(|| unknown(format!("no location has the sensor {id}")))?;
        Ok((id, found.location))
    }
}
