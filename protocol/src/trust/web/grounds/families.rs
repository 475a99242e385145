//! Which organisations are one: a subsidiary is the same node as the topmost organisation above it (design, trust 4.2).

use std::collections::{BTreeMap, BTreeSet};

use crate::organisation::OrgId;

/// The links that both sides signed.
#[derive(Clone, Debug)]
pub(in crate::trust::web) struct Families {
    own: OrgId,
    parents: BTreeMap<OrgId, OrgId>,
    children: BTreeMap<OrgId, BTreeSet<OrgId>>,
    /// Of those that have a parent.
    tops: BTreeMap<OrgId, OrgId>,
    /// All that are one node with this one, itself included, where there is more than one.
    members: BTreeMap<OrgId, BTreeSet<OrgId>>,
}

impl Families {
    /// A subsidiary of our own organisation stays itself: it would be this node's policy otherwise.
    pub(in crate::trust::web) fn new(own: OrgId) -> Self {
        Self {
            own,
            parents: BTreeMap::new(),
            children: BTreeMap::new(),
            tops: BTreeMap::new(),
            members: BTreeMap::new(),
        }
    }

    pub(in crate::trust::web) fn parent_of(&self, org: &OrgId) -> Option<OrgId> {
        self.parents.get(org).copied()
    }

    /// Whether it has a parent or children.
    pub(in crate::trust::web) fn knows(&self, org: &OrgId) -> bool {
        self.parents.contains_key(org) || self.children.contains_key(org)
    }

    /// Who stands for this organisation.
    pub(in crate::trust::web) fn top_of(&self, org: &OrgId) -> OrgId {
        self.tops.get(org).copied().unwrap_or(*org)
    }

    /// Everybody for whom this one stands.
    pub(in crate::trust::web) fn members_of(&self, top: &OrgId) -> Vec<OrgId> {
        let members = self.members.get(top);
        members.map_or_else(|| vec![*top], |members| members.iter().copied().collect())
    }

    /// This organisation and all below it.
    pub(in crate::trust::web) fn below(&self, org: &OrgId) -> BTreeSet<OrgId> {
        let mut met = BTreeSet::from([*org]);
        let mut open = vec![*org];
        while let Some(org) = open.pop() {
            let children = self.children.get(&org).into_iter().flatten();
            open.extend(
                children
                    .filter(|child| met.insert(**child))
                    .copied()
                    .collect::<Vec<_>>(),
            );
        }
        met
    }

    /// This organisation and all above it.
    pub(in crate::trust::web) fn above(&self, org: &OrgId) -> BTreeSet<OrgId> {
        let mut met = BTreeSet::new();
        let mut at = Some(*org);
        while let Some(org) = at.filter(|org| met.insert(*org)) {
            at = self.parent_of(&org);
        }
        met
    }

    /// Takes other links; answers the organisations that have another parent or another top now.
    pub(in crate::trust::web) fn replace(
        &mut self,
        parents: impl IntoIterator<Item = (OrgId, OrgId)>,
    ) -> BTreeSet<OrgId> {
        let own = self.own;
        let parents = parents.into_iter();
        let parents = parents.filter(|(child, parent)| child != parent && *child != own && *parent != own);
        let mut next = Self::new(own);
        for (child, parent) in parents {
            next.parents.insert(child, parent);
            next.children.entry(parent).or_default().insert(child);
        }
        next.climb();
        let children = self.parents.keys().chain(next.parents.keys());
        let differs = |org: &&OrgId| {
            self.parents.get(*org) != next.parents.get(*org) || self.tops.get(*org) != next.tops.get(*org)
        };
        let changed = children.filter(differs).copied().collect();
        *self = next;
        changed
    }

    /// Finds who stands for whom. Of those that are above each other in a circle it is the smallest.
    fn climb(&mut self) {
        let children: Vec<OrgId> = self.parents.keys().copied().collect();
        for child in children {
            let mut way = vec![child];
            let mut met = BTreeSet::from([child]);
            let mut at = child;
            let top = loop {
                if let Some(top) = self.tops.get(&at) {
                    break *top;
                }
                let Some(parent) = self.parents.get(&at) else { break at };
                at = *parent;
                if !met.insert(at) {
                    let circle = way.iter().skip_while(|org| **org != at);
                    break circle.min().copied().unwrap_or(at);
                }
                way.push(at);
            };
            self.tops.extend(way.into_iter().map(|org| (org, top)));
        }
        self.tops.retain(|org, top| org != top);
        for (org, top) in &self.tops {
            let members = self.members.entry(*top).or_insert_with(|| BTreeSet::from([*top]));
            members.insert(*org);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::graph::samples::org;

    #[test]
    fn the_topmost_stands_for_all() {
        let check = |links: &[(u32, u32)], child: u32, top: u32| {
            let mut families = Families::new(org(99));
            families.replace(links.iter().map(|(child, parent)| (org(*child), org(*parent))));
            assert_eq!(families.top_of(&org(child)), org(top), "{links:?} {child}");
            let members = families.members_of(&org(top));
            assert!(members.contains(&org(child)) && members.contains(&org(top)));
        };
        check(&[], 1, 1);
        check(&[(1, 2)], 1, 2);
        check(&[(1, 2)], 2, 2);
        check(&[(1, 2), (2, 3)], 1, 3);
        check(&[(3, 2), (2, 1), (4, 3)], 4, 1);
        check(&[(1, 99)], 1, 1);
        check(&[(99, 1)], 99, 99);
        check(&[(1, 2), (2, 99)], 1, 2);
        check(&[(1, 1)], 1, 1);
        check(&[(3, 2), (2, 3)], 3, 2);
        check(&[(1, 3), (3, 2), (2, 3)], 1, 2);
        check(&[(3, 4), (4, 5), (5, 3), (9, 4)], 9, 3);
    }

    #[test]
    fn what_changed_is_named() {
        let mut families = Families::new(org(99));
        assert_eq!(families.replace([(org(1), org(2))]), [org(1)].into());
        assert_eq!(families.replace([(org(1), org(2))]), [].into());
        let more = [(org(1), org(2)), (org(2), org(3))];
        assert_eq!(families.replace(more), [org(1), org(2)].into());
        assert_eq!(families.below(&org(3)), [org(1), org(2), org(3)].into());
        assert_eq!(families.replace([]), [org(1), org(2)].into());
        assert_eq!(families.below(&org(3)), [org(3)].into());
    }
}
