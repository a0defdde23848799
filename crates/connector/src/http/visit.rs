//! Who asks, and what whoever runs the pipeline should hear of it.

use std::sync::{Mutex, PoisonError};

use reqwest::header::{FROM, HeaderMap, HeaderValue, USER_AGENT as AGENT};

use super::{Http, USER_AGENT};
use crate::settings::SettingsError;

/// Notes of one run that are kept: a source with a million files need not say it of each.
const NOTES_MAX: usize = 50;

/// One run's use of the client.
#[derive(Debug, Default)]
pub(super) struct Visit {
    introduction: HeaderMap,
    notes: Mutex<Vec<String>>,
}

impl Visit {
    pub(super) fn of(contact: Option<&str>) -> Result<Self, SettingsError> {
        let mut introduction = HeaderMap::new();
        introduction.insert(AGENT, HeaderValue::from_static(USER_AGENT));
        if let Some(contact) = contact {
            let is_mail = contact.contains('@') && !contact.contains(':');
            let shown = match is_mail {
                true => format!("{USER_AGENT} (+mailto:{contact})"),
                false => format!("{USER_AGENT} (+{contact})"),
            };
            // Parentheses would end the comment early (RFC 9110, section 5.6.5).
            let agent = HeaderValue::try_from(shown).ok();
            let agent = agent.filter(|_| contact.is_ascii() && !contact.contains(['(', ')', '\\']));
            let agent = agent.ok_or_else(|| {
                SettingsError::of_key("contact", format!("{contact:?} cannot be sent to sources"))
                    .with_help("write an e-mail address or the URL of a page about you")
            })?;
            introduction.insert(AGENT, agent);
            if is_mail && let Ok(from) = HeaderValue::try_from(contact) {
                introduction.insert(FROM, from);
            }
        }
        Ok(Self {
            introduction,
            notes: Mutex::default(),
        })
    }

    fn again(&self) -> Self {
        Self {
            introduction: self.introduction.clone(),
            notes: Mutex::default(),
        }
    }
}

impl Http {
    /// The same client, which tells sources whom to write to: an e-mail address or a page's URL.
    ///
    /// # Errors
    /// [`SettingsError`] for what a header cannot hold.
    pub fn with_contact(&self, contact: &str) -> Result<Self, SettingsError> {
        Ok(Self {
            visit: Visit::of(Some(contact.trim()))?.into(),
            ..self.clone()
        })
    }

    /// The same client with notes of its own.
    pub(crate) fn for_run(&self) -> Self {
        Self {
            visit: self.visit.again().into(),
            ..self.clone()
        }
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

    pub(super) fn note(&self, note: String) {
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
