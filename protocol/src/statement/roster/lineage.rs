//! An organisation's manifests, as a tree: each follows the one before it, and where two follow one, the organisation has
//! contradicted itself. The chain through the tree is what counts; it ends where nobody can tell which way to go.
//!
//! The tree depends only on the statements held. The chain depends also on which recoveries have taken effect here.

use std::{collections::BTreeSet, sync::Arc};

use starfish_crypto::{Digest, PublicKey};

use crate::{
    ordered::Placed,
    organisation::OrgId,
    statement::{Manifest, checked::Named},
};

/// Why an organisation stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freeze {
    /// Two manifests follow the one of this number.
    Forked {
        /// The number of the last manifest before the two.
        seq: u64,
    },
    /// Its current manifest says that no other follows.
    Retired,
}

/// One manifest.
#[derive(Debug)]
pub(super) struct Link {
    named: Arc<Named>,
    /// How many statements it rests on, one after the other.
    pub(super) depth: u32,
    /// Whether it meets its predecessor's commitment; otherwise guardians gave it.
    regular: bool,
    /// Whether it is of the chain.
    counts: bool,
}

/// The manifests of one organisation. Almost every one has a single manifest, and nothing was decided about that.
#[derive(Debug)]
pub(super) struct Lineage {
    /// The first one, which names the organisation.
    genesis: Arc<Named>,
    /// In the order of their numbers, then of the ids of their statements.
    links: Vec<Link>,
    decisions: Option<Box<Decisions>>,
    frozen: Option<Freeze>,
}

/// What decides which manifests count where they contradict each other.
#[derive(Debug, Default)]
struct Decisions {
    /// Manifests behind which two others were proven to stand.
    forked: BTreeSet<Digest>,
    /// The successors that the organisation's roots chose.
    chosen: BTreeSet<Digest>,
    /// The one that the local operator chose.
    decided: BTreeSet<Digest>,
    /// The manifests of recoveries that took effect here.
    recovered: BTreeSet<Digest>,
}

impl Placed for Lineage {
    type Place = OrgId;

    fn place(&self) -> OrgId {
        self.genesis.org
    }
}

impl Link {
    pub(super) fn id(&self) -> Digest {
        self.named.id
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.named.manifest
    }
}

impl Lineage {
    pub(super) fn founded(named: Arc<Named>) -> Self {
        let link = Link {
            named: Arc::clone(&named),
            depth: 0,
            regular: true,
            counts: true,
        };
        let mut lineage = Self {
            genesis: named,
            links: vec![link],
            decisions: None,
            frozen: None,
        };
        lineage.follow();
        lineage
    }

    pub(super) fn link(&self, id: &Digest) -> Option<&Link> {
        self.links.iter().find(|link| link.named.id == *id)
    }

    pub(super) fn manifest(&self, id: &Digest) -> Option<&Manifest> {
        self.link(id).map(Link::manifest)
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter()
    }

    /// Those that meet the commitment of this one.
    pub(super) fn successors(&self, id: &Digest) -> Vec<Digest> {
        let follows = |link: &&Link| link.regular && link.manifest().seq > 0 && link.manifest().prev == *id;
        self.links.iter().filter(follows).map(Link::id).collect()
    }

    /// Adds a manifest whose predecessor is here; whether anything that counts changed.
    pub(super) fn add(&mut self, named: Arc<Named>, depth: u32, regular: bool) -> bool {
        if let Some(known) = self.links.iter_mut().find(|link| link.named.id == named.id) {
            known.regular |= regular;
            known.depth = known.depth.min(depth);
            return self.follow();
        }
        let place = |named: &Named| (named.manifest.seq, named.id);
        let at = self.links.partition_point(|link| place(&link.named) < place(&named));
        let link = Link {
            named,
            depth,
            regular,
            counts: false,
        };
        self.links.insert(at, link);
        self.follow()
    }

    fn decisions(&mut self) -> &mut Decisions {
        self.decisions.get_or_insert_default()
    }

    fn has(&self, among: impl Fn(&Decisions) -> &BTreeSet<Digest>, id: &Digest) -> bool {
        let decisions = self.decisions.as_deref();
        decisions.is_some_and(|decisions| among(decisions).contains(id))
    }

    pub(super) fn fork(&mut self, before: Digest) -> bool {
        self.decisions().forked.insert(before) && self.follow()
    }

    pub(super) fn choose(&mut self, successor: Digest) -> bool {
        self.decisions().chosen.insert(successor) && self.follow()
    }

    pub(super) fn decide(&mut self, successor: Digest) -> bool {
        let mut decided = std::mem::take(&mut self.decisions().decided);
        let before = |id: &Digest| self.manifest(id).map(|manifest| manifest.prev);
        decided.retain(|other| before(other) != before(&successor));
        let new = decided.insert(successor);
        self.decisions().decided = decided;
        new && self.follow()
    }

    pub(super) fn recover(&mut self, id: Digest) -> bool {
        self.decisions().recovered.insert(id) && self.follow()
    }

    /// The manifests that count, the first one first.
    pub(super) fn chain(&self) -> impl Iterator<Item = &Manifest> {
        self.links.iter().filter(|link| link.counts).map(Link::manifest)
    }

