//! The engine's door: what goes in, what comes out, and nothing else.
//!
//! The shell (the daemon, a simulator, a test) feeds [`Input`]s one at a time and carries out the [`Output`]s in order.

mod audit;
mod command;
mod event;
mod input;
mod output;
mod store;

pub use self::{
    audit::{Audit, Deed, Who},
    command::{Command, Draft, Outcome, Overview, PeerView, Refusal, Trusted, TrustedOrganisation},
    event::{Event, RecoveryStage},
    input::{AskError, Input},
    output::{Acceptance, DisconnectReason, Output, Wish},
    store::{Change, Found, Query, RecoverySeen},
};

/// Names one request that this node sent, until it is answered.
pub type Ticket = u64;
