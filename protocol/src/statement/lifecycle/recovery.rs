//! Recoveries: guardians give an organisation new roots when it has lost its own, if it wanted so beforehand.
//!
//! It takes effect some days after a node has first seen it, so that whoever still holds a current root can call it off,
//! and is always shown to the operator.

use serde::{Deserialize, Serialize};
use starfish_crypto::SecretKey;

use crate::{
    organisation::OrgId,
    statement::{
        Kind, Manifest, Statement, StatementError,
        endorsement::{read_as, signed},
        statement,
    },
};

/// New roots for an organisation, signed by k of its guardians, each with its endorsing key or enough of its roots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Whose.
    pub org: OrgId,
    /// The new manifest, signed by enough of its own roots. It follows the last good one, whose commitment nobody can meet,
    /// under any higher number.
    pub manifest: Statement,
}

impl Recovery {
    /// Signs with these guardians' keys; the others add theirs with [`Statement::signed_by`].
    pub fn sign(&self, guardians: &[&SecretKey]) -> Result<Statement, StatementError> {
        self.new_manifest()?;
        signed(statement(Kind::RECOVERY, self)?, guardians)
    }

    /// Reads a recovery without looking at its signatures, to show it.
    pub fn read(statement: &Statement) -> Result<Self, StatementError> {
        let recovery: Self = read_as(Kind::RECOVERY, statement)?;
        recovery.new_manifest()?;
        Ok(recovery)
    }

    /// What the new manifest says.
    pub fn new_manifest(&self) -> Result<Manifest, StatementError> {
        let manifest = Manifest::read(&self.manifest)?;
        if manifest.org == Some(self.org) {
            Ok(manifest)
        } else {
            Err(StatementError::Contradiction)
        }
    }
}
