//! What is said of other organisations: whole chains made offline, and the mistakes that people make in them.

use starfish_crypto::{Digest, Strict, domain};
use starfish_protocol::{
    organisation::OrgId,
    statement::{Chain, Kind, Roster, Statement},
    time::Millis,
};

use super::*;
use crate::daemon::{
    arguments::trust::Trust,
    ceremony::{Wish, documents::Spoken, note_down, put_down, speak},
    identity::chain_file,
    moment,
};

fn other(name: &str) -> OrgId {
    OrgId::from_digest(Digest::of(domain::MANIFEST, name.as_bytes()))
}

impl Desk {
    /// Carries out `starfish trust LINE`; `B` in it is an organisation, `@name` a file on the desk. `running` is what a node
    /// would know.
    fn says(&self, line: &str, running: Option<&str>) -> Result<Spoken, Failure> {
        let words = line
            .split_whitespace()
            .map(|word| match (word, word.strip_prefix('@')) {
                ("B", _) => other("B").to_string(),
                ("ROOT", _) => self.root("root.key"),
                ("OWN", _) => self.identity().org.to_string(),
                (_, Some(name)) => self.path(name).display().to_string(),
                _ => word.to_owned(),
            });
        let words = ["starfish", "trust"].map(str::to_owned).into_iter().chain(words);
        let Command::Trust(trust) = Arguments::try_parse_from(words).expect("the line is right").command else {
            panic!("not of this command: {line}");
        };
        let org = |text: &str| text.parse().expect("a whole id");
        let (wish, saying) = match &trust {
            Trust::Endorse(endorse) => (Wish::Endorse(endorse, org(&endorse.org)), &endorse.saying),
            Trust::Withdraw(withdraw) => (Wish::Withdraw(withdraw, org(&withdraw.org)), &withdraw.saying),
            Trust::Veto(veto) => (Wish::Veto(veto, org(&veto.org)), &veto.saying),
            Trust::Subsidiary(below) => (Wish::Subsidiary(below, org(&below.org)), &below.saying),
            Trust::Refresh(refresh) => (Wish::Refresh, &refresh.saying),
            _ => panic!("says nothing: {line}"),
        };
        let data = self.path("node");
        let made = speak(wish, saying, &data, running)?;
        match &saying.out {
            Some(out) => put_down(&made, out),
            None => note_down(&made, &data),
        }
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("the file is there")
    }

    /// Everything that a node would have been told, which must hold and be whole.
    fn roster(&self, files: &[&str]) -> Roster {
        let mut roster = Roster::new(Community::named("starfish"));
        let mut text = std::fs::read_to_string(manifest_file(&self.path("node"))).expect("it is there");
        files.iter().for_each(|file| text += &self.text(file));
        for statement in Statement::all_from_text(&text).expect("statements") {
            let checked = statement.check(&Strict).expect("it holds");
            roster.admit(&checked).expect("those who signed may");
        }
        let chain = roster.chain(&self.identity().org, moment::now());
        assert_eq!(chain, Chain::Whole);
        roster
    }
}

/// Amounts of what stands, in order.
fn standing(roster: &Roster, own: &OrgId) -> Vec<u8> {
    let mut amounts: Vec<u8> = roster.endorsements_of(own).map(|said| said.amount).collect();
    amounts.sort_unstable();
    amounts
}

#[test]
fn a_chain_goes_on_from_file_to_file() {
    let desk = Desk::new();
    let own = desk.identity().org;
    let first = desk.says("endorse B --amount 60 --key ROOT --first --out @1", None);
    let kinds = |spoken: &Spoken| spoken.says.iter().map(|said| said.kind.clone()).collect::<Vec<_>>();
    assert_eq!(kinds(&first.expect("the root signs")), ["endorsement", "chain head"]);
    assert_eq!(standing(&desk.roster(&["1"]), &own), [60]);

    // The same scope again replaces it, another scope stands beside it.
    desk.says("endorse B --amount 90 --depth 2 --chain @1 --key ROOT --out @2", None)
        .expect("it goes on");
    assert_eq!(standing(&desk.roster(&["1", "2"]), &own), [90]);
    desk.says(
        "endorse B --topics phishing --suffixes nl,be --chain @1 --chain @2 --key ROOT --out @3",
        None,
    )
    .expect("it goes on");
    assert_eq!(standing(&desk.roster(&["1", "2", "3"]), &own), [90, 120]);

    // Exactly one of them, then everything that is left.
    let all = "--chain @1 --chain @2 --chain @3";
    let part = desk.says(
        &format!("withdraw B --topics phishing --suffixes be,nl {all} --key ROOT --out @4"),
        None,
    );
    assert_eq!(kinds(&part.expect("this one stands")), ["endorsement", "chain head"]);
    assert_eq!(standing(&desk.roster(&["1", "2", "3", "4"]), &own), [0, 90]);
    let whole = desk.says(&format!("withdraw B {all} --key ROOT --out @5"), None);
    assert_eq!(
        kinds(&whole.expect("two stand")),
        ["endorsement", "endorsement", "chain head"]
    );
    assert_eq!(standing(&desk.roster(&["1", "2", "3", "5"]), &own), [0, 0]);
}

