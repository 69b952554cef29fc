//! The daemon's engine: opened as soon as it can be, and never missed.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Engine, EngineError, Paths};
use model::{Announcements, EndpointId, NetworkId};

/// The engine behind the daemon, open or still to be opened.
///
/// While it cannot be opened the daemon stays up and every call says why: a container engine that gets no answer hangs
/// with its locks held. Each call tries again, so the daemon recovers by itself.
pub(crate) struct Standby {
    paths: Paths,
    state: Mutex<State>,
    repairs: SyncSender<RepairDue>,
    attached: Sender<Attached>,
}

/// What is done in the background, by threads of its own.
pub(crate) struct Background {
    /// One at a time: a repair compares everything, so a second one waiting would do nothing.
    pub(crate) repairs: Receiver<RepairDue>,
    /// Endpoints whose addresses are to be announced.
    pub(crate) attached: Receiver<Attached>,
}

#[derive(Default)]
struct State {
    engine: Option<Arc<Engine>>,
    /// The container engine has come to life and the ledger does not know yet. Until it does, nothing else may be
    /// done: what died with the life before would be taken for pending.
    activation_owed: bool,
    /// Networks that were on record when the container engine was last lost sight of: it may have forgotten them since.
    doubted: Option<BTreeSet<NetworkId>>,
}

/// News of an endpoint that is being attached.
#[derive(Debug)]
pub(crate) enum Attached {
    /// Its slave was handed to the container engine, and is to be announced like this.
    Handed(EndpointId, Announcements),
    /// The container engine has set it up.
    SetUp(EndpointId),
}

/// The ledger may differ from the kernel: somebody should compare the two.
#[derive(Debug)]
pub(crate) struct RepairDue;

impl Standby {
    /// An engine on these paths, not opened yet, and the work it will call for.
    pub(crate) fn new(paths: Paths) -> (Arc<Self>, Background) {
        let (repairs, repairs_due) = sync_channel(1);
        let (attached, news) = channel();
        let standby = Self { paths, state: Mutex::default(), repairs, attached };
        (Arc::new(standby), Background { repairs: repairs_due, attached: news })
    }

    /// The engine.
    ///
    /// # Errors
    /// Why it cannot be opened, or cannot take note of an activation.
    pub(crate) fn engine(&self) -> Result<Arc<Engine>, EngineError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let engine = match &state.engine {
            Some(engine) => Arc::clone(engine),
            None => {
                let engine = Arc::new(Engine::keep(&self.paths)?);
                // Who knows what happened while there was none.
                state.doubted = Some(on_record(&engine)?);
                self.repair_soon();
                Arc::clone(state.engine.insert(engine))
            }
        };
        if state.activation_owed {
            let generation = engine.activate()?;
            state.activation_owed = false;
            state.doubted = Some(on_record(&engine)?);
            tracing::info!(generation = generation.0, "a container engine has come to life");
            self.repair_soon();
        }
        Ok(engine)
    }

    /// The networks that the container engine may have forgotten, until [`Standby::settle_doubts`].
    pub(crate) fn doubted(&self) -> Option<BTreeSet<NetworkId>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).doubted.clone()
    }

    /// Notes that these networks, which were in doubt, are so no longer.
    pub(crate) fn settle_doubts(&self, settled: &BTreeSet<NetworkId>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Another life of the engine may have begun meanwhile.
        if state.doubted.as_ref() == Some(settled) {
            state.doubted = None;
        }
    }

    /// Notes that a container engine has come to life; at once, or as soon as there is a ledger to note it in.
    pub(crate) fn activate(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).activation_owed = true;
        if let Err(error) = self.engine() {
            tracing::error!(error = crate::sentence::in_full(&error), "activated, and the ledger cannot be told yet");
        }
    }

    /// Calls for a repair and does not wait for it.
    pub(crate) fn repair_soon(&self) {
        match self.repairs.try_send(RepairDue) {
            Ok(()) | Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => tracing::error!("nobody repairs any more; restart the daemon"),
        }
    }

    /// Passes on news of an endpoint, for its addresses to be announced.
    pub(crate) fn tell_of(&self, attached: Attached) {
        if self.attached.send(attached).is_err() {
            tracing::error!("nobody announces addresses any more; restart the daemon");
        }
    }
}

fn on_record(engine: &Engine) -> Result<BTreeSet<NetworkId>, EngineError> {
    Ok(engine.networks()?.into_iter().map(|network| network.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standby(state_dir: &std::path::Path) -> (Arc<Standby>, Receiver<RepairDue>) {
        let (standby, background) =
            Standby::new(Paths { state_dir: state_dir.to_owned(), run_dir: state_dir.join("run") });
        (standby, background.repairs)
    }

    #[test]
    fn an_activation_that_could_not_be_noted_is_noted_later() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        std::fs::write(&state_dir, "a file where a folder should be").unwrap();
        let (standby, queue) = standby(&state_dir);
        standby.activate();
        assert!(standby.engine().is_err());
        assert!(queue.try_recv().is_err(), "there is nothing to repair yet");

        std::fs::remove_file(&state_dir).unwrap();
        let engine = standby.engine().unwrap();
        assert_eq!(engine.status().unwrap().generation.0, 1);
        assert!(queue.try_recv().is_ok());
        assert_eq!(standby.engine().unwrap().status().unwrap().generation.0, 1, "noted once");
    }

    #[test]
    fn repairs_do_not_pile_up() {
        let folder = tempfile::tempdir().unwrap();
        let (standby, queue) = standby(folder.path());
        for _ in 0..3 {
            standby.activate();
        }
        assert_eq!(queue.try_iter().count(), 1);
    }
}
