//! Rows of scenario files: a few that are whole, and many that are broken, each with the line and the words that it is told by.

mod effect;
mod sharing;
mod trust;

use super::*;

/// The smallest file that is whole, with lines that rows replace.
const WHOLE: &str = r#"title = "a test"
seconds = 300
[nodes.cert]
count = 20
[nodes.registry]
count = 5
tlds = "own"
[publish.daily]
role = "cert"
kind = "conficker-day"
items = 100
at_seconds = 20
every_seconds = 10
[ci]
seconds = 60
[ci.nodes.cert]
count = 10
"#;

fn load(text: &str, ci: bool, set: &[&str]) -> Result<Scenario, Vec<Mistake>> {
    let set = set.iter().map(|&set| set.to_owned()).collect();
    read(Path::new("study/test.toml"), text, &Changes { ci, set })
}

#[test]
fn variants_and_settings_change_single_keys() {
    let check = |ci, set: &[&str], expected: (u64, u32, u32)| {
        let written = load(WHOLE, ci, set)
            .unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
            .written;
        let found = (
            written.seconds,
            written.nodes["cert"].count,
            written.nodes["registry"].count,
        );
        assert_eq!(found, expected, "{ci} {set:?}");
    };
    check(false, &[], (300, 20, 5));
    check(true, &[], (60, 10, 5));
    check(false, &["seconds=90"], (90, 20, 5));
    check(true, &["seconds=90"], (90, 10, 5));
    check(true, &["nodes.registry.count=7", "seconds=80"], (80, 10, 7));
    check(false, &["seconds = 1_000"], (1_000, 20, 5));
    check(false, &["title=words that are no TOML"], (300, 20, 5));
    check(false, &["nodes.extra={count=3}", "nodes.extra.count=4"], (300, 20, 5));
    check(false, &["topology.kind=scale-free", "topology.dials=2"], (300, 20, 5));
    check(false, &["gossip.mesh=8", "limits.wanted=20"], (300, 20, 5));
}

#[test]
fn equal_studies_have_equal_digests() {
    let digest = |set: &[&str]| load(WHOLE, false, set).expect("a whole file").digest;
    assert_eq!(digest(&[]), digest(&["seconds=300"]));
    assert_ne!(digest(&[]), digest(&["seconds=301"]));
}

