//! Secrets that stand in settings as they are, where a reference should stand: pipeline files are kept where many read them.

use serde_json::{Map, Value};
use url::Url;

use super::check::{branches, resolved};
use crate::address::looks_secret;

/// The definition of a text that may hold secrets.
const SECRET: &str = "/SecretSetting";
/// Such texts that are no secret themselves: whom a secret belongs to.
const NAMES: [&str; 2] = ["user", "client_id"];
/// Names that a secret may have, and much else as well.
const UNTOLD: [&str; 3] = ["code", "sid", "auth"];

/// Where in the settings of a schema secrets stand in plain text.
pub(crate) fn exposed(settings: &Map<String, Value>, schema: &Value) -> Vec<Vec<String>> {
    let mut search = Search {
        root: schema,
        found: Vec::new(),
    };
    search.object(settings, schema, &mut Vec::new());
    search.found
}

struct Search<'a> {
    root: &'a Value,
    found: Vec<Vec<String>>,
}

impl Search<'_> {
    fn value(&mut self, value: &Value, schema: &Value, path: &mut Vec<String>) {
        match value {
            Value::String(text) if self.is_exposed(text, schema, path) => {
                self.found.push(path.clone());
            }
            Value::Object(object) => self.object(object, schema, path),
            Value::Array(items) => {
                let of_items = self.inside(schema, &|shape| shape.get("items"));
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    self.value(item, &of_items, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, object: &Map<String, Value>, schema: &Value, path: &mut Vec<String>) {
        for (key, value) in object {
            let of_key = self.inside(schema, &|shape| {
                let own = shape.get("properties").and_then(|all| all.get(key));
                own.or(shape.get("additionalProperties"))
            });
            path.push(key.clone());
            self.value(value, &of_key, path);
            path.pop();
        }
    }

    /// The schema of what stands in one of a schema's shapes.
    fn inside(&self, schema: &Value, of: &dyn Fn(&Value) -> Option<&Value>) -> Value {
        let schema = resolved(schema, self.root);
        if let Some(found) = of(schema) {
            return found.clone();
        }
        let shapes = branches(schema).into_iter().flatten();
        let mut found = shapes.map(|shape| self.inside(shape, of));
        found.find(|found| !found.is_null()).unwrap_or_default()
    }

    fn is_exposed(&self, text: &str, schema: &Value, path: &[String]) -> bool {
        if text.is_empty() || text.contains("${") {
            return false;
        }
        if text.contains("://") {
            return has_secret(text);
        }
        let (key, above) = match path {
            [.., above, key] => (key.as_str(), above.as_str()),
            [key] => (key.as_str(), ""),
            [] => return false,
        };
        match (self.is_secret(schema), above) {
            (true, "headers") => is_name_of_secret(key),
            (true, _) => !NAMES.contains(&key),
            (false, "query") => is_name_of_secret(key),
            (false, _) => false,
        }
    }

    /// Whether a text may hold a secret.
    fn is_secret(&self, schema: &Value) -> bool {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let mut shapes = branches(schema).into_iter().flatten();
        reference.is_some_and(|at| at.ends_with(SECRET)) || shapes.any(|it| self.is_secret(it))
    }
}

/// Whether an address holds a password, or a key in its query.
fn has_secret(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let is_key = |(key, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        is_name_of_secret(&key) && !value.is_empty()
    };
    url.password().is_some_and(|password| !password.is_empty()) || url.query_pairs().any(is_key)
}

fn is_name_of_secret(name: &str) -> bool {
    looks_secret(name) && !UNTOLD.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::address::UrlSetting;
    use crate::http;
    use crate::one_or_many::OneOrMany;
    use crate::secret::SecretSetting;

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Settings {
        url: OneOrMany<UrlSetting>,
        api_key: Option<SecretSetting>,
        #[serde(default)]
        query: Map<String, Value>,
        #[serde(default)]
        streams: std::collections::BTreeMap<String, Stream>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Stream {
        token: Option<SecretSetting>,
    }

    fn of(settings: &Value) -> String {
        let mut schema = schemars::schema_for!(Settings).to_value();
        http::merged(&mut schema);
        let none = Map::new();
        let found = exposed(settings.as_object().unwrap_or(&none), &schema);
        let found: Vec<String> = found.iter().map(|path| path.join(".")).collect();
        found.join(" ")
    }

    #[test]
    fn what_should_be_a_reference() {
        for (settings, expected) in [
            (
                json!({ "auth": { "bearer": "plainsecret" } }),
                "auth.bearer",
            ),
            (json!({ "auth": { "bearer": "${env:TOKEN}" } }), ""),
            (
                json!({ "auth": { "basic": { "user": "ann", "password": "x" } } }),
                "auth.basic.password",
            ),
            (
                json!({ "auth": { "query": { "name": "k", "value": "x" } } }),
                "auth.query.value",
            ),
            (
                json!({ "auth": { "oauth2": { "token_url": "https://h/token", "client_id": "me", "client_secret": "x" } } }),
                "auth.oauth2.client_secret",
            ),
            (json!({ "api_key": "x" }), "api_key"),
            (
                json!({ "streams": { "a": { "token": "x" }, "b": { "token": "${file:t}" } } }),
                "streams.a.token",
            ),
            (
                json!({ "headers": { "accept": "text/csv", "authorization": "Basic x", "X-Api-Key": "x" } }),
                "headers.X-Api-Key headers.authorization",
            ),
            (
                json!({ "query": { "api_key": "x", "code": "VN", "year": "2024" } }),
                "query.api_key",
            ),
            (json!({ "url": "https://h/a?key=x&code=VN" }), "url"),
            (
                json!({ "url": ["https://h/a", "https://ann:x@h/b"] }),
                "url.1",
            ),
            (json!({ "url": "https://ann@h/b?key=&code=VN" }), ""),
            (json!({ "proxy": "http://proxy.example:3128" }), ""),
            (
                json!({ "proxy": "http://ann:x@proxy.example:3128" }),
                "proxy",
            ),
        ] {
            assert_eq!(of(&settings), expected, "{settings}");
        }
    }
}
