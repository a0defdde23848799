//! An address in a private network: whoever types one means it, and the draft says so.

use std::sync::Arc;

use sectorlake_connector::{Claim, MakeContext, SourceUrl, UrlSetting};

use super::DraftRequest;

/// Lets the connector reach this one host of a private network.
pub(super) fn allow(claim: &mut Claim, host: &str) {
    let hosts = serde_json::json!([host]);
    claim.settings.insert("allow_private".to_owned(), hosts);
}

/// Why a draft says so.
pub(super) fn why(host: &str) -> String {
    format!(
        "allow_private [{host}]: the address lies in a private network, which no pipeline reaches unless it says so"
    )
}

/// The address that is looked at and its host, where someone typed that; where an answer leads is another matter.
fn typed(request: &DraftRequest<'_>, location: &str, name: &str) -> Option<(SourceUrl, String)> {
    let context = MakeContext::new(request.project.root(), name, {
        let environment = Arc::clone(&request.environment);
        move |name: &str| environment(name)
    });
    let address = UrlSetting::new(location).resolve(&[], &context).ok()?;
    let host = address.expose().host_str().map(str::to_owned)?;
    let is_typed = request.told.host.is_none_or(|typed| typed == host);
    is_typed.then_some((address, host))
}

/// The host of the address.
pub(super) fn host(request: &DraftRequest<'_>, location: &str, name: &str) -> Option<String> {
    typed(request, location, name).map(|(_, host)| host)
}

/// The host of an address that nothing was fetched from yet, where it lies in a private network.
pub(super) async fn closed(
    request: &DraftRequest<'_>,
    location: &str,
    name: &str,
) -> Option<String> {
    let (address, host) = typed(request, location, name)?;
    let is_closed = request.io.http().is_closed(&address).await;
    is_closed.then_some(host)
}