#[test]
fn vetoes_and_subsidiaries_are_said_and_taken_back() {
    let desk = Desk::new();
    let own = desk.identity().org;
    let lines = [
        "veto B --key ROOT --first",
        "veto B --topics c2 --until 30d --key ROOT",
        "subsidiary B --key ROOT",
        "veto B --withdraw --key ROOT",
        "subsidiary B --withdraw --key ROOT",
        "refresh --fresh 1d --key ROOT",
    ];
    for line in lines {
        let spoken = desk.says(line, None).expect("the root signs");
        assert!(spoken.told && spoken.missing == 0, "{line}");
        assert_eq!(
            spoken.says.last().map(|said| said.kind.as_str()),
            Some("chain head"),
            "{line}"
        );
    }
    let roster = desk.roster(&["node/organisation/chain.txt"]);
    let vetoes: Vec<bool> = roster.vetoes_of(&own).map(|veto| veto.withdrawn).collect();
    assert_eq!(vetoes, [true, true]);
    let head = roster.chain_head(&own).expect("a head");
    assert_eq!(head.fresh_until, Millis(head.as_of.0 + 86_400_000));
    assert_eq!(roster.next_in_chain(&own).0, head.seq + 1);
    // What the node knows counts where the file is gone.
    let text = desk.text("node/organisation/chain.txt");
    std::fs::remove_file(chain_file(&desk.path("node"))).expect("it is there");
    let spoken = desk
        .says("endorse B --key ROOT --out @next", Some(&text))
        .expect("it goes on");
    assert_eq!(spoken.says.len(), 2);
    std::fs::write(chain_file(&desk.path("node")), text).expect("the folder is writable");
    assert_eq!(
        standing(&desk.roster(&["node/organisation/chain.txt", "next"]), &own),
        [120]
    );
}

#[tokio::test]
async fn several_roots_sign_one_after_the_other() {
    let desk = Desk::new();
    let endorser = desk.draws("endorser", 1, 1);
    let next = desk.draws("next", 2, 2);
    let line = format!(
        "rotate --key {} --next {next} --next-threshold 2 --out @a",
        desk.root("next.key")
    );
    desk.org(&line).expect("these are the next roots");
    desk.accepts("a").await.expect("it follows");
    let later = desk.draws("later", 1, 1);
    let line = format!(
        "rotate --threshold 2 --key @next/root-1.key --key @next/root-2.key --next {later} --endorse-key {endorser} --out @b"
    );
    desk.org(&line).expect("these are the next roots");
    desk.accepts("b").await.expect("it follows");

    let check = |line: &str, missing: Result<usize, Exit>| {
        let line = format!("{line} --first --out @out");
        let spoken = desk.says(&line, None).map_err(|failure| failure.exit);
        assert_eq!(spoken.map(|spoken| spoken.missing), missing, "{line}");
        let _ = std::fs::remove_file(desk.path("out"));
    };
    check("endorse B --key @endorser/root-1.key", Ok(0));
    check("endorse B --key @next/root-2.key", Ok(1));
    check("endorse B --key @next/root-2.key --key @next/root-2.key", Ok(1));
    check("endorse B --key @next/root-1.key --key @next/root-2.key", Ok(0));
    check("endorse B --key @next/root-1.key --key @endorser/root-1.key", Ok(0));
    check("endorse B --key ROOT", Err(Exit::Refused));
    check("endorse B --key @node/node.key", Err(Exit::Refused));
    check(
        "endorse B --key @next/root-1.key --key @node/node.key",
        Err(Exit::Refused),
    );

    desk.says("endorse B --key @next/root-1.key --first --out @part", None)
        .expect("a root signs");
    // Nothing can follow it before it is whole, and no node takes it.
    let early = desk.says("veto B --chain @part --key @next/root-1.key --out @early", None);
    assert_eq!(
        early.map(drop).map_err(|failure| failure.exit),
        Err(Exit::Configuration)
    );
    let refused = desk.accepts("part").await.expect_err("one root is not enough");
    assert!(refused.message.contains("starfish org sign"), "{refused}");
    desk.org("sign @part --key @next/root-2.key --out @whole")
        .expect("the other root signs");
    assert_eq!(
        desk.shows("whole"),
        [("endorsement".to_owned(), 2), ("chain head".to_owned(), 2)]
    );
    let waits = desk.accepts("whole").await.expect_err("the node does not run");
    assert_eq!(waits.exit, Exit::NotRunning);
    assert_eq!(standing(&desk.roster(&["whole"]), &desk.identity().org), [120]);
}

