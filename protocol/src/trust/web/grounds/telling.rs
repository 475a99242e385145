//! What [`Grounds`] are told, and what of it changes anything.

use std::collections::{BTreeMap, BTreeSet};

use super::{Grounds, Moment, Pair, Papers, Period, Place, Refusal, Said, ScopeId};
use crate::{
    organisation::OrgId,
    statement::{Endorsement, Scope, Veto},
    time::Millis,
    trust::{Pin, Root},
};

impl Grounds {
    /// Replaces the root entries of an organisation.
    pub(in crate::trust::web) fn set_roots(&mut self, org: OrgId, roots: &[Root]) {
        let possible: BTreeSet<&Root> = roots.iter().filter(|root| root.is_possible()).collect();
        let wanted = (0..).zip(possible);
        let wanted = wanted.map(|(number, root)| ((org, &root.scope, number), root.into()));
        let held = |grounds: &Self| -> Vec<(Place, Said)> {
            let all = grounds.roots_of(&org).map(|(place, said)| (*place, *said));
            all.collect()
        };
        let before = held(self);
        let places = before.iter().map(|(place, _)| *place).collect();
        self.replace_said(None, places, wanted.collect());
        if before != held(self) {
            // Whom the operator vouches for need not be known otherwise, and cannot be vetoed.
            self.changed_of(&org);
        }
    }

    pub(in crate::trust::web) fn pin(&mut self, org: OrgId, pin: Option<Pin>) {
        let before = match pin {
            Some(pin) => self.pins.insert(org, pin),
            None => self.pins.remove(&org),
        };
        if before != pin {
            self.changes.orgs.insert(org);
            self.find_bad();
        }
    }

    /// What counts for one issuer, subject and scope.
    pub(in crate::trust::web) fn endorse(&mut self, says: &Endorsement) {
        self.put(Some(says.issuer), (says.subject, &says.scope, 0), Some(says.into()));
    }

    /// Everything that an issuer says of others.
    pub(in crate::trust::web) fn set_endorsements(&mut self, issuer: OrgId, all: &[&Endorsement]) {
        let wanted = all.iter().map(|says| ((says.subject, &says.scope, 0), (*says).into()));
        let held = self.said_by(Some(issuer)).map(|(place, _)| *place).collect();
        self.replace_said(Some(issuer), held, wanted.collect());
    }

    /// The same with only some of what is said. When something in it begins or ends is for its owner to know.
    pub(in crate::trust::web) fn excerpt(&self, needed: impl Fn(&Place, &Said) -> bool) -> Self {
        let said = self.said.iter().filter(|(place, said)| needed(place, said));
        let said: Vec<(Place, Said)> = said.copied().collect();
        let mut part = Self {
            now: self.now,
            vetoes: self.vetoes.clone(),
            scopes: self.scopes.clone(),
            families: self.families.clone(),
            papers: self.papers.clone(),
            pins: self.pins.clone(),
            bad: self.bad.clone(),
            ..Self::new(self.own)
        };
        for (place, said) in said {
            part.enter(&place);
            part.said.insert((place, said));
        }
        part
    }

    /// The veto that counts for one issuer, subject and scope.
    pub(in crate::trust::web) fn veto(&mut self, veto: &Veto) {
        self.put_veto(veto.issuer, (veto.subject, &veto.scope), Some(veto.into()));
    }

    /// Every veto of an issuer.
    pub(in crate::trust::web) fn set_vetoes(&mut self, issuer: OrgId, all: &[&Veto]) {
        let said: BTreeSet<(OrgId, &Scope)> = all.iter().map(|veto| (veto.subject, &veto.scope)).collect();
        let held = self.vetoes.get(&issuer).into_iter().flat_map(BTreeMap::keys);
        let held = held.filter_map(|(subject, scope)| Some((*subject, self.scopes.scope(*scope)?.clone())));
        let gone: Vec<(OrgId, Scope)> = held
            .filter(|(subject, scope)| !said.contains(&(*subject, scope)))
            .collect();
        for (subject, scope) in gone {
            self.put_veto(issuer, (subject, &scope), None);
        }
        all.iter().for_each(|veto| self.veto(veto));
    }

    /// What is known of an organisation's manifest, if there is one.
    pub(in crate::trust::web) fn set_papers(&mut self, org: OrgId, papers: Option<Papers>) {
        let barred = self.bar(&org);
        let before = match papers {
            Some(papers) => self.papers.insert((org, papers)),
            None => self.papers.remove(&org),
        };
        self.watch(
            before.map(|(_, before)| before.period()),
            papers.map(|papers| papers.period()),
            Moment::Papers(org),
        );
        if barred != self.bar(&org) {
            self.changed_of(&org);
        }
    }

    /// Who belongs to whom.
    pub(in crate::trust::web) fn set_parents(&mut self, parents: impl IntoIterator<Item = (OrgId, OrgId)>) {
        let before = self.families.clone();
        let moved = self.families.replace(parents);
        if moved.is_empty() {
            return;
        }
        let places: BTreeSet<Place> = moved.iter().flat_map(|org| self.said_of(org)).copied().collect();
        for place in places {
            let (old, new) = (self.pair_in(&before, &place), self.pair(&place));
            self.moved.remove(&(old, place));
            self.move_to(new, &place);
            self.changes.pairs.extend([old, new]);
        }
        self.changes.orgs.extend(moved);
        self.find_bad();
    }

