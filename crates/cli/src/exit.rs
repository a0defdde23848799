//! Exit codes, and the one error type that reaches the edge.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use miette::{Diagnostic, LabeledSpan, NamedSource, Severity, SourceCode};

/// How the process ends. `--help` documents the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All went well.
    Ok = 0,
    /// Storage, network, or a fault of ours.
    Internal = 1,
    /// A flag, a pipeline file, a contract, a statement.
    Usage = 2,
    /// Some pipelines failed, the others are published.
    SomeFailed = 3,
    /// All pipelines failed.
    AllFailed = 4,
    /// Another run of the same pipeline is under way.
    Locked = 5,
    /// A contract that the next run would refuse.
    Breaking = 6,
    /// Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The piece of a file or statement an error points at.
#[derive(Debug, Clone)]
pub(crate) struct Snippet {
    /// The file, or `statement`.
    pub(crate) name: String,
    /// The whole text.
    pub(crate) text: String,
    /// Byte where the trouble starts.
    pub(crate) offset: usize,
    /// Bytes the trouble covers; none where the text ends too early.
    pub(crate) length: usize,
}

impl Snippet {
    /// Points at a 1-based line and column (in characters) of `text`; `None` when the text has no such place.
    pub(crate) fn at(name: &str, text: &str, line: usize, column: usize) -> Option<Self> {
        let mut start = 0;
        for _ in 1..line {
            start += text[start..].find('\n')? + 1;
        }
        let rest = text[start..].lines().next().unwrap_or_default();
        let column = column.max(1) - 1;
        let offset = rest
            .char_indices()
            .nth(column)
            .map_or(rest.len(), |(at, _)| at);
        let word = rest[offset..]
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .unwrap_or(rest.len() - offset);
        Some(Self {
            name: name.to_owned(),
            text: text.to_owned(),
            offset: start + offset,
            length: word.max(1).min((text.len() - start - offset).max(1)),
        })
    }

    /// The 1-based line and column (in characters) of the trouble.
    pub(crate) fn place(&self) -> (usize, usize) {
        let before = &self.text[..self.offset.min(self.text.len())];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }
}

/// What went wrong, ready to print: the only error `main` sees.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The code to end with; `Ok` of what is only a warning.
    pub(crate) exit: Exit,
    /// What failed, in one sentence.
    pub(crate) message: String,
    /// Why, from the outer to the inner cause.
    pub(crate) causes: Vec<String>,
    /// The mend.
    pub(crate) help: Option<String>,
    /// The place in a text.
    pub(crate) snippet: Option<Box<Snippet>>,
    source: Option<Box<NamedSource<String>>>,
}

impl Failure {
    /// A failure with nothing but its message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            causes: Vec::new(),
            help: None,
            snippet: None,
            source: None,
        }
    }

    /// A failure told by `error` and its chain of sources; a cause that its parent already quotes is left out.
    pub(crate) fn from_error(exit: Exit, error: &dyn Error) -> Self {
        let mut failure = Self::new(exit, error.to_string());
        let mut told = failure.message.clone();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !told.contains(&text) {
                failure.causes.push(text.clone());
                told.push_str(&text);
            }
            next = cause.source();
        }
        failure
    }

    /// Adds the mend.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the mend where there is one.
    pub(crate) fn maybe_help(mut self, help: Option<impl Into<String>>) -> Self {
        self.help = help.map(Into::into).or(self.help);
        self
    }

    /// Adds the place.
    pub(crate) fn snippet(mut self, snippet: Option<Snippet>) -> Self {
        self.source = snippet
            .as_ref()
            .map(|it| Box::new(NamedSource::new(&it.name, it.text.clone())));
        self.snippet = snippet.map(Box::new);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, "\n{cause}")?;
        }
        Ok(())
    }
}

impl Error for Failure {}

impl Diagnostic for Failure {
    fn severity(&self) -> Option<Severity> {
        (self.exit == Exit::Ok).then_some(Severity::Warning)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|it| Box::new(it) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_deref().map(|it| it as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let snippet = self.snippet.as_ref()?;
        let before = snippet.text.get(..snippet.offset).unwrap_or_default();
        let label = match before.char_indices().next_back() {
            // Nothing can be drawn below the end itself.
            Some((last, c)) if snippet.length == 0 => {
                LabeledSpan::new(Some("here it ends".to_owned()), last, c.len_utf8())
            }
            _ => LabeledSpan::new(Some("here".to_owned()), snippet.offset, snippet.length),
        };
        Some(Box::new(std::iter::once(label)))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_snippet_finds_its_word_and_its_place() {
        let text = "source:\n  conector: gtfs\n  tên: đường\n";
        let snippet = Snippet::at("a.yaml", text, 2, 3).unwrap();
        assert_eq!(
            &text[snippet.offset..snippet.offset + snippet.length],
            "conector"
        );
        assert_eq!(snippet.place(), (2, 3));
        let snippet = Snippet::at("a.yaml", text, 3, 8).unwrap();
        assert_eq!(
            &text[snippet.offset..snippet.offset + snippet.length],
            "đường"
        );
        assert_eq!(snippet.place(), (3, 8));
        assert!(Snippet::at("a.yaml", text, 9, 1).is_none());
        assert_eq!(Snippet::at("a.yaml", "", 1, 5).unwrap().offset, 0);
    }

    #[test]
    fn causes_already_quoted_are_not_told_twice() {
        let inner = std::io::Error::other("disk full");
        #[derive(Debug, thiserror::Error)]
        #[error("cannot write x: {0}")]
        struct Outer(#[source] std::io::Error);
        let failure = Failure::from_error(Exit::Internal, &Outer(inner));
        assert_eq!(failure.message, "cannot write x: disk full");
        assert!(failure.causes.is_empty());
    }
}
