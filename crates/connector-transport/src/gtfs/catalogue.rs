//! Feeds by their number in a catalogue: the Mobility Database.
//!
//! Reference: <https://mobilitydatabase.org>; its list of feeds as CSV, <https://github.com/MobilityData/mobility-database-catalogs>, and its
//! API, <https://github.com/MobilityData/mobility-feed-api>. The list needs no key; the API is asked where there is one. What the list
//! says is CC0; each feed has its publisher's own licence.

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use sectorlake_connector::{
    Answer, ConnectorError, ErrorKind, Io, MakeContext, Request, Secret, SecretSetting,
    SettingsError, SourceUrl, UrlSetting,
};
use serde::Deserialize;
use tokio::sync::OnceCell;

const LIST: &str = "https://files.mobilitydatabase.org/feeds_v2.csv";
const API: &str = "https://api.mobilitydatabase.org/v1";
/// The list of all feeds is a few megabytes.
const LIST_BYTES_MAX: usize = 64 << 20;
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Feeds that were given another number, one after the other.
const REDIRECTS_MAX: usize = 8;

/// Which catalogue `feed` is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Catalogue {
    /// mobilitydatabase.org, with several thousand feeds of the whole world.
    MobilityDatabase,
}

/// Where a feed of the catalogue is fetched from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Copy {
    /// From its publisher; where the publisher asks for a key, from the catalogue.
    #[default]
    Publisher,
    /// The catalogue's own newest copy, which a publisher's outage does not touch.
    Hosted,
}

/// One feed of the catalogue.
pub(super) struct Entry {
    feed: String,
    copy: Copy,
    list: SourceUrl,
    api: Option<(SourceUrl, Secret)>,
    found: OnceCell<SourceUrl>,
}

/// What either answer says of a feed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Listed {
    publisher: Option<String>,
    /// Whether the publisher asks for no key.
    is_open: bool,
    hosted: Option<String>,
    data_type: String,
    /// The number that it has now.
    redirect: Option<String>,
}

/// An answer of `/v1/gtfs_feeds/{id}`.
#[derive(Deserialize)]
struct FeedAnswer {
    #[serde(default)]
    data_type: String,
    #[serde(default)]
    source_info: Option<SourceInfo>,
    #[serde(default)]
    latest_dataset: Option<Dataset>,
    #[serde(default)]
    redirects: Vec<Redirect>,
}

#[derive(Deserialize)]
struct SourceInfo {
    #[serde(default)]
    producer_url: Option<String>,
    #[serde(default)]
    authentication_type: Option<u8>,
}

#[derive(Deserialize)]
struct Dataset {
    #[serde(default)]
    hosted_url: Option<String>,
}

#[derive(Deserialize)]
struct Redirect {
    #[serde(default)]
    target_id: Option<String>,
}

/// An answer of `/v1/tokens`.
#[derive(Deserialize)]
struct Token {
    access_token: String,
}

impl Entry {
    pub(super) fn new(
        feed: &str,
        copy: Copy,
        (list, token): (Option<&UrlSetting>, Option<&SecretSetting>),
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let is_number =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if feed.is_empty() || !feed.bytes().all(is_number) {
            return Err(SettingsError::of_key("feed", "is no number of a feed")
                .with_help("write it as the catalogue does, such as mdb-123"));
        }
        let at = |default: &str| list.cloned().unwrap_or_else(|| UrlSetting::new(default));
        let api = match token {
            Some(token) => Some((
                at(API).resolve(&["catalogue_url"], context)?,
                token.resolve("token", context)?,
            )),
            None => None,
        };
        Ok(Self {
            feed: feed.to_owned(),
            copy,
            list: at(LIST).resolve(&["catalogue_url"], context)?,
            api,
            found: OnceCell::new(),
        })
    }

    /// Where the feed is, asked once.
    pub(super) async fn url(&self, io: &Io) -> Result<&SourceUrl, ConnectorError> {
        self.found.get_or_try_init(|| self.find(io)).await
    }

    async fn find(&self, io: &Io) -> Result<SourceUrl, ConnectorError> {
        let mut feed = self.feed.clone();
        let (place, listed) = match &self.api {
            Some((api, token)) => {
                let headers = bearer(api, token, io).await?;
                let mut hops = 0;
                loop {
                    let place = api.join(&["gtfs_feeds", &feed]);
                    let listed = of_api(&place, &headers, io).await?;
                    let Some(next) = self.next(&listed, &mut hops, &place)? else {
                        break (place, listed);
                    };
                    feed = next;
                }
            }
            None => {
                let bytes = read(
                    Request::get(self.list.clone()),
                    LIST_BYTES_MAX,
                    &self.list,
                    io,
                )
                .await?;
                let mut hops = 0;
                loop {
                    let listed = of_list(&bytes, &feed).map_err(|error| error.at(&self.list))?;
                    let Some(next) = self.next(&listed, &mut hops, &self.list)? else {
                        break (self.list.clone(), listed);
                    };
                    feed = next;
                }
            }
        };
        self.choose(&listed)
            .map_or_else(|error| Err(error.at(&place)), |url| place.follow(url))
    }

