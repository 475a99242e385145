//! How each document of the control socket reads for a person.

use starfish_protocol::time::Millis;

use super::{GOOD, Plain, WARN, bytes, clean, counted, seconds, styled, table::Table, table::pairs};
use crate::daemon::{
    control::documents::{Done, Head, Hit, Id, Invitation, Met, Peer, Published, Status, Topics, Withdrawn},
    moment::rfc3339,
};

impl Plain for Done {
    fn plain(&self) -> Vec<String> {
        vec![styled(GOOD, "done")]
    }
}

impl Plain for Id {
    fn plain(&self) -> Vec<String> {
        let certified = if self.revoked {
            "no more: the node was revoked".to_owned()
        } else if self.running {
            format!("until {}", self.certified_until)
        } else {
            format!(
                "until {} (the running node also knows of revocations)",
                self.certified_until
            )
        };
        let mut lines = pairs(&[
            ("name", self.name.clone()),
            ("organisation", self.organisation.clone()),
            ("node", self.node.clone()),
            ("peer", self.peer.clone()),
            ("fingerprint", self.fingerprint.clone()),
            ("certified", certified),
            ("running", if self.running { "yes" } else { "no" }.to_owned()),
        ]);
        lines.extend(pairs(
            &self
                .addresses
                .iter()
                .map(|address| ("address     ", address.clone()))
                .collect::<Vec<_>>(),
        ));
        lines
    }
}

impl Plain for Status {
    fn plain(&self) -> Vec<String> {
        let mut lines = pairs(&[
            ("version", self.version.clone()),
            ("uptime", seconds(self.uptime)),
            ("peers", self.peers.to_string()),
            ("records", self.records.to_string()),
            ("observables", self.observables.to_string()),
            ("quarantined", self.quarantined.to_string()),
            ("bodies awaited", self.missing_bodies.to_string()),
            ("serial", self.serial.to_string()),
            ("store", bytes(self.store_bytes)),
            ("memory", bytes(self.rss_bytes)),
            ("received", bytes(self.received_bytes)),
            ("sent", bytes(self.sent_bytes)),
        ]);
        for head in &self.heads {
            let Head {
                audience,
                epoch,
                seq,
                record,
            } = head;
            let begun = rfc3339(Millis(*epoch));
            lines.extend(pairs(&[(
                "own log       ",
                // As `org revoke-node --last-good` takes it.
                format!("{audience},{epoch},{seq},{record}  (begun {begun})"),
            )]));
        }
        if self.heads.is_empty() {
            lines.extend(pairs(&[("own log       ", "nothing was published yet".to_owned())]));
        }
        if self.unsettled > 0 {
            let what = counted(usize::try_from(self.unsettled).unwrap_or(usize::MAX), "change");
            lines.push(styled(
                WARN,
                &format!("{what} of trust, revocation or withdrawal still being worked through"),
            ));
        }
        if self.comparing {
            lines.push(styled(
                WARN,
                "waits for a peer to show what it holds of this node's log before it publishes",
            ));
        }
        if let Some(why) = &self.standstill {
            lines.push(styled(
                WARN,
                &format!("the organisation stands still, and nothing that it says counts anywhere: {why}"),
            ));
        }
        if let Some(failure) = &self.store_failure {
            let count = self.store_failures;
            lines.push(styled(WARN, &format!("{failure} ({count} failures since the start)")));
        }
        if self.forks > 0 {
            lines.push(styled(
                WARN,
                &format!("{} authors were proven to have written two histories", self.forks),
            ));
        }
        lines
    }
}

