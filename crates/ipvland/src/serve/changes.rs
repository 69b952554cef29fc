//! Changes that nobody asked the daemon for: they are heard of, and nothing polls.

use std::io;
use std::sync::Arc;
use std::thread;

use engine::{EngineError, Watch};

use crate::sentence;
use crate::standby::Standby;

/// Calls for a repair whenever something has changed that concerns what is on record, for as long as the process lives.
pub(super) fn begin(standby: Arc<Standby>) -> io::Result<()> {
    let hear = move || {
        // What came between two watches is found by a repair.
        while let Err(error) = Watch::begin().and_then(|watch| hear(&standby, watch)) {
            tracing::error!("changes of links go unnoticed: {}", sentence::in_full(&error));
            standby.repair_soon();
            if !matches!(error, EngineError::Store(_)) {
                break;
            }
        }
    };
    thread::Builder::new().name("changes".into()).spawn(hear)?;
    Ok(())
}

fn hear(standby: &Standby, mut watch: Watch) -> Result<(), EngineError> {
    loop {
        let changes = watch.wait()?;
        // While it cannot be opened there is nothing to compare with, and a repair is due when it can.
        if let Ok(engine) = standby.engine()
            && watch.concern(changes, &engine)?
        {
            standby.repair_soon();
        }
    }
}