    /// The number that the feed has now, if it was given another.
    fn next(
        &self,
        listed: &Listed,
        hops: &mut usize,
        place: &SourceUrl,
    ) -> Result<Option<String>, ConnectorError> {
        let Some(next) = &listed.redirect else {
            return Ok(None);
        };
        *hops += 1;
        if *hops > REDIRECTS_MAX {
            let message = format!("{} leads from one number to another without end", self.feed);
            return Err(ConnectorError::new(ErrorKind::Invalid, message).at(place));
        }
        Ok(Some(next.clone()))
    }

    fn choose<'l>(&self, listed: &'l Listed) -> Result<&'l str, ConnectorError> {
        if !listed.data_type.is_empty() && listed.data_type != "gtfs" {
            let message = format!(
                "{} is a feed of {}, no timetable",
                self.feed, listed.data_type
            );
            return Err(ConnectorError::new(ErrorKind::Invalid, message).with_help(
                "take the number of a GTFS Schedule feed; others have connectors of their own",
            ));
        }
        let publisher = listed.publisher.as_deref().filter(|_| listed.is_open);
        let hosted = listed.hosted.as_deref();
        let (first, second) = match self.copy {
            Copy::Publisher => (publisher, hosted),
            Copy::Hosted => (hosted, publisher),
        };
        first.or(second).ok_or_else(|| {
            let message = format!("{} has no address that can be fetched without a key", self.feed);
            ConnectorError::new(ErrorKind::NotFound, message)
                .with_help("write the publisher's address with its key as `url:` in place of `catalogue:` and `feed:`")
        })
    }
}

/// A token for an hour, for the long-lived one.
async fn bearer(
    api: &SourceUrl,
    token: &Secret,
    io: &Io,
) -> Result<Vec<(String, Secret)>, ConnectorError> {
    let url = api.join(&["tokens"]);
    let body = serde_json::json!({ "refresh_token": token.expose() }).to_string();
    let request = Request::post(url.clone(), body, "application/json");
    let bytes = read(request, ANSWER_BYTES_MAX, &url, io).await?;
    // What cannot be read may hold a token, so that nothing of it is told.
    let token: Token = serde_json::from_slice(&bytes).map_err(|_| {
        ConnectorError::new(ErrorKind::Invalid, "the answer holds no access token")
            .at(&url)
            .with_help("`token` is the refresh token of your account at mobilitydatabase.org")
    })?;
    let value = Secret::new(format!("Bearer {}", token.access_token));
    Ok(vec![("authorization".to_owned(), value)])
}

async fn of_api(
    url: &SourceUrl,
    headers: &[(String, Secret)],
    io: &Io,
) -> Result<Listed, ConnectorError> {
    let request = Request::get(url.clone()).with_headers(headers);
    let bytes = read(request, ANSWER_BYTES_MAX, url, io).await?;
    let answer: FeedAnswer = serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("is no answer of the Mobility Database: {error}");
        ConnectorError::new(ErrorKind::Invalid, message).at(url)
    })?;
    let source = answer.source_info;
    let authentication = source
        .as_ref()
        .and_then(|source| source.authentication_type);
    Ok(Listed {
        is_open: matches!(authentication, None | Some(0)),
        publisher: source.and_then(|source| source.producer_url),
        hosted: answer.latest_dataset.and_then(|dataset| dataset.hosted_url),
        data_type: answer.data_type,
        redirect: answer
            .redirects
            .into_iter()
            .find_map(|redirect| redirect.target_id),
    })
}

async fn read(
    request: Request,
    bytes_max: usize,
    url: &SourceUrl,
    io: &Io,
) -> Result<bytes::Bytes, ConnectorError> {
    match io.http().get(&request).await? {
        Answer::Fresh(answer) => Ok(answer.read(bytes_max).await?.1),
        Answer::Unchanged => {
            let message = "it says unchanged, though nothing is known of it yet";
            Err(ConnectorError::new(ErrorKind::Invalid, message).at(url))
        }
    }
}

/// The line of a feed in the list.
fn of_list(list: &[u8], feed: &str) -> Result<Listed, ConnectorError> {
    let invalid = |message: String| ConnectorError::new(ErrorKind::Invalid, message);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(list);
    let wrong = |error: csv::Error| invalid(format!("is no list of feeds: {error}"));
    let header = reader.headers().map_err(wrong)?.clone();
    let column = |name: &str| header.iter().position(|known| known == name);
    let id = column("id")
        .or_else(|| column("mdb_source_id"))
        .ok_or_else(|| invalid("is no list of feeds: it has no column id".to_owned()))?;
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        if record.get(id) != Some(feed) {
            continue;
        }
        let value = |name: &str| {
            let value = column(name).and_then(|index| record.get(index))?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        return Ok(Listed {
            publisher: value("urls.direct_download"),
            is_open: matches!(
                value("urls.authentication_type").as_deref(),
                None | Some("0")
            ),
            hosted: value("urls.latest"),
            data_type: value("data_type").unwrap_or_default(),
            redirect: value("redirect.id").and_then(|ids| Some(ids.split('|').next()?.to_owned())),
        });
    }
    Err(ConnectorError::new(
        ErrorKind::NotFound,
        format!("the catalogue has no feed {feed}"),
    )
    .with_help("look the number up at mobilitydatabase.org: it stands in the feed's address"))
}
