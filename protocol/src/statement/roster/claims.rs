//! What organisations say of each other. For one issuer, subject and scope the highest number counts.
//!
//! Keys that were stolen say what they like under numbers that nobody can exceed. So there is one place for each manifest
//! from which on the signers could speak, and a manifest that voids those keys uncovers what its own have said.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use starfish_crypto::{Digest, PublicKey};

use super::{Admitted, Concern, Roster, RosterRefusal, lineage::Lineage, shelf::Rank};
use crate::{
    community::Community,
    limits,
    organisation::OrgId,
    statement::{ChainHead, CheckedStatement, Endorsement, Kind, Scope, Statement, StatementError, Subsidiary, Veto},
    time::Millis,
};

/// One of them, as its statement has it.
#[derive(Clone, Debug)]
pub(super) enum Claim {
    Endorsement(Arc<Endorsement>),
    Veto(Arc<Veto>),
    Subsidiary(Arc<Subsidiary>),
    Head(Arc<ChainHead>),
}

/// What a claim is about; among those of one subject the highest number counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    issuer: OrgId,
    kind: Kind,
    org: OrgId,
    scope: Scope,
}

#[derive(Clone, Debug)]
pub(super) struct HeldClaim {
    id: Digest,
    signers: Vec<PublicKey>,
    pub(super) claim: Claim,
}

/// By what they are about, then by the first manifest for which their signers speak.
pub(super) type Claims = BTreeMap<(Subject, u64), HeldClaim>;

/// What is known about the statements that an organisation has issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Its head is not here.
    Unknown,
    /// Everything that counts is here.
    Whole,
    /// Something that the head names is not here.
    Withheld,
    /// Something here is newer than the head.
    Ahead,
    /// The head is older than its issuer said one would be.
    Stale,
}

impl Claim {
    /// Signatures are not looked at.
    fn read(statement: &Statement) -> Result<Self, StatementError> {
        match statement.kind() {
            Kind::ENDORSEMENT => Endorsement::read(statement).map(|says| Self::Endorsement(Arc::new(says))),
            Kind::VETO => Veto::read(statement).map(|says| Self::Veto(Arc::new(says))),
            _ => Subsidiary::read(statement).map(|says| Self::Subsidiary(Arc::new(says))),
        }
    }

    fn subject(&self) -> Subject {
        let (issuer, kind, org, scope) = match self {
            Self::Endorsement(claim) => (claim.issuer, Kind::ENDORSEMENT, claim.subject, claim.scope.clone()),
            Self::Veto(claim) => (claim.issuer, Kind::VETO, claim.subject, claim.scope.clone()),
            Self::Subsidiary(claim) => (claim.issuer, Kind::SUBSIDIARY, claim.subject, Scope::default()),
            Self::Head(head) => (head.issuer, Kind::CHAIN_HEAD, head.issuer, Scope::default()),
        };
        Subject {
            issuer,
            kind,
            org,
            scope,
        }
    }

    fn community(&self) -> Option<Community> {
        match self {
            Self::Endorsement(claim) => claim.community,
            Self::Veto(claim) => claim.community,
            Self::Subsidiary(claim) => claim.community,
            Self::Head(head) => head.community,
        }
    }

    /// Which of two counts: the higher number, of heads the later time.
    fn order(&self) -> u64 {
        match self {
            Self::Endorsement(claim) => claim.seq,
            Self::Veto(claim) => claim.seq,
            Self::Subsidiary(claim) => claim.seq,
            Self::Head(head) => head.as_of.0,
        }
    }

    fn concern(&self) -> Concern {
        match self {
            Self::Endorsement(claim) => Concern::Endorsement(Arc::clone(claim)),
            Self::Veto(claim) => Concern::Veto(Arc::clone(claim)),
            Self::Subsidiary(claim) => Concern::Parent(claim.subject),
            Self::Head(head) => Concern::Chain(head.issuer),
        }
    }
}

impl HeldClaim {
    /// Of two with one number the digest decides, so that all nodes keep the same.
    fn order(&self) -> (u64, Digest) {
        (self.claim.order(), self.id)
    }
}

fn start(issuer: OrgId) -> (Subject, u64) {
    let (kind, org, scope) = (Kind(0), OrgId::from_digest(Digest::ZERO), Scope::default());
    let subject = Subject {
        issuer,
        kind,
        org,
        scope,
    };
    (subject, 0)
}

