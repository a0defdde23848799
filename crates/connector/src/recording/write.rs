//! Making a recording.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::index::{Head, Line};
use super::veil::Veil;
use super::{VERSION, bodies, index, local};
use crate::error::{ConnectorError, ErrorKind};

/// Writes a recording. Clones write the same one.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    started_at: DateTime<Utc>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    index: File,
    told: Recorded,
    /// Bodies begun.
    begun: u64,
    /// What first went wrong.
    failed: Option<String>,
}

/// What a recording came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Exchanges.
    pub exchanges: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
}

impl Recorder {
    /// Begins a recording in `dir`, which is made where it is missing.
    ///
    /// # Errors
    /// [`ErrorKind::Local`] where a recording is there already, or nothing can be written.
    pub fn start(dir: &Path, started_at: DateTime<Utc>) -> Result<Self, ConnectorError> {
        let path = index(dir);
        if path.exists() {
            let help = "name a folder that does not exist yet, or remove this one";
            return Err(local(dir, "holds a recording already", help));
        }
        let head = Head {
            recording: VERSION,
            started_at,
        };
        let made = fs::create_dir_all(bodies(dir)).and_then(|()| {
            let mut index = File::create_new(&path)?;
            writeln!(index, "{}", serde_json::to_string(&head)?)?;
            Ok(index)
        });
        let index = made.map_err(|error| {
            let message = format!("no recording can be written: {error}");
            local(dir, &message, "name a folder that may be written")
        })?;
        let state = State {
            index,
            told: Recorded::default(),
            begun: 0,
            failed: None,
        };
        Ok(Self(Arc::new(Inner {
            dir: dir.to_owned(),
            started_at,
            state: Mutex::new(state),
        })))
    }

    /// What was recorded; to be asked when the run has ended.
    ///
    /// # Errors
    /// [`ErrorKind::Local`] with what first could not be written: the recording is not whole.
    pub fn finish(&self) -> Result<Recorded, ConnectorError> {
        let mut state = self.lock();
        if let Err(error) = state.index.sync_all() {
            state.failed.get_or_insert_with(|| error.to_string());
        }
        match &state.failed {
            None => Ok(state.told),
            Some(reason) => {
                let message = format!("the recording is not whole: {reason}");
                let help = "remove the folder, make room and record again";
                Err(ConnectorError::new(ErrorKind::Local, message)
                    .at(self.0.dir.display())
                    .with_help(help))
            }
        }
    }

    pub(crate) fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }

    /// Records an exchange whose body is still to come.
    pub(crate) fn take(&self, line: Line, secrets: Vec<String>) -> Take {
        Take {
            recorder: self.clone(),
            line: Some(line),
            veil: Veil::of(secrets),
            file: None,
            hash: blake3::Hasher::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, path: &Path, error: &io::Error) {
        let reason = format!("{}: {error}", path.display());
        self.lock().failed.get_or_insert(reason);
    }

    fn begin(&self) -> io::Result<(PathBuf, File)> {
        let number = {
            let mut state = self.lock();
            state.begun += 1;
            state.begun
        };
        let path = bodies(&self.0.dir).join(format!(".{number}.part"));
        let file = File::create(&path)?;
        Ok((path, file))
    }

    fn write(&self, line: &Line) -> io::Result<()> {
        let text = format!("{}\n", serde_json::to_string(line)?);
        let mut state = self.lock();
        // One write a line: whoever is killed leaves whole lines behind.
        state.index.write_all(text.as_bytes())?;
        state.told.exchanges += 1;
        state.told.bytes += line.bytes;
        Ok(())
    }
}

/// An exchange that is being recorded; dropped before its end, it is recorded as far as it came.
#[derive(Debug)]
pub(crate) struct Take {
    recorder: Recorder,
    /// Taken at the end.
    line: Option<Line>,
    veil: Veil,
    file: Option<(PathBuf, File)>,
    hash: blake3::Hasher,
}

impl Take {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let veiled = self.veil.push(bytes);
        self.keep(&veiled);
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self, is_whole: bool) {
        let held = self.veil.end();
        self.keep(&held);
        let Some(mut line) = self.line.take() else {
            return;
        };
        line.whole = is_whole;
        let path = index(&self.recorder.0.dir);
        let written = self
            .settle(&mut line)
            .and_then(|()| self.recorder.write(&line));
        if let Err(error) = written {
            self.recorder.failed(&path, &error);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let Some(line) = self.line.as_mut().filter(|_| !bytes.is_empty()) else {
            return;
        };
        line.bytes += bytes.len() as u64;
        self.hash.update(bytes);
        let written = match &mut self.file {
            Some((_, file)) => file.write_all(bytes),
            None => self.recorder.begin().and_then(|(path, mut file)| {
                file.write_all(bytes)?;
                self.file = Some((path, file));
                Ok(())
            }),
        };
        if let Err(error) = written {
            self.recorder.failed(&bodies(&self.recorder.0.dir), &error);
        }
    }

    /// Gives the body its name.
    fn settle(&mut self, line: &mut Line) -> io::Result<()> {
        let Some((path, file)) = self.file.take() else {
            return Ok(());
        };
        drop(file);
        let hash = self.hash.finalize().to_hex().to_string();
        fs::rename(path, bodies(&self.recorder.0.dir).join(&hash))?;
        line.body = Some(hash);
        Ok(())
    }
}

impl Drop for Take {
    fn drop(&mut self) {
        self.end(false);
    }
}
