//! The end of an organisation's chain, and statements that go on from there.

use starfish_crypto::Digest;
use starfish_protocol::{
    organisation::OrgId,
    statement::{Endorsement, Scope, Statement, Subsidiary, Veto},
    time::Millis,
};

/// The end of a chain, to which statements are added.
pub(super) struct Next {
    pub(super) issuer: OrgId,
    /// The number of the next statement, and the id of the one before it.
    pub(super) place: (u64, Digest),
    pub(super) not_before: Millis,
    pub(super) made: Vec<Statement>,
}

impl Next {
    pub(super) fn add(&mut self, statement: Statement) {
        self.place = (self.place.0 + 1, statement.id());
        self.made.push(statement);
    }

    /// One that withdraws, as long as no amount is given.
    pub(super) fn endorsement(&self, subject: OrgId, scope: Scope, not_after: Millis) -> Endorsement {
        let (seq, prev) = self.place;
        Endorsement {
            issuer: self.issuer,
            subject,
            community: None,
            seq,
            prev,
            amount: 0,
            depth: 0,
            scope,
            not_before: self.not_before,
            not_after,
            may_veto: false,
            receive_green: false,
        }
    }

    pub(super) fn veto(&self, subject: OrgId, scope: Scope, not_after: Millis, withdrawn: bool) -> Veto {
        let (seq, prev) = self.place;
        Veto {
            issuer: self.issuer,
            subject,
            community: None,
            seq,
            prev,
            scope,
            withdrawn,
            not_before: self.not_before,
            not_after,
        }
    }

    pub(super) fn subsidiary(&self, subject: OrgId, withdrawn: bool) -> Subsidiary {
        let (seq, prev) = self.place;
        Subsidiary {
            issuer: self.issuer,
            subject,
            community: None,
            seq,
            prev,
            withdrawn,
        }
    }
}
