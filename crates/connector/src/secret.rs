//! Secrets in settings: written as references, resolved late, printed never.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::forms::GUESSED_BYTES_MIN;
use crate::registry::MakeContext;
use crate::settings::SettingsError;

/// What stands where a secret was.
pub(crate) const MASK: &str = "***";

/// A text that may hold secrets: `${env:NAME}` is the environment variable, `${file:PATH}` the content of a file (without
/// the line break at its end), relative to the project. A plain text is a secret too.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SecretSetting(String);

impl SecretSetting {
    /// The secret itself; `key` is the setting's name, for the error.
    ///
    /// # Errors
    /// [`SettingsError`] when the variable or file is not there, or empty.
    pub fn resolve(&self, key: &str, context: &MakeContext) -> Result<Secret, SettingsError> {
        self.resolve_at(&[key.to_owned()], context)
    }

    /// The text with a word in place of each reference, and what each word stands for: for a text that is taken apart before its
    /// secrets are put in, so that those may hold whatever characters. `key` is the setting's name, for the error.
    ///
    /// # Errors
    /// [`SettingsError`] when a variable or file is not there, or empty.
    pub fn parted(
        &self,
        key: &str,
        context: &MakeContext,
    ) -> Result<(String, Vec<(String, Secret)>), SettingsError> {
        let mut stem = "secret".to_owned();
        while self.0.contains(&stem) {
            stem.push('x');
        }
        let mut words = Vec::new();
        let (text, _) = expand_by(&self.0, &[key.to_owned()], context, &mut |value| {
            let word = format!("{stem}{}z", words.len());
            words.push((word.clone(), Secret::new(value)));
            word
        })?;
        Ok((text, words))
    }

    pub(crate) fn resolve_at(
        &self,
        path: &[String],
        context: &MakeContext,
    ) -> Result<Secret, SettingsError> {
        let (text, parts) = expand(&self.0, path, context)?;
        Ok(Secret { text, parts })
    }
}

impl std::fmt::Debug for SecretSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

/// Request headers by name; their values may hold secrets, see [`SecretSetting`].
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct HeaderSettings(BTreeMap<String, SecretSetting>);

impl HeaderSettings {
    /// The headers themselves; `key` is the setting's name, for the error.
    ///
    /// # Errors
    /// [`SettingsError`] for a name or value that HTTP does not allow, or a secret that is missing.
    pub(crate) fn resolve(
        &self,
        key: &str,
        context: &MakeContext,
    ) -> Result<Vec<(String, Secret)>, SettingsError> {
        let mut headers = Vec::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            let path = vec![key.to_owned(), name.clone()];
            let secret = value.resolve_at(&path, context)?;
            check_header(name, &secret, &path)?;
            headers.push((name.clone(), secret));
        }
        Ok(headers)
    }
}

/// Headers that say how a message is sent, and whom it is for: the client alone knows. Another host than the one whose address was
/// checked, or a length that is none, would be a lie.
const OF_CLIENT: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether HTTP allows a header of this name and value: a line break in it would begin another.
pub(crate) fn check_header(
    name: &str,
    value: &Secret,
    path: &[String],
) -> Result<(), SettingsError> {
    if reqwest::header::HeaderName::try_from(name).is_err() {
        return Err(SettingsError::new(path.to_vec(), "is no name of a header")
            .with_help("letters, digits and hyphens"));
    }
    if OF_CLIENT.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        let help = match name.eq_ignore_ascii_case("host") {
            true => "leave it out: it is the host of the address",
            false => "leave it out",
        };
        return Err(SettingsError::new(
            path.to_vec(),
            "is a header that the client sets by itself",
        )
        .with_help(help));
    }
    if reqwest::header::HeaderValue::try_from(value.expose()).is_err() {
        return Err(
            SettingsError::new(path.to_vec(), "holds a character that a header must not")
                .with_help("a line break at its end, perhaps"),
        );
    }
    Ok(())
}

/// A resolved secret. It prints masked wherever it is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    /// What its references were replaced by.
    parts: Vec<String>,
}

impl Secret {
    /// A secret of this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            parts: Vec::new(),
        }
    }

    /// The text, for the request alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What of it came out of references.
    pub(crate) fn parts(&self) -> &[String] {
        &self.parts
    }

    /// What must be shown nowhere: all of it, without the scheme of an `authorization` too, and what its references brought.
    pub(crate) fn hidden(&self) -> Vec<String> {
        let bare = self.text.split_once(' ').map(|(_, bare)| bare.to_owned());
        let bare = bare.filter(|bare| bare.len() >= GUESSED_BYTES_MIN);
        let own = bare.into_iter().chain([self.text.clone()]);
        own.chain(self.parts.iter().cloned()).collect()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

/// The text with its references replaced, and what they were replaced by.
pub(crate) fn expand(
    text: &str,
    path: &[String],
    context: &MakeContext,
) -> Result<(String, Vec<String>), SettingsError> {
    expand_by(text, path, context, &mut str::to_owned)
}

/// The same with what `put` makes of each value in its place.
fn expand_by(
    text: &str,
    path: &[String],
    context: &MakeContext,
    put: &mut dyn FnMut(&str) -> String,
) -> Result<(String, Vec<String>), SettingsError> {
    let mut out = String::with_capacity(text.len());
    let mut secrets = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, after) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = after.find('}') else {
            return Err(
                SettingsError::new(path.to_vec(), "has a `${` without its `}`")
                    .with_help("write ${env:NAME} or ${file:PATH}"),
            );
        };
        let value = lookup(&after[2..end], path, context)?;
        out.push_str(&put(&value));
        secrets.push(value);
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    Ok((out, secrets))
}

