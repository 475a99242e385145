//! The two ways in which a person or the service manager tells a program to end: SIGINT (Ctrl-C) and SIGTERM.

use std::{future::Future, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::{Exit, Failure};

/// Ends with the name of the signal that came. Signals count from this call on, not only from the first wait.
pub fn told_to_end() -> impl Future<Output = &'static str> {
    let signals = both();
    async {
        let Ok((mut terminate, mut interrupt)) = signals else {
            // Without handlers the signals end the process at once, which the store survives.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    }
}

fn both() -> io::Result<(Signal, Signal)> {
    Ok((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
}

/// Does work that waits for others and may be ended at any time, with a word on what goes on or can be done then. It runs on
/// a task of its own, because it may be asking a person, or writing to a reader that is busy, and so block its thread.
///
/// # Errors
/// Those of the work, or [`Exit::Incomplete`] when it was told to end.
pub async fn until_told_to_end(
    work: impl Future<Output = Result<Exit, Failure>> + Send + 'static,
    then: &str,
) -> Result<Exit, Failure> {
    let told = told_to_end();
    tokio::select! {
        ended = tokio::spawn(work) => ended.unwrap_or_else(|error| Err(Failure::machine("the command broke", error))),
        _ = told => Err(Failure::new(Exit::Incomplete, format!("interrupted; {then}"))),
    }
}
