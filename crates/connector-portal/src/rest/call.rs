//! One stream's question: its address, its body, and the pages of the answer.

use std::collections::BTreeMap;

use sectorlake_connector::incremental::Incremental;
use sectorlake_connector::paging::{Count, JsonPath, Pager, Paging};
use sectorlake_connector::{
    ConnectorError, Cursor, Fetched, Io, MakeContext, Reads, Request, SettingsError, SourceUrl,
    UrlSetting, swallowed,
};
use serde_json::{Map, Value};

use super::PARTITION;
use super::settings::{Method, Parameters, StreamSettings};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// How a stream is asked for.
pub(super) struct Call {
    url: SourceUrl,
    body: Option<Body>,
    parameters: Parameters,
    paging: Option<Paging>,
    incremental: Option<Incremental>,
    count: Count,
    accept: Option<&'static str>,
    /// The parts' file name.
    name: String,
}

#[derive(Clone)]
struct Body {
    value: Value,
    content_type: String,
}

impl Call {
    pub(super) fn new(
        settings: StreamSettings,
        base: &SourceUrl,
        format: &str,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let mut url = match &settings.path {
            Some(path) => address(path, &["path"], base, context)?,
            None => base.clone(),
        };
        url = with_query(url, &settings.query, context)?;
        let mut body = None;
        if let Some(value) = settings.body {
            let is_text = value.is_string();
            let value = expanded(value, &mut url, context)?;
            let content_type = settings.content_type;
            let content_type = content_type.unwrap_or(if is_text { FORM } else { JSON }.to_owned());
            body = Some(Body {
                value,
                content_type,
            });
        }
        let parameters = settings.parameters.unwrap_or(Parameters::Query);
        check_body(settings.method, body.as_ref(), parameters)?;
        if let Some(paging) = &settings.paging {
            paging.check("paging")?;
        }
        if let Some(incremental) = &settings.incremental {
            incremental.check("incremental")?;
        }
        let records = settings
            .records
            .as_deref()
            .map(str::parse::<JsonPath>)
            .transpose();
        let records =
            records.map_err(|error| SettingsError::of_key("records", error.to_string()))?;
        let (accept, count) = match (format, records) {
            ("json", Some(path)) => (Some(JSON), Count::Path(path)),
            ("json", None) => (Some(JSON), Count::Guess),
            ("csv", _) => (Some("text/csv"), Count::Lines { header: 1 }),
            ("ndjson", _) => (Some("application/x-ndjson"), Count::Lines { header: 0 }),
            ("xml", _) => (Some("application/xml"), Count::None),
            _ => (None, Count::None),
        };
        Ok(Self {
            url,
            body,
            parameters,
            paging: settings.paging,
            incremental: settings.incremental,
            count,
            accept,
            name: format!("records.{format}"),
        })
    }

    /// Whether a partition's value goes anywhere.
    pub(super) fn has_place(&self) -> bool {
        let place = format!("{{{PARTITION}}}");
        let in_body = |body: &Body| body.value.to_string().contains(&place);
        self.url.has_place(PARTITION) || self.body.as_ref().is_some_and(in_body)
    }

    /// From where on a run reads.
    pub(super) fn reads(&self) -> Reads {
        let incremental = self.incremental.as_ref();
        incremental.map(Incremental::reads).unwrap_or_default()
    }

    /// The next page.
    pub(super) async fn fetch(
        &self,
        partition: Option<&str>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let (mut url, mut body) = (self.url.clone(), self.body.clone());
        if let Some(partition) = partition {
            url = url.filled(PARTITION, partition);
            body = body.map(|body| Body {
                value: filled(body.value, partition),
                ..body
            });
        }
        let pager = Pager::new(url.clone(), self.paging.clone())
            .counting(self.count.clone())
            .since(self.incremental.clone());
        let request = |page: SourceUrl| self.request(&url, body.as_ref(), page);
        let mut fetched = pager.fetch(cursor, io, &self.name, request).await?;
        if let (
            Some(partition),
            Some(Fetched {
                part: Some(part), ..
            }),
        ) = (partition, &mut fetched)
            && self.body.is_some()
        {
            // Partitions that only the body tells apart have one address.
            part.key = format!("{}#partition={partition}", part.key);
        }
        Ok(fetched)
    }

    /// A page's request; what the pager wrote into the address goes into the body where the source wants it there.
    fn request(&self, base: &SourceUrl, body: Option<&Body>, page: SourceUrl) -> Request {
        let request = match body {
            None => Request::get(page),
            Some(body) => {
                let (page, value) = match self.parameters {
                    Parameters::Query => (page, body.value.clone()),
                    Parameters::Body => moved(base, page, body.value.clone()),
                };
                let bytes = match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                Request::post(page, bytes, &body.content_type)
            }
        };
        match self.accept {
            Some(media_type) => request.accept(media_type),
            None => request,
        }
    }
}

