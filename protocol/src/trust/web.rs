//! The web of trust: from the operator's root entries and pins, and what organisations say of each other, to whom this node
//! connects, whom it believes about what, and why ([`Web`]; design, trust 4).
//!
//! It keeps what was said (`web/grounds.rs`) and follows each change of it: one graph for whom to connect to, one for whom to
//! tell TLP:GREEN, and one for each kind of question that was asked lately (`web/layer.rs`, `web/classes.rs`), each after
//! the vetoes that count in it (`web/layer/vetoes.rs`). Who may be judged otherwise after a change is gathered on the way
//! (`web/touched.rs`), so that nothing else need be judged again. Every answer is the same as if all had been told at once and
//! in any other order.

mod accepting;
mod classes;
mod explaining;
mod gates;
mod grounds;
mod layer;
#[cfg(test)]
mod tests;
mod touched;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    classes::Classes,
    grounds::{Grounds, Papers, Place, Said},
    layer::{Layer, Mesh, Purpose},
    touched::Trace,
};
pub use self::{
    explaining::{Explanation, Ignored, Objection, Overruled, Unheeded},
    gates::{Gates, Marks},
    grounds::{Barred, scopes::Question},
};
use super::{Pin, Root, flow::Memo, independence::ENOUGH};
use crate::{
    confidence::View,
    organisation::OrgId,
    statement::{Concern, FULL, Roster, Scope},
    time::Millis,
};

/// What trust is computed from, and what was computed.
#[derive(Debug)]
pub struct Web {
    grounds: Grounds,
    /// Everything that is said, in any scope and whoever vetoes it: no graph below has more.
    widest: Mesh,
    reach: Layer,
    confide: Layer,
    classes: Classes,
    touched: BTreeSet<OrgId>,
}

/// What one organisation says of another and has not taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// Who vouches.
    pub issuer: OrgId,
    /// For whom.
    pub subject: OrgId,
    /// How much.
    pub amount: u8,
    /// How many further introductions.
    pub depth: u8,
    /// About what.
    pub scope: Scope,
    /// Whether it counts now, for those whom its issuer's word reaches.
    pub counts: bool,
}

/// The trust that counts for one question.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The graph and how everybody stands in it.
    pub view: View<'a>,
    /// What is known of single organisations in it.
    pub memo: &'a mut Memo,
    grounds: &'a Grounds,
    vetoed: &'a BTreeMap<OrgId, OrgId>,
}

impl Judged<'_> {
    /// The organisation as whose word this one's counts: itself, or the topmost one above it. None when it does not count.
    pub fn counts_as(&self, org: &OrgId) -> Option<OrgId> {
        let counts = !self.vetoed.contains_key(org) && self.grounds.bar_of(org).is_none();
        counts.then(|| self.grounds.families.top_of(org))
    }

    /// Its node, if it counts and anybody has said anything of it.
    pub fn node_of(&self, org: &OrgId) -> Option<u32> {
        let top = self.counts_as(org)?;
        self.view.graph.index_of(&top)
    }
}

impl Web {
    /// A web in which nothing is said yet.
    pub fn new(own: OrgId) -> Self {
        let grounds = Grounds::new(own);
        Self {
            widest: widest(&grounds),
            reach: Layer::new(&grounds, Purpose::Reach),
            confide: Layer::new(&grounds, Purpose::Confide),
            classes: Classes::default(),
            touched: BTreeSet::new(),
            grounds,
        }
    }

    /// Replaces every root entry of an organisation; none removes it. Entries that cannot be, and those of others, are left
    /// out.
    pub fn set_roots(&mut self, org: OrgId, roots: Vec<Root>) {
        let roots: Vec<Root> = roots.into_iter().filter(|root| root.org == org).collect();
        self.grounds.set_roots(org, &roots);
        self.settle();
    }

    /// The operator's last word about an organisation, or none any more.
    pub fn pin(&mut self, org: OrgId, pin: Option<Pin>) {
        self.grounds.pin(org, pin);
        self.settle();
    }

    /// Takes in what changed in the roster.
    pub fn follow(&mut self, roster: &Roster, changes: &[Concern]) {
        let mut families = false;
        for change in changes {
            match change {
                Concern::Endorsement(says) => self.grounds.endorse(says),
                Concern::Veto(veto) => self.grounds.veto(veto),
                Concern::Parent(_) => families = true,
                Concern::Organisation(org) | Concern::Gone(org) => {
                    self.read(roster, *org);
                    families |= self.may_be_of_a_family(roster, org);
                }
                Concern::Everything => {
                    let mut orgs = self.grounds.heard_of();
                    orgs.extend(roster.organisations());
                    orgs.into_iter().for_each(|org| self.read(roster, org));
                    families = true;
                }
                Concern::Node(_) | Concern::Recovery(_) | Concern::Chain(_) => {}
            }
        }
        if families {
            self.grounds.set_parents(roster.parents());
        }
        self.settle();
    }

    /// Wall time passes; it never goes back. What begins or ends by then does.
    pub fn advance(&mut self, now: Millis) {
        self.grounds.advance(now);
        self.settle();
    }

    /// When [`Web::advance`] will next change something.
    pub fn next_change(&self) -> Option<Millis> {
        self.grounds.next_change()
    }

    /// Organisations about which some gate may have another answer since this was last asked.
    pub fn take_touched(&mut self) -> BTreeSet<OrgId> {
        std::mem::take(&mut self.touched)
    }

    /// `B` over what is said in any scope: who has 1 connects by right, and its records are handed on.
    pub fn reach(&self, org: &OrgId) -> u8 {
        self.grounds.stands(&self.reach, org)
    }

