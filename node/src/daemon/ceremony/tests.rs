//! Whole ceremonies in temporary folders, and the mistakes that people make in them.

mod speaking;

use std::path::{Path, PathBuf};

use clap::Parser;
use starfish_protocol::{community::Community, record::RecordId};

use super::{accept, certify, documents::Signed, next, recover, revoke, rotate, settle, show, sign};
use crate::daemon::{
    arguments::{Arguments, Command, org::Org},
    control::client::Client,
    exit::{Exit, Failure},
    identity::{Identity, manifest_file, private_key},
    initialise::{Founding, found, root_folder},
    settings::template::Answers,
};

/// A folder with a node in it, and a place for everything else.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let desk = Self { folder };
        desk.found("node");
        desk
    }

    fn found(&self, name: &str) -> Identity {
        let founding = Founding {
            data: &self.path(name),
            answers: &Answers::named("CERT Example"),
            passphrase: None,
        };
        found(&founding).expect("the folder is writable").identity
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn root(&self, name: &str) -> String {
        root_folder(&self.path("node")).join(name).display().to_string()
    }

    fn identity(&self) -> Identity {
        Identity::load(&self.path("node"), Community::named("starfish")).expect("the node holds together")
    }

    /// Carries out `starfish org LINE`; `@name` in it is a file on the desk.
    fn org(&self, line: &str) -> Result<Signed, Failure> {
        let words = line.split_whitespace().map(|word| match word.strip_prefix('@') {
            Some(name) => self.path(name).display().to_string(),
            None => word.to_owned(),
        });
        let words = ["starfish", "org"].map(str::to_owned).into_iter().chain(words);
        let Command::Org(org) = Arguments::try_parse_from(words).expect("the line is right").command else {
            panic!("not of this command: {line}");
        };
        let data = self.path("node");
        match org {
            Org::CertifyNode(arguments) => certify(&arguments, &data),
            Org::Rotate(arguments) => rotate(&arguments, &data),
            Org::RevokeNode(arguments) => revoke(&arguments, &data),
            Org::Recover(arguments) => recover(&arguments),
            Org::Settle(arguments) => settle(&arguments, &data),
            Org::Sign(arguments) => sign(&arguments, &data),
            Org::Next(arguments) => next(&arguments).map(|drawn| Signed {
                file: drawn.keys.join(" --next "),
                revocation: None,
                statements: 0,
                signatures: drawn.keys.len(),
                missing: 0,
            }),
            Org::Show(_) | Org::Accept(_) => panic!("has a way of its own"),
        }
    }

    fn draws(&self, folder: &str, keys: usize, threshold: usize) -> String {
        let line = format!("next --folder @{folder} --keys {keys} --threshold {threshold}");
        self.org(&line).expect("keys are drawn").file
    }

    async fn accepts(&self, file: &str) -> Result<usize, Failure> {
        let data = self.path("node");
        let place = (data.as_path(), Community::named("starfish"));
        let unlock = |identity: &Identity| identity.unlock(&data, None);
        let accepted = accept(&[self.path(file)], place, &Client::of(&data), unlock).await?;
        Ok(accepted.kept)
    }

    fn shows(&self, file: &str) -> Vec<(String, usize)> {
        let shown = show(&[self.path(file)], Path::new("none")).expect("the file can be read");
        let lines = shown.statements.into_iter();
        lines.map(|said| (said.kind, said.signed_by.len())).collect()
    }
}

