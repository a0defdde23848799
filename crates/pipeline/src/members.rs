//! The pieces of one part that a stream reads: the part itself, or members of the archive that it is.
//!
//! Where a source is several files, `from:` names one of them (or a glob) as it names a member of an archive.

use sectorlake_connector::Stream;
use sectorlake_formats::{FormatError, FormatSpec, Part, PartBytes, ReadOptions, members, open};
use sectorlake_lake::{Manifest, RawZone};

use crate::plan::{Feed, TablePlan};
use crate::result::PartResult;

/// Why a stream cannot be read from a part.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The bytes are not what they should be.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The archive lacks a member that must be there.
    #[error("{message}")]
    NoMember { message: String, help: String },
}

/// A part as it lies in the raw zone.
pub(crate) fn bytes_of(raw: &RawZone, manifest: &Manifest) -> PartBytes {
    let (store, path, size) = raw.bytes(manifest);
    PartBytes {
        store,
        path,
        size,
        name: manifest.name.clone(),
    }
}

/// A piece, opened.
pub(crate) struct Opened {
    pub(crate) part: Part,
    /// The member's name; none for the part itself.
    pub(crate) member: Option<String>,
}

/// The pieces of a part, opened one after the other.
pub(crate) struct Pieces<'a> {
    bytes: &'a PartBytes,
    format: Option<&'a FormatSpec>,
    options: &'a ReadOptions,
    /// A piece that is open already.
    opened: Option<Opened>,
    /// Members yet to be opened, the next one last.
    pending: Vec<String>,
}

/// Finds the pieces of `bytes` that `stream` reads; none where it is optional and not there.
pub(crate) async fn open_all<'a>(
    bytes: &'a PartBytes,
    stream: &Stream,
    format: Option<&'a FormatSpec>,
    options: &'a ReadOptions,
) -> Result<Pieces<'a>, OpenError> {
    let mut pieces = Pieces {
        bytes,
        format,
        options,
        opened: None,
        pending: Vec::new(),
    };
    let Some(pattern) = &stream.member else {
        // What calls itself an archive must be one: read as text, its bytes would only puzzle.
        if bytes.name.to_ascii_lowercase().ends_with(".zip") {
            pieces.pending.push(only_member(bytes, options).await?);
            return Ok(pieces);
        }
        match open(bytes, None, format, options).await {
            Ok(part) => pieces.opened = Some(Opened { part, member: None }),
            Err(FormatError::IsArchive { .. }) => {
                pieces.pending.push(only_member(bytes, options).await?)
            }
            Err(error) => return Err(error.into()),
        }
        return Ok(pieces);
    };
    let all = match members(bytes, options).await {
        Ok(all) => all,
        Err(FormatError::NoZip { .. }) if may_be_file(bytes, stream) => {
            // Another file of the source is nothing to this stream.
            if pattern.matches(&bytes.name) {
                let part = open(bytes, None, format, options).await?;
                pieces.opened = Some(Opened { part, member: None });
            }
            return Ok(pieces);
        }
        Err(error) => return Err(error.into()),
    };
    let chosen = pattern.select(all.iter().map(|member| member.name.as_str()));
    if chosen.is_empty() && !stream.optional {
        let message = format!("{} has no member {pattern}", bytes.name);
        return Err(OpenError::NoMember {
            message,
            help: named(
                &all.iter()
                    .map(|member| member.name.as_str())
                    .collect::<Vec<_>>(),
            ),
        });
    }
    pieces.pending = chosen.into_iter().rev().map(str::to_owned).collect();
    Ok(pieces)
}

/// Whether `from:` may mean the part itself. What calls itself an archive must be one.
fn may_be_file(bytes: &PartBytes, stream: &Stream) -> bool {
    stream.from_names_member && !bytes.name.to_ascii_lowercase().ends_with(".zip")
}

/// What is said where `from:` names none of the files of a source.
pub(crate) fn nothing_matches(from: &str, names: &[&str]) -> OpenError {
    OpenError::NoMember {
        message: format!("none of the source's files is named {from}, or is an archive"),
        help: format!(
            "write `from:` with a name or a glob; the files are: {}",
            list(names)
        ),
    }
}

/// Whether every stream that `from:` picks out of files was found in one of them.
pub(crate) fn all_found(
    plan: &TablePlan,
    parts: &[(&Feed, Manifest)],
    read: &[PartResult],
) -> Result<(), OpenError> {
    for feed in plan.feeds.iter().filter(|feed| feed.must_be_found()) {
        let stream = &feed.stream.name;
        let of_feed = parts
            .iter()
            .filter(|(other, _)| other.stream.name == *stream);
        let names: Vec<&str> = of_feed.map(|(_, part)| part.name.as_str()).collect();
        if !names.is_empty() && !read.iter().any(|part| part.stream == *stream) {
            return Err(nothing_matches(stream, &names));
        }
    }
    Ok(())
}

/// An archive of one file stands for that file.
async fn only_member(bytes: &PartBytes, options: &ReadOptions) -> Result<String, OpenError> {
    let all = members(bytes, options).await?;
    // What operating systems leave in archives is not meant.
    let every = sectorlake_connector::MemberPattern::new("*");
    let names: Vec<&str> = match &every {
        Ok(every) => every.select(all.iter().map(|member| member.name.as_str())),
        Err(_) => Vec::new(),
    };
    match names.as_slice() {
        [only] => Ok((*only).to_owned()),
        _ => Err(OpenError::NoMember {
            message: format!(
                "{} is an archive of {} files, and it is not said which are meant",
                bytes.name,
                names.len()
            ),
            help: named(&names),
        }),
    }
}

/// Members or files named in a message, at most.
const NAMED_MAX: usize = 8;

fn named(names: &[&str]) -> String {
    format!(
        "write `from:` with a name or a glob; its members are: {}",
        list(names)
    )
}

fn list(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED_MAX).copied().collect::<Vec<_>>();
    let more = names.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

impl Pieces<'_> {
    /// Whether several members of one archive come together, so that record numbers alone do not tell rows apart.
    pub(crate) fn are_several(&self) -> bool {
        self.pending.len() > 1
    }

    /// The next piece.
    pub(crate) async fn next(&mut self) -> Result<Option<Opened>, FormatError> {
        if let Some(opened) = self.opened.take() {
            return Ok(Some(opened));
        }
        let Some(member) = self.pending.pop() else {
            return Ok(None);
        };
        let part = open(self.bytes, Some(&member), self.format, self.options).await?;
        Ok(Some(Opened {
            part,
            member: Some(member),
        }))
    }
}
