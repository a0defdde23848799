//! What stands in the other documents of a publication that comes as an archive: stops, calendars and displays are shared by its lines.
//!
//! All documents are read once more for that, once a reading of the archive and not once a document, and what they say is held within a
//! bound; a publication that says more is read as if its documents stood alone.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use tokio::sync::OnceCell;

use super::references::References;
use super::{MARKS, id};
use crate::archive;
use crate::content::Content;
use crate::error::FormatError;
use crate::options::ReadOptions;
use crate::transmodel::{Notation, all, elements};
use crate::xml::tree::Element;

/// What every document tells.
const OF_ALL: &[&str] = &["PassengerStopAssignment", "StopPlace", "Quay"];
/// What a document tells beside, if it has no journeys of its own: what stands beside journeys is theirs alone.
const OF_SHARED: &[&str] = &[
    "PassengerStopAssignment",
    "StopPlace",
    "Quay",
    "ServiceJourneyPattern",
    "JourneyPattern",
    "Route",
    "Direction",
    "DestinationDisplay",
    "DayType",
    "OperatingPeriod",
    "UicOperatingPeriod",
    "OperatingDay",
    "FrameDefaults",
];
const JOURNEY: &[u8] = b"ServiceJourney";
/// What an entry takes beside its text, about.
const ENTRY_BYTES: usize = 64;

/// What the documents of one archive say.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    pub(super) known: References,
    /// Quays and stop places.
    sites: HashSet<Box<str>>,
    sites_bytes: usize,
}

impl Elsewhere {
    pub(super) fn has_site(&self, id: &str) -> bool {
        self.sites.contains(id)
    }

    fn bytes(&self) -> usize {
        self.known.bytes() + self.sites_bytes
    }

    fn take(&mut self, element: &Element) {
        if !matches!(element.name.as_str(), "StopPlace" | "Quay") {
            self.known.take(element, true);
            return;
        }
        let within = all(element, "quays/Quay").into_iter();
        let parts = within.flat_map(|quay| all(quay, "quays/Quay").into_iter().chain([quay]));
        for site in parts.chain([element]) {
            if let Some(id) = id(site)
                && self.sites.insert(id.into())
            {
                self.sites_bytes += id.len() + ENTRY_BYTES;
            }
        }
    }
}

/// What one archive says, kept between the openings of its members; clones share it. The archive that is read last is kept.
#[derive(Clone, Default)]
pub struct Between(Arc<Mutex<Option<Kept>>>);

#[derive(Clone)]
struct Kept {
    store: Arc<dyn ObjectStore>,
    path: Path,
    /// None: it says more than is held.
    said: Arc<OnceCell<Option<Arc<Elsewhere>>>>,
}

impl fmt::Debug for Between {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Between")
    }
}

impl Between {
    /// The place of an archive, which may have been filled already.
    fn of(&self, content: &Content) -> Arc<OnceCell<Option<Arc<Elsewhere>>>> {
        let (store, path) = (&content.part.store, &content.part.path);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref()
            && Arc::ptr_eq(&kept.store, store)
            && kept.path == *path
        {
            return Arc::clone(&kept.said);
        }
        let said = Arc::new(OnceCell::new());
        *kept = Some(Kept {
            store: Arc::clone(store),
            path: path.clone(),
            said: Arc::clone(&said),
        });
        said
    }
}

/// What the archive that a document is of says; none for a document of its own.
pub(super) enum Around {
    Alone,
    Known(Arc<Elsewhere>),
    /// It says more than the bound.
    TooMuch,
}

/// What stands around a document.
///
/// # Errors
/// The archive cannot be read. What is wrong with other documents is told where they are read themselves.
pub(super) async fn around(content: &Content) -> Result<Around, FormatError> {
    if !content.is_member() {
        return Ok(Around::Alone);
    }
    let said = content.options.between.of(content);
    let said = said.get_or_try_init(|| gather(content)).await?;
    Ok(match said {
        Some(known) => Around::Known(Arc::clone(known)),
        None => Around::TooMuch,
    })
}

async fn gather(content: &Content) -> Result<Option<Arc<Elsewhere>>, FormatError> {
    let options = &content.options;
    let mut found = Elsewhere::default();
    for member in archive::members(&content.part, options).await? {
        if !member.name.to_ascii_lowercase().ends_with(".xml") {
            continue;
        }
        match document(&content.part, &member.name, options, &mut found).await {
            Err(error @ FormatError::Read { .. }) => return Err(error),
            Ok(false) => return Ok(None),
            Ok(true) | Err(_) => {}
        }
    }
    Ok(Some(Arc::new(found)))
}

/// Takes what a document says; whether there is room for it.
async fn document(
    part: &crate::part::PartBytes,
    member: &str,
    options: &ReadOptions,
    found: &mut Elsewhere,
) -> Result<bool, FormatError> {
    let content = Content::find(part, Some(member), options).await?;
    let notation = Notation::find(&content, "NeTEx", &MARKS).await?;
    let names = match has_journeys(&content).await? {
        true => {
            found.known.has_patterns = true;
            OF_ALL
        }
        false => OF_SHARED,
    };
    let bound = options.memory_bytes_max / 4;
    let mut stream = elements(&content, notation, names);
    while let Some(element) = stream.next().await.transpose()? {
        if let Ok(element) = element.element {
            found.take(&element);
        }
        if found.bytes() as u64 > bound {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a document has journeys, as far as its bytes tell: nothing is parsed for that.
async fn has_journeys(content: &Content) -> Result<bool, FormatError> {
    let finder = memchr::memmem::Finder::new(JOURNEY);
    let mut chunks = content.chunks(content.block_bytes());
    let mut text: Vec<u8> = Vec::new();
    while let Some(chunk) = chunks.next().await.transpose()? {
        text.extend_from_slice(&chunk);
        let is_tag = |at: usize| {
            let before = at.checked_sub(1).and_then(|at| text.get(at));
            let after = text.get(at + JOURNEY.len());
            matches!(before, Some(b'<' | b':'))
                && after.is_some_and(|it| it.is_ascii_whitespace() || matches!(it, b'>' | b'/'))
        };
        if finder.find_iter(&text).any(is_tag) {
            return Ok(true);
        }
        // A tag may lie across two chunks.
        let kept = text.len().min(JOURNEY.len() + 2);
        text.drain(..text.len() - kept);
    }
    Ok(false)
}
