//! Readers that block, on a thread of their own: what they give comes out as a stream.

use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;

use crate::error::FormatError;

/// Items that wait to be taken; the thread waits beyond.
const WAITING: usize = 2;

/// Nobody takes what is sent any more: the thread may end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unwanted;

/// Where the thread sends.
pub(crate) struct Sender<T>(mpsc::Sender<T>);

impl<T> Sender<T> {
    pub(crate) fn send(&self, item: T) -> Result<(), Unwanted> {
        self.0.blocking_send(item).map_err(|_| Unwanted)
    }
}

/// Starts `read` at the first poll, which must be inside a Tokio runtime. Its error comes last; so does [`FormatError::Stopped`] where
/// it panics, so that a stream never ends early in silence.
pub(crate) fn stream<T: Send + 'static>(
    name: String,
    read: impl FnOnce(&Sender<T>) -> Result<(), FormatError> + Send + 'static,
) -> BoxStream<'static, Result<T, FormatError>> {
    let start = async move {
        let (sender, receiver) = mpsc::channel(WAITING);
        let thread = tokio::task::spawn_blocking(move || read(&Sender(sender)));
        let ended = thread.map(move |ended| ended.unwrap_or(Err(FormatError::Stopped { name })));
        stream::unfold((receiver, Some(ended)), |(mut receiver, ended)| async {
            if let Some(item) = receiver.recv().await {
                return Some((Ok(item), (receiver, ended)));
            }
            let error = ended?.await.err()?;
            Some((Err(error), (receiver, None)))
        })
    };
    stream::once(start).flatten().boxed()
}

/// Runs `read` to its end on a thread that may block.
pub(crate) async fn run<T: Send + 'static>(
    name: &str,
    read: impl FnOnce() -> Result<T, FormatError> + Send + 'static,
) -> Result<T, FormatError> {
    let ended = tokio::task::spawn_blocking(read).await;
    ended.unwrap_or_else(|_| {
        Err(FormatError::Stopped {
            name: name.to_owned(),
        })
    })
}
