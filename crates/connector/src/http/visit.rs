//! Who asks, and what whoever runs the pipeline should hear of it.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use reqwest::header::{FROM, HeaderMap, HeaderValue, USER_AGENT as AGENT};

use super::{Http, USER_AGENT};
use crate::drawable::drawable;
use crate::settings::SettingsError;

/// Notes of one run that are kept: a source with a million files need not say it of each.
const NOTES_MAX: usize = 50;

/// Whom a source may write to about us: an e-mail address or a page's URL.
#[derive(Debug, Clone)]
pub struct Contact {
    agent: HeaderValue,
    from: Option<HeaderValue>,
}

impl Contact {
    /// A contact of this text.
    ///
    /// # Errors
    /// [`SettingsError`] for what cannot be sent to sources.
    pub fn new(text: &str) -> Result<Self, SettingsError> {
        let text = text.trim();
        let is_mail = text.contains('@') && !text.contains(':');
        let shown = match is_mail {
            true => format!("{USER_AGENT} (+mailto:{text})"),
            false => format!("{USER_AGENT} (+{text})"),
        };
        // Parentheses would end the comment early (RFC 9110, section 5.6.5).
        let fits =
            text.contains(['@', '.']) && text.is_ascii() && !text.contains([' ', '(', ')', '\\']);
        let agent = HeaderValue::try_from(shown).ok().filter(|_| fits);
        let agent = agent.ok_or_else(|| {
            SettingsError::of_key("contact", format!("{text:?} is no contact"))
                .with_help("write an e-mail address or the URL of a page about you")
        })?;
        let from = HeaderValue::try_from(text).ok().filter(|_| is_mail);
        Ok(Self { agent, from })
    }
}

/// One run's use of the client.
#[derive(Debug)]
pub(super) struct Visit {
    introduction: HeaderMap,
    notes: Mutex<Vec<String>>,
}

impl Visit {
    pub(super) fn of(contact: Option<&Contact>) -> Self {
        let mut introduction = HeaderMap::new();
        let agent = contact.map(|contact| contact.agent.clone());
        introduction.insert(AGENT, agent.unwrap_or(HeaderValue::from_static(USER_AGENT)));
        if let Some(from) = contact.and_then(|contact| contact.from.clone()) {
            introduction.insert(FROM, from);
        }
        Self {
            introduction,
            notes: Mutex::default(),
        }
    }

    fn again(&self) -> Self {
        Self {
            introduction: self.introduction.clone(),
            notes: Mutex::default(),
        }
    }
}

impl Http {
    /// The same client, which tells sources whom to write to.
    #[must_use]
    pub fn with_contact(&self, contact: &Contact) -> Self {
        Self {
            visit: Visit::of(Some(contact)).into(),
            ..self.clone()
        }
    }

    /// The same client with notes of its own.
    pub(crate) fn for_run(&self) -> Self {
        Self {
            visit: self.visit.again().into(),
            ..self.clone()
        }
    }

    /// The time by the clock that was handed in.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.inner.shared.pace.now()
    }

    /// What was noted since it was last asked.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        let mut notes = self
            .visit
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *notes)
    }

    pub(crate) fn note(&self, note: String) {
        let note = drawable(&note).into_owned();
        let mut notes = self
            .visit
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if notes.len() < NOTES_MAX && !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Who we are.
    pub(super) fn introduction(&self) -> HeaderMap {
        self.visit.introduction.clone()
    }
}