impl Plain for Vec<Peer> {
    fn plain(&self) -> Vec<String> {
        if self.is_empty() {
            return vec!["nobody is connected; pair with another operator by `starfish invite`".to_owned()];
        }
        let mut table = Table::new(&[
            "PEER",
            "ORGANISATION",
            "RIGHT",
            "OVER",
            "CONNECTED",
            "RECORDS ON CONNECT",
            "TOPICS",
            "SCORE",
            "FAULTS",
            "ADDRESS",
        ]);
        for peer in self {
            let unknown = || "-".to_owned();
            let organisation = match (&peer.name, &peer.organisation) {
                (Some(name), Some(organisation)) => format!("{name} ({organisation})"),
                (_, organisation) => organisation.clone().unwrap_or_else(unknown),
            };
            table.row(vec![
                peer.peer.clone(),
                organisation,
                if peer.trusted { "trusted" } else { "guest" }.to_owned(),
                peer.transport.clone().unwrap_or_else(unknown),
                seconds(peer.connected),
                peer.records.to_string(),
                everything(&peer.topics),
                format!("{:.1}", peer.score),
                peer.strikes.to_string(),
                peer.address.clone().unwrap_or_else(unknown),
            ]);
        }
        table.lines()
    }
}

impl Plain for Topics {
    fn plain(&self) -> Vec<String> {
        let mut lines = pairs(&[
            ("topics pulled", everything(&self.topics)),
            ("TLDs pulled", everything(&self.tlds)),
        ]);
        if !self.offered.is_empty() {
            let mut table = Table::new(&["TOPIC", "PEERS", "HELD HERE"]);
            self.offered.iter().for_each(|offer| {
                table.row(vec![
                    offer.topic.clone(),
                    offer.peers.to_string(),
                    offer.records.to_string(),
                ])
            });
            lines.push(String::new());
            lines.extend(table.lines());
        }
        lines
    }
}

fn everything(names: &[String]) -> String {
    if names.is_empty() {
        "all".to_owned()
    } else {
        names.join(",")
    }
}

impl Plain for Published {
    fn plain(&self) -> Vec<String> {
        let observables = counted(usize::try_from(self.observables).unwrap_or(usize::MAX), "observable");
        let mut said = if self.records.is_empty() {
            "nothing was published: there is no observable to publish in the list".to_owned()
        } else {
            format!("published {observables} in {}", counted(self.records.len(), "record"))
        };
        if self.repeated > 0 {
            said.push_str(&format!("; {} repeated", self.repeated));
        }
        if !self.refused.is_empty() {
            said.push_str(&format!("; {} refused", counted(self.refused.len(), "line")));
        }
        let mut lines = vec![styled(if self.records.is_empty() { WARN } else { GOOD }, &said)];
        lines.extend(self.records.iter().map(|record| format!("  {record}")));
        if let Some(first) = self.earlier.first() {
            let earlier = counted(self.earlier.len(), "record");
            lines.push(styled(
                WARN,
                &format!("the same stands in {earlier} of before ({first})"),
            ));
            lines.push("  Each ends at its own time; `starfish withdraw` takes one back.".to_owned());
        }
        lines
    }
}

impl Plain for Withdrawn {
    fn plain(&self) -> Vec<String> {
        let what = match self.values {
            0 => "all of it".to_owned(),
            values => format!(
                "{} of it",
                counted(usize::try_from(values).unwrap_or(usize::MAX), "value")
            ),
        };
        vec![
            styled(GOOD, &format!("withdrawn: {}, {what}", self.target)),
            format!("  by {}", self.record),
        ]
    }
}

impl Plain for Hit {
    fn plain(&self) -> Vec<String> {
        let author = self
            .name
            .as_deref()
            .or(self.organisation.as_deref())
            .unwrap_or(&self.author);
        let mut first = format!(
            "{}  {}, {}, confidence {}, from {}",
            clean(&self.value),
            self.kind,
            clean(&self.topic),
            self.confidence,
            clean(author)
        );
        let tlp = format!("TLP:{}", clean(&self.tlp.to_uppercase()));
        let marks = [
            (self.tlp != "clear", tlp.as_str()),
            (self.withdrawn, "WITHDRAWN"),
            (self.forked, "FORKED AUTHOR"),
            (self.quarantined, "QUARANTINED"),
        ];
        for (_, mark) in marks.into_iter().filter(|(holds, _)| *holds) {
            first = format!("{first}  {}", styled(WARN, mark));
        }
        let mut lines = vec![first];
        if !self.context.is_empty() {
            lines.push(format!("    {}", clean(&self.context)));
        }
        let Self {
            record,
            serial,
            received_at,
            expires_at,
            ..
        } = self;
        lines.push(format!(
            "    {record}, serial {serial}, received {received_at}, expires {expires_at}"
        ));
        lines
    }
}

