//! Keys that would do nothing.

use super::*;

#[test]
fn keys_that_would_do_nothing_are_told() {
    let check = |old: &str, new: &str, key: &str, word: &str| {
        let text = if old.is_empty() {
            format!("{WHOLE}{new}")
        } else {
            WHOLE.replacen(old, new, 1)
        };
        let mistakes = load(&text, false, &[]).err().unwrap_or_default();
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), usize::from(!key.is_empty()), "{old} {new}: {told:?}");
        assert!(
            told.iter().all(|told| told.contains(key) && told.contains(word)),
            "{told:?}"
        );
        assert!(
            mistakes
                .iter()
                .all(|mistake| mistake.line.is_some() && !mistake.remedy.is_empty())
        );
    };
    let web = "[trust]\nkind = \"two-sponsors\"\n";
    let adversary = |kind: &str, keys: &str| format!("[adversary.a]\nkind = \"{kind}\"\nrole = \"cert\"\n{keys}");
    check("seconds = 300", "seconds = 300\nconverge_seconds = 299", "", "");
    check(
        "seconds = 300",
        "seconds = 300\nconverge_seconds = 0",
        "converge_seconds",
        "not looked at",
    );
    check(
        "seconds = 300",
        "seconds = 300\nconverge_seconds = 300",
        "converge_seconds",
        "not looked at",
    );
    check(
        "kind = \"conficker-day\"\n",
        "",
        "nodes.registry.tlds",
        "nothing is published",
    );
    check(
        "at_seconds = 20",
        "at_seconds = 9",
        "publish.daily.at_seconds",
        "not counted",
    );
    check(
        "items = 100",
        "items = 100\ntlp = \"green\"",
        "publish.daily.tlp",
        "nobody may be told",
    );
    check("", "[expect]\nfelt = 1.0\n", "expect.felt", "there are none");
    let felt = |section: String| format!("{section}[expect]\nfelt = 1.0\n");
    check("", &felt(adversary("censor", "share = 0.5\n")), "", "");
    check("", "[limits]\nmemory = 1_000_000\n", "limits.memory", "of the process");
    check("", "[trust]\nroots = 5\n", "trust.roots", "only for");
    check("", "[trust]\nsponsors = 3\n", "trust.sponsors", "only for");
    check("", "[trust]\namount = 70\n", "trust.amount", "only for");
    check("", "[trust]\nkind = \"chain\"\namount = 70\ndepth = 3\n", "", "");
    check(
        "",
        &format!("{web}roots = 5\nsponsors = 3\namount = 70\ndepth = 3\n"),
        "",
        "",
    );
    let split =
        |share: &str| format!("[partition.p]\nkind = \"cut\"\nat_seconds = 20\nuntil_seconds = 30\nshare = {share}\n");
    check("", &split("0.5"), "", "");
    let within = |seconds: u64| {
        format!(
            "seconds = 300\nconverge_seconds = {seconds}\n{}[nodes.cert]",
            split("0.5")
        )
    };
    check("seconds = 300\n[nodes.cert]", &within(269), "", "");
    check(
        "seconds = 300\n[nodes.cert]",
        &within(270),
        "converge_seconds",
        "not looked at",
    );
    check("", &split("0.01"), "partition.p.share", "separates nobody");
    check("", &split("1.0"), "partition.p.share", "separates nobody");
    let part = |keys: &str| format!("[partition.p]\nkind = \"cut\"\nat_seconds = 20\nuntil_seconds = 30\n{keys}\n");
    check("", &part("roles = [\"cert\"]"), "", "");
    let all = part("roles = [\"registry\", \"cert\"]");
    check("", &all, "partition.p.roles", "separates nobody");
    check("", &part("regions = [\"uksouth\"]"), "", "");
    let there = |region: &str| {
        format!(
            "count = 20\nregions = [\"{region}\"]\n{}[nodes.registry]\nregions = [\"uksouth\"]",
            part("regions = [\"uksouth\"]")
        )
    };
    check(
        "count = 20\n[nodes.registry]",
        &there("uksouth"),
        "partition.p.regions",
        "separates nobody",
    );
    check("count = 20\n[nodes.registry]", &there("westus2"), "", "");
    check(
        "",
        &adversary("flooder", "per_second = 1.0\nfrom_seconds = 300\n"),
        "adversary.a.from_seconds",
        "end of the run",
    );
    check(
        "",
        &adversary("censor", "share = 0.01\n"),
        "adversary.a.share",
        "less than one",
    );
    check("", &adversary("censor", "share = 0.0\n"), "", "");
    let answer = "answer = \"veto\"\nanswered_seconds = 50\n";
    check("", &format!("{web}{}", adversary("poisoner", answer)), "", "");
    let chain = "[trust]\nkind = \"chain\"\n";
    check(
        "",
        &format!("{chain}{}", adversary("poisoner", answer)),
        "adversary.a.answer",
        "nobody has the right",
    );
    let sybils = |endorsements: u32| {
        let keys = format!("share = 1.0\nendorsements = {endorsements}\namount = 30\n");
        format!(
            "{web}roots = 4\n{}",
            adversary("sybil", &keys).replace("cert", "registry")
        )
    };
    check("", &sybils(16), "", "");
    check(
        "",
        &sybils(17),
        "adversary.a.endorsements",
        "honest members that are no founders",
    );
    let crash = "[crash.c]\nrole = \"cert\"\ncount = 1\nat_seconds = 20\nback_seconds = 30\n";
    check("", crash, "", "");
    check(
        "",
        &format!("{crash}{}", adversary("replayer", "share = 0.1\n")),
        "crash.c.role",
        "no nodes",
    );
    let skew = "[skew.s]\nrole = \"cert\"\ncount = 1\nmilliseconds = 5\n";
    check(
        "",
        &format!("{skew}{}", adversary("replayer", "share = 0.1\n")),
        "skew.s.role",
        "no nodes",
    );
    let clocks = |count: u32| format!("{skew}[skew.t]\nrole = \"cert\"\ncount = {count}\nmilliseconds = -5\n");
    check("", &clocks(19), "", "");
    check("", &clocks(20), "skew.t.count", "have left");
    check(
        "seconds = 300",
        "seconds = 6_912_001",
        "seconds",
        "all certificates end",
    );
}
