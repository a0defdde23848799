//! `hub_eau`: levels and flows of France's rivers, every few minutes, station by station.
//!
//! Reference: API Hydrométrie v2, <https://hubeau.eaufrance.fr/page/api-hydrometrie>; licence Etalab 2.0. The last month is kept.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::incremental::{Incremental, Kind};
use sectorlake_connector::paging::{Pager, Paging, Style};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, Reads, Registration,
    Request, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

const API: &str = "https://hubeau.eaufrance.fr/api/v2/hydrometrie";

/// Settings of `hub_eau`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Stations by code: `F700000103` is the Seine at the Pont d'Austerlitz in Paris.
    stations: Vec<String>,
    /// The API. Default: `https://hubeau.eaufrance.fr/api/v2/hydrometrie`.
    #[serde(default)]
    url: Option<UrlSetting>,
}

pub(crate) fn registration() -> Registration {
    let about = "Water levels and flows of France's rivers (Hub'Eau).";
    Registration::of("hub_eau", about, |Settings { stations, url }, context| {
        let url = url.unwrap_or_else(|| UrlSetting::new(API));
        let url = url.resolve(&["url"], context)?;
        Ok(Arc::new(HubEau { url, stations }))
    })
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("hub_eau/example.yaml"))
}

/// A question to the API says which stations it is about.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url().filter(|url| url.as_str().starts_with(API))?;
    let (_, codes) = url.query_pairs().find(|(key, _)| key == "code_entite")?;
    let codes: Vec<&str> = codes.split(',').collect();
    Some(Claim::own([("stations", json!(codes))], "it is Hub'Eau's"))
}

struct HubEau {
    url: SourceUrl,
    stations: Vec<String>,
}

#[async_trait]
impl Connector for HubEau {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let table = "environment.observations";
        let sql = include_str!("hub_eau/observations.sql");
        let mut stream = Stream::new("observations", "observations");
        stream.format = Some(json!({ "name": "json", "record_path": "data" }));
        stream.mappings = vec![DefaultMapping::new(table, "merge", sql)];
        stream.reads = Reads::Overlapping;
        Ok(vec![stream])
    }

    async fn partitions(&self, _unit: &str, _io: &Io) -> Result<Vec<String>, ConnectorError> {
        Ok(self.stations.clone())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let query = [("code_entite", slice.partition.unwrap_or_default())];
        let url = self.url.join(&["observations_tr"]).with_query(&query);
        let paging = Paging {
            next: "next".parse().ok(),
            records: "data".parse().ok(),
            ..Paging::of(Style::Next)
        };
        let since = Incremental {
            parameter: Some("date_debut_obs".to_owned()),
            field: "data[*].date_obs".parse().ok(),
            lookback: Some("1d".to_owned()),
            ..Incremental::of(Kind::Time)
        };
        let pager = Pager::new(url, Some(paging)).since(Some(since));
        pager.fetch(cursor, io, "values.json", Request::get).await
    }
}
