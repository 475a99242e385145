//! What follows when somebody is trusted otherwise than before: which of its records the store believes, whose logs are handed
//! on, who stays connected, and a line in the audit log. A change may concern every organisation there is, so that it is
//! followed in slices; a right that is lost is not used any more from the moment on at which it is lost.

use crate::{
    limits,
    organisation::OrgId,
    peer::Peer,
    time::Millis,
    trust::{Acceptance, Judgement},
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
            let raised = weight(&believes) >= weight(&believed);
            let deed = if raised { Deed::Raised } else { Deed::Lowered };
            self.write_down(judged.who, deed, org.to_string(), &in_words(&believes));
            if !believes.is_nothing() {
                self.missing.look_through();
            }
            let acceptance = believes;
            self.step.changes.push(Change::Judge { org, acceptance });
        }
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

/// Whether more or less is believed: everything before some scopes, and those by their number.
fn weight(acceptance: &Acceptance) -> usize {
    if *acceptance == Acceptance::everything() {
        usize::MAX
    } else {
        acceptance.scopes().len()
    }
}

fn in_words(acceptance: &Acceptance) -> String {
    match weight(acceptance) {
        0 => "nothing of it is believed: less than 60 reaches it".to_owned(),
        usize::MAX => "all of it is believed: 60 or more reaches it".to_owned(),
        some => format!("it is believed in {some} scopes, where 60 or more reaches it"),
    }
}