#[tokio::test]
async fn roots_are_replaced_and_certify_the_node_again() {
    let desk = Desk::new();
    let node = desk.identity().node;
    let root = desk.root("root.key");
    let line = format!("revoke-node --node {node} --reason compromised --key {root} --out @early");
    desk.org(&line).expect("the root signs");
    let next = desk.draws("next", 3, 2);
    let line = format!(
        "rotate --key {} --next {next} --next-threshold 2 --out @rotated",
        desk.root("next.key")
    );
    assert_eq!(desk.org(&line).expect("these are the next roots").missing, 0);
    assert_eq!(desk.accepts("rotated").await, Ok(1));
    assert_eq!(
        desk.shows("rotated"),
        [("manifest".to_owned(), 1), ("manifest".to_owned(), 1)]
    );

    // Two of three sign now, one after the other.
    let later = desk.draws("later", 1, 1);
    let third = desk.path("next/root-3.key").display().to_string();
    let line = format!(
        "rotate --threshold 2 --key @next/root-1.key --key @next/root-2.key --key {third} --next {later} --out @again"
    );
    assert_eq!(desk.org(&line).expect("these are the next roots").missing, 0);
    assert_eq!(desk.accepts("again").await, Ok(1));
    let line =
        format!("certify-node --node {node} --key @next/root-1.key --terms 2 --revocation @emergency --out @part");
    assert_eq!(desk.org(&line).expect("a root signs").missing, 1);
    let refused = desk.accepts("part").await.expect_err("one root is not enough");
    assert_eq!(refused.exit, Exit::Refused);
    assert!(desk.org("sign @part --key @next/root-2.key --out @whole").is_ok());
    assert_eq!(desk.accepts("whole").await, Ok(2));
    assert_eq!(desk.shows("emergency"), [("revocation".to_owned(), 1)]);
    // What is known already changes nothing.
    assert_eq!(desk.accepts("whole").await, Ok(0));
    assert!(desk.identity().is_certified());
    // Those certificates are not ended by what was signed under an earlier manifest.
    let refused = desk.accepts("early").await.expect_err("it does not reach");
    assert!(refused.message.contains("under manifest 0"), "{refused}");
    let waits = desk.accepts("emergency").await.expect_err("the node does not run");
    assert_eq!(waits.exit, Exit::NotRunning);
}

#[tokio::test]
async fn a_rotation_is_carried_from_one_root_to_the_next() {
    let desk = Desk::new();
    let next = desk.draws("next", 2, 2);
    let coming = desk.root("next.key");
    let line = format!("rotate --key {coming} --next {next} --next-threshold 2 --out @first");
    assert!(desk.org(&line).is_ok());
    assert_eq!(desk.accepts("first").await, Ok(1));

    let second = private_key(&desk.path("next/root-2.key"), None)
        .expect("it was drawn")
        .public();
    let later = desk.draws("later", 1, 1);
    let line = format!("rotate --threshold 2 --key @next/root-1.key --root {second} --next {later} --out @part");
    assert_eq!(desk.org(&line).expect("this is one of the next roots").missing, 1);
    assert_eq!(desk.accepts("part").await.map_err(|why| why.exit), Err(Exit::Refused));
    let again = desk.org("sign @part --key @next/root-1.key --out @again");
    assert_eq!(
        again.map_err(|why| why.exit).err(),
        Some(Exit::Refused),
        "it has signed already"
    );
    let refused = |line: &str| desk.org(line).map_err(|failure| failure.exit);
    // Who is no root of any of it signs nothing, and nothing is written.
    assert_eq!(
        refused("sign @part --key @later/root-1.key --out @other"),
        Err(Exit::Refused)
    );
    assert!(!desk.path("other").exists());
    let signed = desk.org("sign @part --key @next/root-2.key --out @whole");
    assert_eq!(signed.map(|signed| (signed.signatures, signed.missing)), Ok((2, 0)));
    // The manifests before it are as they were: a signature too many would spoil them.
    let counts: Vec<usize> = desk.shows("whole").into_iter().map(|(_, signers)| signers).collect();
    assert_eq!(counts, [1, 1, 2]);
    assert_eq!(
        refused("sign @whole --key @next/root-2.key --out @more"),
        Err(Exit::Refused)
    );
    assert_eq!(desk.accepts("whole").await, Ok(1));
}

