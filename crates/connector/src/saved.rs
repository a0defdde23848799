//! Saved answers of a service, in place of the service itself.

use crate::error::ConnectorError;
use crate::io::Io;
use crate::origin::{Origin, OriginSettings};
use crate::registry::MakeContext;
use crate::settings::SettingsError;
use crate::source::{Cursor, Fetched, Stream};
use crate::suggest::nearest;

/// Files on this machine, by the stream that they are.
#[derive(Debug)]
pub struct Saved {
    origins: Vec<(String, Origin)>,
}

impl Saved {
    /// What `path:` says: of each of `streams` a file, a folder or a glob.
    ///
    /// # Errors
    /// [`SettingsError`] where it names no file, or a stream that is none.
    pub fn of<'a>(
        paths: impl IntoIterator<Item = (&'a str, &'a str)>,
        streams: &[&str],
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let origin = |(stream, path): (&str, &str)| {
            if !streams.contains(&stream) {
                let at = vec!["path".to_owned(), stream.to_owned()];
                let error = SettingsError::new(at, "there is no such stream");
                let help = match nearest(stream, streams.iter().copied()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("streams are {}", streams.join(", ")),
                };
                return Err(error.with_help(help));
            }
            let settings = OriginSettings {
                path: Some(path),
                ..OriginSettings::default()
            };
            Ok((stream.to_owned(), Origin::of(settings, context)?))
        };
        let origins: Vec<_> = paths.into_iter().map(origin).collect::<Result<_, _>>()?;
        if origins.is_empty() {
            let help = format!("write `path: {{ {}: data/… }}`", streams.join(": data/…, "));
            return Err(SettingsError::of_key("path", "names no file").with_help(help));
        }
        Ok(Self { origins })
    }

    /// Leaves those streams that there are files of.
    pub fn keep(&self, streams: &mut Vec<Stream>) {
        streams.retain(|stream| self.origins.iter().any(|(name, _)| *name == stream.name));
    }

    /// The next file of a stream.
    ///
    /// # Errors
    /// As [`Origin::fetch`].
    pub async fn fetch(
        &self,
        stream: &str,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match self.origins.iter().find(|(name, _)| name == stream) {
            Some((_, origin)) => origin.fetch(cursor, io).await,
            None => Ok(None),
        }
    }

    /// Refuses settings that choose what a service is asked for: among saved answers they choose nothing. Of each its key, and whether
    /// it is given.
    ///
    /// # Errors
    /// [`SettingsError`] with the first that is given.
    pub fn refuse_beside(given: &[(&str, bool)]) -> Result<(), SettingsError> {
        match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((key, _)) => Err(SettingsError::of_key(key, "has no effect beside `path`")
                .with_help("leave it out, or leave `path` out to ask the service")),
        }
    }
}
