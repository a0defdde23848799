//! The dataflows of an SDMX REST service.
//!
//! Reference: structure queries of version 1.5 (for SDMX 2.1) and 2.x (for SDMX 3.0), <https://github.com/sdmx-twg/sdmx-rest>.

use async_trait::async_trait;
use sectorlake_connector::catalogue::{Catalogue, Dataset, Distribution, Seen, Wanted};
use sectorlake_connector::{ConnectorError, Io, SourceUrl};

use crate::sdmx::structure::{Flow, Maintained, Structures};

pub(super) struct Sdmx;

/// Where a service lists its dataflows: what stands before this is the service.
const LIST_2: &str = "/dataflow";
const LIST_3: &str = "/structure/dataflow";

#[async_trait]
impl Catalogue for Sdmx {
    fn name(&self) -> &'static str {
        "sdmx"
    }

    /// Others than those that look like such a service are not asked: their own list is known by what it says.
    fn addresses(&self, url: &SourceUrl, _: &Wanted) -> Vec<SourceUrl> {
        let place = url.expose();
        let says = |text: &str| text.to_ascii_lowercase().contains("sdmx");
        let path = place.path().trim_end_matches('/');
        let is_service =
            says(place.host_str().unwrap_or_default()) || says(path) || path.ends_with("/rest");
        if !is_service {
            return Vec::new();
        }
        let list = ["dataflow", "all", "all", "latest"];
        vec![
            url.join(&list),
            url.join(&["structure", "dataflow", "*", "*", "~"]),
            // Where the service stands on a host of its own.
            url.join(&["rest"]).join(&list),
        ]
    }

    async fn read(
        &self,
        seen: Seen<'_>,
        _: &Wanted,
        _: &Io,
    ) -> Result<Option<Vec<Dataset>>, ConnectorError> {
        let found = Structures::parse(seen.bytes).map_err(|error| error.at(seen.url))?;
        let flows = found.map(|found| found.flows);
        let Some(flows) = flows.filter(|flows| !flows.is_empty()) else {
            return Ok(None);
        };
        let place = seen.url.to_string();
        let service = Service::of(&place);
        Ok(Some(
            flows.iter().map(|flow| service.dataset(flow)).collect(),
        ))
    }
}

/// A service, by where it lists its dataflows.
struct Service<'a> {
    root: &'a str,
    is_third: bool,
}

impl<'a> Service<'a> {
    fn of(place: &'a str) -> Self {
        match place.split_once(LIST_3) {
            Some((root, _)) => Self {
                root,
                is_third: true,
            },
            None => Self {
                root: place.split(LIST_2).next().unwrap_or(place),
                is_third: false,
            },
        }
    }

    fn dataset(&self, flow: &Flow) -> Dataset {
        let Maintained {
            agency,
            id,
            version,
        } = &flow.is;
        let root = self.root;
        let url = match self.is_third {
            true => format!("{root}/data/dataflow/{agency}/{id}/{version}/*"),
            // Eurostat takes the id alone.
            false if root.contains("//ec.europa.eu/") => format!("{root}/data/{id}/all"),
            false => format!("{root}/data/{agency},{id},{version}/all"),
        };
        let named = format!("{agency},{id},{version}");
        Dataset {
            title: flow.name.clone().unwrap_or_else(|| id.clone()),
            description: flow.description.clone(),
            publisher: Some(agency.clone()),
            distributions: vec![Distribution {
                title: None,
                format: Some("csv".to_owned()),
                url: url.clone(),
            }],
            source: Some(url),
            id: named,
            ..Dataset::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_where_the_service_has_them() {
        let mut flow = Flow::default();
        flow.is = Maintained {
            agency: "ESTAT".to_owned(),
            id: "EDUC_UOE_ENRA02".to_owned(),
            version: "1.0".to_owned(),
        };
        for (list, data) in [
            (
                "https://a.example/rest/dataflow/all/all/latest?detail=full",
                "https://a.example/rest/data/ESTAT,EDUC_UOE_ENRA02,1.0/all",
            ),
            (
                "https://a.example/v2/structure/dataflow/*/*/~",
                "https://a.example/v2/data/dataflow/ESTAT/EDUC_UOE_ENRA02/1.0/*",
            ),
            (
                "https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/dataflow/ESTAT/all/latest",
                "https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/data/EDUC_UOE_ENRA02/all",
            ),
        ] {
            let dataset = Service::of(list).dataset(&flow);
            assert_eq!(dataset.source.as_deref(), Some(data));
        }
    }
}
