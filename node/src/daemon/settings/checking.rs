//! The one place that turns the configuration as written into [`Settings`]: [`check`], with every value that makes no sense.

use std::{fmt::Display, net::IpAddr};

use starfish_protocol::{
    community::Community,
    confidence::{Lasting, Weights},
    observable::Tld,
    organisation::OrgId,
    record::Topic,
};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::{
    Host, Settings,
    file::{Confidence, Log, Mesh, Node, Store, Written},
};

/// A value that has the right shape and still makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// `section.key`.
    pub key: &'static str,
    /// Which item of a list, from 0.
    pub item: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub remedy: &'static str,
}

/// The checked value.
///
/// # Errors
/// Every value that makes no sense.
pub fn check(written: &Written) -> Result<Settings, Vec<Wrong>> {
    let mut wrong = Wrongs(Vec::new());
    let Written {
        node,
        trust,
        confidence,
        mesh,
        subscribe,
        store,
        log,
    } = written;
    wrong.of_node(node);
    wrong.of_numbers(mesh, store);
    wrong.of_confidence(confidence);
    wrong.of_log(log);
    let settings = Settings {
        name: node.name.trim().to_owned(),
        community: Community::named(&node.community),
        port: node.port,
        listen: wrong.each(
            "node.listen",
            &node.listen,
            |text| text.parse::<IpAddr>(),
            "write a local address, or 0.0.0.0 or ::",
        ),
        public_address: wrong.public_address(&node.public_address),
        organisations: wrong.each(
            "trust.organisations",
            &trust.organisations,
            |text| text.parse::<OrgId>(),
            "write the `org:...` that the other operator's `starfish id` prints",
        ),
        weights: weights(confidence),
        lasting: lasting(confidence),
        dial: wrong.each(
            "mesh.dial",
            &mesh.dial,
            |text| text.parse(),
            "write a multiaddr, such as /dns/node.cert.example/tcp/4852",
        ),
        dial_others: mesh.dial_others,
        memory_limit_bytes: Some(mesh.memory_limit_mb << 20),
        topics: wrong.each(
            "subscribe.topics",
            &subscribe.topics,
            Topic::parse,
            "write a lower-case path such as malware, at most 48 bytes",
        ),
        tlds: wrong.each(
            "subscribe.tlds",
            &subscribe.tlds,
            Tld::parse,
            "write a TLD such as nl or xn--p1ai",
        ),
        cache_bytes: store.cache_mb << 20,
        log_json: log.format == "json",
        log_level: log.level.clone(),
    };
    if wrong.0.is_empty() { Ok(settings) } else { Err(wrong.0) }
}

fn weights(written: &Confidence) -> Weights {
    Weights {
        ignorance: written.ignorance,
        dispute: written.dispute,
        sighting: written.sighting_percent.saturating_mul(10),
        false_positive: written.false_positive_percent.saturating_mul(10),
        dispute_lasts: written.dispute_lasts,
        ..Weights::default()
    }
}

fn lasting(written: &Confidence) -> Lasting {
    Lasting {
        url: written.url_days,
        phishing: written.phishing_days,
        ip: written.ip_days,
        domain: written.domain_days,
        network: written.network_days,
        digest: written.digest_days,
    }
}

struct Wrongs(Vec<Wrong>);

impl Wrongs {
    fn of_node(&mut self, node: &Node) {
        let name = node.name.trim();
        let fits = !name.is_empty() && name.len() <= 128;
        self.unless(
            fits,
            "node.name",
            "a name has 1 to 128 bytes",
            "write the organisation's name",
        );
        self.unless(
            !node.community.is_empty() && node.community.len() <= 64,
            "node.community",
            "a community's name has 1 to 64 bytes",
            "write `starfish`, or the name that your mesh agreed on",
        );
        self.unless(
            node.port != 0,
            "node.port",
            "0 is no port",
            "write 4852; only `init --port 0` picks a free one",
        );
        self.unless(
            !node.listen.is_empty(),
            "node.listen",
            "a node must listen somewhere",
            "write [\"0.0.0.0\", \"::\"] for all addresses",
        );
    }

