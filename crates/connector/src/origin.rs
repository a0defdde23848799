//! Where plain files come from: this machine, or URLs. Most connectors need no more than this to fetch.

use std::path::PathBuf;

use serde_json::json;

use crate::address::{SourceUrl, UrlSetting};
use crate::error::ConnectorError;
use crate::files;
use crate::http::{Answer, Pages, Request};
use crate::io::Io;
use crate::one_or_many::OneOrMany;
use crate::registry::MakeContext;
use crate::settings::SettingsError;
use crate::source::{Cursor, Fetched};

/// Files on this machine, or behind URLs; each is a part.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file, a folder or a glob.
    Files {
        /// Where relative paths start.
        project_dir: PathBuf,
        /// As in the pipeline file.
        path: String,
    },
    /// URLs, in their order.
    Urls {
        /// At least one.
        urls: Vec<SourceUrl>,
        /// What is done with web pages.
        pages: Pages,
    },
}

/// The settings that say where files come from: one of `path` and `url`.
#[derive(Debug, Clone, Copy, Default)]
pub struct OriginSettings<'a> {
    /// `path:`
    pub path: Option<&'a str>,
    /// `url:`
    pub url: Option<&'a OneOrMany<UrlSetting>>,
    /// What is done with web pages.
    pub pages: Pages,
}

impl Origin {
    /// The origin that settings name.
    ///
    /// # Errors
    /// [`SettingsError`] unless exactly one of `path` and `url` is there and means something.
    pub fn of(settings: OriginSettings<'_>, context: &MakeContext) -> Result<Self, SettingsError> {
        match (settings.path, settings.url) {
            (Some(path), None) if path.trim().is_empty() => {
                Err(SettingsError::of_key("path", "is empty")
                    .with_help("name a file, a folder or a glob"))
            }
            (Some(path), None) => Ok(Self::Files {
                project_dir: context.project_dir().to_owned(),
                path: path.to_owned(),
            }),
            (None, Some(urls)) => Ok(Self::Urls {
                urls: resolve(urls, context)?,
                pages: settings.pages,
            }),
            (Some(_), Some(_)) => Err(SettingsError::of_key("url", "stands beside `path`")
                .with_help("leave one of them out")),
            (None, None) => Err(SettingsError::new(
                Vec::new(),
                "neither `path` nor `url` is there",
            )
            .with_help("write `path:` with a file of this machine, or `url:` with an address")),
        }
    }

    /// The file's name, or what the path ends with.
    #[must_use]
    pub fn file_name(&self) -> String {
        match self {
            Self::Files { path, .. } => path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned(),
            Self::Urls { urls, .. } => urls.first().map(SourceUrl::file_name).unwrap_or_default(),
        }
    }

    /// The file's name without its ending, for naming a stream.
    #[must_use]
    pub fn stem(&self) -> String {
        let name = self.file_name();
        match name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
            _ => name,
        }
    }

    /// The file after `cursor`, in the order of names or of the list; URLs are asked for changes only. `None` after the last.
    ///
    /// # Errors
    /// [`ConnectorError`] with the path or the masked URL.
    pub async fn fetch(
        &self,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match self {
            Self::Files { project_dir, path } => {
                let found = files::find(project_dir, path).await?;
                // Files that came or went since the cursor was made do not matter.
                let done = cursor.and_then(|cursor| cursor.0["after"].as_str());
                let shown = |path: &PathBuf| files::shown(project_dir, path);
                let mut left = found
                    .paths()
                    .iter()
                    .filter(|path| done.is_none_or(|done| shown(path).as_str() > done));
                let Some(path) = left.next() else {
                    return Ok(None);
                };
                // Files are always read: the lake compares hashes, and a modification time proves nothing.
                let part = files::open(project_dir, path).await?;
                let next = left.next().map(|_| Cursor(json!({ "after": part.key })));
                Ok(Some(Fetched::part(part, next)))
            }
            Self::Urls { urls, pages } => {
                let index = cursor
                    .and_then(|cursor| cursor.0["url"].as_u64())
                    .unwrap_or(0);
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                let Some(url) = urls.get(index) else {
                    return Ok(None);
                };
                let next = (index + 1 < urls.len()).then(|| Cursor(json!({ "url": index + 1 })));
                let key = url.to_string();
                let request = Request::get(url.clone())
                    .with_pages(*pages)
                    .if_changed_since(io.validators(&key));
                Ok(Some(match io.http().get(&request).await? {
                    Answer::Unchanged => Fetched::unchanged(key, next),
                    Answer::Fresh(answer) => {
                        Fetched::part(answer.into_part(key, &url.file_name()), next)
                    }
                }))
            }
        }
    }
}

fn resolve(
    urls: &OneOrMany<UrlSetting>,
    context: &MakeContext,
) -> Result<Vec<SourceUrl>, SettingsError> {
    match urls {
        OneOrMany::One(url) => Ok(vec![url.resolve(&["url"], context)?]),
        OneOrMany::Many(urls) if urls.is_empty() => {
            Err(SettingsError::of_key("url", "is an empty list")
                .with_help("write at least one URL"))
        }
        OneOrMany::Many(urls) => urls
            .iter()
            .enumerate()
            .map(|(index, url)| url.resolve(&["url", &index.to_string()], context))
            .collect(),
    }
}
