//! Rows for every kind of line, reserved values, and bounds.

use proptest::prelude::*;

use super::*;

mod samples;
mod splitting;

const PLAIN: Options = Options { forced: false };

fn texts(listing: &Listing) -> Vec<String> {
    let mut texts: Vec<String> = listing.observables.iter().map(ToString::to_string).collect();
    texts.sort();
    texts
}

fn reasons(listing: &Listing) -> Vec<(usize, &str, String)> {
    listing
        .refused
        .iter()
        .map(|refused| (refused.line, refused.text.as_str(), refused.reason.to_string()))
        .collect()
}

#[test]
fn lines_that_are_read() {
    let check = |list: &str, mut values: Vec<&str>| {
        let listing = read(list, PLAIN);
        values.sort_unstable();
        assert_eq!(texts(&listing), values, "{list:?}");
        assert_eq!(listing.refused, [], "{list:?}");
    };
    check("", vec![]);
    check("\n\r\n \t\n", vec![]);
    check("# a\n; b\n! c\n// d\n[Adblock Plus 2.0]\n  # e\n#\n##\n## f", vec![]);
    check("\u{feff}evil.example", vec!["evil.example"]);
    check("a.example\r\nb.example\r\n", vec!["a.example", "b.example"]);
    check("a.example # seen in May\nb.example\t#x", vec!["a.example", "b.example"]);
    check("http://a.example/#x # y", vec!["http://a.example/#x"]);
    check("*.a.example\n.b.example", vec!["a.example", "b.example"]);
    check(
        "hxxp://evil[.]example/a\nevil dot example",
        vec!["http://evil.example/a", "evil.example"],
    );
    check(
        "192.0.2.1\t7\n192.0.2.2 12\nevil.example 3",
        vec!["192.0.2.1", "192.0.2.2", "evil.example"],
    );
    check(
        "0.0.0.0 a.example\n127.0.0.1\tb.example  c.example # x\n:: d.example",
        vec!["a.example", "b.example", "c.example", "d.example"],
    );
    check(
        "a.example b.example\n192.0.2.1 c.example",
        vec!["a.example", "b.example", "192.0.2.1", "c.example"],
    );
    check(
        "a.example,192.0.2.1\n\"b.example\",\"192.0.2.2\"",
        vec!["a.example", "192.0.2.1", "b.example", "192.0.2.2"],
    );
    check("\"a.example\",\n'b.example',", vec!["a.example", "b.example"]);
    check("192.0.2.0/28,192.0.2.64/28", vec!["192.0.2.0/28", "192.0.2.64/28"]);
    check("http://a.example/x,b.c", vec!["http://a.example/x,b.c"]);
    check(
        "http://a.example/x,http://b.example/y",
        vec!["http://a.example/x", "http://b.example/y"],
    );
    check(
        "domain_name,ip_address\n\"a.example\",\"192.0.2.1\"\n\"b.example\",\"\"",
        vec!["a.example", "192.0.2.1", "b.example"],
    );
    check("Domain\na.example", vec!["a.example"]);
    check("url\nhttp://a.example/x,b.c", vec!["http://a.example/x,b.c"]);
    check(
        "# x\nIP Address,Host Name\n192.0.2.1,a.example",
        vec!["192.0.2.1", "a.example"],
    );
    check(
        "||a.example^\n||b.example^$all\n||192.0.2.1^\n||c.example",
        vec!["a.example", "b.example", "192.0.2.1", "c.example"],
    );
    check(
        "||a.example/x?y=z$all\n||b.example/x^$doc,popup\n|http://c.example/|",
        vec!["http://a.example/x?y=z", "http://b.example/x", "http://c.example/"],
    );
    check(
        "||*.a.example^\n||b.example^*\n||c.example^$third-party,domain=x.example|y.example",
        vec!["a.example", "b.example", "c.example"],
    );
    check("||a.example/x$y", vec!["http://a.example/x$y"]);
    check("192.0.2.1:8080\nevil.example:81", vec!["192.0.2.1", "evil.example"]);
    check(
        "a@evil.example\nAS64496\n2001:db8::/32",
        vec!["a@evil.example", "AS64496", "2001:db8::/32"],
    );
}

