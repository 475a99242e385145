//! `report.html`: one file that holds everything it shows, for readers without a network.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Outcome, Report};
use crate::plots::{bars, bars::Group, course, lines, map};

/// Wide enough for the figures, dark on light for print.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#222}\
    table{border-collapse:collapse}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:right}\
    td:first-child,th:first-child{text-align:left}code{background:#f3f3f3;padding:.1em .3em}\
    .broken{border-left:4px solid #b00000;padding-left:1em}figure{margin:1.5em 0}svg{max-width:100%;height:auto}";

/// The whole page.
pub fn page(report: &Report, about: &str) -> String {
    let (head, outcome) = (&report.head, &report.outcome);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (head.scenario) ", seed " (head.seed) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (head.title) }
                @for part in about.split("\n\n").filter(|part| !part.trim().is_empty()) { p { (part) } }
                @if head.ci {
                    p { "This is the small variant, " code { "--ci" } ": " (head.nodes) " nodes and " (head.seconds) " virtual seconds." }
                }
                (verdict(report))
                h2 { "Figures" }
                (headline(report))
                (beside(report))
                (troubles(outcome))
                h2 { "How records spread" }
                (figure(lines::spread(&outcome.spread), "Share of the nodes that want a record and have it, by time since \
                    its publication, of three records: ordered by how long they took to the last node, the one in the \
                    middle, the one that nine in ten were faster than, and the last."))
                h2 { "Latency by region" }
                (figure(latency(&outcome.regions), "From publication to arrival, by the region of the node that received it."))
                @if outcome.roles.len() > 1 {
                    h2 { "Latency by role" }
                    (figure(latency(&outcome.roles), "From publication to arrival, by the role of the node that received it."))
                }
                h2 { "Bytes by kind" }
                (figure(traffic(outcome), "What all nodes sent, by what the streams carry, without what lower layers add."))
                @if let Some(trust) = &outcome.trust {
                    h2 { "Trust and poisoning over time" }
                    (figure(course::course(&trust.looks), "Of all pairs of an honest node and an organisation, a record or a \
                        name: how many are trusted, believed, or would be listed by an output that asks for two sources. \
                        Names are those of poison, and the first one of each list that several honest nodes reported."))
                }
                h2 { "The mesh at the end" }
                (figure(map::map(&outcome.nodes, &outcome.links), &format!("Each dot is a node, {}; nodes of one region stand \
                    together. Adversaries have a red ring.", connections(outcome.links.len()))))
                h2 { "This run" }
                (run(report))
            }
        }
    };
    page.into_string()
}

fn verdict(report: &Report) -> Markup {
    let broken = &report.outcome.broken;
    html! {
        @if broken.is_empty() {
            p { "Everything that the scenario expects came out." }
        } @else {
            div.broken {
                p { strong { "Not everything came out:" } }
                ul { @for line in broken { li { (line) } } }
            }
        }
    }
}

fn headline(report: &Report) -> Markup {
    html! {
        table {
            @for figure in report.headline() {
                tr { td { (figure.name) } td { (figure.unit.show(figure.value)) " " (figure.unit.sign()) } }
            }
        }
    }
}

fn beside(report: &Report) -> Markup {
    let rows = report.beside();
    html! {
        @if !rows.is_empty() {
            h2 { "Compared with pushing" }
            p { "Plain gossipsub pushed the same bodies whole, at the same time, to the same neighbours over lines of its own. It \
                checks, stores and repeats nothing, and none of that costs it any time." }
            table {
                tr { th { } th { "Starfish" } th { "gossipsub" } }
                @for row in rows {
                    tr {
                        td { (row.name) }
                        @for value in [row.pulled, row.pushed] { td { (row.unit.show(value)) " " (row.unit.sign()) } }
                    }
                }
            }
        }
    }
}

/// What the lines of the map are.
fn connections(links: usize) -> String {
    match map::step(links) {
        1 => "each line a connection".to_owned(),
        step => format!("each line one in {step} of {links} connections"),
    }
}

fn figure(svg: Option<String>, caption: &str) -> Markup {
    html! {
        figure {
            @match svg {
                Some(svg) => (PreEscaped(svg)),
                None => p { em { "Nothing to show." } },
            }
            figcaption { (caption) }
        }
    }
}

/// What went wrong as honest nodes felt it, and what they turned away.
fn troubles(outcome: &Outcome) -> Markup {
    html! {
        @if !outcome.troubles.is_empty() {
            h2 { "What went wrong" }
            table {
                tr { th { "section" } th { "felt" } th { "which counts" } }
                @for row in &outcome.troubles { tr { td { (row.section) } td { (row.felt) } td { (row.counts) } } }
            }
        }
        @if !outcome.turned_away.is_empty() {
            h2 { "What honest nodes turned away" }
            table { @for (reason, count) in &outcome.turned_away { tr { td { (reason) } td { (count) } } } }
        }
    }
}

fn latency(groups: &[super::Group]) -> Option<String> {
    let group = |row: &super::Group| Group {
        name: row.name.clone(),
        values: vec![row.latency.p50, row.latency.p99],
    };
    let groups: Vec<Group> = groups.iter().map(group).collect();
    bars::bars("ms", &["p50", "p99"], &groups)
}

fn traffic(outcome: &Outcome) -> Option<String> {
    let group = |row: &super::TrafficRow| Group {
        name: row.kind.clone(),
        values: vec![row.bytes as f64 / 1e6],
    };
    let groups: Vec<Group> = outcome.traffic.iter().map(group).collect();
    bars::bars("MB", &["sent"], &groups)
}

