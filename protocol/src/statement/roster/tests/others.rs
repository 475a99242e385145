//! Certificates, endpoints and statements of later kinds that hold, and more that do not.

use starfish_crypto::{Digest, PublicKey, Signature};

use super::cast::*;
use crate::{codec, community::Community, organisation::OrgId, statement::*, time::Millis};

pub(super) fn certificate_rows() -> Rows {
    let mut rows = Rows::default();
    let next = certificate(&council(), 11, 75);
    let good = raw_certificate(&next, &[1, 2, 11]);
    rows.add("the next window", "new", &good);
    rows.add(
        "another node",
        "new",
        &raw_certificate(&certificate(&council(), 12, 0), &[2, 3, 12]),
    );
    rows.add("all roots", "new", &raw_certificate(&next, &[1, 2, 3, 11]));
    rows.add(
        "a root is the node",
        "new",
        &raw_certificate(&certificate(&single(), 4, 0), &[4]),
    );
    rows.add(
        "a node of two organisations",
        "new",
        &raw_certificate(&certificate(&single(), 11, 0), &[4, 11]),
    );
    let sealing = NodeCertificate {
        seal_key: Some([7; 32]),
        publish: false,
        relay: false,
        ..next.clone()
    };
    rows.add("every field", "new", &raw_certificate(&sealing, &[1, 2, 11]));
    rows.add("held already", "known", &ground()[2]);

    rows.add("without the node", "forged", &raw_certificate(&next, &[1, 2, 3]));
    rows.add("another node signed", "forged", &raw_certificate(&next, &[1, 2, 12]));
    rows.add("without roots", "forged", &raw_certificate(&next, &[11]));
    rows.add("too few roots", "forged", &raw_certificate(&next, &[1, 11]));
    rows.add(
        "one root twice",
        "forged",
        &resigned(&raw_certificate(&next, &[1, 11]), |all| {
            let root = all
                .iter()
                .find(|(signer, _)| *signer == key(1).public())
                .copied()
                .expect("it signed");
            all.push(root);
            all.sort();
        }),
    );
    rows.add(
        "another organisation's root",
        "forged",
        &raw_certificate(&next, &[1, 4, 11]),
    );
    rows.add("a stranger besides", "forged", &raw_certificate(&next, &[1, 2, 11, 20]));
    rows.add("nobody signed", "forged", &raw_certificate(&next, &[]));
    rows.add(
        "the window moved",
        "forged",
        &resigned(&raw_certificate(&certificate(&council(), 11, 76), &[]), |all| {
            *all = good.signatures.clone();
        }),
    );
    let last = good.body.len() * 8 - 1;
    rows.add("a bit of the end flipped", "malformed", &spoilt(&good, last));

    let later = |change: fn(&mut NodeCertificate)| {
        let mut certificate = next.clone();
        change(&mut certificate);
        raw_certificate(&certificate, &[1, 2, 11])
    };
    rows.add(
        "another mesh",
        "other community",
        &later(|certificate| certificate.community = Community::named("other")),
    );
    rows.add(
        "an unknown organisation",
        "not yet",
        &later(|certificate| certificate.org = OrgId::from_digest(Digest::ZERO)),
    );
    rows.add(
        "a later manifest",
        "not yet",
        &later(|certificate| certificate.manifest_seq = 1),
    );
    rows.add(
        "no time at all",
        "malformed",
        &later(|certificate| certificate.not_after = certificate.not_before),
    );
    rows.add(
        "an end before the start",
        "malformed",
        &later(|certificate| certificate.not_after = Millis(0)),
    );
    rows.add(
        "91 days",
        "malformed",
        &later(|certificate| certificate.not_after.0 += DAY),
    );
    rows.add(
        "for ever",
        "malformed",
        &later(|certificate| certificate.not_after = Millis(u64::MAX)),
    );
    rows.add(
        "nothing",
        "malformed",
        &signed(Kind::CERTIFICATE, Vec::new(), &[1, 2, 11]),
    );
    rows.add(
        "bytes behind",
        "malformed",
        &signed(Kind::CERTIFICATE, [good.body.clone(), vec![0]].concat(), &[1, 2, 11]),
    );
    rows.add(
        "a manifest as certificate",
        "malformed",
        &signed(Kind::CERTIFICATE, codec::encode(&council()), &[1, 2, 11]),
    );
    rows
}