impl Roster {
    pub(super) fn admit_claim(&mut self, checked: &CheckedStatement, claim: Claim) -> Result<Admitted, RosterRefusal> {
        self.is_ours(claim.community())?;
        let (subject, signers) = (claim.subject(), checked.signers());
        let issuer = subject.issuer;
        let lineage = self.organisations.get(&issuer).ok_or(RosterRefusal::NotYet)?;
        // A manifest that is not here yet may name the signers.
        let since = lineage.spoken_for_since(&signers).ok_or(RosterRefusal::NotYet)?;
        let claim = HeldClaim {
            id: checked.id(),
            signers,
            claim,
        };
        let place = (subject, since);
        let held = self.claims.get(&place).map(|held| (held.order(), held.id));
        if held.is_some_and(|(order, _)| order > claim.order()) {
            return Ok(Admitted::Known);
        }
        if held.is_none() && self.claims_of(issuer).count() >= self.room_for_claims(&issuer) {
            return Err(RosterRefusal::Full);
        }
        let freed = held.map_or(0, |(_, older)| self.shelf.size_of(&older));
        self.make_room(checked.statement(), &issuer, freed)?;
        if let Some((_, older)) = held {
            self.take_out(&older);
        }
        self.shelf.put(checked, Rank::Other);
        self.claims.insert(place.clone(), claim);
        let winner = self.winner(&place.0);
        if let Some(concern) = winner
            .filter(|held| held.id == checked.id())
            .map(|held| held.claim.concern())
        {
            self.concern(concern);
        }
        Ok(if held.is_some() { Admitted::Newer } else { Admitted::New })
    }

    fn room_for_claims(&self, issuer: &OrgId) -> usize {
        if self.matters(issuer) {
            limits::ENDORSEMENTS_PER_ISSUER
        } else {
            limits::ENDORSEMENTS_PER_STRANGER
        }
    }

    fn claims_of(&self, issuer: OrgId) -> impl Iterator<Item = (&(Subject, u64), &HeldClaim)> {
        let all = self.claims.range(start(issuer)..);
        all.take_while(move |((subject, _), _)| subject.issuer == issuer)
    }

    pub(super) fn drop_claims_of(&mut self, issuer: OrgId) {
        let places: Vec<(Subject, u64)> = self.claims_of(issuer).map(|(place, _)| place.clone()).collect();
        places.iter().for_each(|place| drop(self.claims.remove(place)));
    }

    /// The one of a subject that counts, if any does.
    fn winner(&self, subject: &Subject) -> Option<&HeldClaim> {
        let lineage = self.organisations.get(&subject.issuer)?;
        let of = self.claims.range((subject.clone(), 0)..=(subject.clone(), u64::MAX));
        winner(lineage, of.map(|(_, held)| held))
    }

    /// Whether what an organisation said of another is still its word: another statement may have come after it, or a manifest
    /// may have voided its signers. None for statements of other kinds.
    pub fn stands_by(&self, statement: &Statement) -> Option<bool> {
        let kinds = [Kind::ENDORSEMENT, Kind::VETO, Kind::SUBSIDIARY];
        let claim = Claim::read(statement)
            .ok()
            .filter(|_| kinds.contains(&statement.kind()))?;
        let winner = self.winner(&claim.subject());
        Some(winner.is_some_and(|held| held.id == statement.id()))
    }

    /// Everything of one issuer that counts.
    fn winners_of(&self, issuer: OrgId) -> Vec<&HeldClaim> {
        let Some(lineage) = self.organisations.get(&issuer) else {
            return Vec::new();
        };
        let mut groups: BTreeMap<&Subject, Vec<&HeldClaim>> = BTreeMap::new();
        for ((subject, _), held) in self.claims_of(issuer) {
            groups.entry(subject).or_default().push(held);
        }
        let groups = groups.into_values();
        groups.filter_map(|group| winner(lineage, group.into_iter())).collect()
    }

    fn winners(&self) -> impl Iterator<Item = &HeldClaim> {
        self.issuers().into_iter().flat_map(|issuer| self.winners_of(issuer))
    }

    fn issuers(&self) -> BTreeSet<OrgId> {
        self.claims.keys().map(|(subject, _)| subject.issuer).collect()
    }

    /// Every endorsement that counts, by issuer; those of amount 0 say that there is none any more.
    pub fn endorsements(&self) -> impl Iterator<Item = &Endorsement> {
        self.winners().filter_map(endorsement)
    }

    /// The endorsements of one issuer that count.
    pub fn endorsements_of(&self, issuer: &OrgId) -> impl Iterator<Item = &Endorsement> {
        self.winners_of(*issuer).into_iter().filter_map(endorsement)
    }

    /// Every veto that counts, by issuer; some may be withdrawn.
    pub fn vetoes(&self) -> impl Iterator<Item = &Veto> {
        self.winners().filter_map(veto)
    }