fn run(report: &Report) -> Markup {
    let (head, cost) = (&report.head, &report.cost);
    html! {
        p { "Run it again with " code { (report.command()) } }
        table {
            tr { td { "scenario" } td { (head.scenario) " (" (head.digest) ")" } }
            tr { td { "nodes" } td { (head.nodes) } }
            tr { td { "virtual seconds" } td { (head.seconds) } }
            tr { td { "events" } td { (report.outcome.events) " (" (report.outcome.events_digest) ")" } }
            tr { td { "program" } td { (head.program) } }
            tr { td { "processor" } td { (format!("{:.1} s, {:.2} virtual seconds each", cost.processor_seconds, cost.speed)) } }
            tr { td { "memory" } td { (format!("{:.0} MiB", cost.memory_mib)) } }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::report::{
        Cost, Head, Push, Trouble,
        figures::{Figure, Unit},
        gathering,
        trust::{Look, TrustFigures},
    };

    pub(crate) fn report() -> Report {
        Report {
            head: Head {
                scenario: "calm".to_owned(),
                title: "A <calm> day & more".to_owned(),
                file: "scenarios/calm.toml".to_owned(),
                seed: 7,
                set: vec!["nodes.cert.count=4".to_owned(), "title=it's calm".to_owned()],
                ..Head::default()
            },
            outcome: Outcome {
                links: vec![(0, 1), (1, 2), (2, 99)],
                trust: Some(figures()),
                ..gathering::tests::gathered()
            },
            cost: Cost::default(),
        }
    }

    fn figures() -> TrustFigures {
        let look = |seconds: f64| Look {
            seconds,
            poison_believed_percent: Some(seconds),
            ..Look::default()
        };
        TrustFigures {
            looks: vec![look(1.0), look(2.0)],
            ..TrustFigures::default()
        }
    }

    #[test]
    fn a_page_holds_everything_it_shows() {
        let page = page(&report(), "First.\n\nSecond <b>part</b>.");
        assert_eq!(page.matches("<svg").count(), 6, "six figures");
        assert!(page.contains("A &lt;calm&gt; day &amp; more") && page.contains("Second &lt;b&gt;part"));
        for outside in ["src=", "href=", "@import", "<script", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn pushing_stands_beside_pulling() {
        let mut report = report();
        assert!(report.beside().is_empty() && !page(&report, "").contains("Compared with pushing"));
        report.outcome.push = Some(Push {
            delivered_percent: 99.0,
            ..Push::of(&report.outcome)
        });
        let row = report
            .beside()
            .into_iter()
            .find(|row| row.name == "delivered")
            .expect("a row");
        assert_eq!(row.pushed, Some(99.0));
        assert!(page(&report, "").contains("Compared with pushing"));
        assert!(
            report
                .figures()
                .contains(&Figure::new("delivered, pushed", Unit::Percent, Some(99.0)))
        );
    }

    #[test]
    fn an_empty_run_has_a_page_too() {
        let mut empty = report();
        empty.outcome = Outcome {
            broken: vec!["all of <it>".to_owned()],
            ..Outcome::default()
        };
        let page = page(&empty, "");
        assert_eq!(page.matches("Nothing to show").count(), 4);
        assert!(page.contains("all of &lt;it&gt;"));
        assert!(page.contains("<td>latency p50</td><td>- ms</td>") && page.contains("<td>records</td><td>0 </td>"));
    }

    #[test]
    fn what_went_wrong_is_told_and_what_was_turned_away() {
        let mut report = report();
        assert!(!page(&report, "").contains("What went wrong") && !page(&report, "").contains("turned away</h2>"));
        report.outcome.troubles = vec![trouble("adversary.one", 7), trouble("partition.other", 5)];
        report.outcome.turned_away = [("too <much>".to_owned(), 3), ("too little".to_owned(), 4)].into();
        let page = page(&report, "");
        for row in [
            "<td>adversary.one</td><td>7</td><td>questions</td>",
            "<td>too &lt;much&gt;</td><td>3</td>",
            "<td>felt</td><td>5 </td>",
            "<td>turned away</td><td>7 </td>",
        ] {
            assert!(page.contains(row), "{row}");
        }
    }

    fn trouble(section: &str, felt: u64) -> Trouble {
        Trouble {
            section: section.to_owned(),
            felt,
            counts: "questions".to_owned(),
        }
    }

    #[test]
    fn a_small_variant_says_that_it_is_one() {
        let mut small = report();
        assert!(!page(&small, "").contains("small variant"));
        (small.head.ci, small.head.nodes, small.head.seconds) = (true, 20, 60);
        assert!(page(&small, "").contains("the small variant, <code>--ci</code>: 20 nodes and 60 virtual seconds."));
    }

    #[test]
    fn what_publishers_could_not_say_has_a_row() {
        let mut refused = report();
        refused.outcome.refused = 3;
        assert!(page(&refused, "").contains("<td>refused</td><td>3 </td>"));
    }

    #[test]
    fn a_map_of_some_connections_says_so() {
        let check = |links: usize, words: &str| {
            let mut report = report();
            report.outcome.links = vec![(0, 1); links];
            assert!(page(&report, "").contains(words), "{links}");
        };
        check(4_000, "each line a connection;");
        check(4_001, "each line one in 2 of 4001 connections;");
    }

    #[test]
    fn the_command_survives_a_shell() {
        let command = report().command();
        let expected =
            r"starfish-sim run scenarios/calm.toml --seed 7 --set nodes.cert.count=4 --set 'title=it'\''s calm'";
        assert_eq!(command, expected);
    }
}
