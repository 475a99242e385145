//! Real lists: samples that are kept here, and every file of the shared folder.

#![allow(
    clippy::disallowed_methods,
    reason = "the crate opens no files; this test brings it real ones"
)]

use std::{fs, path::Path};

use super::*;

#[test]
fn samples_of_real_lists() {
    let check = |list: &str, observables: usize, repeated: usize, refused: &[(&str, usize)]| {
        let listing = read(list, PLAIN);
        let told: Vec<(&str, usize)> = listing
            .refused
            .iter()
            .map(|refused| (refused.text.as_str(), refused.line))
            .collect();
        assert_eq!(
            (listing.observables.len(), listing.repeated),
            (observables, repeated),
            "{:?}",
            texts(&listing)
        );
        assert_eq!(told, refused);
        listing
    };
    let oddities = [
        ("0056.0151.0121.0114", 9),
        ("0x5bf076a8", 16),
        ("0x5cff39c3", 17),
        ("0xb907d607", 18),
        ("0xc12a24f5", 19),
    ];
    check(
        include_str!("../../../vectors/observable-list-urlhaus-domains.txt"),
        17,
        0,
        &oddities,
    );
    let filter = include_str!("../../../vectors/observable-list-urlhaus-filter.txt");
    let pattern = "||websound.ru/issues/136_140/kb^fr_ouverture.exe$all";
    let filter = check(filter, 14, 0, &[("0056.0151.0121.0114", 9), (pattern, 23)]);
    assert!(texts(&filter).contains(&"http://1drv.ms/u/s!agne7zi2cmajcpa-4oqhyt8gzzm?e=svijek".to_owned()));
    let paths = [
        "/mk/p0.php?a=",
        "/mk/p1.php?a=",
        "/izuku.sh",
        "/izuku.arc",
        "/izuku.arm",
        "/izuku.arm4",
        "/izuku.armv4l",
    ];
    let paths: Vec<(&str, usize)> = paths.into_iter().zip([44, 45, 55, 56, 57, 58, 59]).collect();
    check(
        include_str!("../../../vectors/observable-list-maltrail.txt"),
        19,
        2,
        &paths,
    );
    check(include_str!("../../../vectors/observable-list-ipsum.txt"), 12, 0, &[]);
}

/// Every list of `../shared/data`, which this test needs. Without that folder it says so and passes.
#[test]
fn the_lists_of_the_shared_folder() {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    if !data.is_dir() {
        return eprintln!("{} is not here: the real lists were not read", data.display());
    }
    // Worked out with `grep -v '^#' | sort -u | wc -l`: values, repeats, refused lines.
    let counted = [
        ("lists/ipsum/ipsum_level3.txt", (14_217, 0, 0)),
        ("lists/maltrail/dynamic_domain.txt", (2_035, 461, 0)),
        ("lists/urlhaus/urlhaus-domains_2022-03-14.txt", (134_210, 0, 10)),
        ("lists/amnesty/nso2018_indicators.csv", (1_191, 17, 0)),
        ("lists/amnesty/donot_sha256.txt", (228, 0, 0)),
        ("dga/conficker-shaped/2009-04-01.txt", (50_000, 0, 0)),
    ];
    for (file, counts) in counted {
        let listing = read(fs::read(data.join(file)).expect("a list of the folder"), PLAIN);
        assert_eq!(
            (listing.observables.len(), listing.repeated, listing.refused_count()),
            counts,
            "{file}"
        );
    }
    let mut files = 0;
    for group in ["lists", "dga"] {
        for folder in fs::read_dir(data.join(group)).expect("a folder of lists") {
            for file in fs::read_dir(folder.expect("an entry").path()).expect("a folder of lists") {
                files += usize::from(is_read_nearly_whole(&file.expect("an entry").path()));
            }
        }
    }
    assert!(files >= 35, "{files}");
}

fn is_read_nearly_whole(path: &Path) -> bool {
    // The suffixes of generated names are an input of their generator, not indicators.
    if path.ends_with("suffixes.txt") {
        return false;
    }
    let listing = read(fs::read(path).expect("a list"), PLAIN);
    let of_hosts = |refused: &&Refused| !matches!(refused.reason, Reason::NotObservable(NotObservable::Path { .. }));
    let odd = listing.refused.iter().filter(of_hosts).count();
    let all = listing.observables.len() + listing.repeated;
    assert!(
        odd * 100 <= all,
        "{}: {odd} of {all}: {:?}",
        path.display(),
        listing.refused.iter().find(of_hosts)
    );
    assert_eq!(
        listing.observables.len(),
        bundles(listing.observables, 50, "x")
            .iter()
            .map(|part| part.observables.len())
            .sum::<usize>()
    );
    true
}