    /// The vetoes of one issuer that count.
    pub fn vetoes_of(&self, issuer: &OrgId) -> impl Iterator<Item = &Veto> {
        self.winners_of(*issuer).into_iter().filter_map(veto)
    }

    /// The organisation above this one, when both say so.
    pub fn parent_of(&self, child: &OrgId) -> Option<OrgId> {
        let issuer = self.manifest_of(child)?.parent?;
        let subject = Subject {
            issuer,
            kind: Kind::SUBSIDIARY,
            org: *child,
            scope: Scope::default(),
        };
        match &self.winner(&subject)?.claim {
            Claim::Subsidiary(claim) if !claim.withdrawn => Some(issuer),
            _ => None,
        }
    }

    /// Whether an organisation has ever said that it is above another.
    pub fn has_subsidiaries(&self, org: &OrgId) -> bool {
        self.claims_of(*org)
            .any(|((subject, _), _)| subject.kind == Kind::SUBSIDIARY)
    }

    /// Every organisation with the one above it, when both say so.
    pub fn parents(&self) -> impl Iterator<Item = (OrgId, OrgId)> {
        self.organisations()
            .filter_map(|child| Some((child, self.parent_of(&child)?)))
    }

    /// The newest head of an issuer's chain.
    pub fn chain_head(&self, issuer: &OrgId) -> Option<&ChainHead> {
        let subject = Subject {
            issuer: *issuer,
            kind: Kind::CHAIN_HEAD,
            org: *issuer,
            scope: Scope::default(),
        };
        match &self.winner(&subject)?.claim {
            Claim::Head(head) => Some(head),
            _ => None,
        }
    }

    /// Whether everything that an issuer has said is here, at this wall time.
    pub fn chain(&self, issuer: &OrgId, at: Millis) -> Chain {
        let Some(head) = self.chain_head(issuer) else {
            return Chain::Unknown;
        };
        let last = self.last_of(issuer).map(|(seq, _)| seq);
        if last.is_some_and(|last| last > head.seq) {
            Chain::Ahead
        } else if self.standing_of(issuer) != head.standing {
            Chain::Withheld
        } else if head.fresh_until <= at {
            Chain::Stale
        } else {
            Chain::Whole
        }
    }

    /// What the next head of this issuer's chain is to say about the statements that count.
    pub fn standing_of(&self, issuer: &OrgId) -> Digest {
        let all = self.winners_of(*issuer).into_iter();
        let ids: Vec<Digest> = all.filter(|held| !is_head(held)).map(|held| held.id).collect();
        ChainHead::standing(&ids)
    }

    /// The same, when these further statements of the issuer are here too: a head is made before roots that are kept apart
    /// have signed them, and what is not signed cannot be admitted.
    ///
    /// # Errors
    /// One of them is no statement of a chain.
    pub fn standing_with(&self, issuer: &OrgId, further: &[Statement]) -> Result<Digest, StatementError> {
        let held = self.winners_of(*issuer).into_iter().filter(|held| !is_head(held));
        let mut ids: BTreeMap<Subject, Digest> = held.map(|held| (held.claim.subject(), held.id)).collect();
        for statement in further {
            ids.insert(Claim::read(statement)?.subject(), statement.id());
        }
        Ok(ChainHead::standing(&ids.into_values().collect::<Vec<_>>()))
    }

    /// The number and the id of the last statement of an issuer's chain that is here.
    pub fn last_of(&self, issuer: &OrgId) -> Option<(u64, Digest)> {
        let all = self.winners_of(*issuer).into_iter();
        all.filter(|held| !is_head(held)).map(HeldClaim::order).max()
    }

    /// The number of the next statement of an issuer's chain, and the id of the one before it.
    pub fn next_in_chain(&self, issuer: &OrgId) -> (u64, Digest) {
        let head = self.chain_head(issuer).map(|head| (head.seq, head.id));
        let last = self.last_of(issuer).max(head);
        last.map_or((0, Digest::ZERO), |(seq, id)| (seq.saturating_add(1), id))
    }
}

fn winner<'a>(lineage: &Lineage, held: impl Iterator<Item = &'a HeldClaim>) -> Option<&'a HeldClaim> {
    held.filter(|held| lineage.speaks(&held.signers))
        .max_by_key(|held| held.order())
}

fn is_head(held: &HeldClaim) -> bool {
    matches!(held.claim, Claim::Head(_))
}

fn endorsement(held: &HeldClaim) -> Option<&Endorsement> {
    match &held.claim {
        Claim::Endorsement(claim) => Some(claim),
        _ => None,
    }
}

fn veto(held: &HeldClaim) -> Option<&Veto> {
    match &held.claim {
        Claim::Veto(claim) => Some(claim),
        _ => None,
    }
}
