//! How results and errors reach the terminal.

use std::io::{self, Write};

use anyhow::Result;
use engine::EngineError;
use serde::Serialize;

use super::arguments::Output;

/// Prints a result as a table or as JSON.
pub(super) fn print<T: Serialize>(
    output: Output,
    table: impl FnOnce() -> String,
    json: impl FnOnce() -> T,
) -> Result<()> {
    match output {
        Output::Table => write(&table()),
        Output::Json => write(&format!("{}\n", serde_json::to_string_pretty(&json())?)),
    }
}

/// Writes to stdout. Whoever stopped reading has what it wanted.
pub(super) fn write(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Tells on stderr what went wrong, why, and what to do.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "error: {error}");
    for cause in error.chain().skip(1) {
        let _ = writeln!(stderr, "  because: {cause}");
    }
    if let Some(hint) = error.downcast_ref::<EngineError>().and_then(EngineError::hint) {
        let _ = writeln!(stderr, "hint: {hint}");
    }
}
