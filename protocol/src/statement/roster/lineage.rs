//! An organisation's manifests, as a tree: each follows the one before it, and where two follow one, the organisation has
//! contradicted itself. The chain through the tree is what counts; it ends where nobody can tell which way to go.
//!
//! The tree depends only on the statements held. The chain depends also on which recoveries have taken effect here.

use std::collections::BTreeSet;

use starfish_crypto::{Digest, PublicKey};

use crate::statement::Manifest;

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
    pub(super) manifest: Manifest,
    /// How many statements it rests on, one after the other.
    pub(super) depth: u32,
    /// Whether it meets its predecessor's commitment; otherwise guardians gave it.
    pub(super) regular: bool,
}

/// The manifests of one organisation, by the ids of their statements.
#[derive(Debug)]
pub(super) struct Lineage {
    links: Links,
    /// Manifests behind which two others were proven to stand.
    forked: BTreeSet<Digest>,
    /// The successors that the organisation's roots chose.
    chosen: BTreeSet<Digest>,
    /// The one that the local operator chose.
    decided: BTreeSet<Digest>,
    /// The manifests of recoveries that took effect here.
    recovered: BTreeSet<Digest>,
    chain: Vec<Digest>,
    /// Those of the chain that no later one voids.
    good: Vec<Digest>,
    frozen: Option<Freeze>,
}

/// Manifests in the order of their ids. Almost every organisation has one, and a tree has room for eleven: over all that a
/// node knows of, the room would be more than everything else.
#[derive(Debug)]
struct Links(Vec<(Digest, Link)>);

impl Links {
    fn place(&self, id: &Digest) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(id))
    }

    fn get(&self, id: &Digest) -> Option<&Link> {
        let place = self.place(id).ok()?;
        self.0.get(place).map(|(_, link)| link)
    }

    fn remove(&mut self, id: &Digest) -> Option<Link> {
        let place = self.place(id).ok()?;
        Some(self.0.remove(place).1)
    }

    fn insert(&mut self, id: Digest, link: Link) {
        self.remove(&id);
        let (Ok(place) | Err(place)) = self.place(&id);
        self.0.insert(place, (id, link));
    }

    fn iter(&self) -> impl Iterator<Item = (&Digest, &Link)> {
        self.0.iter().map(|(id, link)| (id, link))
    }

    fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.0.iter().map(|(_, link)| &link.manifest)
    }
}

impl Lineage {
    pub(super) fn founded(id: Digest, manifest: Manifest) -> Self {
        let link = Link {
            manifest,
            depth: 0,
            regular: true,
        };
        let mut lineage = Self {
            links: Links(vec![(id, link)]),
            forked: BTreeSet::new(),
            chosen: BTreeSet::new(),
            decided: BTreeSet::new(),
            recovered: BTreeSet::new(),
            chain: vec![id],
            good: vec![id],
            frozen: None,
        };
        lineage.follow();
        lineage
    }

    pub(super) fn link(&self, id: &Digest) -> Option<&Link> {
        self.links.get(id)
    }

    pub(super) fn links(&self) -> impl Iterator<Item = (&Digest, &Link)> {
        self.links.iter()
    }

    /// Those that meet the commitment of this one.
    pub(super) fn successors(&self, id: &Digest) -> Vec<Digest> {
        let follows = |link: &Link| link.regular && link.manifest.seq > 0 && link.manifest.prev == *id;
        let found = self.links.iter().filter(|(_, link)| follows(link));
        found.map(|(id, _)| *id).collect()
    }

    /// Adds a manifest whose predecessor is here; whether anything that counts changed.
    pub(super) fn add(&mut self, id: Digest, manifest: Manifest, depth: u32, regular: bool) -> bool {
        let known = self.links.remove(&id);
        let regular = regular || known.as_ref().is_some_and(|link| link.regular);
        let depth = known.map_or(depth, |link| link.depth.min(depth));
        let link = Link {
            manifest,
            depth,
            regular,
        };
        self.links.insert(id, link);
        self.follow()
    }

    pub(super) fn fork(&mut self, before: Digest) -> bool {
        self.forked.insert(before) && self.follow()
    }

    pub(super) fn choose(&mut self, successor: Digest) -> bool {
        self.chosen.insert(successor) && self.follow()
    }

    pub(super) fn decide(&mut self, successor: Digest) -> bool {
        self.decided.retain(|other| {
            self.links.get(other).map(|link| link.manifest.prev)
                != self.links.get(&successor).map(|link| link.manifest.prev)
        });
        self.decided.insert(successor) && self.follow()
    }

    pub(super) fn recover(&mut self, id: Digest) -> bool {
        self.recovered.insert(id) && self.follow()
    }

