//! Sections of adversaries that share the nodes of a role.

use super::*;

#[test]
fn sections_that_want_more_nodes_than_their_role_has_are_told() {
    let check = |first: &str, second: &str, line: Option<usize>| {
        let section =
            |name: &str, share: &str| format!("[adversary.{name}]\nkind = \"censor\"\nrole = \"cert\"\n{share}");
        let text = format!("{WHOLE}{}{}", section("a", first), section("b", second));
        let mistakes = load(&text, false, &[]).err().unwrap_or_default();
        assert_eq!(mistakes.first().and_then(|mistake| mistake.line), line, "{mistakes:?}");
        for mistake in mistakes {
            let told = mistake.to_string();
            assert!(
                told.contains("the role `cert` than the sections before it have left"),
                "{told}"
            );
            assert!(!mistake.remedy.is_empty());
        }
    };
    check("share = 0.6\n", "share = 0.4\n", None);
    check("share = 0.7\n", "share = 0.4\n", Some(25));
    check("share = 0.1\n", "", Some(22));
    check("", "share = 0.1\n", Some(24));
}
