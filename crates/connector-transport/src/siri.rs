//! `siri`: what public transit says of the moment, as SIRI in XML, or in the JSON of SIRI Lite.
//!
//! Reference: CEN EN 15531, <https://github.com/SIRI-CEN/SIRI>; SIRI Lite as the French profile has it,
//! <https://normes.transport.data.gouv.fr>. Licence as the publisher says.
//!
//! Estimated timetables and stop monitoring feed `transport.trip_updates`, vehicle monitoring `transport.vehicle_positions`, situations
//! `transport.alerts`. An address is asked with GET; where `requestor_ref` is given, with a POST of a `ServiceRequest`. Subscriptions,
//! where the service calls the client, need a server of one's own and are not made. A delivery that says `MoreData` is followed by the next. Rows are merged: who has not moved on keeps one row.

mod request;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, ErrorKind, Fetched, Io, MakeContext,
    Origin, OriginSettings, Reads, Registration, Request, SettingsError, Sight, Slice, SourceUrl,
    Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

use crate::poll::{Moment, poll};

/// A delivery of a whole country is tens of megabytes.
const DELIVERY_BYTES_MAX: usize = 256 << 20;
const TIMESTAMP: &str = "ResponseTimestamp";
/// What says that the same request gives more.
const MORE: &str = "MoreData";

/// Settings of `siri`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Which service's deliveries are fetched.
    service: Service,
    /// The address of the service. Secrets in it as `${env:NAME}` or `${file:PATH}`.
    #[serde(default)]
    url: Option<UrlSetting>,
    /// A delivery as a file on this machine. Absolute, or relative to the project's folder.
    #[serde(default)]
    path: Option<String>,
    /// How the service knows us: it is asked with a POST of a SIRI `ServiceRequest` in XML. Left out: with GET.
    #[serde(default)]
    requestor_ref: Option<String>,
    /// The stops that are monitored, each by a request of its own: `MonitoringRef` in the query, or in the `ServiceRequest`.
    #[serde(default)]
    stops: Vec<String>,
    /// What tells this source's rows from others' in the shared tables: the same as in the timetable's pipeline, so that the two join.
    /// Default: the pipeline's name.
    #[serde(default)]
    feed_id: Option<String>,
}

/// A service of SIRI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Service {
    /// How the journeys of the day run against the timetable (SIRI ET).
    EstimatedTimetable,
    /// Arrivals and departures at stops (SIRI SM).
    StopMonitoring,
    /// Where vehicles are (SIRI VM).
    VehicleMonitoring,
    /// Disruptions (SIRI SX).
    SituationExchange,
}

impl Service {
    const ALL: [Self; 4] = [
        Self::EstimatedTimetable,
        Self::StopMonitoring,
        Self::VehicleMonitoring,
        Self::SituationExchange,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::EstimatedTimetable => "estimated_timetable",
            Self::StopMonitoring => "stop_monitoring",
            Self::VehicleMonitoring => "vehicle_monitoring",
            Self::SituationExchange => "situation_exchange",
        }
    }

    /// As the standard spells it.
    fn in_siri(self) -> &'static str {
        match self {
            Self::EstimatedTimetable => "EstimatedTimetable",
            Self::StopMonitoring => "StopMonitoring",
            Self::VehicleMonitoring => "VehicleMonitoring",
            Self::SituationExchange => "SituationExchange",
        }
    }

    fn mapping(self) -> DefaultMapping {
        let (table, sql) = match self {
            Self::EstimatedTimetable | Self::StopMonitoring => {
                ("transport.trip_updates", include_str!("siri/calls.sql"))
            }
            Self::VehicleMonitoring => (
                "transport.vehicle_positions",
                include_str!("siri/vehicle_monitoring.sql"),
            ),
            Self::SituationExchange => (
                "transport.alerts",
                include_str!("siri/situation_exchange.sql"),
            ),
        };
        DefaultMapping::new(table, "merge", sql)
    }
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "siri",
        "Public transit of the moment: SIRI timetables, stops, vehicles and situations, in XML or JSON.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("siri/example.yaml"))
}

