//! What the operator decides about others by himself: [`Root`] entries and [`Pin`]s. They are this node's own business:
//! nothing of them is ever told to anybody.

use serde::{Deserialize, Serialize};

use crate::{
    organisation::OrgId,
    statement::{DEPTH, FULL, Scope},
};

/// An edge from this node's own policy to an organisation (design, trust 4.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Root {
    /// For whom.
    pub org: OrgId,
    /// How much, 1 to [`FULL`].
    pub amount: u8,
    /// How many further introductions behind it are honoured, 0 to [`DEPTH`].
    pub depth: u8,
    /// About what.
    pub scope: Scope,
    /// Whether its vetoes count here.
    pub may_veto: bool,
    /// Whether it may be told TLP:GREEN.
    pub receive_green: bool,
}

impl Root {
    /// What pairing writes: believed whatever it says, and nobody behind it.
    pub fn paired(org: OrgId) -> Self {
        Self {
            org,
            amount: FULL,
            depth: 0,
            scope: Scope::default(),
            may_veto: false,
            receive_green: false,
        }
    }

    /// Whether such an entry can be.
    pub fn is_possible(&self) -> bool {
        (1..=FULL).contains(&self.amount) && self.depth <= DEPTH
    }
}

/// The operator's last word about an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Pin {
    /// Nobody's veto counts against it.
    Good,
    /// Nothing that vouches for it counts, nor anything that it vouches for.
    Bad,
}

/// Who changed what is trusted here. New ones go to the end: the audit log keeps their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Who {
    /// Whoever runs this node.
    Operator,
    /// An organisation, by a statement of its own.
    Organisation(OrgId),
    /// Nobody: something began or ended at its time.
    Time,
    /// Guardians of the organisation that a line is about.
    Guardians,
}