#[test]
fn what_is_open_is_settled_by_roots() {
    let desk = Desk::new();
    let (root, coming, node) = (desk.root("root.key"), desk.root("next.key"), desk.identity().node);
    let id = "ab".repeat(32);
    let settles = |line: &str, key: &str, out: &str| {
        let signed = desk.org(&format!("settle {line} --key {key} --out @{out}"));
        signed.map(|signed| signed.missing).map_err(|failure| failure.exit)
    };
    assert_eq!(settles(&format!("--recovery {id}"), &root, "called-off"), Ok(0));
    assert_eq!(desk.shows("called-off"), [("resolution".to_owned(), 1)]);
    assert_eq!(settles(&format!("--recovery {id}"), &coming, "no"), Err(Exit::Refused));
    let unknown = settles(&format!("--manifest-id {id}"), &coming, "chosen");
    assert_eq!(unknown, Err(Exit::Refused), "no such manifest is here");
    let record = RecordId::from_digest(id.parse().expect("64 digits"));
    let position = format!("--last-good clear,1795500000000,17,{record}");
    let answer = settles(&format!("--node {node} {position}"), &root, "goes-on");
    assert_eq!(answer, Ok(0));
    assert_eq!(
        settles(&format!("--node {node}"), &root, "from-where"),
        Err(Exit::Usage)
    );
}

#[tokio::test]
async fn of_two_manifests_with_one_number_the_roots_choose_one() {
    let desk = Desk::new();
    let (root, coming, node) = (desk.root("root.key"), desk.root("next.key"), desk.identity().node);
    let id = |file: &str| {
        let next = desk.draws(&format!("{file}-next"), 1, 1);
        let line = format!("rotate --key {coming} --next {next} --out @{file}");
        desk.org(&line).expect("these are the next roots");
        let shown = show(&[desk.path(file)], Path::new("none")).expect("the file can be read");
        shown.statements.last().expect("a manifest").id.clone()
    };
    let (one, two) = (id("one"), id("two"));
    assert_eq!(desk.accepts("one").await, Ok(1));
    let refused = desk.accepts("two").await.expect_err("it would stop the organisation");
    assert_eq!(refused.exit, Exit::Refused);
    assert!(refused.message.contains("settle --manifest-id"), "{refused}");

    let joined = |files: &[&str], name: &str| {
        let read = |file: &&str| std::fs::read_to_string(desk.path(file)).expect("it is there");
        std::fs::write(desk.path(name), files.iter().map(read).collect::<String>()).expect("the folder is writable");
    };
    joined(&["one", "two"], "both");
    let line = format!("certify-node --manifest @both --node {node} --key {coming} --revocation @no --out @none");
    assert_eq!(desk.org(&line).map_err(|why| why.exit).err(), Some(Exit::Configuration));
    let settles = |id: &str, keys: &str, out: &str| {
        let signed = desk.org(&format!(
            "settle --manifest @both --manifest-id {id} {keys} --out @{out}"
        ));
        signed.map(|signed| signed.missing).map_err(|failure| failure.exit)
    };
    assert_eq!(
        settles(&two, &format!("--key {coming}"), "part"),
        Ok(1),
        "the roots before sign too"
    );
    let strange = settles(&two, &format!("--key {root} --key @one-next/root-1.key"), "strange");
    assert_eq!(strange, Err(Exit::Refused));
    let all = format!("--key {root} --key {coming}");
    assert_eq!(settles(&one, &all, "choice"), Ok(0));
    // With the choice the other one does no harm, and the next ceremony knows which counts.
    joined(&["two", "choice"], "settled");
    assert_eq!(desk.accepts("settled").await, Ok(2));
    let after = desk.draws("after", 1, 1);
    let next = |key: &str, out: &str| {
        let line = format!("rotate --key @{key}/root-1.key --next {after} --out @{out}");
        desk.org(&line)
            .map(|signed| signed.missing)
            .map_err(|failure| failure.exit)
    };
    assert_eq!(next("two-next", "wrong"), Err(Exit::Refused));
    assert_eq!(next("one-next", "right"), Ok(0));
    assert_eq!(desk.accepts("right").await, Ok(1));
}

#[tokio::test]
async fn what_only_the_mesh_needs_waits_for_the_node() {
    let desk = Desk::new();
    let (node, root) = (desk.identity().node, desk.root("root.key"));
    let line = format!("revoke-node --node {node} --reason compromised --key {root} --out @revoked");
    assert_eq!(desk.org(&line).expect("the root signs").missing, 0);
    let refused = desk.accepts("revoked").await.expect_err("the node does not run");
    assert_eq!(refused.exit, Exit::NotRunning);
    assert!(desk.identity().is_certified());
}

