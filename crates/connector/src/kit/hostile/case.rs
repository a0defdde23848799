//! A case as its file has it.

use crate::error::{ConnectorError, ErrorKind};

/// What may come of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// What is read when all is well.
    Right,
    /// The bytes, as the server sent them: whoever reads them as records judges them.
    AsSent,
    /// A beginning of them: the source has told where they end.
    AsBegun,
    /// More parts than the kit reads: the source has ever more, and only the connector's own bound ends it.
    WithoutEnd,
    /// An error of this kind, with these words in it.
    Error(String, String),
}

/// A hostile answer, and what is expected of those who get it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    about: String,
    pub(super) expected: Vec<Outcome>,
    /// So many answers are hostile; `None`: all.
    pub(super) times: Option<usize>,
    /// The certificate that the server shows.
    pub(super) tls: Option<String>,
    /// The answer itself: head, and body behind an empty line, with places to be filled.
    pub(super) answer: String,
}

impl Case {
    /// Lines with `#` come first: one that describes the case, then `# expect: …` and others; then the answer.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut case = Self {
            about: String::new(),
            expected: Vec::new(),
            times: None,
            tls: None,
            answer: String::new(),
        };
        let mut rest = text;
        while let Some(line) = rest.strip_prefix("# ") {
            let (line, after) = line.split_once('\n').ok_or("has no answer")?;
            rest = after;
            match line.split_once(": ") {
                Some(("expect", outcomes)) => {
                    for outcome in outcomes.split(" | ") {
                        case.expected.push(outcome_of(outcome)?);
                    }
                }
                Some(("times", times)) => {
                    case.times = Some(times.parse().map_err(|_| "`times` is no number")?);
                }
                Some(("tls", name)) => case.tls = Some(name.to_owned()),
                _ if case.about.is_empty() => case.about = line.to_owned(),
                _ => case.about.extend([" ", line]),
            }
        }
        if case.about.is_empty() || case.expected.is_empty() {
            return Err("lacks its description or what is expected".to_owned());
        }
        // The last line break is the file's, not the answer's.
        case.answer = rest.strip_suffix('\n').unwrap_or(rest).to_owned();
        Ok(case)
    }

    #[cfg(test)]
    pub(super) fn about(&self) -> &str {
        &self.about
    }

    pub(super) fn takes(&self, error: &ConnectorError) -> bool {
        let said = error.to_string();
        let kind = format!("{:?}", error.kind);
        self.expected.iter().any(|outcome| match outcome {
            Outcome::Error(expected, words) => *expected == kind && said.contains(words.as_str()),
            _ => false,
        })
    }

    pub(super) fn shown(&self) -> String {
        let all: Vec<String> = self.expected.iter().map(|it| format!("{it:?}")).collect();
        all.join(" or ")
    }
}

fn outcome_of(text: &str) -> Result<Outcome, String> {
    let text = text.trim();
    match text {
        "right" => return Ok(Outcome::Right),
        "as sent" => return Ok(Outcome::AsSent),
        "without end" => return Ok(Outcome::WithoutEnd),
        "as begun" => return Ok(Outcome::AsBegun),
        _ => {}
    }
    let (kind, words) = text.split_once(' ').unwrap_or((text, ""));
    let is_kind = KINDS.iter().any(|known| format!("{known:?}") == kind);
    if !is_kind {
        return Err(format!("{kind:?} is no kind of error"));
    }
    Ok(Outcome::Error(
        kind.to_owned(),
        words.trim_matches('"').to_owned(),
    ))
}

const KINDS: [ErrorKind; 17] = [
    ErrorKind::NotFound,
    ErrorKind::Forbidden,
    ErrorKind::TooManyRequests,
    ErrorKind::Refused,
    ErrorKind::Server,
    ErrorKind::Unreachable,
    ErrorKind::Untrusted,
    ErrorKind::Timeout,
    ErrorKind::Truncated,
    ErrorKind::Corrupt,
    ErrorKind::TooLarge,
    ErrorKind::Redirect,
    ErrorKind::PrivateNetwork,
    ErrorKind::NotData,
    ErrorKind::Invalid,
    ErrorKind::Changed,
    ErrorKind::Local,
];
