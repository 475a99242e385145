//! The scopes that occur, each with a small number, and the [`Question`] that they are held against.

use std::collections::{BTreeMap, BTreeSet};

use crate::{observable::Suffix, record::Topic, statement::Scope};

/// What trust is asked for. What is not asked about is anything: without topics only what is about any topic counts, and
/// without a name only what is about any name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// All of these topics.
    pub topics: BTreeSet<Topic>,
    /// A host name in its normal form.
    pub name: Option<Suffix>,
}

impl Question {
    /// Whether what was said in this scope counts.
    pub fn is_within(&self, scope: &Scope) -> bool {
        let about = scope.topics.is_none() || !self.topics.is_empty();
        about && scope.covers(&self.topics, self.name.as_ref().map(Suffix::as_str))
    }
}

/// The number of a scope.
pub(in crate::trust::web) type ScopeId = u64;

/// The scope of anything has always this number.
pub(in crate::trust::web) const ANYTHING: ScopeId = 0;

/// The scopes that somebody uses.
#[derive(Clone, Debug)]
pub(in crate::trust::web) struct Scopes {
    ids: BTreeMap<Scope, ScopeId>,
    used: BTreeMap<ScopeId, (Scope, usize)>,
    next: ScopeId,
}

impl Scopes {
    pub(in crate::trust::web) fn new() -> Self {
        Self {
            ids: BTreeMap::from([(Scope::default(), ANYTHING)]),
            used: BTreeMap::from([(ANYTHING, (Scope::default(), 1))]),
            next: ANYTHING + 1,
        }
    }

    /// One more user of this scope; true when it is the first.
    pub(in crate::trust::web) fn enter(&mut self, scope: &Scope) -> (ScopeId, bool) {
        if let Some(id) = self.ids.get(scope) {
            if let Some((_, users)) = self.used.get_mut(id) {
                *users += 1;
            }
            return (*id, false);
        }
        let id = self.next;
        self.next += 1;
        self.ids.insert(scope.clone(), id);
        self.used.insert(id, (scope.clone(), 1));
        (id, true)
    }

    /// One user less; true when it was the last.
    pub(in crate::trust::web) fn leave(&mut self, id: ScopeId) -> bool {
        let Some((_, users)) = self.used.get_mut(&id) else {
            return false;
        };
        *users -= 1;
        if *users > 0 {
            return false;
        }
        if let Some((scope, _)) = self.used.remove(&id) {
            self.ids.remove(&scope);
        }
        true
    }

    pub(in crate::trust::web) fn id(&self, scope: &Scope) -> Option<ScopeId> {
        self.ids.get(scope).copied()
    }

    pub(in crate::trust::web) fn scope(&self, id: ScopeId) -> Option<&Scope> {
        self.used.get(&id).map(|(scope, _)| scope)
    }

    /// The scopes that cover a question.
    pub(in crate::trust::web) fn within(&self, question: &Question) -> BTreeSet<ScopeId> {
        let all = self.used.iter();
        all.filter(|(_, (scope, _))| question.is_within(scope))
            .map(|(id, _)| *id)
            .collect()
    }
}
