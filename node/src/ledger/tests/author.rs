//! A node that signs records for tests.

use starfish_crypto::{Digest, SecretKey, Signed, Strict, Verified};
use starfish_protocol::{
    community::Community,
    engine::port::Change,
    organisation::OrgId,
    record::{
        Audience, Body, Bundle, Extensions, Header, Kind, Opinion, RecordId, Scope, SealedBody, Tlp, Topic, View,
        Withdrawal, seal_body,
    },
    statement::LogPosition,
    time::Millis,
    trust::Acceptance,
};

use super::{DAY, NOW, observable};

/// Everything of an organisation is believed from now on, or nothing.
pub(crate) fn judged(org: OrgId, believed: bool) -> Change {
    let acceptance = if believed {
        Acceptance::everything()
    } else {
        Acceptance::nothing()
    };
    Change::Judge { org, acceptance }
}

/// Of what the author of this record wrote for its organisation, what is before this number counts, and at it this record.
pub(crate) fn cut(made: &Made, last: Option<u64>) -> Change {
    let good = last.map(|seq| LogPosition {
        audience: made.header.audience,
        epoch: made.header.epoch,
        seq,
        id: made.id(),
    });
    Change::Cut {
        node: made.header.author,
        org: made.org,
        last_good: Some(good.into_iter().collect()),
    }
}

/// Takes that back.
pub(crate) fn uncut(made: &Made) -> Change {
    Change::Cut {
        node: made.header.author,
        org: made.org,
        last_good: None,
    }
}

/// The organisations of new authors are believed.
pub(crate) fn trusting() -> Vec<Change> {
    (1..=9).map(|seed| Author::new(seed).judged(true)).collect()
}

/// One key, one organisation, one log.
pub(crate) struct Author {
    key: SecretKey,
    pub(crate) org: OrgId,
    seq: u64,
    prev: Digest,
    /// For the next records.
    pub(crate) expires_at: Millis,
    pub(crate) topic: &'static str,
    pub(crate) own: bool,
    audience: Audience,
}

/// A record and how to apply it.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) header: Verified<Header>,
    pub(crate) compressed: Vec<u8>,
    pub(crate) body: Body,
    pub(crate) org: OrgId,
    pub(crate) own: bool,
}

