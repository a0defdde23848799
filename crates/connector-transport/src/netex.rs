//! `netex`: stops and timetables of public transit as NeTEx, a document or a zip of documents.
//!
//! Reference: CEN/TS 16614, <https://github.com/NeTEx-CEN/NeTEx>; the French profile <https://normes.transport.data.gouv.fr>, the Nordic one
//! <https://enturas.atlassian.net/wiki/spaces/PUBLIC/pages/728891481>. Licence as the publisher says.
//!
//! What NeTEx says goes onto the tables of GTFS: stop places, quays, entrances → `stops`, lines → `routes`, service journeys → `trips`,
//! passing times → `stop_times`, the dates of day types → `calendar_dates`, operators and authorities → `agency`.
//! - A journey of several day types is a trip for each of them (`journey@day type`).
//! - References are followed within a document, and from one document of a zip to another (shared stops, calendars, displays), as far
//!   as what they say fits a quarter of the reader's memory bound; a publication that says more, and documents in a folder, are each read
//!   alone. Where the quay of a scheduled stop point stands in no document of the zip, stop times name the point, which is a stop of its
//!   own then (its `assigned_ref` is the quay, for SQL of one's own).
//! - An agency needs an address in the web (`url`), which NeTEx does not ask for: `agency_url` gives one to those without, and without
//!   that they are left out.
//! - Fares, interchanges, frequencies (`TemplateServiceJourney`) and shapes (`ServiceLink`) have no default mapping.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext,
    MemberPattern, OneOrMany, Origin, OriginSettings, Registration, SettingsError, Sight, Slice,
    Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

/// The one unit: the publication.
const PUBLICATION: &str = "publication";

/// Settings of `netex`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// A document or a zip of documents on this machine; a folder or a glob of documents. Absolute, or relative to the project's folder.
    #[serde(default)]
    path: Option<String>,
    /// The document or zip behind an http or https URL. Secrets in it as `${env:NAME}` or `${file:PATH}`.
    #[serde(default)]
    url: Option<UrlSetting>,
    /// What tells this publication's rows from others' in the shared tables. Default: the pipeline's name.
    #[serde(default)]
    feed_id: Option<String>,
    /// The address in the web of operators and authorities that give none.
    #[serde(default)]
    agency_url: Option<String>,
}

/// A kind of objects, the shared table that it feeds, and how.
struct Kind {
    stream: &'static str,
    table: &'static str,
    sql: &'static str,
}

const KINDS: [Kind; 6] = [
    Kind {
        stream: "stops",
        table: "transport.stops",
        sql: include_str!("netex/stops.sql"),
    },
    Kind {
        stream: "lines",
        table: "transport.routes",
        sql: include_str!("netex/lines.sql"),
    },
    Kind {
        stream: "operators",
        table: "transport.agency",
        sql: include_str!("netex/operators.sql"),
    },
    Kind {
        stream: "service_journeys",
        table: "transport.trips",
        sql: include_str!("netex/service_journeys.sql"),
    },
    Kind {
        stream: "passing_times",
        table: "transport.stop_times",
        sql: include_str!("netex/passing_times.sql"),
    },
    Kind {
        stream: "day_type_dates",
        table: "transport.calendar_dates",
        sql: include_str!("netex/day_type_dates.sql"),
    },
];

pub(crate) fn registration() -> Registration {
    Registration::of(
        "netex",
        "Stops and timetables of public transit: NeTEx, a document or a zip of documents.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("netex/example.yaml"))
}

/// A document of NeTEx. What a zip holds cannot be seen by the names of its members.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let says = |text: &[u8]| sight.head.windows(text.len()).any(|window| window == text);
    let is_netex = says(b"PublicationDelivery") && says(b"netex.org.uk");
    let (key, place) = sight.place();
    is_netex.then(|| {
        Claim::own(
            [(key, place.into())],
            "it is a PublicationDelivery of NeTEx",
        )
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let url = settings.url.map(OneOrMany::One);
    let origin = OriginSettings {
        path: settings.path.as_deref(),
        url: url.as_ref(),
        ..OriginSettings::default()
    };
    Ok(Arc::new(Netex {
        origin: Origin::of(origin, context)?,
        feed_id: settings
            .feed_id
            .unwrap_or_else(|| context.pipeline().to_owned()),
        agency_url: settings.agency_url.unwrap_or_default(),
    }))
}

struct Netex {
    origin: Origin,
    feed_id: String,
    agency_url: String,
}

#[async_trait]
impl Connector for Netex {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let documents = MemberPattern::new("*.xml")?;
        let stream = |kind: &Kind| {
            let mut stream = Stream::new(kind.stream, PUBLICATION);
            stream.member = Some(documents.clone());
            // A publication is a document, or a zip of documents.
            stream.from_names_member = true;
            stream.optional = true;
            stream.format = Some(json!({ "name": "netex", "objects": kind.stream }));
            let mapping = DefaultMapping::new(kind.table, "replace", kind.sql)
                .with_parameter("feed_id", &self.feed_id)
                .with_parameter("agency_url", &self.agency_url);
            stream.mappings = vec![mapping];
            stream
        };
        Ok(KINDS.iter().map(stream).collect())
    }

    async fn fetch(
        &self,
        _slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let mut fetched = self.origin.fetch(cursor, io).await?;
        if let Some(part) = fetched.as_mut().and_then(|fetched| fetched.part.as_mut()) {
            // An address need not end as a file does.
            let name = part.name.to_ascii_lowercase();
            if !name.ends_with(".zip") && !name.ends_with(".xml") {
                part.name.push_str(".xml");
            }
        }
        Ok(fetched)
    }
}