    /// The last one that counts.
    pub(super) fn current(&self) -> Option<&Manifest> {
        self.links.iter().rfind(|link| link.counts).map(Link::manifest)
    }

    pub(super) fn frozen(&self) -> Option<Freeze> {
        self.frozen
    }

    /// The manifests whose keys still count, the last one first: those of the chain that no later one voids.
    pub(super) fn good(&self) -> impl Iterator<Item = &Manifest> {
        let mut from = u64::MAX;
        let chain = self.links.iter().rev().filter(|link| link.counts).map(Link::manifest);
        chain.filter(move |manifest| {
            let good = manifest.seq < from;
            from = from.min(manifest.void_from.unwrap_or(u64::MAX));
            good
        })
    }

    /// Whether the roots of some manifest of this number, of the chain or not, are these signers.
    pub(super) fn ruled(&self, seq: u64, signers: &[PublicKey]) -> bool {
        self.all(seq).any(|manifest| manifest.is_ruled_by(signers))
    }

    /// The same among those that count.
    pub(super) fn rules(&self, seq: u64, signers: &[PublicKey]) -> bool {
        let mut good = self.good().filter(|manifest| manifest.seq == seq);
        good.any(|manifest| manifest.is_ruled_by(signers))
    }

    /// Every manifest of this number.
    pub(super) fn all(&self, seq: u64) -> impl Iterator<Item = &Manifest> {
        self.links()
            .map(Link::manifest)
            .filter(move |manifest| manifest.seq == seq)
    }

    /// The number of the first manifest for which these may endorse, of the chain or not.
    pub(super) fn spoken_for_since(&self, signers: &[PublicKey]) -> Option<u64> {
        let all = self.links().map(Link::manifest);
        let speaks = all.filter(|manifest| manifest.is_spoken_for(signers));
        speaks.map(|manifest| manifest.seq).min()
    }

    /// Whether these may endorse for a manifest that counts.
    pub(super) fn speaks(&self, signers: &[PublicKey]) -> bool {
        self.good().any(|manifest| manifest.is_spoken_for(signers))
    }

    /// Whether later manifests with other keys may still come by guardians, so that an unknown signer proves nothing.
    pub(super) fn is_guarded(&self) -> bool {
        self.links()
            .map(Link::manifest)
            .any(|manifest| manifest.guardians.is_some())
    }

    /// Whether this key is a root of some manifest that is not older than what `recovered` follows, nor its successor.
    pub(super) fn may_call_off(&self, recovered: &Digest, key: &PublicKey) -> bool {
        let Some(manifest) = self.manifest(recovered) else {
            return false;
        };
        let from = self.manifest(&manifest.prev).map_or(0, |before| before.seq);
        let others = self.links.iter();
        let mut others = others.filter(|link| link.manifest().seq >= from && !self.path(link.id()).contains(recovered));
        others.any(|link| link.manifest().roots.contains(key))
    }

    /// From the first manifest to this one.
    fn path(&self, to: Digest) -> Vec<Digest> {
        let mut path = vec![to];
        let mut at = to;
        while let Some(manifest) = self.manifest(&at).filter(|manifest| manifest.seq > 0) {
            at = manifest.prev;
            path.push(at);
        }
        path.reverse();
        path
    }

    /// Finds the chain anew: from the last recovery on, or the beginning, to the end or to a fork that nobody has settled.
    fn follow(&mut self) -> bool {
        let recovered = self
            .links
            .iter()
            .rfind(|link| self.has(|all| &all.recovered, &link.named.id));
        let Some(mut tip) = recovered.or(self.links.first()).map(Link::id) else {
            return false;
        };
        let mut chain = self.path(tip);
        let mut frozen = None;
        loop {
            match self.next(&tip) {
                Ok(Some(next)) => {
                    chain.push(next);
                    tip = next;
                }
                Ok(None) => break,
                Err(freeze) => {
                    frozen = Some(freeze);
                    break;
                }
            }
        }
        let current = self.manifest(&tip);
        let frozen = frozen.or(current.is_some_and(Manifest::retires).then_some(Freeze::Retired));
        let mut changed = frozen != self.frozen;
        self.frozen = frozen;
        for link in &mut self.links {
            let counts = chain.contains(&link.named.id);
            changed |= counts != link.counts;
            link.counts = counts;
        }
        changed
    }

    fn next(&self, tip: &Digest) -> Result<Option<Digest>, Freeze> {
        let successors = self.successors(tip);
        if successors.len() < 2 && !self.has(|all| &all.forked, tip) {
            return Ok(successors.first().copied());
        }
        let mut chosen = successors.iter().filter(|id| self.has(|all| &all.chosen, id));
        let seq = self.manifest(tip).map_or(0, |manifest| manifest.seq);
        if let Some(decided) = successors.iter().find(|id| self.has(|all| &all.decided, id)) {
            return Ok(Some(*decided));
        }
        match (chosen.next(), chosen.next()) {
            (Some(one), None) => Ok(Some(*one)),
            _ => Err(Freeze::Forked { seq }),
        }
    }
}