pub(super) fn endpoint_rows() -> Rows {
    let mut rows = Rows::default();
    let next = endpoint(&council(), 11, 6);
    let good = raw_endpoint(&next, &[11]);
    rows.add("the next number", "newer", &good);
    rows.add(
        "no addresses any more",
        "newer",
        &raw_endpoint(
            &EndpointStatement {
                addresses: Vec::new(),
                ..next.clone()
            },
            &[11],
        ),
    );
    let most = EndpointStatement {
        addresses: vec!["x".repeat(256); 8],
        seq: u64::MAX,
        issued_at: Millis(u64::MAX),
        ..next.clone()
    };
    rows.add("the longest of all", "newer", &raw_endpoint(&most, &[11]));
    rows.add("held already", "known", &ground()[3]);
    rows.add(
        "an older number",
        "known",
        &raw_endpoint(&endpoint(&council(), 11, 4), &[11]),
    );
    rows.add(
        "an older number, unsigned",
        "forged",
        &raw_endpoint(&endpoint(&council(), 11, 4), &[]),
    );

    rows.add("nobody signed", "forged", &raw_endpoint(&next, &[]));
    rows.add("the roots signed", "forged", &raw_endpoint(&next, &[1, 2]));
    rows.add("another node signed", "forged", &raw_endpoint(&next, &[12]));
    rows.add("a root besides", "forged", &raw_endpoint(&next, &[1, 11]));
    rows.add("signed twice", "forged", &resigned(&good, |all| all.push(all[0])));
    let last = good.body.len() * 8 - 8;
    rows.add("another time", "forged", &spoilt(&good, last));

    let later = |change: fn(&mut EndpointStatement)| {
        let mut endpoint = next.clone();
        change(&mut endpoint);
        raw_endpoint(&endpoint, &[11])
    };
    rows.add(
        "another mesh",
        "other community",
        &later(|endpoint| endpoint.community = Community::named("other")),
    );
    rows.add(
        "an organisation that did not certify the node",
        "not yet",
        &later(|endpoint| endpoint.org = single().id()),
    );
    rows.add(
        "a node without certificate",
        "not yet",
        &raw_endpoint(&endpoint(&council(), 12, 1), &[12]),
    );
    rows.add(
        "nine addresses",
        "malformed",
        &later(|endpoint| endpoint.addresses = vec!["x".into(); 9]),
    );
    rows.add(
        "an address of 257 bytes",
        "malformed",
        &later(|endpoint| endpoint.addresses = vec!["x".repeat(257)]),
    );
    rows.add(
        "an empty address",
        "malformed",
        &later(|endpoint| endpoint.addresses = vec![String::new()]),
    );
    rows.add(
        "an address with a line break",
        "malformed",
        &later(|endpoint| endpoint.addresses = vec!["/a\n/b".into()]),
    );
    rows.add("nothing", "malformed", &signed(Kind::ENDPOINT, Vec::new(), &[11]));
    rows.add(
        "bytes behind",
        "malformed",
        &signed(Kind::ENDPOINT, [good.body.clone(), vec![0]].concat(), &[11]),
    );
    rows
}

pub(super) fn unknown_rows() -> Rows {
    let mut rows = Rows::default();
    rows.add(
        "a later kind, by a root",
        "new",
        &signed(Kind(904), b"later".to_vec(), &[1]),
    );
    rows.add(
        "a later kind, by a root and a stranger",
        "new",
        &signed(Kind(0xffff), b"later".to_vec(), &[4, 20]),
    );
    rows.add(
        "a later kind without content",
        "new",
        &signed(Kind(905), Vec::new(), &[2]),
    );
    rows.add(
        "a later kind of the longest kind",
        "new",
        &signed(Kind(906), vec![0; 2_544], &[3]),
    );
    rows.add(
        "a later kind, by a node",
        "not yet",
        &signed(Kind(904), b"later".to_vec(), &[11]),
    );
    rows.add(
        "a later kind, by a stranger",
        "not yet",
        &signed(Kind(904), b"later".to_vec(), &[20]),
    );
    rows.add(
        "a later kind, by nobody",
        "not yet",
        &signed(Kind(904), b"later".to_vec(), &[]),
    );
    let good = signed(Kind(904), b"later".to_vec(), &[1]);
    rows.add("a later kind, changed", "forged", &spoilt(&good, 0));
    rows.add(
        "a later kind, renamed",
        "forged",
        &Statement {
            kind: Kind(905),
            ..good.clone()
        },
    );
    rows.add(
        "a later kind, signed twice",
        "forged",
        &resigned(&good, |all| all.push(all[0])),
    );
    let root_and_forgery = resigned(&good, |all| {
        all.push((key(20).public(), all[0].1));
        all.sort();
    });
    rows.add(
        "a later kind, with a false signature besides",
        "forged",
        &root_and_forgery,
    );
    let mut cut = codec::encode(&good);
    cut.pop();
    rows.0.push(("a statement cut short", "no statement", cut));
    rows.0.push((
        "a statement with a byte behind",
        "no statement",
        [codec::encode(&good), vec![0]].concat(),
    ));
    let long = codec::encode(&(Kind(906), vec![0u8; 2_545], Vec::<(PublicKey, Signature)>::new()));
    rows.0.push(("a body one byte too long", "no statement", long));
    let crowd = codec::encode(&(Kind(906), b"later".to_vec(), vec![good.signatures[0]; 17]));
    rows.0.push(("seventeen signatures", "no statement", crowd));
    rows
}
