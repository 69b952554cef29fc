//! Where log lines go.

use std::fs;
use std::io::{self, IsTerminal};
use std::os::unix::fs::MetadataExt;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Sends lines with their fields to the journal where stderr is the journal, else as text to stderr.
pub(crate) fn start(filter: &str) {
    let registry = tracing_subscriber::registry().with(EnvFilter::new(filter));
    // Without the journal's socket, text on stderr is still read by whoever holds the other end.
    match stderr_is_journal().then(tracing_journald::layer) {
        Some(Ok(journal)) => registry.with(journal.with_field_prefix(Some("IPVLAND".into()))).init(),
        _ => {
            let colours = io::stderr().is_terminal();
            let text = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colours).with_target(false);
            registry.with(text).init();
        }
    }
}

/// systemd tells the journal's stream as `device:inode`. The variable is inherited by children whose stderr is
/// something else, hence the comparison (systemd.exec(5), `$JOURNAL_STREAM`).
fn stderr_is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    fs::metadata("/dev/stderr").is_ok_and(|stderr| stream == format!("{}:{}", stderr.dev(), stderr.ino()))
}