#[test]
fn lines_that_are_refused() {
    let check = |list: &[u8], refused: &[(usize, &str, &str)]| {
        let listing = read(list, PLAIN);
        let told = reasons(&listing);
        let told: Vec<(usize, &str, &str)> = told
            .iter()
            .map(|(line, text, why)| (*line, *text, why.as_str()))
            .collect();
        assert_eq!(told, refused, "{:?}", String::from_utf8_lossy(list));
        assert_eq!(listing.refused_count(), refused.len());
    };
    let (path, row) = (
        "`/izuku.sh` is a path without a host: it could be anywhere",
        "a row without a line of column names before it must hold nothing but observables",
    );
    check(b"a.example\n/izuku.sh", &[(2, "/izuku.sh", path)]);
    check(
        b"\n\nnonsense",
        &[(3, "nonsense", "`nonsense` is a single label: a domain has at least two")],
    );
    check(
        b"a b c",
        &[(
            1,
            "a b c",
            "`a b c` is neither a domain, URL, address, network, e-mail address, file digest nor AS number",
        )],
    );
    check(
        b"a.example\n\xff\xfeb.example",
        &[(2, "\u{fffd}\u{fffd}b.example", "the line is not UTF-8")],
    );
    check(b"\xff\xfea\0", &[(1, "", "the file is UTF-16: save it as UTF-8")]);
    check(
        b"@@||a.example^",
        &[(1, "@@||a.example^", "the filter rule allows instead of blocks")],
    );
    check(
        b"||a.example^$badfilter",
        &[(1, "||a.example^$badfilter", "the filter rule allows instead of blocks")],
    );
    check(
        b"a.example##.ad",
        &[(1, "a.example##.ad", "the filter rule hides a part of a page")],
    );
    check(
        b"||a.example/x*y$all",
        &[(
            1,
            "||a.example/x*y$all",
            "the filter rule matches a pattern, not one host or URL",
        )],
    );
    check(b"||*^", &[(1, "", "there is nothing to read")]);
    check(b"||", &[(1, "", "there is nothing to read")]);
    check(b"\"a.example\",\"phishing\"", &[(1, "\"a.example\",\"phishing\"", row)]);
    check(
        b"0.0.0.0 a.example nl",
        &[(1, "nl", "`nl` is a single label: a domain has at least two")],
    );
    let column = "the column holds no observables as far as its name tells, so it is not read";
    check(
        b"url,date_added,reference_url\nhttp://a.example/,2024-01-01,https://b.example/r",
        &[(1, "date_added", column), (1, "reference_url", column)],
    );
    check(
        b"domain,ip\na.example,192.0.2.1,x",
        &[(
            2,
            "a.example,192.0.2.1,x",
            "the row has more fields than there are column names",
        )],
    );
    check(
        b"domain,ip\na.example,none",
        &[(2, "none", "`none` is a single label: a domain has at least two")],
    );
    check(
        b"evil\x1b[31m",
        &[(
            1,
            "evil\\u{1b}[31m",
            "`evil\\u{1b}[31m` is neither a domain, URL, address, network, e-mail address, file digest nor AS number",
        )],
    );
    let long = [b"a.".repeat(LINE_BYTES).as_slice(), b"\nb.example"].concat();
    check(&long, &[(1, &"a.".repeat(100), "the line is longer than 16,384 bytes")]);
}

#[test]
fn reserved_values_stay_unless_forced() {
    let refused = |text: &str, why: &str| {
        let listing = read(text, PLAIN);
        assert_eq!(listing.observables, [], "{text}");
        let told = reasons(&listing);
        assert!(
            told.len() == 1 && told[0].2 == format!("{why}; it is not published unless that is forced (--force)"),
            "{told:?}"
        );
        assert_eq!(read(text, Options { forced: true }).observables.len(), 1, "{text}");
    };
    refused("127.0.0.1", "it is in 127.0.0.0/8, the machine itself");
    refused("127.0.0.1:8080", "it is in 127.0.0.0/8, the machine itself");
    refused("http://127.0.0.1/a", "it is in 127.0.0.0/8, the machine itself");
    refused("http://[::ffff:10.0.0.1]/a", "it is in 10.0.0.0/8, private");
    refused("0.0.0.0", "it is in 0.0.0.0/8, this host");
    refused("10.1.2.3", "it is in 10.0.0.0/8, private");
    refused("172.31.255.255", "it is in 172.16.0.0/12, private");
    refused("192.168.1.1", "it is in 192.168.0.0/16, private");
    refused(
        "100.64.0.1",
        "it is in 100.64.0.0/10, shared by the customers of a provider",
    );
    refused("169.254.1.1", "it is in 169.254.0.0/16, one link only");
    refused("224.0.0.1", "it is in 224.0.0.0/4, multicast");
    refused("255.255.255.255", "it is in 240.0.0.0/4, reserved");
    refused("::", "it is in ::/128, no address");
    refused("::1", "it is in ::1/128, the machine itself");
    refused("::ffff:127.0.0.1", "it is in 127.0.0.0/8, the machine itself");
    refused("fd00::1", "it is in fc00::/7, private");
    refused("fe80::1", "it is in fe80::/10, one link only");
    refused("ff02::1", "it is in ff00::/8, multicast");
    refused("192.168.0.0/24", "it overlaps 192.168.0.0/16, private");
    refused("192.0.0.0/8", "it overlaps 192.0.0.0/24, kept for protocols");
    refused("0.0.0.0/0", "it overlaps 0.0.0.0/8, this host");
    refused("::/0", "it overlaps ::/128, no address");
    refused("printer.local", "names under `local` are not on the public internet");
    refused("a.localhost", "names under `localhost` are not on the public internet");
    refused(
        "localhost.localdomain",
        "names under `localdomain` are not on the public internet",
    );
    refused(
        "http://intra.corp/",
        "names under `corp` are not on the public internet",
    );
    refused("a@b.internal", "names under `internal` are not on the public internet");
    refused(
        "1.2.0.192.in-addr.arpa",
        "names under `arpa` are not on the public internet",
    );
    let password = "it has a password, which may be a victim's";
    refused("ftp://victim:secret@files.example/", password);
    refused("hxxps://:secret@shop[.]example/?a=b", password);
    refused("AS64512", "the AS number is reserved");
    refused("AS0", "the AS number is reserved");

    let taken = [
        "192.0.2.1",
        "192.0.2.0/24",
        "198.51.100.7",
        "203.0.113.0/25",
        "2001:db8::1",
        "2001:db8::/32",
        "evil.example",
        "evil.test",
        "example.com",
        "http://evil.example/",
        "http://bank.example@evil.example/",
        "http://bank.example:@evil.example/",
        "http://evil.example:8080/a:b@c",
        "a@evil.example",
        "AS64496",
        "local.example",
        "192.1.0.0/16",
        "172.32.0.1",
        "172.15.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "2001:4860::1",
    ];
    for text in taken {
        assert_eq!(read(text, PLAIN).refused, [], "{text}");
    }
}

