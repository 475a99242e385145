//! Why something failed, in words an operator can use. libp2p's errors say it in their sources, behind texts that are
//! empty or say the same again.

use std::error::Error;

use libp2p::swarm::DialError;

/// What an error and its sources say, each thing once.
pub(crate) fn of(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    let mut reasons = String::new();
    for text in chain.map(|error| in_line(&error.to_string())) {
        if text.is_empty() || reasons.contains(&text) {
            continue;
        }
        if !reasons.is_empty() {
            reasons.push_str(": ");
        }
        reasons.push_str(&text);
    }
    reasons
}

/// The resolver gives a list with a head of its own, also of one error.
fn in_line(text: &str) -> String {
    let list = text.strip_prefix("Multiple dial errors occurred:");
    let parts = list
        .unwrap_or(text)
        .lines()
        .map(|line| line.trim_start_matches([' ', '-']));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Why nobody was reached: for each address that was tried, what became of it.
pub(crate) fn of_dial(error: &DialError) -> String {
    let DialError::Transport(tried) = error else {
        return of(error);
    };
    let tried = tried.iter().map(|(address, error)| format!("{address}: {}", of(error)));
    tried.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use libp2p::{Multiaddr, TransportError};

    use super::*;

    #[test]
    fn reasons_are_said_once() {
        let address: Multiaddr = "/ip4/192.0.2.1/tcp/1".parse().expect("an address");
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let check = |error: &(dyn Error + 'static), expected: &str| assert_eq!(of(error), expected);
        check(&TransportError::Other(refused()), "connection refused");
        check(
            &TransportError::Other(io::Error::other(TransportError::Other(refused()))),
            "connection refused",
        );
        check(
            &io::Error::other("Multiple dial errors occurred:\n - one\n - another"),
            "one; another",
        );
        let unsupported = TransportError::<io::Error>::MultiaddrNotSupported(address.clone());
        check(&unsupported, "Multiaddr is not supported: /ip4/192.0.2.1/tcp/1");
        let dial = DialError::Transport(vec![
            (address.clone(), TransportError::Other(refused())),
            (address, unsupported),
        ]);
        assert_eq!(
            of_dial(&dial),
            "/ip4/192.0.2.1/tcp/1: connection refused; /ip4/192.0.2.1/tcp/1: Multiaddr is not supported: \
             /ip4/192.0.2.1/tcp/1"
        );
        assert_eq!(of_dial(&DialError::NoAddresses), "Dial error: no addresses for peer.");
    }
}
