//! How the source is told who asks.

use std::sync::Arc;

use url::Url;

use super::oauth2::Client;
use super::settings::{AuthSettings, BasicSettings, NamedSecret};
use crate::forms::{self, GUESSED_BYTES_MIN};
use crate::registry::MakeContext;
use crate::secret::{Secret, check_header};
use crate::settings::SettingsError;

/// What is sent to the source's own host.
#[derive(Debug, Clone)]
pub(super) enum Auth {
    /// HTTP Basic: the header's value, and what it is made of.
    Basic(Secret, Vec<Secret>),
    /// A header.
    Header(String, Secret),
    /// A key of the query.
    Query(String, Secret),
    /// A token that is fetched.
    Token(Arc<Client>),
}

impl Auth {
    pub(super) fn of(
        settings: &AuthSettings,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let AuthSettings {
            bearer,
            basic,
            header,
            query,
            oauth2,
        } = settings;
        let given = [
            bearer.is_some(),
            basic.is_some(),
            header.is_some(),
            query.is_some(),
            oauth2.is_some(),
        ];
        if given.into_iter().filter(|&is_given| is_given).count() != 1 {
            let message = "takes exactly one of `bearer`, `basic`, `header`, `query` and `oauth2`";
            return Err(SettingsError::of_key("auth", message)
                .with_help("write, for instance, auth: { bearer: \"${env:TOKEN}\" }"));
        }
        if let Some(token) = bearer {
            let path = path(&["bearer"]);
            let token = token.resolve_at(&path, context)?;
            let value = authorization(format!("Bearer {}", token.expose()), &path)?;
            return Ok(Self::Header("authorization".to_owned(), value));
        }
        if let Some(BasicSettings { user, password }) = basic {
            let user = user.resolve_at(&path(&["basic", "user"]), context)?;
            if user.expose().contains(':') {
                return Err(
                    SettingsError::new(path(&["basic", "user"]), "must hold no colon")
                        .with_help("HTTP Basic parts user and password by it"),
                );
            }
            let password = password.resolve_at(&path(&["basic", "password"]), context)?;
            let value = authorization(basic_credentials(&user, &password), &path(&["basic"]))?;
            return Ok(Self::Basic(value, basic_secrets(&user, &password)));
        }
        if let Some(NamedSecret { name, value }) = header {
            let path = path(&["header", "value"]);
            let value = value.resolve_at(&path, context)?;
            check_header(name, &Secret::new(""), &self::path(&["header", "name"]))?;
            check_header(name, &value, &path)?;
            return Ok(Self::Header(name.clone(), value));
        }
        if let Some(NamedSecret { name, value }) = query {
            let value = value.resolve_at(&path(&["query", "value"]), context)?;
            return Ok(Self::Query(name.clone(), value));
        }
        let Some(oauth2) = oauth2 else {
            return Err(SettingsError::of_key("auth", "is empty"));
        };
        Ok(Self::Token(Arc::new(Client::of(oauth2, context)?)))
    }

    /// What must be shown nowhere.
    pub(super) fn secrets(&self) -> Vec<String> {
        match self {
            Self::Basic(value, made_of) => {
                let made_of = made_of.iter().map(|secret| secret.expose().to_owned());
                value.hidden().into_iter().chain(made_of).collect()
            }
            Self::Header(_, value) | Self::Query(_, value) => value.hidden(),
            Self::Token(client) => client.secrets(),
        }
    }

    /// The header that is sent, if it is one.
    pub(super) fn header(&self) -> Option<(&str, &Secret)> {
        match self {
            Self::Basic(value, _) => Some(("authorization", value)),
            Self::Header(name, value) => Some((name, value)),
            Self::Query(..) | Self::Token(_) => None,
        }
    }

    /// The address as it is sent: with the key in its query.
    pub(super) fn address(&self, url: &Url) -> Url {
        let Self::Query(name, value) = self else {
            return url.clone();
        };
        let mut sent = url.clone();
        let others: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(key, _)| key != name)
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        sent.query_pairs_mut()
            .clear()
            .extend_pairs(others)
            .append_pair(name, value.expose());
        sent
    }
}

/// `user:password` as HTTP Basic has it (RFC 7617).
pub(super) fn basic_credentials(user: &Secret, password: &Secret) -> String {
    let coded = forms::basic(user.expose(), password.expose());
    format!("Basic {coded}")
}

/// What of a user and a password is secret: a password, and a user that is a key. One of a letter or two, as sources with keys
/// want for the other half, is none.
fn basic_secrets(user: &Secret, password: &Secret) -> Vec<Secret> {
    let parts = user.parts().iter().chain(password.parts());
    let mut secrets: Vec<Secret> = parts.map(Secret::new).collect();
    if password.expose().len() >= GUESSED_BYTES_MIN {
        secrets.push(password.clone());
    }
    secrets
}

pub(super) fn path(steps: &[&str]) -> Vec<String> {
    let steps = ["auth"].iter().chain(steps);
    steps.map(|&step| step.to_owned()).collect()
}

fn authorization(value: String, path: &[String]) -> Result<Secret, SettingsError> {
    let value = Secret::new(value);
    check_header("authorization", &value, path)?;
    Ok(value)
}
