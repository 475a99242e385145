//! The node's log: on standard error, as text or JSON.

use std::io::IsTerminal;

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::daemon::settings::Settings;

/// Starts to log as the settings say. A second call changes nothing.
pub(super) fn start(settings: &Settings) {
    // The settings were checked with the same parser.
    let mut filter: Targets = settings.log_level.parse().unwrap_or_default();
    if ["warn", "info"].contains(&settings.log_level.as_str()) {
        // It warns whenever a statement that is passed on has been heard of meanwhile, which is how gossip works.
        filter = filter.with_target("libp2p_gossipsub", LevelFilter::ERROR);
    }
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if settings.log_json {
        lines.json().boxed()
    } else {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        lines.with_target(false).with_ansi(colours).boxed()
    };
    // Another subscriber is there only in tests.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
}