#[test]
fn repeats_are_counted() {
    let listing = read(
        "a.example\nA.EXAMPLE.\na[.]example\nb.example\n192.0.2.1/32\n192.0.2.1:80\n",
        PLAIN,
    );
    assert_eq!(texts(&listing), ["192.0.2.1", "a.example", "b.example"]);
    assert_eq!(listing.repeated, 3);
    assert!(listing.observables.is_sorted());
}

#[test]
fn bounds_hold() {
    let bounds = Bounds {
        observables: 20,
        lines: 40,
        refused: 10,
    };
    let check = |list: String, found: usize, refused: usize, beyond: usize, cut: bool| {
        let listing = read_within(list.as_bytes(), PLAIN, bounds);
        let told = (
            listing.observables.len() + listing.repeated,
            listing.refused.len(),
            listing.refused_beyond,
            listing.cut,
        );
        assert_eq!(told, (found, refused, beyond, cut), "{list:?}");
        assert_eq!(
            listing
                .refused
                .last()
                .is_some_and(|last| last.reason == Reason::TooLong),
            cut,
            "{list:?}"
        );
    };
    check("a.example\n".repeat(19), 19, 0, 0, false);
    check(format!("{}a.example", "a.example\n".repeat(19)), 20, 0, 0, false);
    check("a.example\n".repeat(25), 20, 1, 0, true);
    check("# x\n".repeat(39), 0, 0, 0, false);
    check("# x\n".repeat(41), 0, 1, 0, true);
    check("?\n".repeat(17), 0, 10, 7, false);
    check("?\n".repeat(100), 0, 10, 31, true);
    check("a.example b.example ".repeat(15), 30, 0, 0, false);
}

proptest! {
    #[test]
    fn any_bytes_are_a_list(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let listing = read(&bytes, PLAIN);
        prop_assert!(listing.observables.is_sorted_by(|left, right| left < right));
        prop_assert!(listing.refused.iter().all(|refused| refused.text.len() <= REFUSED_TEXT_BYTES && !refused.text.contains(char::is_control)));
    }

    #[test]
    fn no_line_gets_lost(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "a.example", "0.0.0.0 b.example", "||c.example^$all", "@@||d", "e.example,f.example", "\"g\",\"h\"", "1.2.3.4\t5", "domain",
            "\"", ",", "||", "|", "*.", "$", " # ", "#", "x,", "##", "http://a.example/,b", "a b", "\u{fc}.example", "^", " ", ".", "\t",
        ]), 1..6),
    ) {
        let line = pieces.concat();
        let listing = read(&line, PLAIN);
        let told = listing.observables.len() + listing.repeated + listing.refused_count();
        let line = line.trim();
        let silent = line.is_empty() || line.starts_with('#') || table::Table::of(line).is_some();
        prop_assert!(told > 0 || silent, "{:?}", line);
    }
}