#[tokio::test]
async fn no_number_of_the_chain_is_used_twice() {
    let desk = Desk::new();
    for line in [
        "endorse B --key ROOT --first --out @forgetful",
        "veto B --key ROOT --first",
        "endorse B --key ROOT --out @next",
    ] {
        desk.says(line, None).expect("the root signs");
    }
    // What it contradicts may have been replaced since.
    for said_since in ["endorse B --key ROOT", "veto B --withdraw --key ROOT"] {
        let refused = desk.accepts("forgetful").await.expect_err("the number is taken");
        assert_eq!(refused.exit, Exit::Refused);
        assert!(refused.message.contains("number 0"), "{refused}");
        desk.says(said_since, None).expect("the root signs");
    }
    let refused = desk.accepts("next").await.expect_err("the number was taken meanwhile");
    assert!(refused.message.contains("number 1"), "{refused}");
    desk.says("endorse B --key ROOT --out @latest", None)
        .expect("it goes on");
    for follows in ["latest", "node/organisation/chain.txt"] {
        let waits = desk.accepts(follows).await.expect_err("the node does not run");
        assert_eq!(waits.exit, Exit::NotRunning, "{waits}");
    }
}

#[test]
fn what_makes_no_sense_is_not_said() {
    let desk = Desk::new();
    std::fs::write(desk.path("taken"), "something").expect("the folder is writable");
    desk.says("endorse B --topics c2 --key ROOT --first --out @1", None)
        .expect("the root signs");
    let check = |line: &str, exit: Exit, remedy: &str| {
        let failure = desk.says(&format!("{line} --key ROOT"), None).expect_err(line);
        assert_eq!(failure.exit, exit, "{line}: {failure}");
        assert!(failure.message.contains(remedy), "{line}: {failure}");
    };
    check("endorse B --out @out", Exit::Refused, "--first");
    check("refresh --out @out", Exit::Refused, "--chain");
    check("refresh --first --out @out", Exit::Refused, "nothing to confirm");
    check("endorse OWN --first --out @out", Exit::Refused, "own organisation");
    check("veto OWN --first --out @out", Exit::Refused, "own organisation");
    check("endorse B --until 2020-01-01 --first --out @out", Exit::Usage, "passed");
    check("endorse B --fresh 401d --first --out @out", Exit::Usage, "400 days");
    check(
        "endorse B --first --out @taken",
        Exit::Refused,
        "nothing is overwritten",
    );
    check("endorse B --chain @none --out @out", Exit::Failed, "none");
    check("endorse B --chain @taken --out @out", Exit::Configuration, "taken");
    check("endorse B --chain @1 --manifest @none --out @out", Exit::Failed, "none");
    check("withdraw B --first --out @out", Exit::Refused, "nothing to take back");
    check(
        "withdraw B --topics dga --chain @1 --out @out",
        Exit::Refused,
        "about c2",
    );
    check(
        "veto B --withdraw --chain @1 --out @out",
        Exit::Refused,
        "nothing to take back",
    );
    let many: Vec<String> = (0..33).map(|number| format!("t{number}")).collect();
    check(
        &format!("endorse B --topics {} --first --out @out", many.join(",")),
        Exit::Usage,
        "scope",
    );
    assert!(!desk.path("out").exists() && !chain_file(&desk.path("node")).exists());
    assert_eq!(desk.text("taken"), "something");
    // Only what the organisation says itself is of its chain.
    let text = desk.text("1");
    let kinds: Vec<Kind> = Statement::all_from_text(&text)
        .expect("statements")
        .iter()
        .map(Statement::kind)
        .collect();
    assert_eq!(kinds, [Kind::ENDORSEMENT, Kind::CHAIN_HEAD]);
}