    /// Lets time pass; it never goes back.
    pub(in crate::trust::web) fn advance(&mut self, now: Millis) {
        self.now = self.now.max(now);
        while let Some(moment) = self.moments.take_past(self.now) {
            match moment {
                Moment::Said(place) => drop(self.changes.pairs.insert(self.pair(&place))),
                Moment::Veto(issuer, subject, _) => drop(self.changes.vetoes.insert((issuer, subject))),
                Moment::Papers(org) => self.changed_of(&org),
            }
        }
    }

    fn replace_said(&mut self, issuer: Option<OrgId>, held: Vec<Place>, wanted: BTreeMap<About<'_>, Said>) {
        for place in held {
            let Some(scope) = self.scopes.scope(place.scope).cloned() else {
                continue;
            };
            let about = (place.subject, &scope, place.number);
            if !wanted.contains_key(&about) {
                self.put(issuer, about, None);
            }
        }
        for (about, said) in wanted {
            self.put(issuer, about, Some(said));
        }
    }

    fn put(&mut self, issuer: Option<OrgId>, (subject, scope, number): About<'_>, said: Option<Said>) {
        let Some(id) = self.scope_for(scope, said.is_some()) else {
            return;
        };
        let place = Place {
            issuer,
            subject,
            scope: id,
            number,
        };
        let before = match said {
            Some(said) => self.said.insert((place, said)),
            None => self.said.remove(&place),
        };
        let before = before.map(|(_, before)| before);
        if before.is_some() {
            self.leave(id);
        }
        if before == said {
            return;
        }
        let moment = Moment::Said(place);
        let alive = |said: Option<Said>| said.and_then(|said| said.alive());
        self.watch(alive(before), alive(said), moment);
        if before.is_none() {
            self.enter(&place);
        }
        if said.is_none() {
            self.moved.remove(&(self.pair(&place), place));
            if let Some(issuer) = issuer.filter(|issuer| self.said_to(Some(*issuer), subject).next().is_none()) {
                self.vouched.remove(&(subject, issuer));
            }
        }
        self.changes.pairs.insert(self.pair(&place));
    }

    fn put_veto(&mut self, issuer: OrgId, (subject, scope): (OrgId, &Scope), veto: Option<Refusal>) {
        let Some(id) = self.scope_for(scope, veto.is_some()) else {
            return;
        };
        let held = self.vetoes.entry(issuer).or_default();
        let before = match veto {
            Some(veto) => held.insert((subject, id), veto),
            None => held.remove(&(subject, id)),
        };
        if held.is_empty() {
            self.vetoes.remove(&issuer);
        }
        if before.is_some() {
            self.leave(id);
        }
        if before != veto {
            let moment = Moment::Veto(issuer, subject, id);
            let alive = |veto: Option<Refusal>| veto.and_then(|veto| veto.alive());
            self.watch(alive(before), alive(veto), moment);
            self.changes.vetoes.insert((issuer, subject));
        }
    }

    /// The number of a scope, which has one more user when something is to be said in it.
    fn scope_for(&mut self, scope: &Scope, used: bool) -> Option<ScopeId> {
        if !used {
            return self.scopes.id(scope);
        }
        let (id, new) = self.scopes.enter(scope);
        if new {
            self.changes.begun.insert(id);
        }
        Some(id)
    }

    fn leave(&mut self, id: ScopeId) {
        if self.scopes.leave(id) {
            self.changes.begun.remove(&id);
            self.changes.ended.insert(id);
        }
    }

    /// Puts something said on every list that it belongs to.
    fn enter(&mut self, place: &Place) {
        self.move_to(self.pair(place), place);
        self.vouched.extend(place.issuer.map(|issuer| (place.subject, issuer)));
    }

    /// Notes between which nodes something is said, if it does not name them itself.
    fn move_to(&mut self, pair: Pair, place: &Place) {
        if pair != place.ends() {
            self.moved.insert((pair, *place));
        }
    }

    /// Notes when something begins and ends, in place of when it did before.
    fn watch(&mut self, before: Option<Period>, after: Option<Period>, moment: Moment) {
        for at in before.iter().flat_map(Period::ends) {
            self.moments.remove(at, moment);
        }
        let now = self.now;
        for at in after.iter().flat_map(|period| period.after(now)) {
            self.moments.insert(at, moment);
        }
    }

    fn changed_of(&mut self, org: &OrgId) {
        let pairs: Vec<Pair> = self.pairs_of(org).collect();
        self.changes.pairs.extend(pairs);
        self.changes.orgs.insert(*org);
    }

    /// Who is pinned bad has all below it with it, but for our own organisation.
    fn find_bad(&mut self) {
        let pins = self.pins.iter().filter(|(_, pin)| **pin == Pin::Bad);
        let mut bad: BTreeSet<OrgId> = pins.flat_map(|(org, _)| self.families.below(org)).collect();
        bad.remove(&self.own);
        let before = std::mem::replace(&mut self.bad, bad);
        let changed: Vec<OrgId> = before.symmetric_difference(&self.bad).copied().collect();
        changed.iter().for_each(|org| self.changed_of(org));
    }
}

/// Of whom, in which scope, and as the how manieth there.
type About<'a> = (OrgId, &'a Scope, u32);
