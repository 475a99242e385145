//! What an endorsement costs a whole engine: it is admitted, every graph of the web of trust follows, and whoever stands
//! otherwise is judged anew. The engine knows `ORGANISATIONS` organisations with ten endorsements each, and was asked about
//! several kinds of records lately.
//!
//! The measure is the check of one signature in the same run, which no endorsement comes without.

use std::{collections::BTreeSet, hint::black_box, time::Instant};

use starfish_crypto::{Digest, SecretKey, Strict, domain};
use starfish_protocol::{
    community::Community,
    engine::{
        Engine, Setup,
        port::{Command, Input, Outcome, Output},
    },
    organisation::OrgId,
    record::Topic,
    statement::{CheckedStatement, Endorsement, Manifest, NodeCertificate, Scope, Statement},
    time::{Millis, Time},
    trust::{Policy, Root, web::Question},
};
use starfish_tests::shape::{Chance, asked, percentile};

const BEGIN: Millis = Millis(1_800_000_000_000);
const DAY: u64 = 86_400_000;
const ROOTS: usize = 20;
const EACH: usize = 10;
/// Fewer further introductions than this: with seven of them everybody in a web without any order is behind everybody, and each
/// endorsement has all of them judged anew.
const DEEPEST: usize = 3;
const ROUNDS: usize = 200;
/// Kinds of records that the node was asked about, each with a graph of its own.
const TOPICS: [&str; 4] = ["phishing", "malware", "c2", "dga"];
/// Statements of one command.
const BATCH: usize = 1_000;

/// An organisation, and how far its chain has come.
struct Member {
    root: SecretKey,
    org: OrgId,
    manifest: Statement,
    seq: u64,
    prev: Digest,
}

impl Member {
    fn numbered(number: usize) -> Self {
        let key = |purpose: &str| {
            let text = format!("{purpose} {number}");
            SecretKey::from_seed(*Digest::of(domain::MANIFEST, text.as_bytes()).as_bytes())
        };
        let (root, next) = (key("root"), key("next"));
        let commitment = Manifest::commitment(&[next.public()], 1);
        let end = Millis(BEGIN.0 + 3_650 * DAY);
        let manifest = Manifest::genesis(&format!("CERT {number}"), &[root.public()], 1, commitment, end);
        Self {
            org: manifest.id(),
            manifest: manifest.sign(&[&root]).expect("the manifest is in order"),
            root,
            seq: 0,
            prev: Digest::ZERO,
        }
    }

    fn vouches(&mut self, subject: OrgId, amount: u8, depth: u8) -> Statement {
        let says = Endorsement {
            issuer: self.org,
            subject,
            community: Some(community()),
            seq: self.seq,
            prev: self.prev,
            amount,
            depth,
            scope: Scope::default(),
            not_before: BEGIN,
            not_after: Millis(BEGIN.0 + 300 * DAY),
            may_veto: false,
            receive_green: true,
        };
        let statement = says.sign(&[&self.root]).expect("the endorsement is in order");
        (self.seq, self.prev) = (self.seq + 1, statement.id());
        statement
    }
}

/// An engine whose store answers at once.
struct Stepped {
    engine: Engine,
    time: Time,
}

impl Stepped {
    /// Feeds one input and everything that follows at once; what came of the command.
    fn feed(&mut self, input: Input) -> Option<Outcome> {
        let (mut inputs, mut outcome) = (vec![input], None);
        while let Some(input) = inputs.pop() {
            for output in self.engine.handle(self.time, input) {
                match output {
                    Output::Append { ticket, .. } => inputs.push(Input::Appended(ticket)),
                    Output::Wake(at) if at <= self.time.mono => inputs.push(Input::Woken),
                    Output::Done { outcome: done, .. } => outcome = Some(done),
                    _ => {}
                }
            }
        }
        outcome
    }

    fn command(&mut self, command: Command) -> Outcome {
        let done = self.feed(Input::Command { ticket: 0, command });
        done.expect("every command is answered")
    }

