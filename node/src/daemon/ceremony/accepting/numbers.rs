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

/// Refuses a second statement under a number of this organisation's chain: of two, nodes keep whichever they please, and the
/// head confirms one alone. Numbers whose signers a manifest has voided are free. `all` holds the manifests.
pub(super) fn of_chain(all: &[Statement], kept: &[Statement], new: &[Statement]) -> Result<(), Failure> {
    let own = |statement: &&Statement| all.iter().any(|held| held.issuer() == statement.issuer());
    for statement in new.iter().filter(own) {
        let Some(place) = place(statement) else { continue };
        let other = |held: &&Statement| self::place(held) == Some(place) && held.id() != statement.id();
        if kept.iter().filter(other).any(|held| stands_alone(all, held)) {
            let message = format!(
                "nothing was accepted: your organisation's chain has another statement number {} already, so this one was \
                signed without what had been said by then; sign it again, without `--first` and with a fresh copy of this node's \
                organisation/chain.txt as `--chain`",
                place.1
            );
            return Err(Failure::new(Exit::Refused, message));
        }
    }
    Ok(())
}

/// Whether a statement would count if its organisation had said nothing else.
fn stands_alone(manifests: &[Statement], statement: &Statement) -> bool {
    let mut roster = Roster::new(Community::named("starfish"));
    for statement in manifests.iter().chain([statement]) {
        // What does not hold is refused elsewhere, and weighs nothing here.
        if let Ok(checked) = statement.clone().check(&Strict) {
            let _ = roster.admit(&checked);
        }
    }
    roster.stands_by(statement) == Some(true)
}

/// In which mesh's chain, and under which number.
type Place = (Option<Community>, u64);

fn place(statement: &Statement) -> Option<Place> {
    let endorsement = Endorsement::read(statement).map(|said| (said.community, said.seq));
    let veto = || Veto::read(statement).map(|said| (said.community, said.seq));
    let subsidiary = || Subsidiary::read(statement).map(|said| (said.community, said.seq));
    endorsement.or_else(|_| veto()).or_else(|_| subsidiary()).ok()
}