    /// The manifests that count, the first one first.
    pub(super) fn chain(&self) -> impl Iterator<Item = &Manifest> {
        self.chain
            .iter()
            .filter_map(|id| self.links.get(id))
            .map(|link| &link.manifest)
    }

    /// The last one that counts.
    pub(super) fn current(&self) -> Option<&Manifest> {
        self.chain
            .last()
            .and_then(|id| self.links.get(id))
            .map(|link| &link.manifest)
    }

    pub(super) fn frozen(&self) -> Option<Freeze> {
        self.frozen
    }

    /// The manifests whose keys still count.
    pub(super) fn good(&self) -> impl Iterator<Item = &Manifest> {
        self.good
            .iter()
            .filter_map(|id| self.links.get(id))
            .map(|link| &link.manifest)
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
        self.links.manifests().filter(move |manifest| manifest.seq == seq)
    }

    /// The number of the first manifest for which these may endorse, of the chain or not.
    pub(super) fn spoken_for_since(&self, signers: &[PublicKey]) -> Option<u64> {
        let all = self.links.manifests();
        let speaks = all.filter(|manifest| manifest.is_spoken_for(signers));
        speaks.map(|manifest| manifest.seq).min()
    }

    /// Whether these may endorse for a manifest that counts.
    pub(super) fn speaks(&self, signers: &[PublicKey]) -> bool {
        self.good().any(|manifest| manifest.is_spoken_for(signers))
    }

    /// Whether later manifests with other keys may still come by guardians, so that an unknown signer proves nothing.
    pub(super) fn is_guarded(&self) -> bool {
        self.links.manifests().any(|manifest| manifest.guardians.is_some())
    }

    /// Whether this key is a root of some manifest that is not older than what `recovered` follows, nor its successor.
    pub(super) fn may_call_off(&self, recovered: &Digest, key: &PublicKey) -> bool {
        let Some(link) = self.links.get(recovered) else {
            return false;
        };
        let from = self.links.get(&link.manifest.prev).map_or(0, |link| link.manifest.seq);
        let others = self
            .links
            .iter()
            .filter(|(id, link)| link.manifest.seq >= from && !self.path(**id).contains(recovered));
        others.into_iter().any(|(_, link)| link.manifest.roots.contains(key))
    }

    /// From the first manifest to this one.
    fn path(&self, to: Digest) -> Vec<Digest> {
        let mut path = vec![to];
        let mut at = to;
        while let Some(link) = self.links.get(&at).filter(|link| link.manifest.seq > 0) {
            at = link.manifest.prev;
            path.push(at);
        }
        path.reverse();
        path
    }

    /// Finds the chain anew: from the last recovery on, or the beginning, to the end or to a fork that nobody has settled.
    fn follow(&mut self) -> bool {
        let recovered = self
            .recovered
            .iter()
            .filter_map(|id| Some((self.links.get(id)?.manifest.seq, *id)));
        let first = self
            .links
            .iter()
            .find(|(_, link)| link.manifest.seq == 0)
            .map(|(id, _)| *id);
        let Some(mut tip) = recovered.max().map(|(_, id)| id).or(first) else {
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
        let current = self.links.get(&tip).map(|link| &link.manifest);
        let frozen = frozen.or(current.is_some_and(Manifest::retires).then_some(Freeze::Retired));
        let changed = (&chain, frozen) != (&self.chain, self.frozen);
        (self.chain, self.frozen) = (chain, frozen);
        self.good = self.without_void();
        changed
    }

    fn next(&self, tip: &Digest) -> Result<Option<Digest>, Freeze> {
        let successors = self.successors(tip);
        if successors.len() < 2 && !self.forked.contains(tip) {
            return Ok(successors.first().copied());
        }
        let mut chosen = successors.iter().filter(|id| self.chosen.contains(*id));
        let seq = self.links.get(tip).map_or(0, |link| link.manifest.seq);
        if let Some(decided) = successors.iter().find(|id| self.decided.contains(*id)) {
            return Ok(Some(*decided));
        }
        match (chosen.next(), chosen.next()) {
            (Some(one), None) => Ok(Some(*one)),
            _ => Err(Freeze::Forked { seq }),
        }
    }

    fn without_void(&self) -> Vec<Digest> {
        let (mut good, mut from) = (Vec::new(), u64::MAX);
        for id in self.chain.iter().rev() {
            let Some(link) = self.links.get(id) else { continue };
            if link.manifest.seq < from {
                good.push(*id);
            }
            from = from.min(link.manifest.void_from.unwrap_or(u64::MAX));
        }
        good.reverse();
        good
    }
}
