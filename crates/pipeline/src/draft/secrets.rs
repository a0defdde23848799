//! Secrets in an address: a pipeline's file holds a reference in their place, for files are kept where many read them.

use sectorlake_connector::SourceUrl;
use serde_json::Value;

/// An address without its secrets, and the variables that are to hold them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) text: String,
    /// The names of environment variables, and what of the address each stands for.
    pub(super) variables: Vec<(String, String)>,
}

/// The address with `${env:NAME}` in place of every secret; `name` is the pipeline's.
pub(super) fn hide(location: &str, name: &str) -> Hidden {
    let mut hidden = Hidden::default();
    let Some((scheme, rest)) = location.split_once("://") else {
        location.clone_into(&mut hidden.text);
        return hidden;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(end);
    hidden.text = format!("{scheme}://");
    match host.rsplit_once('@') {
        Some((user, host)) => {
            // With a password the name may be seen; alone it is the secret.
            match user.split_once(':') {
                Some((user, password)) => {
                    hidden.text.push_str(&format!("{user}:"));
                    hidden.put(name, "password", password);
                }
                None => hidden.put(name, "user", user),
            }
            hidden.text.push_str(&format!("@{host}"));
        }
        None => hidden.text.push_str(host),
    }
    let mut rest = rest;
    while let Some(start) = rest.find(['?', '&', '#', ';']) {
        let (before, after) = rest.split_at(start + 1);
        hidden.text.push_str(before);
        let end = after.find(['?', '&', '#', ';']).unwrap_or(after.len());
        let (pair, after) = after.split_at(end);
        match pair.split_once('=') {
            Some((key, value)) if SourceUrl::is_secret_key(key) || is_token(value) => {
                hidden.text.push_str(&format!("{key}="));
                hidden.put(name, key, value);
            }
            _ => hidden.text.push_str(pair),
        }
        rest = after;
    }
    hidden.text.push_str(rest);
    hidden
}

/// Whether a setting holds a reference that is not `known`, from before the source was asked: then it came out of an answer.
pub(super) fn refers(setting: &Value, known: &str) -> bool {
    match setting {
        Value::String(text) => text.split("${").skip(1).any(|rest| {
            let end = rest.find('}').map_or(rest.len(), |end| end + 1);
            !known.contains(&format!("${{{}", &rest[..end]))
        }),
        Value::Array(all) => all.iter().any(|it| refers(it, known)),
        Value::Object(map) => map
            .iter()
            .any(|(key, it)| (key.contains("${") && !known.contains(key)) || refers(it, known)),
        _ => false,
    }
}

impl Hidden {
    /// A reference in place of a value, unless it is one already.
    fn put(&mut self, name: &str, key: &str, value: &str) {
        if value.is_empty() || value.contains("${") {
            self.text.push_str(value);
            return;
        }
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_uppercase()
            } else {
                '_'
            }
        };
        let base: String = format!("{name}_{key}").chars().map(plain).collect();
        let taken = self
            .variables
            .iter()
            .filter(|(known, _)| known.starts_with(&base))
            .count();
        let variable = if taken == 0 {
            base
        } else {
            format!("{base}_{}", taken + 1)
        };
        self.text.push_str(&format!("${{env:{variable}}}"));
        self.variables.push((variable, key.to_owned()));
    }
}

/// Whether a value is a signed token (RFC 7519), whatever its key.
fn is_token(value: &str) -> bool {
    value.starts_with("eyJ") && value.matches('.').count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_out_of_an_answer_is_seen() {
        let known = "https://h/?key=${env:MINE}";
        for (setting, is_foreign) in [
            (
                serde_json::json!("https://h/?key=${env:MINE}&page=2"),
                false,
            ),
            (serde_json::json!({ "q": ["a", 1, "${env:HIS}"] }), true),
            (serde_json::json!({ "${file:his}": 1 }), true),
            (serde_json::json!("${env:MINE"), false),
            (serde_json::json!("${"), false),
            (serde_json::json!("${env:OTHER"), true),
        ] {
            assert_eq!(refers(&setting, known), is_foreign, "{setting}");
        }
    }

    #[test]
    fn no_secret_stays_in_an_address() {
        for (location, expected) in [
            (
                "http://h/api?key=SECRETKEY123&token=abc",
                "http://h/api?key=${env:AIR_KEY}&token=${env:AIR_TOKEN}",
            ),
            (
                "https://joe:pa%40ss@h:8080/a.csv",
                "https://joe:${env:AIR_PASSWORD}@h:8080/a.csv",
            ),
            ("https://TOK@h", "https://${env:AIR_USER}@h"),
            (
                "https://h/?page=1&api_key=x&Ocp-Apim-Subscription-Key=y",
                "https://h/?page=1&api_key=${env:AIR_API_KEY}&Ocp-Apim-Subscription-Key=${env:AIR_OCP_APIM_SUBSCRIPTION_KEY}",
            ),
            (
                "https://h/a#access_token=x",
                "https://h/a#access_token=${env:AIR_ACCESS_TOKEN}",
            ),
            (
                "https://h/?q=eyJa.b.c&appid=1",
                "https://h/?q=${env:AIR_Q}&appid=${env:AIR_APPID}",
            ),
            (
                "https://h/?key=${env:MINE}&key=",
                "https://h/?key=${env:MINE}&key=",
            ),
            ("https://h/a.csv?year=2024", "https://h/a.csv?year=2024"),
            ("data/a.csv?key=x", "data/a.csv?key=x"),
        ] {
            assert_eq!(hide(location, "air").text, expected);
        }
        let twice = hide("https://h/?key=a&key=b", "x-y").variables;
        assert_eq!(
            twice,
            [
                ("X_Y_KEY".to_owned(), "key".to_owned()),
                ("X_Y_KEY_2".to_owned(), "key".to_owned())
            ]
        );
    }
}
