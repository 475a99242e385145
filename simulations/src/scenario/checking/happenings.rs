//! What must hold of everything that goes wrong in a scenario: nodes, networks, clocks and adversaries.

use std::collections::BTreeMap;

use super::{Found, regions};
use crate::scenario::{
    Latency,
    written::{Adversary, AdversaryKind, Partition, Written},
};

/// Ten years in ms: a clock behind by more would be before 1970 sooner or later.
const SKEW: u64 = 10 * 366 * 86_400_000;
/// Shares that make one whole may come to a bit more in floating point.
const ROUNDING: f64 = 1e-9;

pub(super) fn happenings(written: &Written, latency: Option<&Latency>, found: &mut Found) {
    for (name, churn) in &written.churn {
        let key = |key: &str| format!("churn.{name}.{key}");
        found.role(written, &key("role"), &churn.role);
        found.stretch(
            written,
            &format!("churn.{name}"),
            ("from_seconds", churn.from_seconds),
            ("until_seconds", churn.until_seconds),
        );
        found.unless(
            churn.stay_seconds > 0,
            &key("stay_seconds"),
            "is no time at all",
            "write at least 1",
        );
        found.unless(
            churn.away_seconds > 0,
            &key("away_seconds"),
            "is no time at all",
            "write at least 1",
        );
    }
    for (name, split) in &written.partition {
        partition(name, split, written, latency, found);
    }
    for (name, crash) in &written.crash {
        let key = |key: &str| format!("crash.{name}.{key}");
        let most = found.role(written, &key("role"), &crash.role);
        found.unless(
            crash.count <= most,
            &key("count"),
            "is more than the role has",
            &format!("write at most {most}"),
        );
        found.stretch(
            written,
            &format!("crash.{name}"),
            ("at_seconds", crash.at_seconds),
            ("back_seconds", crash.back_seconds),
        );
    }
    let mut skewed: BTreeMap<&str, u32> = BTreeMap::new();
    for (name, skew) in &written.skew {
        let most = found.role(written, &format!("skew.{name}.role"), &skew.role);
        let taken = skewed.entry(&skew.role).or_default();
        let left = most.saturating_sub(*taken);
        *taken = taken.saturating_add(skew.count);
        found.unless(
            skew.count <= left,
            &format!("skew.{name}.count"),
            "is more than the role has, or than the sections before it have left",
            &format!("write at most {left}"),
        );
        found.unless(
            skew.milliseconds.unsigned_abs() <= SKEW,
            &format!("skew.{name}.milliseconds"),
            "is more than a clock can show",
            "write at most ten years, either way",
        );
    }
}

fn partition(name: &str, split: &Partition, written: &Written, latency: Option<&Latency>, found: &mut Found) {
    let section = format!("partition.{name}");
    found.stretch(
        written,
        &section,
        ("at_seconds", split.at_seconds),
        ("until_seconds", split.until_seconds),
    );
    found.share(&format!("{section}.share"), split.share);
    regions(&format!("{section}.regions"), &split.regions, latency, found);
    for role in &split.roles {
        found.role(written, &format!("{section}.roles"), role);
    }
    let ways = usize::from(split.share.is_some())
        + usize::from(!split.roles.is_empty())
        + usize::from(!split.regions.is_empty());
    found.unless(
        ways == 1,
        &section,
        "does not say which part it is",
        "write one of share, roles or regions",
    );
}

/// Sections of one role draw from the same nodes, one after the other.
pub(super) fn shares(written: &Written, found: &mut Found) {
    let mut taken: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, adversary) in &written.adversary {
        let taken = taken.entry(&adversary.role).or_default();
        let before = *taken;
        *taken += adversary.share.unwrap_or(1.0);
        if before > 0.0 && *taken > 1.0 + ROUNDING {
            found.add(
                format!("adversary.{name}.share"),
                format!(
                    "is more of the role `{}` than the sections before it have left",
                    adversary.role
                ),
                format!("write at most {:.2}, or less in the others", (1.0 - before).max(0.0)),
            );
        }
    }
}

pub(super) fn hostile(name: &str, adversary: &Adversary, written: &Written, found: &mut Found) {
    let key = |key: &str| format!("adversary.{name}.{key}");
    found.role(written, &key("role"), &adversary.role);
    found.share(&key("share"), adversary.share);
    found.unless(
        adversary.from_seconds == 0 || adversary.kind.may_begin_later(),
        &key("from_seconds"),
        "is not for this kind, which is what it is from the beginning",
        "take it away",
    );
    let eclipse = adversary.kind == AdversaryKind::Eclipse;
    match &adversary.victims {
        Some(victims) if eclipse => drop(found.role(written, &key("victims"), victims)),
        Some(_) => found.add(key("victims"), "is only for `kind = \"eclipse\"`", "take it away"),
        None => found.unless(
            !eclipse,
            &key("kind"),
            "`eclipse` needs victims",
            "add victims = \"a role\"",
        ),
    }
    let flooder = adversary.kind == AdversaryKind::Flooder;
    match adversary.per_second {
        Some(rate) if flooder => {
            let holds = rate > 0.0 && rate <= 10_000.0;
            found.unless(
                holds,
                &key("per_second"),
                "is no rate",
                "write more than 0 and at most 10,000",
            );
        }
        Some(_) => found.add(key("per_second"), "is only for `kind = \"flooder\"`", "take it away"),
        None => found.unless(!flooder, &key("kind"), "`flooder` needs a rate", "add per_second = 100"),
    }
}