#[test]
fn guardians_sign_what_was_proposed() {
    let desk = Desk::new();
    let next = desk.draws("next", 1, 1);
    desk.draws("new", 1, 1);
    let line = format!("rotate --recovery --key @new/root-1.key --next {next} --out @proposal");
    desk.org(&line).expect("a proposal needs no commitment");
    desk.draws("guardian", 1, 1);
    desk.org("recover @proposal --key @guardian/root-1.key --out @recovery")
        .expect("a guardian signs");
    assert_eq!(desk.shows("recovery"), [("recovery".to_owned(), 1)]);
    let wrong = desk.org("recover @recovery --key @guardian/root-1.key --out @twice");
    assert_eq!(
        wrong.map(|signed| signed.file).map_err(|failure| failure.exit),
        Err(Exit::Configuration)
    );
}

#[test]
fn mistakes_are_refused_and_nothing_is_overwritten() {
    let desk = Desk::new();
    let node = desk.identity().node;
    let next = desk.draws("next", 2, 2);
    desk.draws("strange", 1, 1);
    std::fs::write(desk.path("taken"), "something").expect("the folder is writable");
    std::fs::write(desk.path("empty"), "").expect("the folder is writable");
    let two = {
        desk.found("other");
        let read = |name: &str| std::fs::read_to_string(manifest_file(&desk.path(name))).expect("it is there");
        format!("{}{}", read("node"), read("other"))
    };
    std::fs::write(desk.path("two"), two).expect("the folder is writable");
    let (root, coming) = (desk.root("root.key"), desk.root("next.key"));
    let check = |line: &str, exit: Exit| {
        let line = line
            .replace("NEXT", &next)
            .replace("NODE", &node.to_string())
            .replace("ROOT", &root)
            .replace("COMING", &coming);
        let refused = desk.org(&line).expect_err("the line is a mistake");
        assert_eq!(refused.exit, exit, "{line}: {refused}");
    };
    check("next --folder @next", Exit::Refused);
    check("next --folder @few --keys 1 --threshold 2", Exit::Usage);
    check("rotate --key ROOT --next NEXT --out @out", Exit::Refused);
    check("rotate --key @strange/root-1.key --next NEXT --out @out", Exit::Refused);
    check(
        "rotate --key COMING --threshold 2 --next NEXT --out @out",
        Exit::Refused,
    );
    check(
        "rotate --key COMING --next NEXT --next-threshold 3 --out @out",
        Exit::Usage,
    );
    check("rotate --key COMING --next NEXT --out @taken", Exit::Refused);
    let line = format!(
        "certify-node --node {node} --key {} --revocation @one --out @one",
        desk.root("root.key")
    );
    check(&line, Exit::Usage);
    check("rotate --key COMING --next NEXT --void-from 1 --out @out", Exit::Usage);
    check(
        "rotate --manifest @empty --key COMING --next NEXT --out @out",
        Exit::Configuration,
    );
    check(
        "rotate --manifest @two --key COMING --next NEXT --out @out",
        Exit::Configuration,
    );
    check(
        "rotate --manifest @none --key COMING --next NEXT --out @out",
        Exit::Failed,
    );
    check(
        "certify-node --node NODE --key @strange/root-1.key --revocation @gone --out @out",
        Exit::Refused,
    );
    check(
        "certify-node --node NODE --key @empty --revocation @gone --out @out",
        Exit::Configuration,
    );
    check(
        "certify-node --node NODE --key ROOT --revocation @taken --out @out",
        Exit::Refused,
    );
    check(
        "revoke-node --node NODE --reason retired --key COMING --out @out",
        Exit::Refused,
    );
    check(
        "revoke-node --node NODE --reason compromised --key ROOT --last-good clear,1,2 --out @out",
        Exit::Usage,
    );
    check(
        "revoke-node --node NODE --reason compromised --key ROOT --last-good red,1,2,rec:a --out @out",
        Exit::Usage,
    );
    check("recover @empty --key ROOT --out @out", Exit::Configuration);
    check("sign @taken --key ROOT --out @out", Exit::Configuration);
    for untouched in ["out", "gone", "few"] {
        assert!(!desk.path(untouched).exists(), "{untouched}");
    }
    assert_eq!(
        std::fs::read_to_string(desk.path("taken")).expect("it is there"),
        "something"
    );
}
