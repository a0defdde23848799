//! A look at a source: which connector it is for, its first part, and the first records of that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use sectorlake_connector::{Claim, Connector, Fetched, Io, MakeContext, PartBody, Registry, Sight};
use sectorlake_formats::{FormatError, Member, PartBytes, ReadOptions, Sample, members, sample};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

use super::error::DraftError;
use super::{DraftRequest, header};

/// Records that are looked at: enough that a letter in one of ten thousand identifiers is seen.
const RECORDS_MAX: usize = 20_000;
/// Bytes of a first part, at most.
const BYTES_MAX: u64 = 1 << 30;
/// Bytes that tell what kind of answer it is.
const HEAD_BYTES: usize = 64 << 10;

/// What was seen.
pub(super) struct Looked {
    /// The connector, and why.
    pub(super) connector: String,
    pub(super) claim: Claim,
    /// The first records, unless the connector knows its tables by itself.
    pub(super) sample: Option<Sample>,
    /// The member that was looked at, and how many others there are.
    pub(super) member: Option<(String, usize)>,
    /// Why another header was taken than the format's own choice.
    pub(super) header: Option<String>,
    /// The first file's name.
    pub(super) file: String,
}

/// Looks at the source that `request` points at, which `location` names as the pipeline's file would.
pub(super) async fn look(
    request: &DraftRequest<'_>,
    location: &str,
    name: &str,
) -> Result<Looked, DraftError> {
    let sight = Sight {
        location,
        members: &[],
        head: &[],
    };
    let (connector, claim) = claim(request.registry, &sight)?;
    let whole = |claim: Claim, connector: String, file: &str| Looked {
        connector,
        claim,
        sample: None,
        member: None,
        header: None,
        file: file.to_owned(),
    };
    // An API of its own is asked by its connector, not by an address.
    if claim.is_own {
        return Ok(whole(claim, connector, location));
    }
    let context = MakeContext::new(request.project.root(), name, {
        let environment = Arc::clone(&request.environment);
        move |name: &str| environment(name)
    });
    let made = request
        .registry
        .get(&connector)
        .ok_or_else(|| unknown(location))?
        .make(claim.settings.clone(), &context)?;
    let scratch = TempDir::new().map_err(|source| DraftError::File {
        action: "make a folder in",
        path: std::env::temp_dir(),
        source,
    })?;
    let part = first_part(made.as_ref(), &request.io, scratch.path(), location).await?;
    let (members, head) = inside(&part).await?;
    let names: Vec<String> = members.iter().map(|member| member.name.clone()).collect();
    let closer = Sight {
        members: &names,
        head: &head,
        ..sight
    };
    let (connector, claim) = self::claim(request.registry, &closer)?;
    if claim.is_own {
        return Ok(whole(claim, connector, &part.name));
    }
    let (mut found, member) = first_records(&part, &members).await?;
    let within = member.as_ref().map(|(name, _)| name.as_str());
    let options = ReadOptions::default();
    let header = header::better(&part, within, &found, &options).await?;
    if let Some(header) = &header {
        found = sample(&part, within, Some(&header.format), RECORDS_MAX, &options).await?;
    }
    Ok(Looked {
        connector,
        claim,
        sample: Some(found),
        member,
        header: header.map(|header| header.why),
        file: part.name,
    })
}

fn claim(registry: &Registry, sight: &Sight<'_>) -> Result<(String, Claim), DraftError> {
    let claimed = registry.claim(sight);
    claimed
        .map(|(registration, claim)| (registration.name().to_owned(), claim))
        .ok_or_else(|| unknown(sight.location))
}

fn unknown(location: &str) -> DraftError {
    DraftError::Unknown {
        location: location.to_owned(),
    }
}

/// Fetches the first part into a folder that goes away.
async fn first_part(
    connector: &dyn Connector,
    io: &Io,
    folder: &Path,
    location: &str,
) -> Result<PartBytes, DraftError> {
    let nothing = || DraftError::Nothing {
        location: location.to_owned(),
    };
    let streams = connector.streams(io).await?;
    let unit = &streams.first().ok_or_else(nothing)?.unit;
    let fetched = connector.fetch(unit, None, io).await?;
    let Some(Fetched {
        part: Some(part), ..
    }) = fetched
    else {
        return Err(nothing());
    };
    let (name, path) = (part.name.clone(), folder.join("part"));
    let size = keep(part, &path).await?;
    let location = object_store::path::Path::from_absolute_path(&path)
        .map_err(|error| fault("read", &path, std::io::Error::other(error)))?;
    Ok(PartBytes {
        store: Arc::new(LocalFileSystem::new()),
        path: location,
        size,
        name,
    })
}

async fn keep(part: PartBody, path: &Path) -> Result<u64, DraftError> {
    let failed = |source| fault("write", path, source);
    let mut file = tokio::fs::File::create(path).await.map_err(failed)?;
    let (name, mut body, mut size) = (part.name, part.body, 0_u64);
    while let Some(chunk) = body.try_next().await? {
        size += chunk.len() as u64;
        if size > BYTES_MAX {
            return Err(DraftError::TooLarge {
                name,
                bytes_max: BYTES_MAX,
            });
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(size)
}

fn fault(action: &'static str, path: &Path, source: std::io::Error) -> DraftError {
    DraftError::File {
        action,
        path: PathBuf::from(path),
        source,
    }
}

/// The members of an archive; else the first bytes.
async fn inside(part: &PartBytes) -> Result<(Vec<Member>, Vec<u8>), DraftError> {
    let options = ReadOptions::default();
    match members(part, &options).await {
        Ok(members) => Ok((members, Vec::new())),
        Err(FormatError::NoZip { .. }) => {
            let end = part.size.min(HEAD_BYTES as u64);
            let head = object_store::ObjectStoreExt::get_range(&part.store, &part.path, 0..end);
            let head = head.await.map_err(|source| FormatError::Read {
                name: part.name.clone(),
                source,
            })?;
            Ok((Vec::new(), head.to_vec()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The first records of the part, or of the largest of its members that is read.
async fn first_records(
    part: &PartBytes,
    members: &[Member],
) -> Result<(Sample, Option<(String, usize)>), DraftError> {
    let options = ReadOptions::default();
    let whole = sample(part, None, None, RECORDS_MAX, &options).await;
    // A workbook is an archive too: what is wrong with it is no reason to look at its parts.
    if !matches!(whole, Err(FormatError::IsArchive { .. })) || members.is_empty() {
        return Ok((whole?, None));
    }
    let every = sectorlake_connector::MemberPattern::new("*");
    let names: Vec<&str> = match &every {
        Ok(every) => every.select(members.iter().map(|member| member.name.as_str())),
        Err(_) => Vec::new(),
    };
    let mut known: Vec<&Member> = members
        .iter()
        .filter(|member| names.contains(&member.name.as_str()))
        .collect();
    known.sort_by(|left, right| (right.size, &left.name).cmp(&(left.size, &right.name)));
    let others = known.len().saturating_sub(1);
    let mut last = None;
    for member in known {
        match sample(part, Some(&member.name), None, RECORDS_MAX, &options).await {
            Ok(sample) => return Ok((sample, Some((member.name.clone(), others)))),
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => Err(error.into()),
        None => Ok((whole?, None)),
    }
}