    fn of_numbers(&mut self, mesh: &Mesh, store: &Store) {
        let fits = (64..=1_048_576).contains(&mesh.memory_limit_mb);
        self.unless(fits, "mesh.memory_limit_mb", "not from 64 to 1048576", "write 2048");
        self.unless(
            (1..=4_096).contains(&store.cache_mb),
            "store.cache_mb",
            "not from 1 to 4096",
            "write 32",
        );
    }

    fn of_confidence(&mut self, confidence: &Confidence) {
        let Confidence {
            ignorance,
            dispute,
            sighting_percent,
            false_positive_percent,
            dispute_lasts,
            url_days,
            phishing_days,
            ip_days,
            domain_days,
            network_days,
            digest_days,
        } = confidence;
        let percent = "not from 0 to 100";
        let of_hundred = |value: &u32| *value <= 100;
        let rules = [
            (
                (1..=1_200).contains(ignorance),
                "confidence.ignorance",
                "not from 1 to 1200",
                "write 40",
            ),
            (of_hundred(dispute), "confidence.dispute", percent, "write 2"),
            (
                of_hundred(sighting_percent),
                "confidence.sighting_percent",
                percent,
                "write 50",
            ),
            (
                of_hundred(false_positive_percent),
                "confidence.false_positive_percent",
                percent,
                "write 100",
            ),
            (
                (1..=100).contains(dispute_lasts),
                "confidence.dispute_lasts",
                "not from 1 to 100",
                "write 2",
            ),
        ];
        let days = [
            (url_days, "confidence.url_days", "write 3"),
            (phishing_days, "confidence.phishing_days", "write 3"),
            (ip_days, "confidence.ip_days", "write 14"),
            (domain_days, "confidence.domain_days", "write 30"),
            (network_days, "confidence.network_days", "write 120"),
            (digest_days, "confidence.digest_days", "write 365"),
        ];
        let days = days.map(|(days, key, remedy)| ((1..=400).contains(days), key, "not from 1 to 400", remedy));
        for (good, key, problem, remedy) in rules.into_iter().chain(days) {
            self.unless(good, key, problem, remedy);
        }
    }

    fn of_log(&mut self, log: &Log) {
        let known = ["text", "json"].contains(&log.format.as_str());
        self.unless(
            known,
            "log.format",
            "neither text nor json",
            "write \"text\" or \"json\"",
        );
        let remedy = "write \"info\", or \"info,starfish_node=debug\"";
        self.unless(is_filter(&log.level), "log.level", "not a filter", remedy);
    }

    /// None when it is empty, and when it is wrong.
    fn public_address(&mut self, text: &str) -> Option<Host> {
        let host = Host::parse(text);
        self.unless(
            text.is_empty() || host.is_some(),
            "node.public_address",
            "neither an address nor a DNS name",
            "write it without scheme and port, such as node.cert.example",
        );
        host.filter(|_| !text.is_empty())
    }

    fn unless(&mut self, good: bool, key: &'static str, problem: &str, remedy: &'static str) {
        if !good {
            self.0.push(Wrong {
                key,
                item: None,
                problem: problem.to_owned(),
                remedy,
            });
        }
    }

    fn each<T, E: Display>(
        &mut self,
        key: &'static str,
        texts: &[String],
        parse: impl Fn(&str) -> Result<T, E>,
        remedy: &'static str,
    ) -> Vec<T> {
        let mut values = Vec::with_capacity(texts.len());
        for (item, text) in texts.iter().enumerate() {
            match parse(text) {
                Ok(value) => values.push(value),
                Err(error) => {
                    self.0.push(Wrong {
                        key,
                        item: Some(item),
                        problem: format!("`{text}`: {error}"),
                        remedy,
                    });
                }
            }
        }
        values
    }
}

/// Whether a text says how much of what is logged. A word alone must be a level: read as a place in the code, a level with a
/// letter too many would turn everything else off.
fn is_filter(text: &str) -> bool {
    let is_level = |part: &str| part.contains('=') || part.trim().parse::<LevelFilter>().is_ok();
    text.parse::<Targets>().is_ok() && text.split(',').all(is_level)
}