impl Plain for Invitation {
    /// The code is alone on its line, for scripts that take the last one.
    fn plain(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "This code works once, until {}, and leads to {}.",
            self.until, self.address
        )];
        if self.confirmed {
            lines.push("Whoever uses it is trusted at once, without comparing words.".to_owned());
        }
        lines.push("The other operator types `starfish pair` and the code:".to_owned());
        lines.push(self.code.clone());
        lines
    }
}

impl Plain for Met {
    fn plain(&self) -> Vec<String> {
        let state = if self.confirmed {
            styled(GOOD, "trusted")
        } else {
            styled(WARN, "not trusted yet")
        };
        vec![
            format!("{} ({}): {state}", clean(&self.name), self.organisation),
            format!("words: {}", self.words.join(" ")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piped(document: &impl Plain) -> String {
        let lines: Vec<String> = document.plain();
        anstream::adapter::strip_str(&lines.join("\n")).to_string()
    }

    #[test]
    fn a_code_is_the_last_line_alone() {
        let invitation = Invitation {
            code: "1A2B-3C4D".to_owned(),
            until: "2026-01-01T00:00:00Z".to_owned(),
            address: "/ip4/192.0.2.1/tcp/4852".to_owned(),
            confirmed: false,
        };
        assert_eq!(piped(&invitation).lines().last(), Some("1A2B-3C4D"));
    }

    #[test]
    fn hits_say_what_is_wrong_with_them() {
        let hit = Hit {
            value: "evil.example".to_owned(),
            kind: "domain".to_owned(),
            topic: "c2".to_owned(),
            tlp: "green".to_owned(),
            confidence: 80,
            context: "seen\u{1b}[2J".to_owned(),
            author: "key:a".to_owned(),
            organisation: Some("org:a".to_owned()),
            name: None,
            record: "rec:a".to_owned(),
            serial: 7,
            received_at: "R".to_owned(),
            expires_at: "E".to_owned(),
            withdrawn: true,
            forked: true,
            quarantined: true,
        };
        let expected = "evil.example  domain, c2, confidence 80, from org:a  TLP:GREEN  WITHDRAWN  FORKED AUTHOR  QUARANTINED\n    \
            seen\u{fffd}[2J\n    rec:a, serial 7, received R, expires E";
        assert_eq!(piped(&hit), expected);
    }

    #[test]
    fn a_status_shows_the_heads_of_its_logs() {
        let head = Head {
            audience: "clear".to_owned(),
            epoch: 951_782_400_000,
            seq: 7,
            record: "rec:a".to_owned(),
        };
        let check = |heads: Vec<Head>, expected: &str| {
            let status = Status {
                heads,
                ..Status::default()
            };
            assert_eq!(piped(&status).lines().last(), Some(expected));
        };
        let shown = "own log         clear,951782400000,7,rec:a  (begun 2000-02-29T00:00:00Z)";
        check(vec![head], shown);
        check(Vec::new(), "own log         nothing was published yet");
    }

    #[test]
    fn publications_count() {
        let check = |published: Published, expected: &str| assert_eq!(piped(&published), expected);
        check(
            Published::default(),
            "nothing was published: there is no observable to publish in the list",
        );
        let records = vec!["rec:a".to_owned()];
        check(
            Published {
                records,
                observables: 2,
                repeated: 1,
                ..Published::default()
            },
            "published 2 observables in 1 record; 1 repeated\n  rec:a",
        );
        let again = Published {
            records: vec!["rec:b".to_owned()],
            observables: 2,
            earlier: vec!["rec:a".to_owned()],
            ..Published::default()
        };
        assert!(
            piped(&again).contains("stands in 1 record of before (rec:a)"),
            "{}",
            piped(&again)
        );
    }

    #[test]
    fn nobody_is_told_kindly() {
        assert!(piped(&Vec::<Peer>::new()).contains("starfish invite"));
    }
}
