//! Which records of an organisation count: [`Acceptance`], what the web of trust makes of the gate "accept into store"
//! (design, trust 4.6) for one organisation, in a form that a store can keep and ask record by record.
//!
//! Every observable of a record must be covered by a scope, because a record is believed whole or not at all: one name that
//! is outside of what the author is trusted for keeps the whole record in quarantine. What cannot be read, and what has no
//! host name, is covered only where no suffix is asked for. What a veto takes away is an exception, and exceptions win.

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    limits,
    observable::Observable,
    record::{Body, Topic},
    statement::Scope,
};

/// The scopes in which an organisation's records are believed, and exceptions from them; no scope means not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    scopes: Scopes,
    /// What a veto takes out of them.
    except: Scopes,
}

/// Almost everybody is believed in everything or in nothing, which takes no room of its own.
type Scopes = Cow<'static, [Scope]>;

static EVERYTHING: [Scope; 1] = [Scope {
    topics: None,
    suffixes: None,
}];

impl Acceptance {
    /// Believed in any of these scopes. Their order does not matter; what is over `limits::ACCEPTED_SCOPES` is left out,
    /// because believing less than meant is the safe side.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self::with_exceptions(scopes, [])
    }

    /// Believed in any of these scopes where none of those exceptions applies. More than `limits::ACCEPTED_SCOPES` of them
    /// leave nothing.
    pub fn with_exceptions(scopes: impl IntoIterator<Item = Scope>, except: impl IntoIterator<Item = Scope>) -> Self {
        let except = sorted(except);
        let mut scopes = sorted(scopes);
        // A scope of anything is the least of all in this order, and makes the others needless.
        let anything = |scopes: &[Scope]| scopes.first() == EVERYTHING.first();
        if except.len() > limits::ACCEPTED_SCOPES || anything(&except) {
            return Self::nothing();
        }
        scopes.truncate(limits::ACCEPTED_SCOPES);
        let scopes = if anything(&scopes) {
            Cow::Borrowed(EVERYTHING.as_slice())
        } else {
            Cow::Owned(scopes)
        };
        Self {
            scopes,
            except: Cow::Owned(except),
        }
    }

    /// Whatever it says.
    pub fn everything() -> Self {
        Self::new([Scope::default()])
    }

    /// Nothing of it.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Whether nothing of it counts.
    pub fn is_nothing(&self) -> bool {
        self.scopes.is_empty()
    }

    /// The scopes, rising.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// What does not count in spite of them, rising.
    pub fn exceptions(&self) -> &[Scope] {
        &self.except
    }

    /// Whether nothing counts that does not count with another one.
    pub fn is_within(&self, wide: &Self) -> bool {
        let within = |scope: &Scope, wide: &[Scope]| wide.iter().any(|other| scope.is_within(other));
        let scopes = self.scopes.iter().all(|scope| within(scope, &wide.scopes));
        self.is_nothing() || scopes && wide.except.iter().all(|scope| within(scope, &self.except))
    }

    /// Whether a record of this topic and content counts.
    pub fn covers(&self, topic: &Topic, body: &Body) -> bool {
        self.of_topic(topic).unwrap_or_else(|| {
            let (about, except) = (about(&self.scopes, topic), about(&self.except, topic));
            let under = |scopes: &[&Scope], value: &Observable| scopes.iter().any(|scope| is_under(scope, value));
            let one = |value: &Observable| under(&about, value) && !under(&except, value);
            !matches!(body, Body::Unknown(_)) && body.observables().iter().all(one)
        })
    }

    /// Whether some record of this topic may count.
    pub fn may_cover(&self, topic: &Topic) -> bool {
        self.of_topic(topic) != Some(false)
    }

    /// The answer for every record of a topic, when it does not depend on what the record holds.
    pub fn of_topic(&self, topic: &Topic) -> Option<bool> {
        let (about, except) = (about(&self.scopes, topic), about(&self.except, topic));
        if about.is_empty() || except.iter().any(|scope| scope.suffixes.is_none()) {
            return Some(false);
        }
        let whole = except.is_empty() && about.iter().any(|scope| scope.suffixes.is_none());
        whole.then_some(true)
    }
}