fn lookup(
    reference: &str,
    path: &[String],
    context: &MakeContext,
) -> Result<String, SettingsError> {
    let wrong = |message: String, help: String| {
        Err(SettingsError::new(path.to_vec(), message).with_help(help))
    };
    let value = match reference.split_once(':') {
        Some(("env", name)) => match context.variable(name) {
            Some(value) => value,
            None => {
                return wrong(
                    format!("the environment variable {name} is not set"),
                    format!("set it where sectorlake runs: export {name}=…"),
                );
            }
        },
        Some(("file", file)) => {
            let file = context.project_dir().join(file);
            match std::fs::read_to_string(&file) {
                Ok(content) => content.trim_end_matches(['\r', '\n']).to_owned(),
                Err(error) => {
                    return wrong(
                        format!(
                            "the secret's file {} cannot be read: {error}",
                            file.display()
                        ),
                        "check the path and its permissions".to_owned(),
                    );
                }
            }
        }
        _ => {
            return wrong(
                format!("`${{{reference}}}` is no reference"),
                "write ${env:NAME} or ${file:PATH}".to_owned(),
            );
        }
    };
    if value.is_empty() {
        return wrong(
            format!("`${{{reference}}}` is empty"),
            "give it the secret, or leave the setting out".to_owned(),
        );
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn context(dir: &std::path::Path) -> MakeContext {
        MakeContext::new(dir, "demo", |name| match name {
            "KEY" => Some("s3cret".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn references_are_resolved_and_never_printed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "from-file\n").unwrap();
        let context = context(dir.path());
        for (text, expected) in [
            ("${env:KEY}", "s3cret"),
            ("Bearer ${env:KEY}", "Bearer s3cret"),
            ("${file:token}/${env:KEY}", "from-file/s3cret"),
            ("plain", "plain"),
        ] {
            let setting: SecretSetting = serde_json::from_value(text.into()).unwrap();
            let secret = setting.resolve("key", &context).unwrap();
            assert_eq!(secret.expose(), expected);
            let printed = format!(
                "{secret} {secret:?} {setting:?} {}",
                serde_json::to_string(&secret).unwrap()
            );
            assert_eq!(printed, "*** *** *** \"***\"");
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let context = context(dir.path());
        let say = |text: &str| {
            let setting: SecretSetting = serde_json::from_value(text.into()).unwrap();
            let error = setting.resolve("api_key", &context).unwrap_err();
            let said = format!("{error} / {}", error.help.as_deref().unwrap_or_default());
            said.replace(&dir.path().display().to_string(), "DIR")
        };
        let all = [
            "${env:NONE}",
            "${env:EMPTY}",
            "${file:none}",
            "${NONE}",
            "${env:KEY",
        ];
        let said: Vec<String> = all.into_iter().map(say).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        api_key: the environment variable NONE is not set / set it where sectorlake runs: export NONE=…
        api_key: `${env:EMPTY}` is empty / give it the secret, or leave the setting out
        api_key: the secret's file DIR/none cannot be read: No such file or directory (os error 2) / check the path and its permissions
        api_key: `${NONE}` is no reference / write ${env:NAME} or ${file:PATH}
        api_key: has a `${` without its `}` / write ${env:NAME} or ${file:PATH}
        "#);
    }

    #[test]
    fn a_header_must_be_one() {
        let dir = tempfile::tempdir().unwrap();
        let context = context(dir.path());
        let resolve = |name: &str, value: &str| {
            let headers: HeaderSettings =
                serde_json::from_value(serde_json::json!({ name: value })).unwrap();
            headers.resolve("headers", &context)
        };
        assert_eq!(
            resolve("x-key", "${env:KEY}").unwrap()[0].1.expose(),
            "s3cret"
        );
        let error = resolve("x key", "a").unwrap_err();
        assert_eq!(error.to_string(), "headers.x key: is no name of a header");
        let error = resolve("x-key", "a\nb").unwrap_err();
        assert_eq!(error.key(), "headers.x-key");
        for own in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "TE",
            "upgrade",
        ] {
            let error = resolve(own, "5").unwrap_err();
            let told = format!("headers.{own}: is a header that the client sets by itself");
            assert_eq!(error.to_string(), told);
            assert!(error.help.unwrap().starts_with("leave it out"));
        }
        assert!(resolve("accept-encoding", "gzip").is_ok());
    }
}
