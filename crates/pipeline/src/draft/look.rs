//! A look at a source: which connector it is for, its first part, and the first records of that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use sectorlake_connector::{
    Claim, Connector, ErrorKind, Fetched, Io, MakeContext, PartBody, Registry, Sight, Slice, Stream,
};
use sectorlake_formats::{
    FormatError, FormatSpec, Member, PartBytes, ReadOptions, Sample, members,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

use super::error::DraftError;
use super::refine::Reading;
use super::{DraftRequest, alone, paged, private, secrets};

/// Bytes of a first part, at most.
const BYTES_MAX: u64 = 1 << 30;
/// Bytes that tell what kind of answer it is.
const HEAD_BYTES: usize = 64 << 10;
/// The longest answer that is looked through for what it says of more pages.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// What was seen.
pub(super) struct Looked {
    /// The connector, and why.
    pub(super) connector: String,
    pub(super) claim: Claim,
    /// The first records, unless the connector knows its tables by itself.
    pub(super) sample: Option<Sample>,
    /// The member that was looked at, and how many others there are.
    pub(super) member: Option<(String, usize)>,
    /// The sector of the tables that the connector's own mappings feed.
    pub(super) sector: Option<String>,
    /// The stream of a portal's connector, whose records are the publisher's own, and the names of the others.
    pub(super) stream: Option<(Stream, Vec<String>)>,
    /// The same with a list in its records made rows, and why that may be wanted.
    pub(super) unnested: Option<(Sample, String)>,
    /// Why it is read otherwise than by the format's own choice.
    pub(super) refined: Vec<String>,
    /// The first file's name.
    pub(super) file: String,
    /// Variables that hold what must not stand in the file, and what of the address each is.
    pub(super) variables: Vec<(String, String)>,
}

impl Looked {
    /// What is known before any record is read.
    fn of(connector: String, claim: Claim, file: &str) -> Self {
        Self {
            connector,
            claim,
            sample: None,
            member: None,
            sector: None,
            stream: None,
            unnested: None,
            refined: Vec::new(),
            file: file.to_owned(),
            variables: Vec::new(),
        }
    }

    /// The same with the sector that the connector is of, by the first table that it feeds. It is asked for its streams only where it
    /// can be made, and what it lacks is no hindrance: a key that is not there yet is no matter of where the file stands.
    async fn with_sector(mut self, request: &DraftRequest<'_>, name: &str) -> Self {
        let context = MakeContext::new(request.project.root(), name, |_| Some("unset".to_owned()));
        let made = request.registry.get(&self.connector);
        let made = made.and_then(|it| it.make(self.claim.settings.clone(), &context).ok());
        let streams = match made {
            Some(connector) => connector.streams(&request.io).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let mut tables = streams.iter().flat_map(|stream| &stream.mappings);
        let table = tables
            .next()
            .and_then(|mapping| mapping.table.split_once('.'));
        self.sector = table.map(|(sector, _)| sector.to_owned());
        self
    }

    /// What is known of a portal's first stream before any record is read.
    fn of_stream(
        connector: String,
        claim: Claim,
        streams: Vec<Stream>,
        private: Option<&str>,
    ) -> Self {
        let mut streams = streams.into_iter();
        let first = streams.next();
        let others = streams.map(|stream| stream.name).collect();
        Self {
            stream: first.map(|stream| (stream, others)),
            refined: private.map(private::why).into_iter().collect(),
            ..Self::of(connector, claim, "")
        }
    }

    /// The same with references in place of secrets.
    fn without_secrets(mut self, name: &str) -> Self {
        let texts = self.claim.settings.values_mut();
        for text in texts.filter(|value| value.as_str().is_some_and(|text| text.contains("://"))) {
            let hidden = secrets::hide(text.as_str().unwrap_or_default(), name);
            *text = hidden.text.into();
            self.variables.extend(hidden.variables);
        }
        if self.file.contains("://") {
            self.file = secrets::hide(&self.file, name).text;
        }
        self
    }
}

/// Looks at a source, and keeps none of the secrets in its address.
pub(super) async fn look(
    request: &DraftRequest<'_>,
    location: &str,
    name: &str,
) -> Result<Looked, DraftError> {
    let looked = seen(request, location, name).await?;
    // What the address alone leads to was settled before any answer.
    let (_, claim) = claim(request.registry, &alone(location))?;
    let known = format!("{location}\n{}", Value::from(claim.settings));
    let mut settings = looked.claim.settings.values();
    if settings.any(|it| secrets::refers(it, &known)) {
        return Err(DraftError::Reference {
            location: location.to_owned(),
        });
    }
    Ok(looked.without_secrets(name))
}

/// Looks at the source that `request` points at, which `location` names as the pipeline's file would.
async fn seen(
    request: &DraftRequest<'_>,
    location: &str,
    name: &str,
) -> Result<Looked, DraftError> {
    let sight = alone(location);
    let (connector, claim) = claim(request.registry, &sight)?;
    // An API of its own is asked by its connector, not by an address.
    if claim.is_own && !claim.is_open {
        let mut looked = Looked::of(connector, claim, location);
        if let Some(host) = private::closed(request, location, name).await {
            private::allow(&mut looked.claim, &host);
            looked.refined.push(private::why(&host));
        }
        return Ok(looked.with_sector(request, name).await);
    }
    let declared = declared(request)?;
    let scratch = TempDir::new().map_err(|source| DraftError::File {
        action: "make a folder in",
        path: std::env::temp_dir(),
        source,
    })?;
    let asked = Asked {
        request,
        location,
        name,
        declared: declared.as_ref(),
    };
    let open = claim.is_open.then(|| claim.clone());
    let First {
        part,
        streams,
        private,
        link,
    } = asked.first((&connector, claim), scratch.path()).await?;
    let (members, head) = inside(&part).await?;
    if let Some(mut claim) = open {
        if let Some(host) = &private {
            private::allow(&mut claim, host);
        }
        let looked = Looked::of_stream(connector, claim, streams, private.as_deref());
        return portal(looked, &part, &members, declared).await;
    }
    let names: Vec<String> = members.iter().map(|member| member.name.clone()).collect();
    let closer = Sight {
        members: &names,
        head: &head,
        ..sight
    };
    let (connector, mut claim) = self::claim(request.registry, &closer)?;
    if let Some(host) = &private {
        private::allow(&mut claim, host);
    }
    let mut looked = Looked::of(connector, claim, &part.name);
    looked.refined.extend(private.as_deref().map(private::why));
    if looked.claim.is_own {
        return Ok(looked.with_sector(request, name).await);
    }
    let looked = with_records(looked, &part, &members, declared.as_ref()).await?;
    if looked.connector != "http" {
        return Ok(looked);
    }
    let bytes = beginning(&part, PAGE_BYTES_MAX).await?;
    Ok(paged::heeded(
        looked,
        &paged::Answer {
            location,
            bytes: &bytes,
            link: link.as_deref(),
        },
    ))
}

/// What is looked at, and how.
struct Asked<'a> {
    request: &'a DraftRequest<'a>,
    location: &'a str,
    name: &'a str,
    declared: Option<&'a FormatSpec>,
}

impl Asked<'_> {
    /// The first part; and the host it came from, where that lies in a private network. Whoever typed the address means it; where it
    /// leads on to is another matter.
    async fn first(
        &self,
        (connector, mut claim): (&str, Claim),
        folder: &Path,
    ) -> Result<First, DraftError> {
        let io = &self.request.io;
        let made = self.made(connector, &claim)?;
        let fetched = first_part(made.as_ref(), io, folder, self.location).await;
        let refused = fetched.as_ref().err();
        let Some(host) = refused.and_then(|error| self.own_host(error)) else {
            return fetched;
        };
        private::allow(&mut claim, &host);
        let made = self.made(connector, &claim)?;
        let first = first_part(made.as_ref(), io, folder, self.location).await?;
        Ok(First {
            private: Some(host),
            ..first
        })
    }

    /// The connector that a claim is for, to look with.
    fn made(&self, connector: &str, claim: &Claim) -> Result<Arc<dyn Connector>, DraftError> {
        let registration = self
            .request
            .registry
            .get(connector)
            .ok_or_else(|| unknown(self.location))?;
        Ok(registration.make(settings(claim, self.declared), &self.context())?)
    }

    fn context(&self) -> MakeContext {
        MakeContext::new(self.request.project.root(), self.name, {
            let environment = Arc::clone(&self.request.environment);
            move |name: &str| environment(name)
        })
    }

    /// The host of the address, where it was refused for lying in a private network.
    fn own_host(&self, error: &DraftError) -> Option<String> {
        let DraftError::Source(error) = error else {
            return None;
        };
        if error.kind != ErrorKind::PrivateNetwork {
            return None;
        }
        private::host(self.request, self.location, self.name)
    }
}

