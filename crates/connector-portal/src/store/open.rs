//! The store that settings mean.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opendal::Operator;
use opendal::services::{Azblob, FtpConfig, Gcs, S3, Webdav};
use sectorlake_connector::{ConnectorError, ErrorKind, Http, Secret};

use super::bucket::Bucket;
use super::place::{Place, Service};
use super::refusal::Told;
use super::settings::Access;
use super::shelf::Shelf;
use crate::sftp::Sftp;

/// The region that stores take which know none.
const REGION: &str = "us-east-1";

/// Opens the store; most ask nothing yet.
///
/// # Errors
/// [`ConnectorError`] for settings that the service does not take, and for a host that may not be reached.
pub(crate) async fn open(
    place: &Place,
    access: &Access,
    http: &Http,
) -> Result<Arc<dyn Shelf>, ConnectorError> {
    let told = Told {
        service: place.service,
        host: place.host.clone(),
        has_key: !access.secrets().is_empty(),
        secrets: access.secrets(),
    };
    let mut each_file = None;
    let operator = match place.service {
        Service::Sftp => return Ok(Arc::new(Sftp::new(place, access, http))),
        Service::S3 => s3(place, access),
        Service::Gcs => gcs(place, access),
        Service::Azure => azure(place, access),
        Service::WebDav { is_encrypted } => webdav(place, access, is_encrypted),
        Service::Ftp { is_encrypted } => {
            let config = ftp(place, access, is_encrypted, http).await?;
            Operator::from_config(each_file.insert(config).clone())
        }
        Service::Drive => return Err(ConnectorError::new(ErrorKind::Invalid, "is a drive")),
    };
    let operator = operator.map_err(|error| told.of(&error).at(place.root()))?;
    let bucket = Bucket::new(operator, http, told);
    Ok(Arc::new(match each_file {
        Some(config) => bucket.with_each_file(config),
        None => bucket,
    }))
}

fn exposed(secret: &Option<Secret>) -> &str {
    secret.as_ref().map(Secret::expose).unwrap_or_default()
}

/// Nothing is taken from the environment or from this machine's own role: a pipeline says what it uses.
fn s3(place: &Place, access: &Access) -> opendal::Result<Operator> {
    let region = access.region.as_deref().unwrap_or(REGION);
    let builder = S3::default()
        .bucket(&place.host)
        .region(region)
        .disable_config_load()
        .disable_ec2_metadata();
    let builder = match &access.endpoint {
        Some(endpoint) => builder.endpoint(endpoint),
        None => builder.endpoint(&format!("https://s3.{region}.amazonaws.com")),
    };
    let builder = match &access.access_key {
        Some(key) => builder
            .access_key_id(key.expose())
            .secret_access_key(exposed(&access.secret_key))
            .session_token(exposed(&access.session_token)),
        None => builder.skip_signature(),
    };
    Operator::new(builder)
}

fn gcs(place: &Place, access: &Access) -> opendal::Result<Operator> {
    let builder = Gcs::default()
        .bucket(&place.host)
        .disable_config_load()
        .disable_vm_metadata();
    let builder = match &access.endpoint {
        Some(endpoint) => builder.endpoint(endpoint),
        None => builder,
    };
    Operator::new(match &access.credential {
        Some(key) => builder.credential(&STANDARD.encode(key.expose())),
        None => builder.skip_signature(),
    })
}

fn azure(place: &Place, access: &Access) -> opendal::Result<Operator> {
    let account = access.account.as_deref().unwrap_or_default();
    let endpoint = match &access.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => format!("https://{account}.blob.core.windows.net"),
    };
    let builder = Azblob::default()
        .container(&place.host)
        .account_name(account)
        .endpoint(&endpoint);
    Operator::new(match (&access.account_key, &access.sas_token) {
        (Some(key), _) => builder.account_key(key.expose()),
        (None, Some(token)) => builder.sas_token(token.expose().trim_start_matches('?')),
        (None, None) => builder.skip_signature(),
    })
}

fn webdav(place: &Place, access: &Access, is_encrypted: bool) -> opendal::Result<Operator> {
    let scheme = if is_encrypted { "https" } else { "http" };
    let port = place
        .port
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let builder = Webdav::default().endpoint(&format!("{scheme}://{}{port}", place.host));
    Operator::new(match &access.user {
        Some(user) => builder.username(user).password(exposed(&access.password)),
        None => builder,
    })
}

/// The host is looked at before opendal connects by itself.
async fn ftp(
    place: &Place,
    access: &Access,
    is_encrypted: bool,
    http: &Http,
) -> Result<FtpConfig, ConnectorError> {
    let port = place.port.unwrap_or(21);
    let addresses = http.addresses(&place.host, port).await;
    let addresses = addresses.map_err(|error| error.at(place.root()))?;
    let endpoint = match addresses.first() {
        // The very address that was looked at: a name that leads elsewhere the next time leads nowhere.
        Some(address) if !is_encrypted => format!("ftp://{address}"),
        // The certificate is of the name.
        _ => format!("ftps://{}:{port}", place.host),
    };
    let mut config = FtpConfig::default();
    config.endpoint = Some(endpoint);
    config.root = Some("/".to_owned());
    config.user = Some(
        access
            .user
            .clone()
            .unwrap_or_else(|| "anonymous".to_owned()),
    );
    let password = access.password.as_ref().map(Secret::expose);
    config.password = Some(password.unwrap_or("sectorlake").to_owned());
    Ok(config)
}
