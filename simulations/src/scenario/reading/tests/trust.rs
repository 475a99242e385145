//! Keys of trust, and of adversaries who are after it.

use super::*;

#[test]
fn what_cannot_be_of_trust_is_told() {
    let check = |new: &str, line: usize, word: &str| {
        let mistakes = load(&format!("{WHOLE}{new}"), false, &[]).expect_err(new);
        let told = mistakes[0].to_string();
        assert!(told.contains(word), "{new}: {told}");
        assert_eq!(mistakes[0].line, Some(line), "{new}: {told}");
    };
    check("[trust]\nroles = { cert = [\"cert\"] }\n", 19, "only for");
    check("[trust]\nmembers = [\"cert\"]\n", 19, "what endorsements make");
    let web = "[trust]\nkind = \"two-sponsors\"\n";
    assert!(load(&format!("{WHOLE}{web}"), false, &[]).is_ok());
    let of_web = |keys: &str, word: &str| check(&format!("{web}{keys}"), 20, word);
    of_web("members = [\"ghost\"]\n", "`ghost`");
    for key in ["members", "green"] {
        let guests = "[nodes.cafe]\ncount = 1\ncertified = false\n";
        let keys = format!("{key} = [\"cert\", \"cafe\"]\n{guests}");
        of_web(&keys, "names `cafe`, which has no certificates");
    }
    of_web("amount = 0\n", "nothing that anybody can vouch");
    of_web("amount = 121\n", "nothing that anybody can vouch");
    of_web("depth = 8\n", "deeper than");
    of_web("roots = 0\n", "nobody to begin with");
    of_web("sponsors = 0\n", "lets nobody in");
    of_web("path = \"trust.csv\"\n", "only for");
    check("[trust]\nkind = \"file\"\n", 19, "needs a path");
    check("[trust]\nkind = \"file\"\npath = \"gone.csv\"\n", 20, "gone.csv");
    let adversary = |kind: &str, keys: &str| format!("[adversary.a]\nkind = \"{kind}\"\nrole = \"registry\"\n{keys}");
    let hostile = |kind: &str, keys: &str, line: usize, word: &str| {
        check(&format!("{web}{}", adversary(kind, keys)), line, word);
    };
    hostile("sybil", "", 21, "`sybil` needs a way in");
    hostile("poisoner", "endorsements = 1\namount = 5\n", 23, "only for sybils");
    hostile("sybil", "endorsements = 1\n", 20, "goes together with `endorsements`");
    hostile(
        "colluder",
        "endorsements = 1\namount = 0\n",
        24,
        "nothing that anybody can vouch",
    );
    hostile(
        "censor",
        "every_seconds = 1.0\n",
        23,
        "only for those who publish poison",
    );
    hostile("poisoner", "every_seconds = 0.0\n", 23, "no time between");
    hostile("sleeper", "", 20, "no time to behave");
    hostile("poisoner", "answer = \"veto\"\n", 23, "`answered_seconds`");
    hostile(
        "poisoner",
        "answered_seconds = 400\nanswer = \"veto\"\n",
        23,
        "not between",
    );
    check(
        &adversary("poisoner", "answer = \"withdraw\"\nanswered_seconds = 50\n"),
        21,
        "needs endorsements",
    );
}
