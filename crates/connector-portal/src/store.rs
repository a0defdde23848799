//! `store`: files in buckets (S3, Google, Azure), on WebDAV, FTP and SFTP servers, and on drives.
//!
//! References: Amazon S3 REST API <https://docs.aws.amazon.com/AmazonS3/latest/API/>, Google Cloud Storage
//! <https://cloud.google.com/storage/docs/xml-api/overview>, Azure Blob Storage
//! <https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api>, WebDAV RFC 4918, FTP RFC 959 and 3659 (TLS RFC
//! 4217), SFTP <https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02>, host keys RFC 4251, section 4.1.
//!
//! Private networks are closed as for HTTP. Buckets and WebDAV are asked through the SDK's client, SFTP over its connections: the
//! resolved address of each is looked at. FTP connects by itself: `ftp` goes to the very address that was looked at, `ftps` to the
//! name, so that a name that leads elsewhere between the look and the connection is not caught; and the address that an FTP server
//! names for its data (PASV) is not looked at, nor do `tls` and `proxy` hold for FTP, or `proxy` for SFTP.

mod bucket;
mod carrier;
mod empty;
mod open;
mod place;
mod reading;
mod refusal;
mod settings;
mod shelf;
mod version;
mod walk;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext, Origin,
    PartBody, PlainSource, Registration, SettingsError, Sight, Slice, Stream,
};
use serde_json::json;
use tokio::sync::Mutex;

pub(crate) use place::Place;
use place::Service;
use reading::Reading;
pub(crate) use settings::Access;
use settings::Settings;
pub(crate) use shelf::{Entry, Shelf};
use version::{Look, Version};

pub(crate) fn registration() -> Registration {
    Registration::of(
        "store",
        "Files in buckets (S3, Google, Azure), on WebDAV, FTP and SFTP servers, and on drives.",
        make,
    )
    .over_network()
    .with_claims(claims)
    .with_example(include_str!("store/example.yaml"))
}

/// What its scheme shows.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let place = Place::of(sight.location).ok()?;
    let why = format!("its address begins with {}://", place.scheme);
    Some(Claim::open([("url", sight.location.into())], why))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let place = Place::of(&settings.url)?;
    let access = Access::of(&settings, &place, context)?;
    let stream = crate::file::stream(&place.stem(), settings.member.as_deref(), settings.format)?;
    if place.service == Service::Drive {
        return Ok(Arc::new(PlainSource {
            origin: Origin::Files {
                project_dir: context.project_dir().to_owned(),
                path: format!("/{}", place.path),
            },
            streams: vec![stream],
        }));
    }
    Ok(Arc::new(Store {
        place,
        access,
        stream,
        listing: Mutex::new(None),
    }))
}

struct Store {
    place: Place,
    access: Access,
    stream: Stream,
    /// What was found when the unit was begun; a run looks once, not once a file.
    listing: Mutex<Option<Listing>>,
}

#[derive(Clone)]
struct Listing {
    run: DateTime<Utc>,
    shelf: Arc<dyn Shelf>,
    files: Arc<Vec<Entry>>,
    /// Whether any of them is more than an empty file.
    has_content: bool,
}

impl Store {
    /// The files, looked for anew where a run begins.
    async fn listing(&self, is_begin: bool, io: &Io) -> Result<Listing, ConnectorError> {
        let mut known = self.listing.lock().await;
        if let Some(listing) = known.as_ref()
            && !is_begin
            && listing.run == io.started_at()
        {
            return Ok(listing.clone());
        }
        let http = io.http();
        let mut attempt = 1;
        let (shelf, files) = loop {
            let found = async {
                let shelf = open::open(&self.place, &self.access, http).await?;
                let files = walk::find(&*shelf, &self.place).await?;
                Ok((shelf, files))
            };
            match found.await {
                Ok(found) => break found,
                Err(error) => http.pause(self.placed(error), attempt).await?,
            }
            attempt += 1;
        };
        let address = |entry: &Entry| self.place.address(&entry.path);
        let has_held = |place: &str| {
            let kept = io.validators(place).and_then(|known| known.etag);
            kept.is_some_and(|kept| held_something(&kept))
        };
        let (files, note) = empty::without_empty(files, address, has_held);
        note.into_iter().for_each(|note| io.note(note));
        let listing = Listing {
            run: io.started_at(),
            shelf,
            has_content: !files.iter().all(empty::is_empty),
            files: Arc::new(files),
        };
        *known = Some(listing.clone());
        Ok(listing)
    }

    fn placed(&self, error: ConnectorError) -> ConnectorError {
        match error.place {
            Some(_) => error,
            None => error.at(self.place.address(&self.place.path)),
        }
    }

    /// A file, unless it is what it was.
    async fn file(
        &self,
        listing: &Listing,
        listed: &Entry,
        next: Option<Cursor>,
        io: &Io,
    ) -> Result<Fetched, ConnectorError> {
        let key = self.place.address(&listed.path);
        let known = io.validators(&key).and_then(|known| known.etag);
        if known.as_deref().is_some_and(|known| listed.is_known(known)) {
            return Ok(Fetched::unchanged(key, next));
        }
        let entry = match listing.shelf.looks_before_reading() {
            true => listing.shelf.look(&listed.path).await,
            false => Ok(Some(listed.clone())),
        };
        let entry = entry.map_err(|error| error.at(&key))?.ok_or_else(|| {
            let error = ConnectorError::new(ErrorKind::Changed, "was taken away while we read");
            error.at(&key).with_help("run the pipeline again")
        })?;
        let has_held = known.as_deref().is_some_and(held_something);
        if listing.has_content && empty::is_empty(&entry) && has_held {
            io.note(empty::note_of_held(&key));
            return Ok(Fetched::unchanged(key, next));
        }
        let look = Look {
            run: io.started_at(),
            done: io.now(),
        };
        let mut part = PartBody {
            key: key.clone(),
            name: entry.name().to_owned(),
            status: None,
            headers: BTreeMap::new(),
            etag: entry.version(self.place.service, look, known.as_deref()),
            last_modified: entry.modified.map(|time| time.to_rfc2822()),
            length: entry.size,
            body: Box::pin(futures::stream::empty()),
        };
        let reading = Reading {
            shelf: Arc::clone(&listing.shelf),
            http: io.http().clone(),
            entry,
            place: key,
        };
        part.body = reading.open().await?;
        Ok(Fetched::part(part, next))
    }
}

/// Whether the file had a byte of whose version this was kept, as far as that tells.
fn held_something(kept: &str) -> bool {
    Version::of_kept(kept).is_some_and(|kept| kept.size > 0)
}

#[async_trait]
impl Connector for Store {
    async fn streams(&self, _: &Io) -> Result<Vec<Stream>, ConnectorError> {
        Ok(vec![self.stream.clone()])
    }

    async fn fetch(
        &self,
        _: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let listing = self.listing(cursor.is_none(), io).await?;
        // Files that came or went since the cursor was made do not matter.
        let done = cursor.and_then(|cursor| cursor.0["after"].as_str());
        // They are in order: of a great many files, what is done is not gone through for each.
        let is_done = |entry: &Entry| done.is_some_and(|done| entry.path.as_str() <= done);
        let mut left = listing.files[listing.files.partition_point(is_done)..].iter();
        let Some(entry) = left.next() else {
            return Ok(None);
        };
        let next = left
            .next()
            .map(|_| Cursor(json!({ "after": entry.path.clone() })));
        self.file(&listing, entry, next, io).await.map(Some)
    }
}
