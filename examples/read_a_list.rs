//! Reads a list as people keep it, and splits it into the bundles that would be published.
//!
//! Run it by `cargo run -p starfish-examples --example read_a_list`.

use starfish_protocol::{
    listing::{self, Options},
    record::seal_parts,
};

const LIST: &str = "\
# seen last night
hxxps://evil[.]example/login
evil.example, 192.0.2.7
EVIL.example
bücher.example
d41d8cd98f00b204e9800998ecf8427e
192.168.0.1
this is a sentence
";

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listing = listing::read(LIST, Options::default());
    for observable in &listing.observables {
        println!("{:7} {observable}", observable.kind());
    }
    println!("{} repeated", listing.repeated);
    // What is not understood, and what must not leave a node, is told with its line.
    for refused in &listing.refused {
        println!("line {}: {} ({})", refused.line, refused.reason, refused.text);
    }
    assert_eq!(
        (listing.observables.len(), listing.repeated, listing.refused.len()),
        (5, 1, 2)
    );

    // One bundle if it fits; long lists of domains are split by TLD, so that a registry pulls only its own.
    for bundle in listing::bundles(listing.observables, 80, "seen last night") {
        for body in seal_parts(bundle) {
            println!(
                "{} observables in {} bytes, for {:?}",
                body.items,
                body.compressed.len(),
                body.scope
            );
        }
    }
    Ok(())
}