/// A delivery, by its beginning.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let says = |text: &str| {
        let text = text.as_bytes();
        sight.head.windows(text.len()).any(|window| window == text)
    };
    let is_delivery = |service: &&Service| says(&format!("{}Delivery", service.in_siri()));
    let service = Service::ALL.iter().find(is_delivery)?;
    let (key, place) = sight.place();
    let why = format!("it is a {}Delivery of SIRI", service.in_siri());
    Some(Claim::own(
        [(key, place.into()), ("service", service.name().into())],
        why,
    ))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    if !settings.stops.is_empty() && settings.service != Service::StopMonitoring {
        return Err(
            SettingsError::of_key("stops", "are monitored by stop_monitoring alone")
                .with_help("leave it out, or write `service: stop_monitoring`"),
        );
    }
    let source = match (&settings.path, &settings.url) {
        (None, Some(url)) => Source::Polled(url.resolve(&["url"], context)?),
        (path, url) => {
            let url = url.clone().map(sectorlake_connector::OneOrMany::One);
            let origin = OriginSettings {
                path: path.as_deref(),
                url: url.as_ref(),
                ..OriginSettings::default()
            };
            Source::Saved(Origin::of(origin, context)?)
        }
    };
    Ok(Arc::new(Siri {
        service: settings.service,
        source,
        requestor: settings.requestor_ref,
        stops: settings.stops,
        feed_id: settings
            .feed_id
            .unwrap_or_else(|| context.pipeline().to_owned()),
    }))
}

struct Siri {
    service: Service,
    source: Source,
    requestor: Option<String>,
    stops: Vec<String>,
    feed_id: String,
}

enum Source {
    Polled(SourceUrl),
    Saved(Origin),
}

impl Siri {
    /// The request for one stop, or for everything.
    fn request(
        &self,
        url: &SourceUrl,
        stop: Option<&str>,
        now: DateTime<Utc>,
    ) -> (Request, SourceUrl) {
        let place = match stop {
            Some(stop) => url.with_query(&[("MonitoringRef", stop)]),
            None => url.clone(),
        };
        let request = match &self.requestor {
            Some(requestor) => {
                let body = request::service_request(self.service, requestor, stop, now);
                Request::post(url.clone(), body, "text/xml; charset=utf-8")
            }
            None => Request::get(place.clone()),
        };
        (request, place)
    }
}

#[async_trait]
impl Connector for Siri {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let name = self.service.name();
        let mut stream = Stream::new(name, name);
        stream.format = Some(json!({ "name": "siri", "service": name }));
        stream.mappings = vec![
            self.service
                .mapping()
                .with_parameter("feed_id", &self.feed_id),
        ];
        if let Source::Polled(_) = &self.source {
            stream.reads = Reads::Passing;
        }
        Ok(vec![stream])
    }

    async fn partitions(&self, _unit: &str, _io: &Io) -> Result<Vec<String>, ConnectorError> {
        match &self.source {
            Source::Polled(_) => Ok(self.stops.clone()),
            Source::Saved(_) => Ok(Vec::new()),
        }
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let url = match &self.source {
            Source::Saved(origin) => return origin.fetch(cursor, io).await,
            Source::Polled(url) => url,
        };
        let started_at = io.started_at();
        let (request, place) = self.request(url, slice.partition, started_at);
        let look = |bytes: &bytes::Bytes| Ok(moment(bytes)?.or_asked_at(started_at));
        poll(request, &place, DELIVERY_BYTES_MAX, (cursor, io), look).await
    }
}

/// Whether `MoreData` is true: `<MoreData>true</MoreData>`, `"MoreData": true`.
fn says_more(delivery: &[u8]) -> bool {
    let at = delivery
        .windows(MORE.len())
        .position(|window| window == MORE.as_bytes());
    let after = at
        .map(|at| &delivery[at + MORE.len()..])
        .unwrap_or_default();
    let value = after.iter().position(u8::is_ascii_alphanumeric);
    value.is_some_and(|value| value < 8 && after[value..].starts_with(b"true"))
}

/// When a delivery was made: its first `ResponseTimestamp`, in XML or JSON.
fn moment(delivery: &[u8]) -> Result<Moment, ConnectorError> {
    let says = |text: &[u8]| {
        delivery
            .windows(text.len())
            .position(|window| window == text)
    };
    if says(b"Delivery").is_none() {
        return Err(
            ConnectorError::new(ErrorKind::Invalid, "is no delivery of SIRI").with_help(
                "look at the answer: a service that wants a ServiceRequest needs `requestor_ref`",
            ),
        );
    }
    let after = says(TIMESTAMP.as_bytes()).map(|at| &delivery[at + TIMESTAMP.len()..]);
    let text = after.and_then(|after| {
        let start = after.iter().position(u8::is_ascii_digit)?;
        let rest = &after[start..];
        let end = rest.iter().position(|byte| matches!(byte, b'<' | b'"'))?;
        std::str::from_utf8(rest.get(..end)?).ok()
    });
    let text = text.filter(|text| text.len() < 64);
    Ok(Moment {
        stamp: text.map(|text| format!("{TIMESTAMP}={text}")),
        made_at: text.and_then(|text| text.parse().ok()),
        ttl_s: None,
        has_more: says_more(delivery),
    })
}