impl Author {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            key: SecretKey::from_seed([seed; 32]),
            org: OrgId::from_digest(Digest::of("test", &[seed])),
            seq: 0,
            prev: Digest::ZERO,
            expires_at: Millis(NOW.0 + 30 * DAY),
            topic: "malware",
            own: false,
            audience: Audience::Clear,
        }
    }

    /// What it writes for the community alone.
    pub(crate) fn green(seed: u8) -> Self {
        Self {
            audience: Audience::Green,
            ..Self::new(seed)
        }
    }

    /// One whose organisation nobody has judged.
    /// One of many whom nobody believes.
    pub(crate) fn stranger(number: u64) -> Self {
        let seed = *Digest::of("test", &number.to_be_bytes()).as_bytes();
        Self {
            key: SecretKey::from_seed(seed),
            org: OrgId::from_digest(Digest::from_bytes(seed)),
            ..Self::new(0)
        }
    }

    pub(crate) fn doubted(seed: u8) -> Self {
        Self {
            org: OrgId::from_digest(Digest::of("test", &[seed, seed])),
            ..Self::new(seed)
        }
    }

    /// Everything of its organisation is believed from now on, or nothing.
    pub(crate) fn judged(&self, believed: bool) -> Change {
        judged(self.org, believed)
    }

    pub(crate) fn publish(&mut self, values: &[&str]) -> Made {
        let values = values.iter().map(|value| observable(value)).collect();
        let bundle = Bundle::new(80, "seen in a trap".to_owned(), values).expect("a bundle");
        let sealed = seal_body(Body::Indicators(bundle));
        let scope = sealed.scope.clone();
        self.write(sealed, Kind::INDICATORS, scope, Vec::new())
    }

    /// Names under `example`, from a number to another.
    pub(crate) fn publish_names(&mut self, from: usize, to: usize) -> Made {
        let names: Vec<String> = (from..to).map(|number| format!("name-{number:06}.example")).collect();
        self.publish(&names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Another node of the same organisation, with a log of its own.
    pub(crate) fn colleague(&self, seed: u8) -> Self {
        Self {
            org: self.org,
            ..Self::new(seed)
        }
    }

    pub(crate) fn withdraw(&mut self, target: &Made, values: &[&str]) -> Made {
        let values = values.iter().map(|value| observable(value)).collect();
        let withdrawal = Withdrawal::new(target.id(), values, "a false positive".to_owned()).expect("a withdrawal");
        let scope = target.header.extensions.scope.clone();
        self.write(
            seal_body(Body::Withdrawal(withdrawal)),
            Kind::WITHDRAWAL,
            scope,
            vec![target.id()],
        )
    }

    pub(crate) fn opine(&mut self, target: &Made, values: &[&str], verdict: View) -> Made {
        let opinion = Opinion::new(Opinion {
            target: target.id(),
            observables: values.iter().map(|value| observable(value)).collect(),
            verdict,
            count: 2,
            first_seen: Millis(NOW.0 - 5_000),
            last_seen: Millis(NOW.0 - 2_000),
            confidence: 70,
            reason: "looked at it".to_owned(),
        });
        let scope = target.header.extensions.scope.clone();
        let sealed = seal_body(Body::Opinion(opinion.expect("an opinion")));
        self.write(sealed, Kind::OPINION, scope, vec![target.id()])
    }

    fn write(&mut self, sealed: SealedBody, kind: Kind, scope: Option<Scope>, targets: Vec<RecordId>) -> Made {
        let header = Header {
            version: Header::VERSION,
            community: Community::named("starfish"),
            author: self.key.public(),
            audience: self.audience,
            tlp: if self.audience == Audience::Green {
                Tlp::Green
            } else {
                Tlp::Clear
            },
            kind,
            epoch: Millis(NOW.0 - DAY),
            seq: self.seq,
            prev: self.prev,
            created_at: Millis(NOW.0 - 1_000),
            expires_at: self.expires_at,
            body_digest: sealed.digest,
            compressed_len: sealed.compressed.len() as u32,
            raw_len: sealed.raw_len,
            items: sealed.items,
            topic: Topic::parse(self.topic).expect("a topic"),
            extensions: Extensions {
                scope,
                set: None,
                targets,
                derived_from: None,
                unknown: Vec::new(),
            },
        };
        let signed = Signed::sign::<Header>(header.encode(), &self.key);
        let header = signed.verify::<Header>(&Strict).expect("what was just signed");
        self.prev = RecordId::of(&header).digest();
        self.seq += 1;
        let Self { org, own, .. } = *self;
        Made {
            header,
            compressed: sealed.compressed,
            body: sealed.body,
            org,
            own,
        }
    }
}

impl Made {
    pub(crate) fn id(&self) -> RecordId {
        RecordId::of(&self.header)
    }

    /// Header and body together.
    pub(crate) fn whole(&self) -> Change {
        self.record(Some((self.compressed.clone(), self.body.clone())))
    }

    /// The header alone.
    pub(crate) fn bare(&self) -> Change {
        self.record(None)
    }

    /// The body alone.
    pub(crate) fn content(&self) -> Change {
        Change::Body {
            record: self.id(),
            compressed: self.compressed.clone(),
            body: self.body.clone(),
            received_at: NOW,
        }
    }

    fn record(&self, body: Option<(Vec<u8>, Body)>) -> Change {
        Change::Record {
            header: self.header.clone(),
            org: Some(self.org),
            body,
            received_at: NOW,
            own: self.own,
        }
    }
}