/// An address that a setting writes whole, or relative to the source's own, whose query goes along.
pub(super) fn address(
    text: &str,
    path: &[&str],
    base: &SourceUrl,
    context: &MakeContext,
) -> Result<SourceUrl, SettingsError> {
    if text.contains("://") {
        return UrlSetting::new(text).resolve(path, context);
    }
    let (hiding, text) = base.expand(text, path, context)?;
    if let Some(sign) = swallowed(&text) {
        let path = path.iter().map(|&step| step.to_owned()).collect();
        let message = format!("holds {sign}, which no address may");
        return Err(SettingsError::new(path, message).with_help("write it in one line"));
    }
    // A source's own address ends where a folder does, whether its last `/` is written or not.
    let root = if text.starts_with('/') {
        hiding
    } else {
        hiding.join(&[""])
    };
    let url = root.follow(&text).map_err(|error| {
        let path = path.iter().map(|&step| step.to_owned()).collect();
        SettingsError::new(path, error.message)
    })?;
    let of_base: Vec<(String, String)> = base.expose().query_pairs().into_owned().collect();
    let has = |name: &str| url.expose().query_pairs().any(|(key, _)| key == name);
    let along: Vec<(&str, &str)> = of_base
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .filter(|(key, _)| !has(key))
        .collect();
    Ok(if along.is_empty() {
        url
    } else {
        url.with_query(&along)
    })
}

fn check_body(
    method: Option<Method>,
    body: Option<&Body>,
    parameters: Parameters,
) -> Result<(), SettingsError> {
    let wrong = |key: &str, message: &str, help: &str| {
        Err(SettingsError::of_key(key, message).with_help(help))
    };
    let is_json = body.is_some_and(|body| body.value.is_object());
    match (method, body, parameters) {
        (Some(Method::Get), Some(_), _) => wrong(
            "body",
            "is not sent with `method: GET`",
            "leave `method` out, or write POST",
        ),
        (Some(Method::Post), None, _) => wrong(
            "method",
            "posts nothing",
            "write `body:`, which may be `{}`",
        ),
        (_, _, Parameters::Body) if !is_json => wrong(
            "parameters",
            "go into a body of keys with values, and there is none",
            "write `body: { … }`",
        ),
        _ => Ok(()),
    }
}

/// An address with a setting's parameters, whose secrets it hides.
fn with_query(
    mut url: SourceUrl,
    query: &BTreeMap<String, Value>,
    context: &MakeContext,
) -> Result<SourceUrl, SettingsError> {
    for (name, value) in query {
        let text = plain(value).ok_or_else(|| {
            let path = vec!["query".to_owned(), name.clone()];
            SettingsError::new(path, "must be a text or a number")
        })?;
        let (hiding, text) = url.expand(&text, &["query", name], context)?;
        url = hiding.with_query(&[(name, &text)]);
    }
    Ok(url)
}

/// A value of a query as it is sent.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A body with its references to secrets replaced, which `url` hides from then on.
fn expanded(
    value: Value,
    url: &mut SourceUrl,
    context: &MakeContext,
) -> Result<Value, SettingsError> {
    Ok(match value {
        Value::String(text) => {
            let (hiding, text) = url.expand(&text, &["body"], context)?;
            *url = hiding;
            text.into()
        }
        Value::Array(items) => {
            let items = items.into_iter().map(|item| expanded(item, url, context));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let pairs = map
                .into_iter()
                .map(|(key, value)| Ok((key, expanded(value, url, context)?)));
            Value::Object(pairs.collect::<Result<_, SettingsError>>()?)
        }
        other => other,
    })
}

/// A body with the partition in its places.
fn filled(value: Value, partition: &str) -> Value {
    match value {
        Value::String(text) => text.replace(&format!("{{{PARTITION}}}"), partition).into(),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| filled(item, partition))
                .collect(),
        ),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, filled(value, partition)))
                .collect(),
        ),
        other => other,
    }
}

/// The parameters that `page` has beyond `base`, moved into the body.
pub(super) fn moved(base: &SourceUrl, page: SourceUrl, body: Value) -> (SourceUrl, Value) {
    let of_base: BTreeMap<String, String> = base.expose().query_pairs().into_owned().collect();
    let added: Vec<(String, String)> = page
        .expose()
        .query_pairs()
        .into_owned()
        .filter(|(key, value)| of_base.get(key) != Some(value))
        .collect();
    let mut body = body;
    for (name, value) in added {
        // Offsets, numbers and ids are numbers in JSON too.
        let value = value
            .parse::<u64>()
            .map_or_else(|_| Value::from(value), Value::from);
        put(&mut body, &name, value);
    }
    (base.clone(), body)
}

/// Puts a value at a dotted way into a body.
fn put(body: &mut Value, way: &str, value: Value) {
    let mut place = body;
    for step in way.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Some(map) = place.as_object_mut() else {
            return;
        };
        place = map.entry(step).or_insert(Value::Null);
    }
    *place = value;
}