/// The first part.
struct First {
    part: PartBytes,
    /// All that the source has, that of the part first.
    streams: Vec<Stream>,
    /// The host of the address, where it lies in a private network.
    private: Option<String>,
    /// The Link header of its answer.
    link: Option<String>,
}

/// What a portal's connector brings: its first stream, read as the connector says.
async fn portal(
    mut looked: Looked,
    part: &PartBytes,
    members: &[Member],
    declared: Option<FormatSpec>,
) -> Result<Looked, DraftError> {
    let format = looked
        .stream
        .as_ref()
        .and_then(|(stream, _)| stream.format.clone());
    let format = format.and_then(|format| serde_json::from_value(format).ok());
    looked.file.clone_from(&part.name);
    with_records(looked, part, members, format.or(declared).as_ref()).await
}

/// The same with the first records of the part, read as well as they tell.
async fn with_records(
    looked: Looked,
    part: &PartBytes,
    members: &[Member],
    declared: Option<&FormatSpec>,
) -> Result<Looked, DraftError> {
    let (found, member) = first_records(part, members, declared).await?;
    let reading = Reading {
        part,
        member: member.as_ref().map(|(name, _)| name.as_str()),
        declared,
    };
    let (found, refined) = reading.refined(found).await?;
    let fields = found.schema.fields();
    if fields.iter().all(|field| field.name().starts_with('_')) {
        return Err(DraftError::NoRecords { name: found.name });
    }
    let unnested = reading.unnested(&found).await;
    Ok(Looked {
        sample: Some(found),
        member,
        unnested,
        refined: [looked.refined.as_slice(), refined.as_slice()].concat(),
        ..looked
    })
}

