//! Whom a node believes: by endorsements that nodes sign and tell, and what watches over it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use starfish_node::mesh::{KeepError, Keeper};
use starfish_protocol::{
    engine::port::{Change, Found, Query},
    organisation::OrgId,
    record::RecordId,
    trust::Acceptance,
};
use starfish_sim::{
    Damage,
    world::{NodePlan, Plan, Vouch, World},
};

use crate::{alone::alone, watching::fails};

const SECOND: Duration = Duration::from_secs(1);

/// Node 3 lists nobody; its operator's entry for 0, which vouches for 1, which vouches for 2, is all it has.
pub(crate) fn chain(seed: u64) -> Plan {
    let plan = World::new(seed).nodes(4).each(|number, node| {
        node.dials = Some((0..number).collect());
        node.roots = (number == 3).then(Vec::new);
        if number == 3 {
            node.entries = vec![Vouch::full(0)];
        }
    });
    plan.endorse(0, Vouch::full(1)).endorse(
        1,
        Vouch {
            amount: 60,
            ..Vouch::full(2)
        },
    )
}

pub(crate) fn believes(world: &World, node: usize, record: &RecordId) -> bool {
    let card = world.ledger(node).expect("it runs").card_of(record).expect("memory");
    card.is_some_and(|(_, card)| card.believed)
}

/// What node 2 publishes is everywhere.
pub(crate) fn published(world: &mut World) -> RecordId {
    world.run_for(90 * SECOND);
    let record = world.publish(2, "malware", &["a.example"]).expect("it is certified")[0];
    assert!(world.wait_for(30 * SECOND, |world| world.holders(&record) == 4));
    world.run_for(SECOND);
    record
}

#[test]
fn trust_follows_what_is_said() {
    alone("trusting::trust_follows_what_is_said", || {
        chain(31).run(|world| {
            let record = published(world);
            assert!(world.may_believe(3, 2) && believes(world, 3, &record));
            assert_eq!(world.vouchers_of(2), [1]);
            world.withdraw(1, 2);
            world.run_for(5 * SECOND);
            assert!(
                !believes(world, 3, &record) && believes(world, 0, &record),
                "roots stay roots"
            );
            // Half a minute later the watch looks at everything.
            world.run_for(40 * SECOND);
            assert!(!world.may_believe(3, 2));
            world.vouch(1, &Vouch::full(2));
            world.run_for(5 * SECOND);
            assert!(believes(world, 3, &record));
            world.pin_bad(3, 1);
            world.run_for(5 * SECOND);
            assert!(!believes(world, 3, &record));
            world.run_for(40 * SECOND);
        });
    });
}

#[test]
fn an_organisation_whose_node_is_off_is_heard_through_another() {
    alone(
        "trusting::an_organisation_whose_node_is_off_is_heard_through_another",
        || {
            chain(33).run(|world| {
                let record = published(world);
                world.crash(1, Damage::None);
                world.withdraw(1, 2);
                world.run_for(5 * SECOND);
                assert!(!believes(world, 3, &record));
                // Half a minute later the watch looks at everything.
                world.run_for(40 * SECOND);
            });
        },
    );
}

#[test]
fn a_revocation_cuts_a_log() {
    alone("trusting::a_revocation_cuts_a_log", || {
        chain(32).run(|world| {
            let before = published(world);
            let good = world.position(2, &before).expect("it wrote that");
            let after = world.publish(2, "malware", &["b.example"]).expect("it is certified")[0];
            assert!(world.wait_for(30 * SECOND, |world| believes(world, 3, &after)));
            world.revoke(2, vec![good], 0);
            world.run_for(5 * SECOND);
            for node in [0, 1, 3] {
                assert!(
                    believes(world, node, &before) && !believes(world, node, &after),
                    "node {node}"
                );
            }
            world.run_for(40 * SECOND);
        });
    });
}

/// A keeper that does something before a change that the rules told it to keep, or leaves that out.
#[derive(Clone)]
pub(crate) struct Bent {
    pub(crate) inner: Arc<dyn Keeper>,
    pub(crate) before: fn(&Change) -> Option<Change>,
    pub(crate) without: fn(&Change) -> bool,
}

impl Keeper for Bent {
    fn apply(&self, changes: &[Change]) -> Result<(), KeepError> {
        let before: Vec<Change> = changes.iter().filter_map(self.before).collect();
        self.inner.apply(&before)?;
        let mut kept = changes.split(|change| (self.without)(change));
        kept.try_for_each(|kept| self.inner.apply(kept))
    }

