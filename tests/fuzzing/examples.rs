//! Valid inputs of each target, and some that are nearly so: what the corpus is made of. The same ones in every run.

mod plain;
mod trust;

use starfish_crypto::{Digest, Signed};
use starfish_protocol::{
    codec,
    community::Community,
    organisation::OrgId,
    record::{Body, LogId, Opinion, RecordId, SealedBody, SetPart, View, Withdrawal, groups::group_values, seal_body},
    statement::{EndpointStatement, Kind, Statement},
    time::Millis,
    wire::{BodyHead, Cursor, Gossip, Head, Hello, Request, Response},
};
use starfish_tests::cast::{Organisation, Position, bundle, names, sealed_names};

use plain::{LISTS, OBSERVABLES, codes, observables, operations, texts};

const MADE: Millis = Millis(1_790_000_000_000);

/// The inputs of a target.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    let example = Example::new();
    match target {
        "address" => texts(&example.addresses()),
        "body" => example.bodies(),
        "code" => codes(),
        "engine" => operations(),
        "frame" => [example.gossip(), example.requests(), example.responses()].concat(),
        "gossip" => example.gossip(),
        "group" => example.groups(),
        "header" => example.headers(),
        "listing" => texts(&LISTS.map(str::to_owned)),
        "observable" => observables(),
        "request" => example.requests(),
        "response" => example.responses(),
        "statement" => example.statements(),
        "stored" => example.stored(),
        other => panic!("no examples for {other}"),
    }
}

/// Something of everything.
struct Example {
    community: Community,
    organisation: Organisation,
    small: SealedBody,
    large: SealedBody,
    first: Signed,
    second: Signed,
}

impl Example {
    fn new() -> Self {
        let community = Community::named("starfish");
        let organisation = Organisation::new("CERT Example", 1, community, MADE);
        let (small, large) = (sealed_names("small", 2), sealed_names("large", 1_500));
        let position = Position {
            community,
            epoch: MADE,
            seq: 0,
            prev: Digest::ZERO,
            created_at: MADE,
        };
        let first = position.header(&organisation.node, &small, |_| {});
        let next = Position {
            seq: 1,
            prev: large.digest,
            ..position
        };
        let second = next.header(&organisation.node, &large, |header| {
            header.extensions.set = Some(SetPart {
                id: large.digest,
                index: 0,
                count: 2,
            });
            header.extensions.targets = vec![RecordId::from_digest(small.digest)];
        });
        Self {
            community,
            organisation,
            small,
            large,
            first,
            second,
        }
    }

    fn log(&self) -> LogId {
        let audience = starfish_protocol::record::Audience::Clear;
        LogId {
            author: self.organisation.node.public(),
            audience,
            epoch: MADE,
        }
    }

    fn head(&self) -> Head {
        Head {
            log: self.log(),
            seq: 300,
            id: self.small.digest,
        }
    }

    fn hello(&self) -> Hello {
        Hello {
            community: self.community,
            statements: self.organisation.statements.clone(),
            topics: vec!["malware".to_owned(), "dga".to_owned()],
            tlds: vec!["nl".to_owned()],
            records: 70_000,
            wall: MADE,
        }
    }

    fn addresses(&self) -> Vec<String> {
        let node = self.organisation.node.public();
        vec![
            self.organisation.id.to_string(),
            node.to_string(),
            RecordId::from_digest(self.small.digest).to_string(),
            self.small.digest.to_string(),
            "malware/banking".to_owned(),
            "org:aaaa".to_owned(),
        ]
    }

    fn bodies(&self) -> Vec<Vec<u8>> {
        let observables = OBSERVABLES
            .iter()
            .map(|text| text.parse().expect("the examples are observables"))
            .collect();
        let mixed = seal_body(Body::Indicators(bundle(observables)));
        let target = RecordId::from_digest(self.small.digest);
        let withdrawal = Withdrawal {
            target,
            observables: names("small", 1),
            reason: "mistaken".to_owned(),
        };
        let withdrawal = seal_body(Body::Withdrawal(withdrawal));
        let opinion = seal_body(Body::Opinion(Opinion {
            target,
            observables: names("small", 2),
            verdict: View::FalsePositive,
            count: 3,
            first_seen: MADE,
            last_seen: MADE,
            confidence: 60,
            reason: "our own sinkhole".to_owned(),
        }));
        let raw = |sealed: &SealedBody| zstd::bulk::decompress(&sealed.compressed, 1 << 20).expect("sealed here");
        let mut inputs: Vec<Vec<u8>> = [&self.small, &mixed, &withdrawal, &opinion].map(raw).into();
        for (kind, sealed) in [
            (1, &self.small),
            (1, &mixed),
            (2, &withdrawal),
            (3, &opinion),
            (7, &self.small),
        ] {
            inputs.push([vec![0, kind], sealed.compressed.clone()].concat());
        }
        inputs
    }

    fn headers(&self) -> Vec<Vec<u8>> {
        let later = self.unknown_version();
        [&self.first, &self.second, &later]
            .map(|header| header.bytes().to_vec())
            .into()
    }

