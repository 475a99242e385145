//! Calls of sled, guarded: its errors, and its panics over damaged files, become a [`Fault`].

use std::{
    cell::Cell,
    io,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use crate::store::StoreError;

thread_local! {
    /// True inside a guarded call: a panic there is an answer of sled's, not news for standard error.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// How a call of sled ended badly.
#[derive(Debug)]
pub(super) enum Fault {
    /// It said so.
    Error(sled::Error),
    /// It panicked, and may have left its own locks and counts in any state.
    Panic(String),
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Error(sled::Error::Io(error)) => held_or_failed(error),
            Fault::Error(sled::Error::Corruption { .. }) => Self::Corrupt("sled found a broken page".to_owned()),
            Fault::Error(other) => Self::Corrupt(other.to_string()),
            Fault::Panic(said) => Self::Corrupt(said),
        }
    }
}

/// sled reports the lock of another process, and some damage, as plain IO errors.
fn held_or_failed(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreError::Corrupt(error.to_string()),
        _ => StoreError::from(error),
    }
}

/// Calls sled.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, Fault> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |news| {
            if !GUARDED.get() {
                loud(news);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(outer);
    match result {
        Ok(result) => result.map_err(Fault::Error),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
            Err(Fault::Panic(said.unwrap_or_else(|| "sled panicked".to_owned())))
        }
    }
}
