//! The web follows a real roster: signed manifests, endorsements, vetoes and links, one admission after the other.

use starfish_crypto::{Digest, SecretKey, Strict};

use super::world::{Flags, endorsement, veto};
use crate::{
    community::Community,
    organisation::OrgId,
    statement::{Concern, Endorsement, Manifest, Roster, Statement, StatementError, Subsidiary, Veto},
    time::Millis,
    trust::{
        Root,
        web::{Barred, Question, Web},
    },
};

/// An organisation with one root.
struct Team {
    key: SecretKey,
    org: OrgId,
    manifest: Statement,
}

fn team(number: u8, parent: Option<OrgId>) -> Team {
    let (key, next) = (
        SecretKey::from_seed([number; 32]),
        SecretKey::from_seed([number + 100; 32]),
    );
    let commitment = Manifest::commitment(&[next.public()], 1);
    let mut manifest = Manifest::genesis(&format!("Team {number}"), &[key.public()], 1, commitment, Millis(1_000));
    manifest.parent = parent;
    Team {
        org: manifest.id(),
        manifest: manifest.sign(&[&key]).expect("the test is written so"),
        key,
    }
}

/// A roster and a web that follows it.
struct Mesh {
    roster: Roster,
    web: Web,
}

impl Mesh {
    fn new(own: &Team) -> Self {
        let mut mesh = Self {
            roster: Roster::new(Community::named("starfish")),
            web: Web::new(own.org),
        };
        mesh.admit(own.manifest.clone());
        mesh
    }

    fn admit(&mut self, statement: Statement) {
        let checked = statement.check(&Strict).expect("the test is written so");
        self.roster.admit(&checked).expect("the test is written so");
        let changes = self.roster.take_changes();
        self.web.follow(&self.roster, &changes);
        // Whoever reads all of it anew finds nothing else.
        self.web.take_touched();
        self.web.follow(&self.roster, &[Concern::Everything]);
        assert!(self.web.take_touched().is_empty());
    }

    fn say<T>(&mut self, by: &Team, sign: impl FnOnce(u64, Digest, &[&SecretKey]) -> Result<T, StatementError>)
    where
        T: Into<Statement>,
    {
        let (seq, prev) = self.roster.next_in_chain(&by.org);
        let statement = sign(seq, prev, &[&by.key]).expect("the test is written so");
        self.admit(statement.into());
    }

    fn endorse(&mut self, by: &Team, subject: OrgId, amount: u8, depth: u8, words: &[&str]) {
        self.say(by, |seq, prev, keys| {
            let says = Endorsement {
                issuer: by.org,
                subject,
                seq,
                prev,
                ..endorsement((1, 2), (amount, depth), &Flags::read(words))
            };
            says.sign(keys)
        });
    }

    fn veto(&mut self, by: &Team, subject: OrgId, words: &[&str]) {
        self.say(by, |seq, prev, keys| {
            let veto = Veto {
                issuer: by.org,
                subject,
                seq,
                prev,
                ..veto(1, 2, &Flags::read(words))
            };
            veto.sign(keys)
        });
    }

    fn root(&mut self, org: OrgId, amount: u8, depth: u8, may_veto: bool) {
        let root = Root {
            amount,
            depth,
            may_veto,
            ..Root::paired(org)
        };
        self.web.set_roots(org, vec![root]);
    }
}

#[test]
fn endorsements_vetoes_and_withdrawals_arrive() {
    let (own, first, second) = (team(1, None), team(2, None), team(3, None));
    let mut mesh = Mesh::new(&own);
    mesh.root(first.org, 120, 2, true);
    assert_eq!(mesh.web.barred(&second.org), Some(Barred::Unknown));
    mesh.admit(first.manifest.clone());
    mesh.endorse(&first, second.org, 100, 0, &[]);
    assert_eq!(mesh.web.reach(&second.org), 0, "nobody knows it yet");
    mesh.admit(second.manifest.clone());
    assert_eq!(mesh.web.reach(&second.org), 100);
    mesh.endorse(&first, second.org, 70, 0, &[]);
    assert_eq!(
        mesh.web.reach(&second.org),
        70,
        "the newest counts, even when it says less"
    );
    mesh.veto(&first, second.org, &[]);
    assert_eq!(mesh.web.reach(&second.org), 0);
    mesh.veto(&first, second.org, &["withdrawn"]);
    assert_eq!(mesh.web.reach(&second.org), 70);
    mesh.endorse(&first, second.org, 0, 0, &[]);
    assert_eq!(mesh.web.reach(&second.org), 0);
    mesh.endorse(&first, second.org, 80, 0, &["until:500"]);
    assert_eq!(mesh.web.next_change(), Some(Millis(500)));
    mesh.web.advance(Millis(499));
    assert_eq!(mesh.web.reach(&second.org), 80);
    mesh.web.advance(Millis(500));
    assert_eq!(mesh.web.reach(&second.org), 0);
    assert_eq!(
        mesh.web.next_change(),
        Some(Millis(1_000)),
        "then the manifests are over"
    );
    mesh.web.advance(Millis(1_000));
    assert_eq!(mesh.web.barred(&first.org), Some(Barred::Stale));
    assert_eq!((mesh.web.reach(&first.org), mesh.web.next_change()), (0, None));
}

#[test]
fn our_own_endorsements_come_from_the_root() {
    let (own, first) = (team(1, None), team(2, None));
    let mut mesh = Mesh::new(&own);
    mesh.admit(first.manifest.clone());
    mesh.endorse(&own, first.org, 90, 1, &["green"]);
    assert_eq!((mesh.web.reach(&first.org), mesh.web.confides(&first.org)), (90, true));
    assert_eq!(mesh.web.witness(&first.org), [first.org]);
}

#[test]
fn a_family_needs_both_sides() {
    let (own, parent) = (team(1, None), team(2, None));
    let child = team(3, Some(parent.org));
    let mut mesh = Mesh::new(&own);
    mesh.root(parent.org, 120, 0, false);
    mesh.admit(parent.manifest.clone());
    mesh.admit(child.manifest.clone());
    assert_eq!(mesh.web.reach(&child.org), 0, "only the child says so");
    let link = |mesh: &mut Mesh, withdrawn| {
        mesh.say(&parent, |seq, prev, keys| {
            let link = Subsidiary {
                issuer: parent.org,
                subject: child.org,
                community: None,
                seq,
                prev,
                withdrawn,
            };
            link.sign(keys)
        });
    };
    link(&mut mesh, false);
    assert_eq!(mesh.web.reach(&child.org), 120);
    assert_eq!(
        mesh.web.judged(&Question::default()).counts_as(&child.org),
        Some(parent.org)
    );
    link(&mut mesh, true);
    assert_eq!(mesh.web.reach(&child.org), 0);
}
