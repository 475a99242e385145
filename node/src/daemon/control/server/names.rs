//! What organisations call themselves: [`Names`], read from this node's own statements and those in the store, and again
//! when one is missing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use starfish_crypto::{Digest, Strict};
use starfish_protocol::{
    community::Community,
    organisation::OrgId,
    statement::{Roster, Statement},
};

/// How often a missing name may cost a look at all statements.
const AGAIN: Duration = Duration::from_secs(10);

/// So much of an id must be there to stand for the whole: whoever wants an id that begins like another one's needs more
/// tries with every letter.
const LEAST: usize = 12;

/// Names by organisation.
#[derive(Debug)]
pub(super) struct Names {
    community: Community,
    own: Vec<Statement>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    names: BTreeMap<OrgId, String>,
    /// The manifests that were verified, with what came of it: each is verified once.
    judged: BTreeMap<Digest, Option<String>>,
    read: Option<Instant>,
}

impl Names {
    /// Knows the names in these statements, whatever the store holds.
    pub(super) fn new(community: Community, own: &[Statement]) -> Self {
        let names = Self {
            community,
            own: own.to_vec(),
            known: Mutex::default(),
        };
        names.read(&[]);
        names
    }

    /// A name; `statements` is asked for those in the store when it is missing.
    pub(super) fn name_of(&self, org: &OrgId, statements: impl FnOnce() -> Vec<Statement>) -> Option<String> {
        {
            let mut known = self.locked();
            let name = known.names.get(org).cloned();
            if name.is_some() || known.read.is_some_and(|read| read.elapsed() < AGAIN) {
                return name;
            }
            // Noted before the look, so that one reader looks and the others do not wait for it.
            known.read = Some(Instant::now());
        }
        self.read(&statements());
        self.locked().names.get(org).cloned()
    }

    /// Organisations that are called so, or whose id begins so, in order; `statements` are those in the store. Names are
    /// compared as they stand: a name that only looks alike is another one.
    pub(super) fn matching(&self, text: &str, statements: &[Statement]) -> Vec<(OrgId, String)> {
        self.read(statements);
        let begin = text.to_lowercase();
        let meant = |(org, name): &(&OrgId, &String)| {
            let id = org.to_string();
            *name == text || begin.len() >= LEAST && (id.starts_with(&begin) || id["org:".len()..].starts_with(&begin))
        };
        let known = self.locked();
        let found = known.names.iter().filter(meant);
        found.map(|(org, name)| (*org, name.clone())).collect()
    }

    /// Verifies what is new among these, while others read the names.
    fn read(&self, statements: &[Statement]) {
        let before = self.locked().judged.clone();
        let (mut names, mut judged) = (BTreeMap::new(), BTreeMap::new());
        for statement in self.own.iter().chain(statements) {
            let (Some(org), id) = (statement.founds(), statement.id()) else {
                continue;
            };
            let name = match before.get(&id) {
                Some(name) => name.clone(),
                None => self.verified(&org, statement),
            };
            names.extend(name.clone().map(|name| (org, name)));
            judged.insert(id, name);
        }
        let mut known = self.locked();
        (known.names, known.judged) = (names, judged);
    }

    /// The name in a manifest; none when it does not hold.
    fn verified(&self, org: &OrgId, manifest: &Statement) -> Option<String> {
        let mut roster = Roster::new(self.community);
        roster.admit(&manifest.clone().check(&Strict).ok()?).ok()?;
        roster.name_of(org).map(str::to_owned)
    }

    /// No holder panics between two states.
    fn locked(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use starfish_crypto::SecretKey;
    use starfish_protocol::{statement::Manifest, time::Millis};

    use super::*;

    fn manifest(name: &str, seed: u8) -> (OrgId, Statement) {
        let (root, next) = (SecretKey::from_seed([seed; 32]), SecretKey::from_seed([seed + 100; 32]));
        let commitment = Manifest::commitment(&[next.public()], 1);
        let manifest = Manifest::genesis(name, &[root.public()], 1, commitment, Millis(u64::MAX));
        (manifest.id(), manifest.sign(&[&root]).expect("the root signs"))
    }

    #[test]
    fn own_names_need_no_store_and_missing_ones_cost_one_look() {
        let ((own, ours), (other, theirs), (unknown, _)) = (manifest("Own", 1), manifest("Other", 2), manifest("x", 3));
        let names = Names::new(Community::named("test"), &[ours]);
        let mut looks = 0;
        let mut check = |org: &OrgId, expected: Option<&str>, looked: usize| {
            let name = names.name_of(org, || {
                looks += 1;
                vec![theirs.clone()]
            });
            assert_eq!((name.as_deref(), looks), (expected, looked), "{org}");
        };
        check(&own, Some("Own"), 0);
        check(&unknown, None, 1);
        check(&unknown, None, 1);
        check(&other, Some("Other"), 1);
        check(&own, Some("Own"), 1);
    }

    #[test]
    fn organisations_are_found_by_name_and_by_the_beginning_of_their_id() {
        let ((own, ours), (other, theirs), (third, same)) =
            (manifest("Own", 1), manifest("Other", 2), manifest("Other", 3));
        let names = Names::new(Community::named("test"), &[ours]);
        let check = |text: &str, expected: &[OrgId]| {
            let found = names.matching(text, &[theirs.clone(), same.clone()]);
            let orgs: Vec<OrgId> = found.into_iter().map(|(org, _)| org).collect();
            let mut expected = expected.to_vec();
            expected.sort();
            assert_eq!(orgs, expected, "{text}");
        };
        let id = own.to_string();
        check("Own", &[own]);
        check("Other", &[other, third]);
        check(&id, &[own]);
        check(&id[..LEAST], &[own]);
        check(&id[4..4 + LEAST].to_uppercase(), &[own]);
        for nobody in ["", "own", "Own ", "org:", &id[..LEAST - 1], "org:aaaaaaaaaaaaaaaa"] {
            check(nobody, &[]);
        }
    }

    #[test]
    fn a_manifest_that_does_not_hold_names_nobody() {
        let (org, _) = manifest("Forged", 1);
        let unsigned = Statement::unsigned(manifest("Forged", 1).1.kind(), manifest("Forged", 1).1.body().to_vec());
        let names = Names::new(Community::named("test"), &[]);
        let forged = unsigned.expect("a short statement");
        assert_eq!(forged.founds(), Some(org));
        assert_eq!(names.name_of(&org, || vec![forged]), None);
    }
}
