//! Saved answers of a service, in place of the service itself.

use std::collections::BTreeMap;

use sectorlake_connector::{
    ConnectorError, Cursor, Fetched, Io, MakeContext, Origin, OriginSettings, SettingsError,
    nearest,
};

/// Files on this machine, by the stream that they are.
#[derive(Debug)]
pub(crate) struct Saved {
    origins: Vec<(String, Origin)>,
}

impl Saved {
    /// What `path:` says: of each stream a file, a folder or a glob.
    pub(crate) fn of(
        paths: &BTreeMap<String, String>,
        streams: &[&str],
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        if paths.is_empty() {
            let help = format!("write `path: {{ {}: data/… }}`", streams.join(": data/…, "));
            return Err(SettingsError::of_key("path", "names no file").with_help(help));
        }
        let origin = |(stream, path): (&String, &String)| {
            if !streams.contains(&stream.as_str()) {
                let at = vec!["path".to_owned(), stream.clone()];
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
            Ok((stream.clone(), Origin::of(settings, context)?))
        };
        let origins = paths.iter().map(origin).collect::<Result<_, _>>()?;
        Ok(Self { origins })
    }

    pub(crate) fn has(&self, stream: &str) -> bool {
        self.origins.iter().any(|(name, _)| name == stream)
    }

    /// The next file of a stream.
    pub(crate) async fn fetch(
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
}

/// Settings that choose what a service is asked for choose nothing among saved answers.
pub(crate) fn refuse_beside_path(given: &[(&str, bool)]) -> Result<(), SettingsError> {
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((key, _)) => Err(SettingsError::of_key(key, "has no effect beside `path`")
            .with_help("leave it out, or leave `path` out to ask the service")),
    }
}