    /// Whether an organisation may be told TLP:GREEN: enough reaches it through those who may be told, and no veto of any
    /// scope stands against it.
    pub fn confides(&self, org: &OrgId) -> bool {
        *org == self.grounds.own || self.grounds.stands(&self.confide, org) >= ENOUGH
    }

    /// Every organisation that anything reaches, in no order that means anything; our own is one of them.
    pub fn reached(&self) -> impl Iterator<Item = OrgId> {
        self.standing_in(&self.reach, 1)
    }

    /// Every organisation that may be told TLP:GREEN, in no order that means anything; our own is one of them.
    pub fn confided(&self) -> impl Iterator<Item = OrgId> {
        self.standing_in(&self.confide, ENOUGH)
    }

    /// Those who stand so high in a layer.
    fn standing_in<'a>(&'a self, layer: &'a Layer, least: u8) -> impl Iterator<Item = OrgId> + use<'a> {
        let Mesh { graph, standing } = &layer.mesh;
        let nodes = (1..graph.nodes() as u32).filter(move |node| standing.of(*node) >= least);
        let tops = nodes.filter_map(|node| graph.org(node));
        let members = tops.flat_map(|top| self.grounds.families.members_of(&top));
        members.filter(move |org| self.grounds.stands(layer, org) >= least)
    }

    /// Why nothing of an organisation counts, if so.
    pub fn barred(&self, org: &OrgId) -> Option<Barred> {
        self.grounds.bar_of(org)
    }

    /// The organisations on the canonical path to this one in any scope, itself or the one that stands for it the last.
    pub fn witness(&self, org: &OrgId) -> Vec<OrgId> {
        if self.reach(org) == 0 {
            return Vec::new();
        }
        let Mesh { graph, standing } = &self.reach.mesh;
        let node = graph.index_of(&self.grounds.families.top_of(org));
        node.map_or_else(Vec::new, |node| standing.witness(graph, node))
    }

    /// What these organisations say of each other.
    pub fn vouching(&self, among: &BTreeSet<OrgId>) -> Vec<Vouched> {
        let said = among.iter().flat_map(|issuer| self.grounds.said_by(Some(*issuer)));
        let stands = said.filter(|(place, said)| said.amount > 0 && among.contains(&place.subject));
        let is_vetoed = |org: &OrgId| self.reach.vetoed.contains_key(org);
        let vouched = |(place, said): (&Place, &Said)| {
            let issuer = place.issuer?;
            Some(Vouched {
                issuer,
                subject: place.subject,
                amount: said.amount,
                depth: said.depth,
                scope: self.grounds.scopes.scope(place.scope).cloned().unwrap_or_default(),
                counts: self.grounds.counts(place, said) && !is_vetoed(&issuer) && !is_vetoed(&place.subject),
            })
        };
        stands.filter_map(vouched).collect()
    }

    /// What counts for one question.
    pub fn judged(&mut self, question: &Question) -> Judged<'_> {
        let Layer { mesh, vetoed, memo, .. } = self.classes.ask(&self.grounds, question);
        Judged {
            view: View {
                graph: &mesh.graph,
                standing: &mesh.standing,
            },
            memo,
            grounds: &self.grounds,
            vetoed,
        }
    }

    /// Whether an organisation is, or was, above or below another one. To find all families costs a look at everybody.
    fn may_be_of_a_family(&self, roster: &Roster, org: &OrgId) -> bool {
        let known = self.grounds.families.knows(org);
        known || roster.parent_of(org).is_some() || roster.has_subsidiaries(org)
    }

    /// Reads everything about one organisation anew, but for who is above it.
    fn read(&mut self, roster: &Roster, org: OrgId) {
        let papers = roster.manifest_of(&org).map(|manifest| Papers {
            frozen: roster.is_frozen(&org),
            until: manifest.not_after,
        });
        self.grounds.set_papers(org, papers);
        let endorsements: Vec<_> = roster.endorsements_of(&org).collect();
        self.grounds.set_endorsements(org, &endorsements);
        let vetoes: Vec<_> = roster.vetoes_of(&org).collect();
        self.grounds.set_vetoes(org, &vetoes);
    }

    /// Lets every graph follow what changed in the grounds.
    fn settle(&mut self) {
        let changes = self.grounds.take_changes();
        if changes.is_empty() {
            return;
        }
        let grounds = &self.grounds;
        let trace = Trace::before(grounds, &self.widest, &self.confide.holders, &changes);
        let said = changes.pairs.iter().map(|pair| (*pair, layer::anything(grounds, pair)));
        self.widest.replace(said);
        self.reach.follow(grounds, &changes);
        self.confide.follow(grounds, &changes);
        self.classes.note(grounds, &changes);
        let touched = trace.touched(grounds, &self.widest, &self.confide.holders);
        self.touched.extend(touched);
    }
}

impl Grounds {
    /// Why nothing of an organisation counts; our own always does.
    fn bar_of(&self, org: &OrgId) -> Option<Barred> {
        self.bar(org).filter(|_| *org != self.own)
    }

    /// How an organisation stands in a layer.
    fn stands(&self, layer: &Layer, org: &OrgId) -> u8 {
        if *org == self.own {
            FULL
        } else if layer.vetoed.contains_key(org) || self.bar(org).is_some() {
            0
        } else {
            layer.mesh.stands(&self.families.top_of(org))
        }
    }
}

fn widest(grounds: &Grounds) -> Mesh {
    Mesh::new(grounds.pairs().map(|pair| (pair, layer::anything(grounds, &pair))))
}
