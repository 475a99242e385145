//! Two statements of an organisation under one number: each follows from a file that was not at hand when it was signed.

use std::collections::BTreeMap;

use starfish_crypto::{Digest, Strict};
use starfish_protocol::{
    community::Community,
    statement::{Endorsement, Manifest, Roster, Statement, Subsidiary, Veto},
};

use crate::daemon::{
    ceremony::papers::chosen,
    exit::{Exit, Failure},
};

/// Refuses a second manifest with the number of one that is here: told to the mesh, it would stop the organisation at once.
pub(super) fn of_manifests(all: &[Statement]) -> Result<(), Failure> {
    let choices: Vec<Digest> = all.iter().filter_map(chosen).collect();
    let mut seen: BTreeMap<u64, Digest> = BTreeMap::new();
    for statement in all {
        let Ok(manifest) = Manifest::read(statement) else {
            continue;
        };
        let id = statement.id();
        let first = *seen.entry(manifest.seq).or_insert(id);
        if first != id && !choices.contains(&first) && !choices.contains(&id) {
            let message = format!(
                "nothing was accepted: there is another manifest with the number {} ({first}), and two of them stop the \
                organisation at every node until its roots choose one by `starfish org settle --manifest-id`; accept that \
                choice together with this one",
                manifest.seq
            );
            return Err(Failure::new(Exit::Refused, message));
        }
    }
    Ok(())
}

/// Refuses a second statement under the number of one that stands in this organisation's chain: of two, nodes keep whichever
/// they please, and the head confirms one alone. `all` holds the manifests.
pub(super) fn of_chain(all: &[Statement], kept: &[Statement], new: &[Statement]) -> Result<(), Failure> {
    let mut roster = Roster::new(Community::named("starfish"));
    for statement in all.iter().chain(kept) {
        // What does not hold is refused elsewhere, and weighs nothing here.
        if let Ok(checked) = statement.clone().check(&Strict) {
            let _ = roster.admit(&checked);
        }
    }
    let standing = kept.iter().filter(|held| roster.stands_by(held) == Some(true));
    let taken: BTreeMap<Place, Digest> = standing
        .filter_map(|held| place(held).map(|place| (place, held.id())))
        .collect();
    let repeats = |statement: &&Statement| {
        let own = place(statement).filter(|_| all.iter().any(|held| held.issuer() == statement.issuer()));
        own.and_then(|place| taken.get(&place))
            .is_some_and(|held| *held != statement.id())
    };
    let Some(other) = new.iter().find(repeats) else {
        return Ok(());
    };
    let message = format!(
        "nothing was accepted: your organisation's chain has another statement under the number of {}, because it was signed \
        without what was said before; sign it again with `--chain` and a copy of this node's organisation/chain.txt instead of \
        `--first`",
        other.id()
    );
    Err(Failure::new(Exit::Refused, message))
}

/// In which mesh's chain, and under which number.
type Place = (Option<Community>, u64);

fn place(statement: &Statement) -> Option<Place> {
    let endorsement = Endorsement::read(statement).map(|said| (said.community, said.seq));
    let veto = || Veto::read(statement).map(|said| (said.community, said.seq));
    let subsidiary = || Subsidiary::read(statement).map(|said| (said.community, said.seq));
    endorsement.or_else(|_| veto()).or_else(|_| subsidiary()).ok()
}
