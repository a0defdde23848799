//! `file`: files on this machine, by name, folder or glob.
//!
//! Reference: the syntax of globs is that of <https://docs.rs/glob/latest/glob/struct.Pattern.html>.

use std::sync::Arc;

use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, MakeContext, MemberPattern, Origin, OriginSettings, PlainSource,
    Registration, SettingsError, Sight, Stream,
};
use serde::Deserialize;

/// The one unit: all files that the path means.
const UNIT: &str = "files";

/// Settings of `file`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// A file, a folder (all files in it, not those of folders in it) or a glob such as `data/**/*.csv`. Absolute, or
    /// relative to the project's folder.
    path: String,
    /// The format. Left out: guessed from the content and the name.
    #[serde(default)]
    format: Option<serde_json::Value>,
    /// Which member of a zip: a name, or a glob for all that match. Left out: what `from:` of a table names, else the
    /// only member.
    #[serde(default)]
    member: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "file",
        "Files on this machine: one, a folder, or all that match a glob.",
        make,
    )
    .with_claims(claims)
    .with_example(include_str!("file/example.yaml"))
}

/// Whatever has a path.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let (key, path) = sight.place();
    (key == "path").then(|| Claim::plain([("path", path.into())], "it is a file or a folder"))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let path = OriginSettings {
        path: Some(&settings.path),
        ..OriginSettings::default()
    };
    let origin = Origin::of(path, context)?;
    let stream = stream(&origin.stem(), settings.member.as_deref(), settings.format)?;
    Ok(Arc::new(PlainSource {
        origin,
        streams: vec![stream],
    }))
}

/// The one stream of files of the user's choice.
pub(crate) fn stream(
    name: &str,
    member: Option<&str>,
    format: Option<serde_json::Value>,
) -> Result<Stream, SettingsError> {
    let mut stream = Stream::new(name, UNIT);
    stream.format = format;
    stream.from_names_member = member.is_none();
    stream.member = member
        .map(MemberPattern::new)
        .transpose()
        .map_err(|error| {
            let wrong = SettingsError::of_key("member", error.message);
            error.help.into_iter().fold(wrong, SettingsError::with_help)
        })?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::path::Path;

    use bytes::Bytes;
    use futures::TryStreamExt;
    use sectorlake_connector::kit::TestPace;
    use sectorlake_connector::{ConnectorError, Http, Io, Slice, kit};
    use serde_json::json;

    use super::*;

    fn io() -> Io {
        let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
        Io::new(http, chrono::DateTime::UNIX_EPOCH)
    }

    async fn read(dir: &Path, settings: serde_json::Value) -> Result<Vec<String>, ConnectorError> {
        let context = MakeContext::new(dir, "demo", |_| None);
        let settings = settings.as_object().unwrap().clone();
        let source = registration().make(settings, &context).unwrap();
        let (mut read, mut cursor, io) = (Vec::new(), None, io());
        while let Some(fetched) = source
            .fetch(Slice::whole(UNIT), cursor.as_ref(), &io)
            .await?
        {
            let part = fetched.part.unwrap();
            let bytes = part.body.try_collect::<Vec<Bytes>>().await?.concat();
            read.push(format!(
                "{} {} {}",
                part.key,
                part.name,
                String::from_utf8(bytes).unwrap()
            ));
            cursor = fetched.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(read)
    }

    #[tokio::test]
    async fn one_file_or_many_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("b.csv", "2"), ("a.csv", "1"), ("c.txt", "3")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let one = read(dir.path(), json!({"path": "b.csv"})).await.unwrap();
        assert_eq!(one, ["b.csv b.csv 2"]);
        let glob = read(dir.path(), json!({"path": "*.csv"})).await.unwrap();
        assert_eq!(glob, ["a.csv a.csv 1", "b.csv b.csv 2"]);
        let folder = read(dir.path(), json!({"path": "."})).await.unwrap();
        assert_eq!(folder.len(), 3);
        let error = read(dir.path(), json!({"path": "d.csv"}))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "d.csv: there is no such file");
    }

    #[tokio::test]
    async fn from_names_the_members_of_a_zip() {
        let make = |settings: serde_json::Value| {
            let context = MakeContext::new(".", "demo", |_| None);
            registration().make(settings.as_object().unwrap().clone(), &context)
        };
        let streams = make(json!({"path": "data/log.zip", "format": "csv"})).unwrap();
        let streams = streams.streams(&io()).await.unwrap();
        let picked = Stream::pick(&streams, Some("*.csv")).unwrap();
        assert_eq!(picked.member.unwrap().to_string(), "*.csv");
        assert_eq!(picked.format, Some(json!("csv")));
        assert_eq!(Stream::pick(&streams, None).unwrap().name, "log");

        let fixed = make(json!({"path": "data/log.zip", "member": "a.csv"})).unwrap();
        let fixed = fixed.streams(&io()).await.unwrap();
        assert!(Stream::pick(&fixed, Some("*.csv")).is_err());
        let error = make(json!({"path": "data/log.zip", "member": "[a"}))
            .err()
            .unwrap();
        assert_eq!(error.key(), "member");
        let error = make(json!({"path": " "})).err().unwrap();
        assert_eq!(error.to_string(), "path: is empty");
    }
}