    fn answer(&self, query: &Query) -> Found {
        self.inner.answer(query)
    }
}

/// Bends what a node keeps.
pub(crate) fn bent(
    plan: Plan,
    bends: usize,
    before: fn(&Change) -> Option<Change>,
    without: fn(&Change) -> bool,
) -> Plan {
    plan.each(|number, node: &mut NodePlan| {
        if number == bends {
            node.keeper = Some(Arc::new(move |inner| Arc::new(Bent { inner, before, without })));
        }
    })
}

#[test]
fn a_node_that_believes_anybody_is_noticed() {
    let words = ["node 3 believes record", "whom it does not trust", "seed 33"];
    fails("trusting::a_node_that_believes_anybody_is_noticed", &words, || {
        let everybody = |change: &Change| match change {
            Change::Record { org: Some(org), .. } => Some(Change::Judge {
                org: *org,
                acceptance: Acceptance::everything(),
            }),
            _ => None,
        };
        let plan = World::new(33).nodes(4).each(|number, node| {
            node.roots = (number == 3).then(Vec::new);
        });
        bent(plan, 3, everybody, |_| false).run(|world| {
            world.run_for(10 * SECOND);
            world.publish(2, "malware", &["a.example"]).expect("it is certified");
            world.run_for(90 * SECOND);
        });
    });
}

#[test]
fn a_node_that_takes_somebody_for_another_is_noticed() {
    /// The organisation of node 0, which node 3 trusts.
    static TRUSTED: OnceLock<OrgId> = OnceLock::new();
    let words = ["node 3 believes record", "as one of", "seed 37"];
    fails(
        "trusting::a_node_that_takes_somebody_for_another_is_noticed",
        &words,
        || {
            let as_trusted = |change: &Change| match change {
                Change::Record {
                    header,
                    body,
                    received_at,
                    own,
                    ..
                } => Some(Change::Record {
                    header: header.clone(),
                    org: TRUSTED.get().copied(),
                    body: body.clone(),
                    received_at: *received_at,
                    own: *own,
                }),
                _ => None,
            };
            let is_record = |change: &Change| matches!(change, Change::Record { .. });
            bent(chain(37), 3, as_trusted, is_record).run(|world| {
                TRUSTED.set(world.org(0)).expect("one world");
                published(world);
            });
        },
    );
}

#[test]
fn a_node_that_goes_on_believing_is_noticed() {
    let words = ["node 3 believes record", "whom it does not trust", "seed 34"];
    fails("trusting::a_node_that_goes_on_believing_is_noticed", &words, || {
        let lowers = |change: &Change| matches!(change, Change::Judge { acceptance, .. } if acceptance.is_nothing());
        bent(chain(34), 3, |_| None, lowers).run(|world| {
            published(world);
            world.withdraw(1, 2);
            world.run_for(40 * SECOND);
        });
    });
}

#[test]
fn a_node_that_has_started_again_and_goes_on_believing_is_noticed() {
    let words = ["node 3 believes record", "whom it does not trust", "seed 36"];
    fails(
        "trusting::a_node_that_has_started_again_and_goes_on_believing_is_noticed",
        &words,
        || {
            let lowers =
                |change: &Change| matches!(change, Change::Judge { acceptance, .. } if acceptance.is_nothing());
            bent(chain(36), 3, |_| None, lowers).run(|world| {
                published(world);
                world.withdraw(1, 2);
                world.run_for(20 * SECOND);
                // Its half a minute begins again.
                world.restart(3, Damage::None);
                world.run_for(40 * SECOND);
            });
        },
    );
}

#[test]
fn a_node_that_keeps_what_a_thief_wrote_is_noticed() {
    let words = ["node 3 believes record", "which a revocation voids", "seed 35"];
    fails(
        "trusting::a_node_that_keeps_what_a_thief_wrote_is_noticed",
        &words,
        || {
            let cuts = |change: &Change| matches!(change, Change::Cut { .. });
            bent(chain(35), 3, |_| None, cuts).run(|world| {
                let before = published(world);
                let good = world.position(2, &before).expect("it wrote that");
                let after = world.publish(2, "malware", &["b.example"]).expect("it is certified")[0];
                assert!(world.wait_for(30 * SECOND, |world| believes(world, 3, &after)));
                world.revoke(2, vec![good], 0);
                world.run_for(40 * SECOND);
            });
        },
    );
}