#[test]
fn broken_files_say_where_and_what_to_do() {
    // Replaces `old` and expects one mistake at a line that tells `word`.
    let check = |old: &str, new: &str, line: Option<usize>, word: &str| {
        let text = if old.is_empty() {
            format!("{WHOLE}{new}")
        } else {
            WHOLE.replacen(old, new, 1)
        };
        assert_ne!(text, WHOLE, "the row changes nothing");
        let mistakes = load(&text, false, &[]).expect_err(new);
        let told = mistakes[0].to_string();
        assert!(told.contains(word), "{new}: {told}");
        assert_eq!(mistakes[0].line, line, "{new}: {told}");
        assert!(!mistakes[0].remedy.is_empty());
    };
    // The text.
    check("title = \"a test\"", "title = \"a test", Some(1), "");
    check("seconds = 300", "seconds = ", Some(2), "");
    check("seconds = 300", "seconds = 1\nseconds = 2", Some(3), "duplicate key");
    // Keys and shapes.
    check("title = \"a test\"\n", "", Some(1), "missing field `title`");
    check("seconds = 300", "seconds = \"long\"", Some(2), "invalid type");
    check("seconds = 300", "seconds = -1", Some(2), "invalid value");
    check("seconds = 300", "secunds = 300", Some(2), "unknown field `secunds`");
    check("count = 20", "count = 20\ncuont = 3", Some(5), "unknown field `cuont`");
    check("count = 20", "regions = []", Some(3), "missing field `count`");
    check("tlds = \"own\"", "tlds = \"mine\"", Some(7), "unknown variant `mine`");
    check("", "[topology]\nkind = \"ring\"\n", Some(19), "unknown variant `ring`");
    check("", "[gossip]\nmash = 6\n", Some(19), "unknown field `mash`");
    check("", "[limits]\nconnections = \"many\"\n", Some(19), "invalid type");
    // Values.
    check("seconds = 300", "seconds = 0", Some(2), "no length of a run");
    check(
        "seconds = 300",
        "seconds = 300\nsettle_seconds = 300",
        Some(3),
        "nothing to measure",
    );
    check("count = 20", "count = 60000", Some(3), "60005 in all");
    check(
        "count = 20",
        "count = 20\nregions = [\"atlantis\"]",
        Some(5),
        "no region `atlantis`",
    );
    check(
        "count = 20",
        "count = 20\nuplink_kbit = 0",
        Some(5),
        "lets nothing through",
    );
    check("count = 20", "count = 20\ntopics = [\"A B\"]", Some(5), "no topic");
    check(
        "role = \"cert\"",
        "role = \"csirt\"",
        Some(9),
        "no nodes of the role `csirt`",
    );
    check("items = 100", "items = 0", Some(11), "no size of a list");
    check("every_seconds = 10", "every_seconds = 0", Some(13), "no time between");
    check("every_seconds = 10", "every_seconds = nan", Some(13), "no time between");
    check(
        "at_seconds = 20",
        "at_seconds = 900",
        Some(12),
        "not before the end of the run",
    );
    check(
        "at_seconds = 20",
        "at_seconds = 20\nuntil_seconds = 10",
        Some(13),
        "ends before it begins",
    );
    check(
        "items = 100",
        "items = 100\nreporters = 21",
        Some(12),
        "no number of nodes",
    );
    check(
        "items = 100",
        "items = 100\nreporters = 0",
        Some(12),
        "no number of nodes",
    );
    check(
        "count = 20",
        "count = 20\nline_ms = 60001",
        Some(5),
        "longer than any line",
    );
    check("", "[gossip]\nmesh = 500\n", Some(18), "between mesh_low");
    check("", "[gossip]\nheartbeat = 0\n", Some(18), "heartbeat must be");
    check("", "[gossip]\nhistory = 1\n", Some(18), "history_gossip must be");
    check("", "[expect]\np50_ms = nan\n", Some(19), "no number");
    check(
        "at_seconds = 20",
        "at_seconds = 20\nuntil_seconds = 400",
        Some(13),
        "after the end of the run",
    );
    check("at_seconds = 20", "at_seconds = 20\ntopic = \"\"", Some(13), "no topic");
    check(
        "at_seconds = 20",
        "at_seconds = 20\nexpire_hours = 0",
        Some(13),
        "no life",
    );
    check("", "[network]\nlatency = \"gone.csv\"\n", Some(19), "gone.csv");
    check("", "[network]\nuplink_kbit = 0\n", Some(19), "lets nothing through");
    check("", "[topology]\ndials = 25\n", Some(19), "between 1 and");
    check("", "[topology]\nkind = \"file\"\n", Some(19), "needs a path");
    check("", "[topology]\npath = \"links.csv\"\n", Some(19), "only for");
    check(
        "",
        "[topology]\nkind = \"file\"\npath = \"gone.csv\"\n",
        Some(20),
        "gone.csv",
    );
    check("", "[trust.roles]\ncert = [\"cert\"]\n", Some(18), "only for");
    check(
        "",
        "[trust]\nkind = \"listed\"\n[trust.roles]\ncert = [\"ghost\"]\n",
        Some(21),
        "`ghost`",
    );
    check(
        "",
        "[partition.a]\nkind = \"cut\"\nat_seconds = 9\nuntil_seconds = 5\nshare = 0.5\n",
        Some(21),
        "ends before",
    );
    check(
        "",
        "[partition.a]\nkind = \"cut\"\nat_seconds = 1\nuntil_seconds = 5\n",
        Some(18),
        "which part",
    );
    check(
        "",
        "[partition.a]\nkind = \"cut\"\nat_seconds = 1\nuntil_seconds = 5\nshare = 2.0\n",
        Some(22),
        "no share",
    );
    check(
        "",
        "[partition.a]\nkind = \"tear\"\n",
        Some(19),
        "unknown variant `tear`",
    );
    check(
        "",
        "[crash.a]\nrole = \"cert\"\ncount = 21\nat_seconds = 1\nback_seconds = 5\n",
        Some(20),
        "more than the role",
    );
    check(
        "",
        "[skew.a]\nrole = \"cert\"\ncount = 99\nmilliseconds = 5\n",
        Some(20),
        "more than the role",
    );
    check(
        "",
        "[skew.a]\nrole = \"cert\"\ncount = 1\nmilliseconds = -9223372036854775808\n",
        Some(21),
        "more than a clock",
    );
    check(
        "",
        "[adversary.a]\nkind = \"censor\"\nrole = \"cert\"\nfrom_seconds = 5\n",
        Some(21),
        "from the beginning",
    );
    check(
        "",
        "[churn.a]\nrole = \"cert\"\nstay_seconds = 0\naway_seconds = 1\nuntil_seconds = 9\n",
        Some(20),
        "no time at all",
    );
    check(
        "",
        "[adversary.a]\nkind = \"censor\"\nrole = \"cert\"\nevery_seconds = 1.0\n",
        Some(21),
        "publish poison, vote or are no nodes",
    );
    check(
        "",
        "[adversary.a]\nkind = \"eclipse\"\nrole = \"cert\"\n",
        Some(19),
        "needs victims",
    );
    check(
        "",
        "[adversary.a]\nkind = \"flooder\"\nrole = \"cert\"\n",
        Some(19),
        "needs a rate",
    );
    check(
        "",
        "[adversary.a]\nkind = \"flooder\"\nrole = \"cert\"\nper_second = 0\n",
        Some(21),
        "no rate",
    );
    check(
        "",
        "[adversary.a]\nkind = \"withholder\"\nrole = \"cert\"\nvictims = \"cert\"\n",
        Some(21),
        "only for",
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = WHOLE
        .replace("seconds = 300", "seconds = 0")
        .replace("items = 100", "items = 0");
    let mistakes = load(&text, false, &[]).expect_err("two mistakes");
    assert!(mistakes.len() >= 2, "{mistakes:?}");
}

#[test]
fn broken_variants_and_settings_are_refused() {
    let check = |text: &str, ci, set: &[&str], word: &str| {
        let mistakes = load(text, ci, set).expect_err(word);
        let told = mistakes[0].to_string();
        assert!(told.contains(word), "{told}");
    };
    let without = &WHOLE[..WHOLE.find("[ci]").expect("the variant")];
    check(without, true, &[], "no [ci] variant");
    check(
        &WHOLE.replace("[ci]\nseconds = 60", "[ci]\nseconds = 121"),
        true,
        &[],
        "121 seconds",
    );
    check(&WHOLE.replace("count = 10\n", "count = 36\n"), true, &[], "41 nodes");
    check(
        &WHOLE.replace("[ci]\nseconds = 60", "[ci]\nsecunds = 60"),
        true,
        &[],
        "test.toml:15: unknown field",
    );
    check(WHOLE, true, &["nodes.cert.count=100"], "nodes");
    check(WHOLE, false, &["seconds"], "no `=`");
    check(WHOLE, false, &["=5"], "--set =5");
    check(WHOLE, false, &["seconds="], "--set seconds=");
    check(WHOLE, false, &["seconds=soon"], "--set seconds=soon: invalid type");
    check(WHOLE, false, &["seconds=0"], "--set seconds=0: is no length");
    check(WHOLE, false, &["nodes.cert.cuont=5"], "unknown field");
    check(WHOLE, false, &["nodes.ghost.tlds=own"], "there is no [nodes.ghost]");
    check(WHOLE, false, &["nodes.ghost={tlds=\"own\"}"], "missing field `count`");
    check(WHOLE, false, &["publish.daily.role=ghost"], "`ghost`");
    check(WHOLE, false, &["nodes.cert.certified=false"], "has no certificates");
}

/// The example of the README holds every section, and is a whole scenario.
#[test]
fn the_scenario_of_the_readme_is_whole() {
    let readme = include_str!("../../../README.md");
    let example = readme
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("an example");
    for ci in [false, true] {
        let scenario = load(example, ci, &[]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        let written = &scenario.written;
        let sections = [
            written.churn.len(),
            written.partition.len(),
            written.crash.len(),
            written.skew.len(),
            written.adversary.len(),
        ];
        assert!(sections.iter().all(|count| *count > 0) && written.expect.copies.is_some());
    }
}
