//! Ctrl-C and SIGTERM, heard on a thread of their own: a query may keep every worker busy, and the runtime's signals with them.

use std::sync::{LazyLock, mpsc};
use std::thread;

use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::exit::{Exit, Failure};

/// Which signals are taken from the system's own way to end the process.
#[derive(Debug, Clone, Copy)]
enum Signals {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-C and SIGTERM.
    Any,
}

/// How often each was heard. The thread starts with the first who listens.
static INTERRUPTS: LazyLock<watch::Receiver<u64>> = LazyLock::new(|| listen(Signals::Interrupt));
static ENDS: LazyLock<watch::Receiver<u64>> = LazyLock::new(|| listen(Signals::Any));

fn listen(signals: Signals) -> watch::Receiver<u64> {
    let (sender, receiver) = watch::channel(0);
    let (ready, is_ready) = mpsc::channel();
    // Without a thread or a handler nobody hears, and the system's own way to end the process stands.
    let _ = thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if let Ok(runtime) = Builder::new_current_thread().enable_io().build() {
                let _ = runtime.block_on(count(signals, &sender, ready));
            }
        });
    // Whoever listens hears from now on; where nobody can, the sender is gone.
    let _ = is_ready.recv();
    receiver
}

#[cfg(unix)]
async fn count(
    signals: Signals,
    heard: &watch::Sender<u64>,
    ready: mpsc::Sender<()>,
) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = match signals {
        Signals::Interrupt => None,
        Signals::Any => Some(signal(SignalKind::terminate())?),
    };
    let _ = ready.send(());
    loop {
        match &mut terminate {
            None => interrupt.recv().await,
            Some(terminate) => tokio::select! {
                it = interrupt.recv() => it,
                it = terminate.recv() => it,
            },
        };
        heard.send_modify(|count| *count += 1);
    }
}

#[cfg(not(unix))]
async fn count(
    _: Signals,
    heard: &watch::Sender<u64>,
    ready: mpsc::Sender<()>,
) -> std::io::Result<()> {
    let _ = ready.send(());
    loop {
        tokio::signal::ctrl_c().await?;
        heard.send_modify(|count| *count += 1);
    }
}

/// Ends at the next signal after this call.
fn next(heard: &watch::Receiver<u64>) -> impl Future<Output = ()> + use<> {
    let mut heard = heard.clone();
    heard.mark_unchanged();
    async move {
        if heard.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Ends when the user or the system asks the process to end.
pub(crate) fn terminated() -> impl Future<Output = ()> {
    next(&ENDS)
}

/// What Ctrl-C leaves behind.
pub(crate) fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "interrupted")
}

/// Runs `work` until it is done or the user presses Ctrl-C.
pub(crate) async fn or_interrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let interrupt = next(&INTERRUPTS);
    tokio::select! {
        result = work => result,
        () = interrupt => Err(interrupted()),
    }
}