    fn tell(&mut self, statements: Vec<CheckedStatement>) {
        match self.command(Command::Tell(statements)) {
            Outcome::Told(told) => told.iter().for_each(|told| assert!(told.is_ok(), "{told:?}")),
            other => panic!("{other:?}"),
        }
    }
}

fn main() {
    let count = asked("ORGANISATIONS", 1_000);
    let mut members: Vec<Member> = (0..count).map(Member::numbered).collect();
    let mut dice = Chance::new(3);
    let mut stepped = engine(&members);
    let manifests: Vec<Statement> = members.iter().map(|member| member.manifest.clone()).collect();
    let mut said = BTreeSet::new();
    let mut endorsements = Vec::new();
    for from in 0..count {
        for _ in 0..EACH {
            let to = dice.below(count);
            if to != from && said.insert((from, to)) {
                let subject = members[to].org;
                endorsements.push(members[from].vouches(subject, 1 + dice.below(120) as u8, dice.below(DEEPEST) as u8));
            }
        }
    }
    for batch in manifests.chunks(BATCH).chain(endorsements.chunks(BATCH)) {
        stepped.tell(batch.iter().cloned().map(checked).collect());
    }
    for topic in TOPICS {
        let topics = BTreeSet::from([Topic::parse(topic).expect("a topic")]);
        let question = Question {
            topics,
            ..Question::default()
        };
        let org = members[0].org;
        stepped.command(Command::Explain { org, question });
    }
    let Outcome::Trusted(trusted) = stepped.command(Command::Trusted) else {
        panic!("it says who is trusted")
    };
    println!(
        "endorsing: {count} organisations, {} endorsements, {} organisations reached",
        said.len(),
        trusted.organisations.len()
    );
    let (mut checks, mut news, mut changes, mut ends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (from, to) = (dice.below(count), dice.below(count));
        if from == to || said.contains(&(from, to)) {
            continue;
        }
        let subject = members[to].org;
        let terms = [(120, 2), (60, 1), (0, 0)];
        for ((amount, depth), measured) in terms.into_iter().zip([&mut news, &mut changes, &mut ends]) {
            let statement = members[from].vouches(subject, amount, depth);
            let began = Instant::now();
            let checked = black_box(checked(statement));
            checks.push(millis(began));
            let began = Instant::now();
            stepped.tell(vec![checked]);
            measured.push(millis(began));
        }
    }
    let check = percentile(&mut checks, 50);
    for (what, measured) in [("new", &mut news), ("changed", &mut changes), ("withdrawn", &mut ends)] {
        let median = percentile(measured, 50);
        println!(
            "endorsing: one {what}: median {median:.3} ms ({:.1} checks of a signature of {check:.3} ms), 99 % {:.3} ms, most {:.3} ms",
            median / check,
            percentile(measured, 99),
            percentile(measured, 100),
        );
    }
}

fn engine(members: &[Member]) -> Stepped {
    let own = Member::numbered(usize::MAX);
    let key = SecretKey::from_seed([7; 32]);
    let until = Millis(BEGIN.0 + 80 * DAY);
    let certificate = NodeCertificate::new(own.org, community(), key.public(), BEGIN, until);
    let certificate = certificate
        .sign(&[&own.root], &key)
        .expect("the certificate is in order");
    let root = |member: &Member| Root {
        depth: 7,
        ..Root::paired(member.org)
    };
    let statements = vec![own.manifest.clone(), certificate];
    let setup = Setup {
        policy: Policy {
            roots: members.iter().take(ROOTS).map(root).collect(),
            ..Policy::default()
        },
        ..Setup::new(key, own.org, community(), statements, [1; 32])
    };
    let wall = Millis(BEGIN.0 + DAY);
    let mut stepped = Stepped {
        engine: Engine::new(setup, &Strict),
        time: Time { mono: Millis(0), wall },
    };
    stepped.feed(Input::Woken);
    stepped
}

fn checked(statement: Statement) -> CheckedStatement {
    statement.check(&Strict).expect("the signatures are in order")
}

fn community() -> Community {
    Community::named("endorsing")
}

fn millis(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}
