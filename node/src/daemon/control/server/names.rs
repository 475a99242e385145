//! What organisations call themselves: [`Names`], read from the statements in the store, and again when one is missing.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use starfish_crypto::Strict;
use starfish_protocol::{
    community::Community,
    organisation::OrgId,
    statement::{Roster, Statement},
};

/// How often a missing name may cost a look at all statements.
const AGAIN: Duration = Duration::from_secs(10);

/// Names by organisation.
#[derive(Debug)]
pub(super) struct Names {
    community: Community,
    known: Mutex<Option<(Instant, Roster)>>,
}

impl Names {
    pub(super) fn new(community: Community) -> Self {
        Self {
            community,
            known: Mutex::new(None),
        }
    }

    /// A name; `statements` is asked for those in the store when it is missing.
    pub(super) fn name_of(&self, org: &OrgId, statements: impl FnOnce() -> Vec<Statement>) -> Option<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = known
            .as_ref()
            .is_none_or(|(read, roster)| roster.name_of(org).is_none() && read.elapsed() >= AGAIN);
        if missing {
            let mut roster = Roster::new(self.community);
            for statement in statements() {
                // One that no longer holds names nobody.
                let _ = roster.admit(&statement, &Strict);
            }
            *known = Some((Instant::now(), roster));
        }
        known
            .as_ref()
            .and_then(|(_, roster)| roster.name_of(org))
            .map(str::to_owned)
    }
}