/// The format that was asked for.
fn declared(request: &DraftRequest<'_>) -> Result<Option<FormatSpec>, DraftError> {
    let Some(text) = request.format else {
        return Ok(None);
    };
    match crate::yaml::read::<FormatSpec>(Path::new("--format"), text) {
        Ok((format, _)) => Ok(Some(format)),
        Err(problem) => Err(DraftError::Option {
            message: problem.message,
            help: problem.help,
        }),
    }
}

/// The claim's settings with the format: a page is fetched only where one is wanted.
fn settings(
    claim: &Claim,
    declared: Option<&FormatSpec>,
) -> serde_json::Map<String, serde_json::Value> {
    let mut settings = claim.settings.clone();
    let format = declared.filter(|_| !claim.is_own);
    if let Some(Ok(format)) = format.map(serde_json::to_value) {
        settings.insert("format".to_owned(), format);
    }
    settings
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
) -> Result<First, DraftError> {
    let nothing = || DraftError::Nothing {
        location: location.to_owned(),
    };
    let streams = connector.streams(io).await?;
    let unit = &streams.first().ok_or_else(nothing)?.unit;
    let partitions = connector.partitions(unit, io).await?;
    let slice = Slice {
        unit,
        partition: partitions.first().map(String::as_str),
    };
    let fetched = connector.fetch(slice, None, io).await?;
    let Some(Fetched {
        part: Some(part), ..
    }) = fetched
    else {
        return Err(nothing());
    };
    let link = part.headers.get("link").cloned();
    let (name, path) = (part.name.clone(), folder.join("part"));
    let size = keep(part, &path).await?;
    let location = object_store::path::Path::from_absolute_path(&path)
        .map_err(|error| fault("read", &path, std::io::Error::other(error)))?;
    let part = PartBytes {
        store: Arc::new(LocalFileSystem::new()),
        path: location,
        size,
        name,
    };
    Ok(First {
        part,
        streams,
        private: None,
        link,
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
        Err(FormatError::NoZip { .. }) => Ok((Vec::new(), beginning(part, HEAD_BYTES).await?)),
        Err(error) => Err(error.into()),
    }
}

/// The first bytes of a part.
async fn beginning(part: &PartBytes, bytes_max: usize) -> Result<Vec<u8>, DraftError> {
    let end = part.size.min(bytes_max as u64);
    let head = object_store::ObjectStoreExt::get_range(&part.store, &part.path, 0..end);
    let head = head.await.map_err(|source| FormatError::Read {
        name: part.name.clone(),
        source,
    })?;
    Ok(head.to_vec())
}

/// The first records of the part, or of the largest of its members that is read.
async fn first_records(
    part: &PartBytes,
    members: &[Member],
    declared: Option<&FormatSpec>,
) -> Result<(Sample, Option<(String, usize)>), DraftError> {
    let of = |member| Reading {
        part,
        member,
        declared,
    };
    let whole = of(None).sample(None).await;
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
        match of(Some(&member.name)).sample(None).await {
            Ok(sample) => return Ok((sample, Some((member.name.clone(), others)))),
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => Err(error.into()),
        None => Ok((whole?, None)),
    }
}
