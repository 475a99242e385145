//! Manifests that hold, and more that do not.

use starfish_crypto::{Digest, PublicKey, Signature, domain};

use super::cast::*;
use crate::{codec, statement::*};

pub(super) fn manifest_rows() -> Rows {
    let mut rows = Rows::default();
    let new = genesis("Newcomer", &[5, 6, 7], 2);
    let good = raw_manifest(&new, &[5, 6]);
    rows.add("two of three roots", "new", &good);
    rows.add("all three roots", "new", &raw_manifest(&new, &[5, 6, 7]));
    rows.add("one root of one", "new", &raw_manifest(&genesis("One", &[8], 1), &[8]));
    let seven = genesis(&"N".repeat(128), &[5, 6, 7, 8, 9, 10, 12], 7);
    let everything = Manifest {
        endorse_key: Some(key(13).public()),
        parent: Some(council().id()),
        guardians: Some(Guardians {
            orgs: vec![council().id()],
            k: 1,
        }),
        ..seven
    };
    rows.add(
        "seven of seven, every field",
        "new",
        &raw_manifest(&everything, &[5, 6, 7, 8, 9, 10, 12]),
    );
    rows.add("held already", "known", &ground()[0]);
    rows.add(
        "held already, without signatures",
        "forged",
        &resigned(&ground()[0], Vec::clear),
    );

    rows.add("nobody signed", "forged", &raw_manifest(&new, &[]));
    rows.add("too few roots", "forged", &raw_manifest(&new, &[7]));
    rows.add(
        "one root twice",
        "forged",
        &resigned(&raw_manifest(&new, &[5]), |all| all.push(all[0])),
    );
    rows.add("a stranger for a root", "forged", &raw_manifest(&new, &[5, 9]));
    rows.add(
        "a stranger besides enough roots",
        "forged",
        &raw_manifest(&new, &[5, 6, 9]),
    );
    rows.add(
        "signatures out of order",
        "forged",
        &resigned(&good, |all| all.reverse()),
    );
    rows.add(
        "signatures exchanged",
        "forged",
        &resigned(&good, |all| {
            (all[0].1, all[1].1) = (all[1].1, all[0].1);
        }),
    );
    rows.add(
        "a broken signature",
        "forged",
        &resigned(&good, |all| {
            let mut bytes = *all[1].1.as_bytes();
            bytes[3] ^= 4;
            all[1].1 = Signature::from_bytes(bytes);
        }),
    );
    rows.add(
        "a broken signature besides enough roots",
        "forged",
        &resigned(&raw_manifest(&new, &[5, 6, 7]), |all| {
            all[2].1 = Signature::from_bytes([0; 64]);
        }),
    );
    rows.add("a letter of the name changed", "forged", &spoilt(&good, 9));
    let as_certificate = key(5).sign(domain::CERTIFICATE, &good.body);
    rows.add(
        "signed for another purpose",
        "forged",
        &resigned(&good, |all| {
            for (signer, signature) in all.iter_mut().filter(|(signer, _)| *signer == key(5).public()) {
                let _ = signer;
                *signature = as_certificate;
            }
        }),
    );
    let small = Manifest {
        roots: vec![PublicKey::from_bytes([0; 32])],
        m: 1,
        ..new.clone()
    };
    let mut neutral = [0; 64];
    neutral[0] = 1;
    let neutral = Signature::from_bytes(neutral);
    rows.add(
        "a root of small order",
        "forged",
        &resigned(&raw_manifest(&small, &[]), |all| all.push((small.roots[0], neutral))),
    );

    let broken = |change: fn(&mut Manifest)| {
        let mut manifest = new.clone();
        change(&mut manifest);
        raw_manifest(&manifest, &[5, 6, 7])
    };
    rows.add("no name", "malformed", &broken(|manifest| manifest.name.clear()));
    rows.add(
        "a name of 129 bytes",
        "malformed",
        &broken(|manifest| manifest.name = "N".repeat(129)),
    );
    rows.add(
        "a name with an escape",
        "malformed",
        &broken(|manifest| manifest.name = "\u{1b}[31mCERT".into()),
    );
    rows.add("none needed", "malformed", &broken(|manifest| manifest.m = 0));
    rows.add(
        "more needed than there are",
        "malformed",
        &broken(|manifest| manifest.m = 4),
    );
    rows.add(
        "no roots",
        "malformed",
        &broken(|manifest| (manifest.roots, manifest.m) = (Vec::new(), 0)),
    );
    rows.add(
        "a root listed twice",
        "malformed",
        &broken(|manifest| manifest.roots[1] = manifest.roots[0]),
    );
    rows.add(
        "roots out of order",
        "malformed",
        &broken(|manifest| manifest.roots.reverse()),
    );
    rows.add(
        "eight roots",
        "malformed",
        &raw_manifest(&genesis("Eight", &[5, 6, 7, 8, 9, 10, 12, 13], 1), &[5]),
    );
    rows.add(
        "a genesis of an organisation",
        "malformed",
        &broken(|manifest| manifest.org = Some(council().id())),
    );
    rows.add(
        "a genesis with a predecessor",
        "malformed",
        &broken(|manifest| manifest.prev = Digest::from_bytes([1; 32])),
    );
    rows.add(
        "a successor of nothing",
        "malformed",
        &broken(|manifest| manifest.seq = 1),
    );
    rows.add(
        "bytes behind",
        "malformed",
        &signed(Kind::MANIFEST, [codec::encode(&new), vec![0]].concat(), &[5, 6]),
    );
    let cut = codec::encode(&new);
    rows.add(
        "cut short",
        "malformed",
        &signed(Kind::MANIFEST, cut[..cut.len() - 1].to_vec(), &[5, 6]),
    );
    rows.add("nothing", "malformed", &signed(Kind::MANIFEST, Vec::new(), &[5, 6]));
    // The length of the name as two bytes where one would do.
    let wide = [&[251, cut[0], 0], &cut[1..]].concat();
    rows.add(
        "a number in a longer form",
        "malformed",
        &signed(Kind::MANIFEST, wide, &[5, 6]),
    );

    let second = Manifest {
        seq: 1,
        org: Some(council().id()),
        prev: ground()[0].id(),
        ..council()
    };
    rows.add(
        "a successor that was not promised",
        "forged",
        &raw_manifest(&second, &[1, 2]),
    );
    rows
}
