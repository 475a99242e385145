//! Setting one key of a node's `starfish.toml` as an operator with an editor would: comments and the rest stay as they are.

/// The text of a configuration file with one key set, whether its table or key stood there before or not.
pub(super) fn with_setting(written: &str, table: &str, key: &str, value: &str) -> String {
    let head = format!("[{table}]");
    let setting = format!("{key} = {value}");
    let mut lines: Vec<&str> = Vec::new();
    let (mut inside, mut found) = (false, false);
    for line in written.lines() {
        inside = if line.starts_with('[') {
            line.trim() == head
        } else {
            inside
        };
        let replaced = inside && line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
        if !replaced {
            lines.push(line);
        }
        if line.trim() == head {
            lines.push(&setting);
            found = true;
        }
    }
    if !found {
        lines.extend([head.as_str(), &setting]);
    }
    lines.join("\n") + "\n"
}

#[test]
fn settings_are_written_once() {
    let check = |before: &str, after: &str| assert_eq!(with_setting(before, "trust", "a", "1"), after);
    check("", "[trust]\na = 1\n");
    check("b = 2\n", "b = 2\n[trust]\na = 1\n");
    check(
        "[trust]\na = 7\nb = 2\n[c]\na = 3\n",
        "[trust]\na = 1\nb = 2\n[c]\na = 3\n",
    );
    check("[trust]\n# a = 7\n", "[trust]\na = 1\n# a = 7\n");
    check("# [trust]\n# a = 7\n", "# [trust]\n# a = 7\n[trust]\na = 1\n");
}