fn sorted(scopes: impl IntoIterator<Item = Scope>) -> Vec<Scope> {
    let sorted: BTreeSet<Scope> = scopes.into_iter().collect();
    sorted.into_iter().collect()
}

fn about<'a>(scopes: &'a [Scope], topic: &Topic) -> Vec<&'a Scope> {
    let named = |scope: &&Scope| scope.topics.as_ref().is_none_or(|topics| topics.contains(topic));
    scopes.iter().filter(named).collect()
}

/// Only names are under a suffix: the address in a URL is none.
fn is_under(scope: &Scope, value: &Observable) -> bool {
    let host = value.host().filter(|_| value.address().is_none());
    scope.covers(&BTreeSet::new(), host)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        observable::Suffix,
        record::{Bundle, Withdrawal},
    };
    use starfish_crypto::Digest;

    fn topic(text: &str) -> Topic {
        Topic::parse(text).expect("a topic")
    }

    fn scope(topics: &[&str], suffixes: &[&str]) -> Scope {
        let some = |given: bool| given.then_some(());
        Scope {
            topics: some(!topics.is_empty()).map(|()| topics.iter().map(|text| topic(text)).collect()),
            suffixes: some(!suffixes.is_empty()).map(|()| {
                suffixes
                    .iter()
                    .map(|text| Suffix::parse(text).expect("a suffix"))
                    .collect()
            }),
        }
    }

    fn values(texts: &[&str]) -> Vec<Observable> {
        texts
            .iter()
            .map(|text| Observable::parse(text).expect("an observable"))
            .collect()
    }

    #[test]
    fn every_observable_must_be_covered() {
        let check = |scopes: &[Scope], about: &str, texts: &[&str], covered: bool| {
            let acceptance = Acceptance::new(scopes.iter().cloned());
            let bundle = Bundle::new(80, String::new(), values(texts)).expect("a bundle");
            let body = Body::Indicators(bundle);
            let answer = acceptance.covers(&topic(about), &body);
            assert_eq!(answer, covered, "{acceptance:?} {about} {texts:?}");
            assert!(!answer || acceptance.may_cover(&topic(about)));
            let general = acceptance.of_topic(&topic(about));
            assert!(general.is_none_or(|general| general == covered));
        };
        check(&[], "malware", &["a.nl"], false);
        check(&[Scope::default()], "malware", &["a.nl", "192.0.2.1"], true);
        let phishing = [scope(&["phishing"], &[])];
        check(&phishing, "phishing", &["a.nl", "192.0.2.1"], true);
        check(&phishing, "malware", &["a.nl"], false);
        let dutch = [scope(&[], &["nl"])];
        check(&dutch, "malware", &["a.nl", "http://b.nl/x", "c@d.nl"], true);
        check(&dutch, "malware", &["a.nl", "b.de"], false);
        check(&dutch, "malware", &["a.nl", "192.0.2.1"], false);
        check(&dutch, "malware", &["http://192.0.2.1/x"], false);
        check(&dutch, "malware", &["AS64496"], false);
        let two = [scope(&["malware"], &["nl"]), scope(&[], &["de"])];
        check(&two, "malware", &["a.nl", "b.de"], true);
        check(&two, "phishing", &["a.nl", "b.de"], false);
        check(&two, "phishing", &["b.de"], true);
        let wide = [scope(&["malware"], &["nl"]), scope(&["malware"], &[])];
        check(&wide, "malware", &["b.de", "192.0.2.1"], true);
    }

    #[test]
    fn what_names_nothing_needs_the_topic_alone() {
        let target = crate::record::RecordId::from_digest(Digest::ZERO);
        let whole = Withdrawal::new(target, Vec::new(), "a mistake".to_owned()).expect("a withdrawal");
        let check = |scopes: &[Scope], body: &Body, covered: bool| {
            let acceptance = Acceptance::new(scopes.iter().cloned());
            assert_eq!(
                acceptance.covers(&topic("malware"), body),
                covered,
                "{acceptance:?} {body:?}"
            );
        };
        let whole = Body::Withdrawal(whole);
        check(&[scope(&["malware"], &["nl"])], &whole, true);
        check(&[scope(&["phishing"], &["nl"])], &whole, false);
        let unread = Body::Unknown(vec![0, 9]);
        check(&[scope(&["malware"], &["nl"])], &unread, false);
        check(&[scope(&["malware"], &[])], &unread, true);
    }

    #[test]
    fn exceptions_win() {
        let check = |except: &[Scope], about: &str, texts: &[&str], covered: bool| {
            let acceptance = Acceptance::with_exceptions([Scope::default()], except.iter().cloned());
            let bundle = Bundle::new(80, String::new(), values(texts)).expect("a bundle");
            let answer = acceptance.covers(&topic(about), &Body::Indicators(bundle));
            assert_eq!(answer, covered, "{acceptance:?} {about} {texts:?}");
            assert!(!answer || acceptance.may_cover(&topic(about)));
            let general = acceptance.of_topic(&topic(about));
            assert!(general.is_none_or(|general| general == covered));
        };
        check(&[], "malware", &["a.nl"], true);
        check(&[scope(&["phishing"], &[])], "malware", &["a.nl"], true);
        check(&[scope(&["phishing"], &[])], "phishing", &["a.nl"], false);
        check(&[scope(&[], &["nl"])], "phishing", &["a.de", "192.0.2.1"], true);
        check(&[scope(&[], &["nl"])], "phishing", &["a.de", "a.nl"], false);
        check(&[scope(&["malware"], &["nl"])], "phishing", &["a.nl"], true);
        check(&[scope(&["malware"], &["nl"])], "malware", &["a.nl"], false);
        check(&[Scope::default()], "malware", &["a.nl"], false);
        let many = (0..1_000).map(|number| scope(&[&format!("t{number}")], &[]));
        check(&many.collect::<Vec<_>>(), "malware", &["a.nl"], false);
    }

    #[test]
    fn scopes_have_one_form_and_an_end() {
        let (one, two) = (scope(&["malware"], &[]), scope(&[], &["nl"]));
        let check = |scopes: Vec<Scope>, expected: &Acceptance| assert_eq!(&Acceptance::new(scopes), expected);
        check(vec![], &Acceptance::nothing());
        check(
            vec![two.clone(), Scope::default(), one.clone()],
            &Acceptance::everything(),
        );
        let both = Acceptance::new([one.clone(), two.clone()]);
        check(vec![two.clone(), one.clone(), two], &both);
        let many = (0..1_000).map(|number| scope(&[&format!("t{number}")], &[]));
        assert_eq!(Acceptance::new(many).scopes().len(), limits::ACCEPTED_SCOPES);
        let encoded = crate::codec::encode(&both);
        assert_eq!(crate::codec::decode(&encoded, 4_096), Ok(both));
    }

    fn any_acceptance() -> impl Strategy<Value = Acceptance> {
        let some = |all: &'static [&'static str]| prop::option::of(prop::sample::subsequence(all, 1..=all.len()));
        let scope = (some(&["c2", "phishing"]), some(&["nl", "a.nl", "de"]))
            .prop_map(|(topics, suffixes)| scope(&topics.unwrap_or_default(), &suffixes.unwrap_or_default()));
        let scopes = prop::collection::vec(scope, 0..3);
        (scopes.clone(), scopes).prop_map(|(scopes, except)| Acceptance::with_exceptions(scopes, except))
    }

    proptest! {
        #[test]
        fn what_is_within_covers_nothing_else(narrow in any_acceptance(), wide in any_acceptance(), about in "c2|phishing|dga", name in r"a\.nl|b\.nl|x\.de|192\.0\.2\.1") {
            let bundle = Bundle::new(80, String::new(), values(&[&name])).expect("a bundle");
            let (topic, body) = (topic(&about), Body::Indicators(bundle));
            prop_assert!(narrow.is_within(&narrow) && Acceptance::nothing().is_within(&narrow));
            if narrow.is_within(&wide) && narrow.covers(&topic, &body) {
                prop_assert!(wide.covers(&topic, &body), "{narrow:?} {wide:?}");
            }
        }
    }
}
