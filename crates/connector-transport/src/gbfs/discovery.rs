//! The list of a system's feeds: `gbfs.json`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sectorlake_connector::{Answer, ConnectorError, ErrorKind, Io, Request, SourceUrl};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::feeds::moment;
use crate::poll::until;

/// A list of feeds is a few kilobytes.
const LIST_BYTES_MAX: usize = 4 << 20;

/// A system, whose list is asked for once a run, and not before what it says of itself has passed.
pub(super) struct Discovery {
    url: SourceUrl,
    language: Option<String>,
    found: Mutex<Option<Found>>,
}

struct Found {
    run: DateTime<Utc>,
    /// Before then the list holds.
    until: Option<DateTime<Utc>>,
    feeds: BTreeMap<String, SourceUrl>,
}

impl Found {
    fn holds(&self, now: DateTime<Utc>) -> bool {
        self.run == now || self.until.is_some_and(|until| now < until)
    }
}

/// `gbfs.json`, of which only the feeds matter.
#[derive(Deserialize)]
struct List {
    data: Value,
}

#[derive(Deserialize)]
struct Feeds {
    feeds: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    url: String,
}

impl Discovery {
    pub(super) fn new(url: SourceUrl, language: Option<String>) -> Self {
        Self {
            url,
            language,
            found: Mutex::new(None),
        }
    }

    /// Where the system has a feed of that name; none if it has none.
    pub(super) async fn feed(
        &self,
        name: &str,
        io: &Io,
    ) -> Result<Option<SourceUrl>, ConnectorError> {
        let mut found = self.found.lock().await;
        let known = match found.take() {
            Some(known) if known.holds(io.started_at()) => known,
            _ => self.ask(io).await?,
        };
        let url = known.feeds.get(name).cloned();
        *found = Some(known);
        Ok(url)
    }

    async fn ask(&self, io: &Io) -> Result<Found, ConnectorError> {
        let request = Request::get(self.url.clone()).accept("application/json");
        let Answer::Fresh(answer) = io.http().get(&request).await? else {
            // Nothing was said of an earlier list, so this is the source's mistake.
            let message = "it says unchanged, though nothing is known of it yet";
            return Err(ConnectorError::new(ErrorKind::Invalid, message).at(&self.url));
        };
        let (_, bytes) = answer.read(LIST_BYTES_MAX).await?;
        let named = self.feeds(&bytes).map_err(|message| {
            ConnectorError::new(ErrorKind::Invalid, message)
                .at(&self.url)
                .with_help("`url` is the address of the system's gbfs.json; if it is that one, ask its publisher")
        })?;
        let feeds = named
            .into_iter()
            .map(|named| Ok((named.name, self.url.follow(&named.url)?)));
        let run = io.started_at();
        Ok(Found {
            run,
            // A list that says nothing of itself is asked for by every run.
            until: moment(&bytes).ok().and_then(|moment| until(&moment, run)),
            feeds: feeds.collect::<Result<_, ConnectorError>>()?,
        })
    }

    /// In 3.x the feeds stand in the list, in 2.x by language.
    fn feeds(&self, bytes: &[u8]) -> Result<Vec<Named>, String> {
        let wrong = |error: serde_json::Error| format!("is no list of GBFS feeds: {error}");
        let list: List = serde_json::from_slice(bytes).map_err(wrong)?;
        let feeds = match list.data {
            data @ Value::Object(_) if data.get("feeds").is_some() => data,
            Value::Object(mut languages) => {
                let language = self.language_of(languages.keys())?;
                languages.remove(&language).unwrap_or_default()
            }
            _ => return Err("is no list of GBFS feeds: `data` is no object".to_owned()),
        };
        let feeds: Feeds = serde_json::from_value(feeds).map_err(wrong)?;
        Ok(feeds.feeds)
    }

    /// The language asked for, else English, else the first.
    fn language_of<'a>(
        &self,
        languages: impl Iterator<Item = &'a String>,
    ) -> Result<String, String> {
        let languages: Vec<&String> = languages.collect();
        let has = |wanted: &str| languages.iter().any(|language| *language == wanted);
        match &self.language {
            Some(wanted) if has(wanted) => Ok(wanted.clone()),
            Some(wanted) => Err(format!(
                "has no feeds in the language {wanted:?}; there are: {}",
                languages
                    .iter()
                    .map(|it| it.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
            None if has("en") => Ok("en".to_owned()),
            None => match languages.first() {
                Some(first) => Ok((*first).clone()),
                None => Err("is no list of GBFS feeds: it names none".to_owned()),
            },
        }
    }
}
