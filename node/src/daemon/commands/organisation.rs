//! Whom an operator means: an organisation by its id, the beginning of that, or its exact name.

use starfish_protocol::organisation::OrgId;

use crate::daemon::{
    control::{client::Client, documents::Organisation, query},
    exit::{Exit, Failure},
    report::clean,
};

/// The organisation that is meant. A whole id needs no node.
///
/// # Errors
/// When nobody known is called so, or several are.
pub(super) async fn meant(client: &Client, text: &str) -> Result<OrgId, Failure> {
    if let Ok(org) = text.parse() {
        return Ok(org);
    }
    known(client, text).await.map_err(|failure| match failure.exit {
        Exit::NotRunning => Failure::new(
            Exit::NotRunning,
            format!(
                "`{}` is no whole id such as org:..., and only the running node knows names: {}",
                clean(text),
                failure.message
            ),
        ),
        _ => failure,
    })
}

/// The organisation that is meant, of those that the node has heard of.
///
/// # Errors
/// When nobody known is called so, or several are.
pub(super) async fn known(client: &Client, text: &str) -> Result<OrgId, Failure> {
    let address = query::address("/organisations", &[("text", text.to_owned())]);
    only(text, &client.get::<Vec<Organisation>>(&address).await?)
}

/// The only one that is known by this text.
fn only(text: &str, known: &[Organisation]) -> Result<OrgId, Failure> {
    let text = clean(text);
    match known {
        [one] => one
            .organisation
            .parse()
            .map_err(|error| Failure::machine("the node's answer", error)),
        [] => {
            let message = format!(
                "no known organisation is called `{text}`, and no known id begins so (twelve letters of it are the least); \
                `starfish peers` shows who is connected"
            );
            Err(Failure::new(Exit::NothingFound, message))
        }
        several => {
            let one = |one: &Organisation| format!("\n  {}  {}", one.organisation, clean(&one.name));
            let list: String = several.iter().map(one).collect();
            let message = format!("`{text}` can be any of these; write the id of the one that you mean:{list}");
            Err(Failure::new(Exit::Usage, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use starfish_crypto::{Digest, domain};

    use super::*;

    fn org(name: &str) -> OrgId {
        OrgId::from_digest(Digest::of(domain::MANIFEST, name.as_bytes()))
    }

    #[test]
    fn one_of_those_known_is_meant() {
        let known = |names: &[&str]| -> Vec<Organisation> {
            let one = |name: &&str| Organisation {
                organisation: org(name).to_string(),
                name: "CERT\u{1b}".to_owned(),
            };
            names.iter().map(one).collect()
        };
        let check =
            |names: &[&str], expected: Result<OrgId, (Exit, &str)>| match (only("CERT", &known(names)), expected) {
                (Ok(found), Ok(meant)) => assert_eq!(found, meant),
                (Err(failure), Err((exit, part))) => {
                    assert_eq!(failure.exit, exit);
                    assert!(failure.message.contains(part), "{failure}");
                }
                other => panic!("{names:?}: {other:?}"),
            };
        check(&["a"], Ok(org("a")));
        check(&[], Err((Exit::NothingFound, "starfish peers")));
        check(&["a", "b"], Err((Exit::Usage, &org("b").to_string())));
        check(&["a", "b"], Err((Exit::Usage, "CERT\u{fffd}")));
    }

    #[tokio::test]
    async fn a_whole_id_needs_no_node_and_a_name_does() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let client = Client::of(folder.path());
        assert_eq!(meant(&client, &org("a").to_string()).await, Ok(org("a")));
        for text in ["CERT", "", "org:", &org("a").to_string()[..20]] {
            let failure = meant(&client, text).await.expect_err("there is no node");
            assert_eq!(failure.exit, Exit::NotRunning, "{text}");
        }
    }
}
