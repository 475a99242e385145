//! What follows when somebody is trusted otherwise than before: which of its records the store believes, whose logs are handed
//! on, who stays connected, and a line in the audit log. A change may concern every organisation there is, so that it is
//! followed in slices; a right that is lost is not used any more from the moment on at which it is lost.

use crate::{
    limits,
    organisation::OrgId,
    peer::Peer,
    statement::Scope,
    time::Millis,
    trust::{Acceptance, Judgement, Rights, Who},
};

use super::{
    Engine,
    port::{Change, Deed, DisconnectReason},
};

impl Engine {
    /// Judges a slice of those who are to be judged anew; when there is more to do.
    pub(super) fn judge_when_due(&mut self) -> Option<Millis> {
        // What time takes away is told at once, however many are to be judged.
        self.confide_soon |= self.trust.advance(self.now.wall);
        if !self.is_congested() {
            for judged in self.trust.judge_some(limits::JUDGED_PER_STEP) {
                self.deal_with(judged);
            }
        }
        // What a new node finds out about everybody is no news.
        self.consequences.rights_are_known |= !self.trust.is_behind();
        // The store's next answer is a step too, when it is behind.
        if self.trust.is_behind() && !self.is_congested() {
            return Some(self.now.mono);
        }
        let at = self.trust.next_change()?;
        Some(self.now.mono + Millis(at.0.saturating_sub(self.now.wall.0)))
    }

    fn deal_with(&mut self, judged: Judgement) {
        let org = judged.org;
        let (had, has) = judged.rights;
        let (believed, believes) = judged.believed;
        if believed != believes {
            // Where some is gained and some is lost, the loss is what somebody looks for.
            let deed = if believed.is_within(&believes) {
                Deed::Raised
            } else {
                Deed::Lowered
            };
            self.write_down(judged.who, deed, org.to_string(), &in_words(&believes));
            if !believes.is_nothing() {
                self.missing.look_through();
            }
            let acceptance = believes;
            self.step.changes.push(Change::Judge { org, acceptance });
        }
        self.note_rights(judged.who, org, judged.told, has.rights());
        self.roster.stands(org, judged.stands);
        if had.relay != has.relay {
            self.hand_on(org);
        }
        self.confide_soon |= had.confide != has.confide;
        match (had.connect, has.connect) {
            (false, true) => {
                self.missing.look_through();
                self.sync_with_all();
                self.dial_soon = true;
            }
            (true, false) => {
                self.forget_nodes_of(org);
                self.send_away(org);
                self.dial_soon = true;
            }
            _ => {}
        }
    }

    /// For the store, which keeps them for the next life, and for the audit log.
    fn note_rights(&mut self, who: Who, org: OrgId, told: Rights, rights: Rights) {
        if told == rights {
            return;
        }
        self.step.changes.push(Change::Rights { org, rights });
        for (deed, gained) in [(Deed::RightGained, true), (Deed::RightLost, false)] {
            let changed = changed(told, rights, gained);
            if !changed.is_empty() && self.consequences.rights_are_known {
                let why = format!(
                    "{} {}",
                    if gained { "may" } else { "may no longer" },
                    changed.join(", ")
                );
                self.write_down(who, deed, org.to_string(), &why);
            }
        }
    }

    fn hand_on(&mut self, org: OrgId) {
        let wall = self.now.wall;
        for (log, seq, id) in self.logs.heads() {
            if Self::organisation(&self.roster, &log, wall) != Some(org) {
                continue;
            }
            match self.handed_on(&log, (seq, id)) {
                Some((seq, id)) => self.frontier.note(log, seq, id),
                None => self.frontier.remove(&log),
            }
        }
    }

    /// Closes the connections to an organisation that lost the right to have one. It may come back as a guest.
    fn send_away(&mut self, org: OrgId) {
        let theirs = self.peers.iter().filter(|(_, state)| state.org == Some(org));
        for peer in theirs.map(|(peer, _)| peer.clone()).collect::<Vec<Peer>>() {
            self.disconnect(peer, DisconnectReason::Distrusted);
        }
    }
}

/// The rights that were gained, or those that were lost.
fn changed(had: Rights, has: Rights, gained: bool) -> Vec<&'static str> {
    let rights = [
        (had.connect, has.connect, "connect"),
        (had.relay, has.relay, "be handed on"),
        (had.confide, has.confide, "be told TLP:GREEN"),
    ];
    let changed = rights.into_iter().filter(|(had, has, _)| had != has && *has == gained);
    changed.map(|(.., right)| right).collect()
}

fn in_words(acceptance: &Acceptance) -> String {
    if acceptance.is_nothing() {
        return "nothing of it is believed: less than 60 reaches it".to_owned();
    }
    let listed = |scopes: &[Scope]| scopes.iter().map(Scope::to_string).collect::<Vec<_>>().join("; ");
    let mut words = format!("believed, as 60 or more reaches it: {}", listed(acceptance.scopes()));
    if !acceptance.exceptions().is_empty() {
        words += &format!(", but for what is vetoed: {}", listed(acceptance.exceptions()));
    }
    words
}
