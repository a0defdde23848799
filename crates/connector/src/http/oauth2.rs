//! OAuth 2.0 client credentials (RFC 6749, section 4.4): a token is fetched once, kept until it expires, and fetched anew
//! where it is refused.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::Http;
use super::auth::{basic_credentials, path};
use super::exchange::Letter;
use super::settings::{Credentials, Oauth2Settings};
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};
use crate::forms;
use crate::registry::MakeContext;
use crate::secret::{Secret, check_header};
use crate::settings::SettingsError;

/// A token is called old this long before it is: the next answer may take its time.
const EARLY: Duration = Duration::from_secs(30);
/// Size of the answer with a token.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Who asks for tokens, and the token at hand.
#[derive(Debug)]
pub(super) struct Client {
    url: SourceUrl,
    id: Secret,
    secret: Secret,
    scope: Option<String>,
    audience: Option<String>,
    credentials: Credentials,
    token: tokio::sync::Mutex<Option<Token>>,
    /// Every token so far, to be shown nowhere.
    given: Mutex<Vec<Secret>>,
}

#[derive(Debug, Clone)]
struct Token {
    text: Secret,
    until: Option<DateTime<Utc>>,
}

/// The answer (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
}

impl Client {
    pub(super) fn of(
        settings: &Oauth2Settings,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let secret = |key: &str, setting: &crate::secret::SecretSetting| {
            setting.resolve_at(&path(&["oauth2", key]), context)
        };
        let id = secret("client_id", &settings.client_id)?;
        let secret = secret("client_secret", &settings.client_secret)?;
        Ok(Self {
            url: settings
                .token_url
                .resolve(&["auth", "oauth2", "token_url"], context)?,
            id,
            secret,
            scope: settings.scope.clone(),
            audience: settings.audience.clone(),
            credentials: settings.credentials,
            token: tokio::sync::Mutex::default(),
            given: Mutex::default(),
        })
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let coded = forms::basic(self.id.expose(), self.secret.expose());
        let given = given.iter().map(|token| token.expose().to_owned());
        given
            .chain(self.secret.hidden())
            .chain(self.id.parts().iter().cloned())
            .chain(self.url.secrets())
            .chain([coded])
            .collect()
    }

    /// The token at hand, or another one if that is `refused` or old.
    pub(super) async fn token(
        &self,
        http: &Http,
        refused: Option<&Secret>,
    ) -> Result<Secret, ConnectorError> {
        let mut kept = self.token.lock().await;
        let now = http.inner.shared.pace.now();
        if let Some(token) = &*kept
            && token.until.is_none_or(|until| now < until)
            && refused != Some(&token.text)
        {
            return Ok(token.text.clone());
        }
        *kept = None;
        let token = self.ask(http, now).await?;
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.push(token.text.clone());
        *kept = Some(token.clone());
        Ok(token.text)
    }

    async fn ask(&self, http: &Http, now: DateTime<Utc>) -> Result<Token, ConnectorError> {
        let answer = http.exchange(&self.letter()?, ANSWER_BYTES_MAX).await?;
        let status = answer.status;
        // 400 and 401 both say that the client is not known, or may not (section 5.2).
        if status == 400 || status == 401 {
            let said = http.mask_own(&String::from_utf8_lossy(&answer.body));
            let said: String = said.chars().take(200).collect();
            let message = format!("gives no token (HTTP {status}): {said}");
            return Err(ConnectorError::new(ErrorKind::Forbidden, message)
                .at(&self.url)
                .with_help("check client_id, client_secret and scope of `auth: oauth2`"));
        }
        if let Some(error) = ConnectorError::of_status(status) {
            return Err(error.at(&self.url));
        }
        let granted: Option<Granted> = serde_json::from_slice(&answer.body).ok();
        let token = granted.and_then(|granted| {
            let text = Secret::new(granted.access_token);
            check_header("authorization", &text, &[]).ok()?;
            Some(Token {
                text,
                until: granted
                    .expires_in
                    .and_then(|value| seconds(&value))
                    .and_then(|seconds| now.checked_add_signed(seconds)),
            })
        });
        token.ok_or_else(|| {
            ConnectorError::new(ErrorKind::Invalid, "answers with no token")
                .at(&self.url)
                .with_help(
                    "it must be JSON with `access_token`, as RFC 6749 describes; check token_url",
                )
        })
    }

    fn letter(&self) -> Result<Letter, ConnectorError> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        let optional = [("scope", &self.scope), ("audience", &self.audience)];
        for (name, value) in optional {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, kind);
        match self.credentials {
            Credentials::Body => {
                form.append_pair("client_id", self.id.expose());
                form.append_pair("client_secret", self.secret.expose());
            }
            Credentials::Header => {
                let value = basic_credentials(&self.id, &self.secret);
                let mut value = HeaderValue::try_from(value).map_err(|_| {
                    let message = "the client's id or secret cannot be sent";
                    ConnectorError::new(ErrorKind::Invalid, message).at(&self.url)
                })?;
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
        }
        Ok(Letter {
            method: Method::POST,
            url: self.url.clone(),
            headers,
            body: Bytes::from(form.finish()),
        })
    }
}

/// Some servers write the number as a text.
fn seconds(value: &serde_json::Value) -> Option<chrono::TimeDelta> {
    let seconds = value
        .as_f64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))?;
    let kept = seconds - EARLY.as_secs_f64();
    chrono::TimeDelta::try_seconds(kept.max(0.0) as i64)
}
