//! Repairs in the background, one after the other.

use std::collections::BTreeSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;

use engine::{Finding, Remembered, Repair};

use crate::docker;
use crate::sentence;
use crate::standby::{RepairDue, Standby};

/// Opens the engine, which makes a first repair due, and repairs whenever it is, for as long as the process lives: a call
/// that finds something to mend must not wait for it, since its engine holds locks meanwhile.
pub(super) fn begin(standby: Arc<Standby>, due: Receiver<RepairDue>, asked: Asked) -> io::Result<()> {
    let repairing = move || {
        if let Err(error) = standby.engine() {
            tracing::error!("every call is refused until this is mended: {}", sentence::in_full(&error));
        }
        let mut known = BTreeSet::new();
        for RepairDue in due {
            // The one thread that mends must outlive a defect in what it meets.
            if catch_unwind(AssertUnwindSafe(|| {
                asked.compare(&standby);
                repair(&standby, &mut known);
            }))
            .is_err()
            {
                tracing::error!("ipvland has a defect: a repair ended in a panic");
            }
        }
    };
    thread::Builder::new().name("repair".into()).spawn(repairing)?;
    Ok(())
}

/// The container engine, as far as it can be asked.
pub(super) struct Asked {
    /// Where its API answers.
    pub(super) socket: PathBuf,
    /// What it knows this driver as.
    pub(super) driver: String,
}

impl Asked {
    /// Compares the record with what the engine remembers of its networks, if that is in doubt and the engine answers. If
    /// it does not, the doubt stays for the next time.
    fn compare(&self, standby: &Standby) {
        let Some(doubted) = standby.doubted() else { return };
        let Ok(engine) = standby.engine() else { return };
        let remembered = match docker::networks(&self.socket, &self.driver) {
            Ok(remembered) => remembered,
            Err(error) => return tracing::debug!("what the engine remembers is not known yet: {error:#}"),
        };
        match engine.remember(&remembered, &doubted) {
            Ok(Remembered { restored, forgotten }) => {
                tracing::debug!(networks = remembered.len(), "the record was compared with what the engine remembers");
                restored
                    .iter()
                    .for_each(|id| tracing::warn!(network = id.short(), "not on record as the engine has it: entered"));
                forgotten
                    .iter()
                    .for_each(|id| tracing::warn!(network = id.short(), "the engine no longer has it: removed"));
                standby.settle_doubts(&doubted);
            }
            Err(error) => tracing::error!("networks cannot be compared: {}", sentence::in_full(&error)),
        }
    }
}

/// `known` are the doings of others that were told of already: they stay until somebody undoes them, and are told once.
fn repair(standby: &Standby, known: &mut BTreeSet<String>) {
    let _span = tracing::error_span!("repair").entered();
    match standby.engine().and_then(|engine| engine.repair(Repair::Apply)) {
        Ok(findings) => {
            let foreign = findings.iter().filter(|finding| matches!(finding, Finding::Foreign { .. }));
            let foreign: BTreeSet<String> = foreign.map(ToString::to_string).collect();
            findings.iter().for_each(|finding| tell(finding, known));
            *known = foreign;
            tracing::debug!(findings = findings.len(), "ledger and kernel were compared");
        }
        Err(error) => tracing::error!("not possible: {}", sentence::in_full(&error)),
    }
}

fn tell(finding: &Finding, known: &BTreeSet<String>) {
    match finding {
        Finding::Foreign { .. } if known.contains(&finding.to_string()) => {}
        Finding::Foreign { .. } => tracing::warn!("{finding}"),
        Finding::Failed { .. } => tracing::error!("{finding}"),
        _ => tracing::info!("{finding}"),
    }
}
