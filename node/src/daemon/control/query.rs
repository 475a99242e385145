//! Parameters in an address, written so that any text survives: [`address`].

use std::fmt::Write;

/// `path?name=value&...`, with everything that is not plain percent-encoded (RFC 3986, section 2).
pub fn address(path: &str, parameters: &[(&str, String)]) -> String {
    let mut text = path.to_owned();
    for (place, (name, value)) in parameters.iter().enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        encode(value, &mut text);
    }
    text
}

fn encode(value: &str, into: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives() {
        let check = |value: &str, expected: &str| {
            assert_eq!(
                address("/search", &[("value", value.to_owned())]),
                format!("/search?value={expected}")
            );
        };
        check("", "");
        check("evil.example", "evil.example");
        check("a b&c=d", "a%20b%26c%3Dd");
        check("http://x/?q=%20#f", "http%3A%2F%2Fx%2F%3Fq%3D%2520%23f");
        check("é+", "%C3%A9%2B");
        let two = [("a", "1".to_owned()), ("b", "2".to_owned())];
        assert_eq!(address("/x", &two), "/x?a=1&b=2");
        assert_eq!(address("/x", &[]), "/x");
    }
}
