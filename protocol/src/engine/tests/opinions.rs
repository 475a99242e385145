//! Opinions on others' records, and what the operator decides on single ones.

use crate::{
    engine::port::{Command, Deed, Outcome, Refusal, Who},
    exercise::{
        World,
        identity::{bundle, observables},
    },
    record::{Body, Kind, Opinion, RecordId, View},
    time::Millis,
};

fn opinion(target: RecordId, values: &[&str], verdict: View) -> Opinion {
    Opinion {
        target,
        observables: observables(values),
        verdict,
        count: 1,
        first_seen: Millis(1),
        last_seen: Millis(2),
        confidence: 90,
        reason: "seen in our own network".to_owned(),
    }
}

fn pair() -> (World, RecordId) {
    let mut world = World::new(1, 2);
    world.link(0, 1);
    world.run(500);
    let ticket = world.publish(0, vec![bundle(&["evil.example", "evil.nl"])]);
    assert!(world.run_until(30_000, |world| world.nodes[1].store.shown().len() == 2));
    let target = world.published(0, ticket)[0];
    (world, target)
}

#[test]
fn an_opinion_goes_where_its_target_went() {
    let (mut world, target) = pair();
    let ticket = world.command(1, Command::Opine(opinion(target, &["evil.nl"], View::FalsePositive)));
    world.run(5_000);
    let record = world.published(1, ticket)[0];
    let [at_target, here] = [0, 1].map(|node: usize| world.nodes[node].store.records.get(&record).expect("it spread"));
    let about = world.nodes[1].store.records.get(&target).expect("the target");
    let header = &at_target.header;
    assert_eq!(
        (header.kind, &header.extensions.targets),
        (Kind::OPINION, &vec![target])
    );
    assert_eq!(
        (
            &header.topic,
            &header.extensions.scope,
            header.audience,
            header.expires_at
        ),
        (
            &about.header.topic,
            &about.header.extensions.scope,
            about.header.audience,
            about.header.expires_at
        )
    );
    assert!(at_target.believed && matches!(&here.body, Some(Body::Opinion(said)) if said.count == 1));
    // It changes nothing of what is shown, and can be taken back, in part or as a whole.
    assert_eq!(world.nodes[0].store.shown().len(), 2);
    let withdraw = |observables| Command::Withdraw {
        record,
        observables,
        reason: "looked again".to_owned(),
    };
    let part = world.command(1, withdraw(observables(&["evil.nl"])));
    let foreign = world.command(0, withdraw(Vec::new()));
    world.run(5_000);
    assert_eq!(world.published(1, part).len(), 1);
    assert_eq!(
        world.nodes[0].done.get(&foreign),
        Some(&Outcome::Refused(Refusal::NotOurs))
    );
    world.check_honest();
}

#[test]
fn an_opinion_that_nobody_would_take_is_not_written() {
    let (mut world, target) = pair();
    let own = world.command(1, Command::Opine(opinion(target, &["evil.nl"], View::Sighting)));
    world.run(1_000);
    let own = world.published(1, own)[0];
    let check = |world: &mut World, opinion: Opinion, refusal: Refusal| {
        let ticket = world.command(1, Command::Opine(opinion));
        world.run(1_000);
        assert_eq!(world.nodes[1].done.get(&ticket), Some(&Outcome::Refused(refusal)));
    };
    let unknown = RecordId::from_digest(starfish_crypto::Digest::ZERO);
    check(
        &mut world,
        opinion(unknown, &["evil.nl"], View::Sighting),
        Refusal::UnknownRecord,
    );
    check(
        &mut world,
        opinion(target, &["good.nl"], View::Sighting),
        Refusal::NotInRecord,
    );
    check(
        &mut world,
        opinion(own, &["evil.nl"], View::Sighting),
        Refusal::NotInRecord,
    );
    check(&mut world, opinion(target, &[], View::Sighting), Refusal::Opinion);
    let silent = Opinion {
        reason: String::new(),
        ..opinion(target, &["evil.nl"], View::FalsePositive)
    };
    check(&mut world, silent, Refusal::Opinion);
    let backwards = Opinion {
        last_seen: Millis(0),
        ..opinion(target, &["evil.nl"], View::Sighting)
    };
    check(&mut world, backwards, Refusal::Opinion);
}

#[test]
fn the_operator_decides_on_single_records() {
    let (mut world, target) = pair();
    let org = world.nodes[0].identity.org;
    world.command(1, Command::Distrust(org));
    world.run(100);
    assert!(world.nodes[1].store.shown().is_empty());
    world.command(1, Command::Release(target));
    world.run(100);
    assert_eq!(world.nodes[1].store.shown().len(), 2);
    let ticket = world.publish(0, vec![bundle(&["other.example"])]);
    world.run(5_000);
    let other = world.published(0, ticket)[0];
    world.command(1, Command::Drop(other));
    world.run(100);
    let store = &world.nodes[1].store;
    assert!(store.records.get(&other).is_none_or(|stored| stored.body.is_none()));
    let on_records = store.audit.iter().filter(|line| line.subject.starts_with("rec:"));
    let lines = on_records.map(|line| (line.who, line.what, line.subject.clone()));
    let line = |what, record: RecordId| (Who::Operator, what, record.to_string());
    assert!(lines.eq([line(Deed::Released, target), line(Deed::Dropped, other)]));
}

#[test]
fn a_start_tells_the_store_only_what_is_new() {
    let (mut world, _) = pair();
    world.run(1_000);
    let before = world.nodes[1].store.judged.clone();
    assert_eq!(before.len(), 2);
    // An earlier life believed somebody whom nobody lists any more, and less of somebody who is listed.
    let [one, two] = [0, 1].map(|node: usize| world.nodes[node].identity.org);
    world.nodes[1].listed.retain(|org| *org != one);
    world.nodes[1].store.judged.remove(&two);
    world.start(1);
    world.run(1_000);
    let store = &world.nodes[1].store;
    assert!(store.judged.get(&one).is_none_or(crate::trust::Acceptance::is_nothing));
    assert_eq!(store.judged.get(&two), before.get(&two));
    assert!(store.shown().is_empty());
}
