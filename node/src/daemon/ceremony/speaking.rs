//! Makes what an organisation says of others: endorsements, vetoes, subsidiaries, and the head that confirms them all.
//!
//! Each of them is the next one of the organisation's chain, so that what was said before must be at hand: [`History`] gathers
//! it from the running node, from the data directory and from files, whichever are there.

mod next;

use std::path::{Path, PathBuf};

use starfish_crypto::{PublicKey, SecretKey, Strict};
use starfish_protocol::{
    community::Community,
    limits,
    organisation::OrgId,
    statement::{ChainHead, Endorsement, Kind, Manifest, Roster, RosterRefusal, Scope, Statement},
    time::Millis,
};

use self::next::Next;
use super::{
    documents::Spoken,
    papers::{self, keys_in, lineage, must_not_exist, place, statements},
    showing::say,
    signing::{signed, unfit},
};
use crate::daemon::{
    arguments::trust::{self, Saying},
    exit::{Exit, Failure},
    identity::chain_file,
    initialise::BACKDATED,
    moment,
};

/// How long a withdrawal is on record; longer than anything that it withdraws.
const WITHDRAWN: Millis = Millis(36_500 * 86_400_000);

/// What an organisation wants to say.
#[derive(Clone, Copy, Debug)]
pub enum Wish<'a> {
    /// It vouches for this one.
    Endorse(&'a trust::Endorse, OrgId),
    /// It does no longer.
    Withdraw(&'a trust::Withdraw, OrgId),
    /// It vetoes this one, or no longer.
    Veto(&'a trust::Veto, OrgId),
    /// This one is a part of it, or no longer.
    Subsidiary(&'a trust::Subsidiary, OrgId),
    /// Nothing new.
    Refresh,
}

/// What an organisation has said so far.
#[derive(Debug)]
struct History {
    newest: Manifest,
    roster: Roster,
}

/// Statements to be handed on, with how many signatures they lack.
#[derive(Debug)]
pub struct Made {
    /// New ones, the head last.
    pub statements: Vec<Statement>,
    /// How many more roots must sign.
    pub missing: usize,
}

/// Makes and signs what is wished. `running` is what the running node knows, if it runs.
///
/// # Errors
/// When a file cannot be read, a key may not sign, or the wish makes no sense.
pub fn speak(wish: Wish<'_>, saying: &Saying, data: &Path, running: Option<&str>) -> Result<Made, Failure> {
    if let Some(out) = &saying.out {
        must_not_exist(out)?;
    }
    let history = History::gathered(saying, data, running)?;
    let keys = keys_in(&saying.keys, saying.passphrase_file.as_deref())?;
    let missing = history.missing(&keys)?;
    let now = moment::now();
    let mut statements = history.wished(wish, now)?;
    statements.push(history.head(&statements, now, saying.fresh.0)?);
    let statements = statements.into_iter().map(|statement| signed(Ok(statement), &keys));
    Ok(Made {
        statements: statements.collect::<Result<_, _>>()?,
        missing,
    })
}

/// Writes what was made to a new file.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn put_down(made: &Made, out: &Path) -> Result<Spoken, Failure> {
    papers::write(out, &made.statements)?;
    Ok(Spoken {
        says: made.statements.iter().map(say).collect(),
        file: Some(out.display().to_string()),
        told: false,
        missing: made.missing,
    })
}

/// Notes in the data directory what the running node has taken.
///
/// # Errors
/// When the file cannot be written.
pub fn note_down(made: &Made, data: &Path) -> Result<Spoken, Failure> {
    papers::add(&chain_file(data), &made.statements)?;
    Ok(Spoken {
        says: made.statements.iter().map(say).collect(),
        file: None,
        told: true,
        missing: 0,
    })
}

/// Whether statements of this kind stand in an organisation's chain, or confirm it.
pub(super) fn is_of_chain(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ENDORSEMENT | Kind::VETO | Kind::SUBSIDIARY | Kind::CHAIN_HEAD
    )
}

impl History {
    fn gathered(saying: &Saying, data: &Path, running: Option<&str>) -> Result<Self, Failure> {
        let manifests = lineage(&place(&saying.papers, data))?;
        let mut files = saying.chain.clone();
        let kept = chain_file(data);
        if files.is_empty() && kept.exists() {
            files.push(kept);
        }
        if files.is_empty() && running.is_none() && !saying.first {
            let message = "what your organisation has said before is not at hand, and the new statement must follow it: start \
                the node, or name a copy of its organisation/chain.txt with --chain; if your organisation has never endorsed \
                or vetoed anybody, say so with --first";
            return Err(Failure::new(Exit::Refused, message));
        }
        // What is said here holds in every mesh.
        let mut history = Self {
            newest: manifests.newest,
            roster: Roster::new(Community::named("starfish")),
        };
        history.roster.pin(history.newest.id());
        let node = PathBuf::from("the running node");
        history.take(&node, manifests.statements)?;
        if let Some(text) = running {
            let known = Statement::all_from_text(text);
            history.take(
                &node,
                known.map_err(|error| Failure::machine("the node's answer", error))?,
            )?;
        }
        for file in &files {
            history.take(file, statements(file)?)?;
        }
        Ok(history)
    }

    /// Manifests of the running node may be newer than those that were named.
    fn take(&mut self, source: &Path, mut statements: Vec<Statement>) -> Result<(), Failure> {
        statements.sort_by_key(|statement| Manifest::read(statement).map_or(u64::MAX, |manifest| manifest.seq));
        for (nth, statement) in statements.into_iter().enumerate() {
            let manifest = Manifest::read(&statement).ok();
            if !is_of_chain(statement.kind()) && manifest.is_none() || statement.issuer() != Some(self.newest.id()) {
                continue;
            }
            let wrong = |why: String| {
                let message = format!("{}: statement {} does not hold: {why}", source.display(), nth + 1);
                Failure::new(Exit::Configuration, message)
            };
            let checked = statement.check(&Strict).map_err(|error| wrong(error.to_string()))?;
            match self.roster.admit(&checked) {
                // Of another mesh: it has a chain of its own there.
                Ok(_) | Err(RosterRefusal::OtherCommunity) => {}
                Err(RosterRefusal::NotYet | RosterRefusal::Forged) if manifest.is_none() => {
                    return Err(wrong(
                        "too few of the roots have signed it; let the others sign by `starfish org sign`, or leave it out"
                            .to_owned(),
                    ));
                }
                Err(refusal) => return Err(wrong(refusal.to_string())),
            }
            if let Some(manifest) = manifest.filter(|manifest| manifest.seq > self.newest.seq) {
                self.newest = manifest;
            }
        }
        Ok(())
    }

    /// How many more roots must sign; every key must be one that may, because one signature too many makes a statement false.
    fn missing(&self, keys: &[SecretKey]) -> Result<usize, Failure> {
        let Manifest {
            roots, endorse_key, m, ..
        } = &self.newest;
        let signers: Vec<PublicKey> = keys.iter().map(SecretKey::public).collect();
        let may = |key: &&PublicKey| roots.contains(key) || *endorse_key == Some(**key);
        if let Some(other) = signers.iter().find(|key| !may(key)) {
            let instead = match endorse_key {
                Some(key) => format!("{key} endorses for it, and its roots may"),
                None => "it has no endorsing key, so its roots sign (`starfish org rotate --endorse-key` names one)"
                    .to_owned(),
            };
            let message = format!(
                "{other} may not speak for {}: in manifest {} {instead}; a node's key never may",
                self.newest.name, self.newest.seq
            );
            return Err(Failure::new(Exit::Refused, message));
        }
        if signers.iter().any(|key| *endorse_key == Some(*key)) {
            return Ok(0);
        }
        let mut different = signers;
        different.sort();
        different.dedup();
        Ok(usize::from(*m).saturating_sub(different.len()))
    }

    fn wished(&self, wish: Wish<'_>, now: Millis) -> Result<Vec<Statement>, Failure> {
        let mut next = self.next(now);
        match wish {
            Wish::Endorse(arguments, subject) => {
                let until = ahead(arguments.until.ahead(now), now)?;
                let endorsement = Endorsement {
                    amount: arguments.amount,
                    depth: arguments.depth,
                    may_veto: arguments.may_veto,
                    receive_green: arguments.receive_tlp == "green",
                    ..next.endorsement(self.other(subject)?, arguments.about.scope(), until)
                };
                next.add(endorsement.unsigned().map_err(unfit)?);
            }
            Wish::Withdraw(arguments, subject) => {
                let standing = self.endorsed(self.other(subject)?);
                for scope in chosen(&arguments.about, standing, "endorsed")? {
                    let until = Millis(now.0.saturating_add(WITHDRAWN.0));
                    next.add(next.endorsement(subject, scope, until).unsigned().map_err(unfit)?);
                }
            }
            Wish::Veto(arguments, subject) if arguments.withdraw => {
                let standing = self.vetoed(self.other(subject)?);
                for scope in chosen(&arguments.about, standing, "vetoed")? {
                    let until = Millis(now.0.saturating_add(WITHDRAWN.0));
                    next.add(next.veto(subject, scope, until, true).unsigned().map_err(unfit)?);
                }
            }
            Wish::Veto(arguments, subject) => {
                let until = ahead(arguments.until.ahead(now), now)?;
                let veto = next.veto(self.other(subject)?, arguments.about.scope(), until, false);
                next.add(veto.unsigned().map_err(unfit)?);
            }
            Wish::Subsidiary(arguments, subject) => {
                let subsidiary = next.subsidiary(self.other(subject)?, arguments.withdraw);
                next.add(subsidiary.unsigned().map_err(unfit)?);
            }
            Wish::Refresh => {}
        }
        Ok(next.made)
    }

    fn next(&self, now: Millis) -> Next {
        let issuer = self.newest.id();
        Next {
            issuer,
            place: self.roster.next_in_chain(&issuer),
            not_before: Millis(now.0.saturating_sub(BACKDATED)),
            made: Vec::new(),
        }
    }

    fn other(&self, subject: OrgId) -> Result<OrgId, Failure> {
        if subject == self.newest.id() {
            let message = format!("{subject} is your own organisation; nobody vouches for, or against, himself");
            return Err(Failure::new(Exit::Refused, message));
        }
        Ok(subject)
    }

    /// In which scopes this organisation vouches for another.
    fn endorsed(&self, subject: OrgId) -> Vec<Scope> {
        let own = self.newest.id();
        let all = self.roster.endorsements_of(&own);
        let standing = all.filter(|said| said.subject == subject && !said.withdraws());
        standing.map(|said| said.scope.clone()).collect()
    }

    /// In which scopes it vetoes another.
    fn vetoed(&self, subject: OrgId) -> Vec<Scope> {
        let own = self.newest.id();
        let all = self.roster.vetoes_of(&own);
        let standing = all.filter(|said| said.subject == subject && !said.withdrawn);
        standing.map(|said| said.scope.clone()).collect()
    }

    /// Confirms everything, these new statements included.
    fn head(&self, new: &[Statement], now: Millis, fresh: Millis) -> Result<Statement, Failure> {
        let issuer = self.newest.id();
        if fresh.0 > limits::LIFETIME.0 {
            let message = format!("--fresh is at most {} days", limits::LIFETIME.0 / 86_400_000);
            return Err(Failure::new(Exit::Usage, message));
        }
        let before = self.roster.chain_head(&issuer);
        let known = self.roster.last_of(&issuer).max(before.map(|head| (head.seq, head.id)));
        let seq = self.roster.next_in_chain(&issuer).0 + new.len() as u64;
        let last = new.last().map(|last| (seq - 1, last.id())).or(known);
        let Some((seq, id)) = last else {
            let message = "your organisation has said nothing of anybody yet, so there is nothing to confirm";
            return Err(Failure::new(Exit::Refused, message));
        };
        // The later one counts, also on a machine whose clock was set back.
        let as_of = Millis(now.0.max(before.map_or(0, |head| head.as_of.0 + 1)));
        let head = ChainHead {
            issuer,
            community: None,
            seq,
            id,
            standing: self.roster.standing_with(&issuer, new).map_err(unfit)?,
            as_of,
            fresh_until: Millis(as_of.0.saturating_add(fresh.0)),
        };
        head.unsigned().map_err(unfit)
    }
}

fn ahead(until: Millis, now: Millis) -> Result<Millis, Failure> {
    if until > now {
        return Ok(until);
    }
    let message = format!("--until {} has passed already", moment::rfc3339(until));
    Err(Failure::new(Exit::Usage, message))
}

/// Which of the scopes are meant: all of them when none was named.
fn chosen(about: &trust::About, standing: Vec<Scope>, said: &str) -> Result<Vec<Scope>, Failure> {
    let asked = about.scope();
    let meant: Vec<Scope> = standing
        .iter()
        .filter(|scope| about.is_open() || **scope == asked)
        .cloned()
        .collect();
    if !meant.is_empty() {
        return Ok(meant);
    }
    let message = match standing.as_slice() {
        [] => format!("there is nothing to take back: your organisation never {said} it, or took it back already"),
        standing => {
            let scopes: Vec<String> = standing.iter().map(|scope| format!("about {scope}")).collect();
            format!(
                "your organisation {said} it {}: name one of these with --topics and --suffixes, or none for all",
                scopes.join(", and ")
            )
        }
    };
    Err(Failure::new(Exit::Refused, message))
}

/// What the data directory knows of its own organisation's chain.
pub(super) fn kept_chain(data: &Path) -> Result<Vec<Statement>, Failure> {
    let kept = chain_file(data);
    // There is none before the first endorsement.
    if kept.exists() {
        statements(&kept)
    } else {
        Ok(Vec::new())
    }
}

/// Notes in the data directory which of these statements, all taken by the running node, its own organisation's chain has; how
/// many were new.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn keep_chain(data: &Path, own: OrgId, told: &[Statement]) -> Result<usize, Failure> {
    let mine = |statement: &&Statement| is_of_chain(statement.kind()) && statement.issuer() == Some(own);
    let mine: Vec<Statement> = told.iter().filter(mine).cloned().collect();
    papers::add(&chain_file(data), &mine)
}
