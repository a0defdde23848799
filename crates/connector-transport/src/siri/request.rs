//! What a service is asked with: a `ServiceRequest`.

use chrono::{DateTime, SecondsFormat, Utc};

use super::Service;

/// A request for what a service has now; `stop` for stop monitoring.
pub(super) fn service_request(
    service: Service,
    requestor: &str,
    stop: Option<&str>,
    now: DateTime<Utc>,
) -> String {
    let name = service.in_siri();
    let now = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    let requestor = escaped(requestor);
    let stop = match stop {
        Some(stop) => format!("<MonitoringRef>{}</MonitoringRef>", escaped(stop)),
        None => String::new(),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <Siri xmlns=\"http://www.siri.org.uk/siri\" version=\"2.0\"><ServiceRequest>\
         <RequestTimestamp>{now}</RequestTimestamp><RequestorRef>{requestor}</RequestorRef>\
         <{name}Request version=\"2.0\"><RequestTimestamp>{now}</RequestTimestamp>{stop}</{name}Request>\
         </ServiceRequest></Siri>"
    )
}

/// Text that no markup begins in.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
