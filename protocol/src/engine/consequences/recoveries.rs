//! New roots from guardians: they count some days after this node has first seen them, unless a root calls them off, and the
//! operator hears of each.
//!
//! When one was first seen, and that it took effect, is what no statement says: the store keeps it. They take effect when
//! what is over is looked for, which happens only while nothing speaks against this node's clock: one that jumped a week
//! ahead must not hand an organisation to its guardians.

use starfish_crypto::Digest;

use super::super::{
    Engine,
    port::{Change, Deed, Event, Output, RecoverySeen, RecoveryStage, Who},
};

impl Engine {
    /// Tells the roster what an earlier life knew.
    pub(super) fn resume_recoveries(&mut self) {
        for (id, seen) in &self.consequences.recoveries {
            self.roster.saw_recovery(id, seen.first);
            if seen.in_effect {
                self.roster.recovered(id);
            }
        }
        self.forget_recoveries();
    }

    /// Those whose statements are not held any more.
    pub(super) fn forget_recoveries(&mut self) {
        let roster = &self.roster;
        let gone = self.consequences.recoveries.keys();
        let gone: Vec<Digest> = gone.filter(|id| roster.recovery(id).is_none()).copied().collect();
        for id in gone {
            self.consequences.recoveries.remove(&id);
            self.consequences.called_off.remove(&id);
            self.step.changes.push(Change::Recovery { id, seen: None });
        }
    }

    pub(super) fn reconsider_recovery(&mut self, id: Digest) {
        let Some(recovery) = self.roster.recovery(&id) else {
            return;
        };
        let (org, called_off, in_effect) = (recovery.org, recovery.called_off, recovery.in_effect);
        let by: Vec<String> = recovery.by.iter().map(ToString::to_string).collect();
        let by = by.join(" and ");
        let told = self.consequences.recoveries.get(&id).copied();
        let first = told.map_or(self.now.wall, |told| told.first);
        let seen = RecoverySeen { first, in_effect };
        if told != Some(seen) {
            self.roster.saw_recovery(&id, first);
            self.consequences.recoveries.insert(id, seen);
            self.step.changes.push(Change::Recovery { id, seen: Some(seen) });
            if told.is_none() && !in_effect && self.matters(org) {
                let why = format!("{by} give it new roots soon, unless one of its roots calls off {id}");
                self.write_down(Who::Guardians, Deed::RecoveryBegun, org.to_string(), &why);
            }
            if in_effect && self.matters(org) {
                let why = format!("{by} gave it new roots, and nobody called that off");
                self.write_down(Who::Guardians, Deed::Recovered, org.to_string(), &why);
            }
        }
        let due = self.roster.recovery(&id).and_then(|recovery| recovery.due());
        let stage = match due {
            _ if in_effect => RecoveryStage::InEffect,
            _ if called_off => RecoveryStage::CalledOff,
            due => RecoveryStage::Due(due.unwrap_or(first)),
        };
        if self.matters(org) {
            self.out.push(Output::Event(Event::Recovery { id, org, stage }));
        }
    }

    /// Writes down, once, that the roots of an organisation called a recovery off.
    pub(super) fn note_called_off(&mut self, id: Digest) {
        let called_off = self
            .roster
            .recovery(&id)
            .filter(|recovery| recovery.called_off && !recovery.in_effect);
        let Some(org) = called_off.map(|recovery| recovery.org) else {
            return;
        };
        if self.consequences.called_off.insert(id) && self.matters(org) {
            let why = "its roots did not want what its guardians decided";
            self.write_down(Who::Organisation(org), Deed::RecoveryCalledOff, org.to_string(), why);
        }
    }

    /// Lets those count whose time has come.
    pub(in crate::engine) fn recover(&mut self) {
        if !self.roster.recover(self.now.wall).is_empty() {
            self.consequences();
        }
    }
}