    fn unknown_version(&self) -> Signed {
        let position = Position {
            community: self.community,
            epoch: MADE,
            seq: 2,
            prev: self.small.digest,
            created_at: MADE,
        };
        position.header(&self.organisation.node, &self.small, |header| {
            header.version = 9;
            header.extensions = starfish_protocol::record::Extensions::default();
        })
    }

    fn gossip(&self) -> Vec<Vec<u8>> {
        let (header, body) = (self.first.clone(), Some(self.small.compressed.clone()));
        let messages = [
            Gossip::Header {
                header: header.clone(),
                body,
            },
            Gossip::Header {
                header: self.second.clone(),
                body: None,
            },
            Gossip::Header {
                header: self.unknown_version(),
                body: None,
            },
            Gossip::Statements(self.organisation.statements.clone()),
            Gossip::Statements(vec![self.proof()]),
        ];
        messages.iter().map(codec::encode).collect()
    }

    fn requests(&self) -> Vec<Vec<u8>> {
        let digest = self.small.digest;
        let cursor = Cursor {
            life: 1 << 60,
            change: 300,
            green: 1,
        };
        let requests = [
            Request::Hello(self.hello()),
            Request::Frontier {
                heads: digest,
                statements: digest,
                since: Some(cursor),
            },
            Request::Range {
                log: self.log(),
                from: 3,
                limit: 256,
            },
            Request::Statements {
                about: vec![self.organisation.node.public()],
                since: Some(cursor),
            },
            Request::Body { digest },
            Request::Push {
                header: self.first.clone(),
                body: self.small.compressed.clone(),
            },
            Request::Pair {
                secret: [1, 2, 3, 4, 5],
                hello: self.hello(),
            },
        ];
        requests.iter().map(codec::encode).collect()
    }

    fn responses(&self) -> Vec<Vec<u8>> {
        let cursor = Cursor {
            life: 7,
            change: 1 << 33,
            green: 0,
        };
        let responses = [
            Response::Hello(self.hello()),
            Response::Same { cursor },
            Response::Heads {
                heads: vec![self.head(); 3],
                cursor,
                more: true,
                statements: self.small.digest,
            },
            Response::Headers(vec![self.first.clone(), self.second.clone()]),
            Response::Statements {
                statements: self.organisation.statements.clone(),
                cursor,
                more: false,
            },
            Response::Body(self.small.compressed.clone()),
            Response::Taken,
            Response::NotHeld,
            Response::Gone { first: 400 },
            Response::Busy,
            Response::Refused,
        ];
        responses.iter().map(codec::encode).collect()
    }

    /// The second header denies the first one.
    fn proof(&self) -> Statement {
        let author = self.organisation.node.public();
        let body = codec::encode(&(author, &self.first, &self.second));
        Statement::unsigned(Kind::PROOF, body).expect("two headers fit")
    }

    fn statements(&self) -> Vec<Vec<u8>> {
        let endpoint = EndpointStatement {
            org: self.organisation.id,
            node_key: self.organisation.node.public(),
            community: self.community,
            seq: MADE.0,
            addresses: vec![
                "/ip4/192.0.2.1/tcp/4852".to_owned(),
                "/dns/node.example/udp/4852/quic-v1".to_owned(),
            ],
            issued_at: MADE,
        };
        let endpoint = endpoint
            .sign(&self.organisation.node)
            .expect("the endpoint is in order");
        let later = Statement::unsigned(Kind(900), b"of a later version".to_vec()).expect("it is short");
        let later = later
            .signed_by(&self.organisation.node)
            .expect("it has room for a signature");
        let mut all = self.organisation.statements.clone();
        all.extend([endpoint, later, self.proof()]);
        all.extend(self.trust_statements());
        all.extend(self.key_statements());
        let mut inputs: Vec<Vec<u8>> = all.iter().map(codec::encode).collect();
        inputs.push(all[0].to_text().into_bytes());
        inputs.push(codec::encode(&all));
        inputs
    }

    fn groups(&self) -> Vec<Vec<u8>> {
        let long: Vec<u8> = (0..1_200u32).flat_map(u32::to_le_bytes).collect();
        let bodies = [&self.small.compressed, &self.large.compressed, &long];
        let whole = |body: &&Vec<u8>| {
            let head = codec::encode(&BodyHead {
                len: body.len() as u64,
                groups: group_values(body),
            });
            [&(head.len() as u16).to_be_bytes(), head.as_slice(), body.as_slice()].concat()
        };
        bodies.iter().map(whole).collect()
    }

    fn stored(&self) -> Vec<Vec<u8>> {
        vec![
            codec::encode(&(self.log(), 300u64, RecordId::from_digest(self.small.digest))),
            codec::encode(&vec![self.organisation.id; 2]),
            codec::encode(&(vec!["malware".to_owned()], vec!["nl".to_owned()])),
            codec::encode(&vec![vec![1u8, 2, 3], Vec::new()]),
            codec::encode(&OrgId::from_digest(Digest::ZERO)),
        ]
    }
}
