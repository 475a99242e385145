//! The node's log: on standard error, as text or JSON.

use std::io::IsTerminal;

use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::daemon::settings::Settings;

/// Starts to log as the settings say. A second call changes nothing.
pub(super) fn start(settings: &Settings) {
    // The settings were checked with the same parser.
    let filter: Targets = settings.log_level.parse().unwrap_or_default();
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
