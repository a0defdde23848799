//! Using a recording.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::index::{Head, Line, Question};
use super::{VERSION, bodies, index, local};
use crate::error::{ConnectorError, ErrorKind};

/// A recording that answers. Clones go through the same answers.
#[derive(Debug, Clone)]
pub struct Recording(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    started_at: DateTime<Utc>,
    lines: Vec<Line>,
    /// The lines that answer a question, and how many were used.
    answers: Mutex<HashMap<Question, (Vec<usize>, usize)>>,
}

impl Recording {
    /// The recording in `dir`.
    ///
    /// # Errors
    /// [`ErrorKind::Local`] with the file and line, where it is none.
    pub fn open(dir: &Path) -> Result<Self, ConnectorError> {
        const HELP: &str = "make one with `sectorlake run PIPELINE --record DIR`";
        let path = index(dir);
        let file = File::open(&path)
            .map_err(|error| local(&path, &format!("is no recording: {error}"), HELP))?;
        let mut head = None;
        let mut lines = Vec::new();
        for (number, text) in BufReader::new(file).lines().enumerate() {
            let wrong = |reason: String| {
                let message = format!("line {}: {reason}", number + 1);
                local(&path, &message, "record again into another folder")
            };
            let text = text.map_err(|error| wrong(error.to_string()))?;
            if number == 0 {
                let read: Head =
                    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
                if read.recording != VERSION {
                    return Err(wrong(format!("has the version {}", read.recording)));
                }
                head = Some(read);
                continue;
            }
            let line: Line =
                serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            if line.body.as_deref().is_some_and(|hash| !is_hash(hash)) {
                return Err(wrong("`body` is no hash".to_owned()));
            }
            lines.push(line);
        }
        let head = head.ok_or_else(|| local(&path, "is empty", HELP))?;
        let mut answers: HashMap<Question, (Vec<usize>, usize)> = HashMap::new();
        for (at, line) in lines.iter().enumerate() {
            answers.entry(line.asked.clone()).or_default().0.push(at);
        }
        Ok(Self(Arc::new(Inner {
            dir: dir.to_owned(),
            started_at: head.started_at,
            lines,
            answers: Mutex::new(answers),
        })))
    }

    /// When the recording run began.
    #[must_use]
    pub fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }

    /// Every exchange, in the order in which they ended.
    pub(crate) fn lines(&self) -> &[Line] {
        &self.0.lines
    }

    /// The next answer to this question.
    pub(crate) fn answer(&self, asked: &Question) -> Result<&Line, ConnectorError> {
        let mut answers = self
            .0
            .answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let next = answers.get_mut(asked).and_then(|(all, used)| {
            let at = all.get(*used).or(all.last())?;
            *used = (*used + 1).min(all.len());
            self.0.lines.get(*at)
        });
        next.ok_or_else(|| {
            let with = match asked.question {
                Some(_) => " with this body",
                None => "",
            };
            let message = format!(
                "the recording {} holds no answer to {} {}{with}",
                self.0.dir.display(),
                asked.method,
                asked.target
            );
            ConnectorError::new(ErrorKind::Local, message)
                .at(&asked.target)
                .with_help("the pipeline asks otherwise than when it was recorded: record it again, with an empty lake")
        })
    }

    /// The body of an answer; none where it is empty.
    pub(crate) fn body(&self, line: &Line) -> Result<Option<File>, ConnectorError> {
        let Some(hash) = &line.body else {
            return Ok(None);
        };
        let path = bodies(&self.0.dir).join(hash);
        let file = File::open(&path).map_err(|error| {
            let message = format!("the recording lacks a body: {error}");
            local(&path, &message, "record again into another folder")
        })?;
        Ok(Some(file))
    }

    /// The body of an answer, whole.
    pub(crate) fn bytes(&self, line: &Line) -> Result<Vec<u8>, ConnectorError> {
        let mut bytes = Vec::new();
        if let Some(mut file) = self.body(line)? {
            file.read_to_end(&mut bytes)
                .map_err(|error| local(&self.0.dir, &error.to_string(), "record again"))?;
        }
        Ok(bytes)
    }
}

/// Nothing else is a name in a recording: `../../etc/passwd` is none.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
