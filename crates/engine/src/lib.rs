//! The use cases of ipvland. Ties the ledger ([`store`]), the kernel ([`kernel`]) and the pure rules ([`model`])
//! together; frontends see this crate and nothing below it.
//!
//! Every change follows one pattern, under the lock of its port: the intent goes into the ledger, `converge` plans
//! the way there from what the kernel shows, the steps are taken, the ledger confirms. Whatever dies in between is
//! found by [`Engine::repair`], which needs no other memory than the two.
//!
//! Synchronous; nothing here knows of Docker, HTTP or JSON.

#![deny(missing_docs)]

mod addresses;
mod adopt;
mod announce;
mod connection;
mod connections;
mod doctor;
mod endpoints;
mod error;
mod extend;
mod holders;
mod kind;
mod networks;
mod port;
mod recovery;
mod repair;
mod sandbox;
mod status;
mod watch;

use std::path::{Path, PathBuf};

use model::{BootId, Generation, Moment};
use store::Store;

pub use addresses::{PoolPlan, PoolRequest};
pub use adopt::{Adopt, Adoption, Entry};
pub use announce::Announced;
pub use connection::{Connected, ConnectedLink, Connection, Membership, Wanted};
pub use doctor::{Diagnosis, Examination, ParentLink, Severity, examine};
pub use endpoints::{Attachment, EndpointRequest};
pub use error::EngineError;
pub use holders::{Addresses, WhoHas};
pub use kind::ErrorKind;
pub use networks::{Carrier, NetworkRequest};
pub use recovery::Remembered;
pub use repair::{Finding, Repair};
pub use sandbox::{Sandbox, look_into};
pub use status::{EndpointReport, NetworkReport, PortReport, Status};
pub use watch::{Changes, Watch};

/// Where the engine keeps what it must remember.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The ledger's folder; on a disk that survives a reboot.
    pub state_dir: PathBuf,
    /// The folder of the port locks; on a file system that does not.
    pub run_dir: PathBuf,
}

impl Paths {
    fn ledger(&self) -> PathBuf {
        self.state_dir.join("ledger.db")
    }
}

impl Default for Paths {
    fn default() -> Self {
        Self { state_dir: "/var/lib/ipvland".into(), run_dir: "/run/ipvland".into() }
    }
}

/// The one engine behind all frontends. Several processes may each have their own on the same paths.
pub struct Engine {
    store: Store,
    run_dir: PathBuf,
    boot: BootId,
}

impl Engine {
    /// Opens the ledger, making it where there is none.
    ///
    /// # Errors
    /// When the ledger cannot be opened, is of a newer version, or the kernel does not tell its boot id.
    pub fn open(paths: &Paths) -> Result<Self, EngineError> {
        Ok(Self { store: Store::open(&paths.ledger())?, run_dir: paths.run_dir.clone(), boot: kernel::boot_id()? })
    }

    /// Opens the ledger for whoever is to keep it: reads all of it, and puts a damaged one aside. What lives and is not on
    /// record, as after such a loss, is found again from the kernel before anything new is given out.
    ///
    /// # Errors
    /// As [`Engine::open`], and when what lives cannot be found.
    pub fn keep(paths: &Paths) -> Result<Self, EngineError> {
        let checked = Self::open(paths).and_then(|engine| engine.store.check().map(|()| engine).map_err(Into::into));
        let engine = match checked {
            Err(EngineError::Store(damage)) if damage.is_damage() => {
                let aside = Store::set_aside(&paths.ledger())?;
                tracing::error!(%damage, aside = %aside.display(), "the ledger is damaged and was put aside; a new one is begun");
                Self::open(paths)?
            }
            checked => checked?,
        };
        let found = engine.find_again()?;
        if !found.is_empty() {
            tracing::warn!(endpoints = found.len(), "what lives and was not on record was found again by its marks");
        }
        Ok(engine)
    }

    /// Notes that a container engine has come to life: what its life before had begun and not finished is dead.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn activate(&self) -> Result<Generation, EngineError> {
        Ok(self.store.begin_generation()?)
    }

    /// Whether the container engine takes links that are set up in their sandbox, as far as it has shown.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn takes_whole_links(&self) -> Result<bool, EngineError> {
        Ok(self.store.takes_whole_links()?)
    }

    /// Notes that the container engine takes links that are set up in their sandbox.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn note_whole_links(&self) -> Result<(), EngineError> {
        if self.store.takes_whole_links()? { Ok(()) } else { Ok(self.store.note_whole_links()?) }
    }

    fn now(&self) -> Result<Moment, EngineError> {
        Ok(Moment { generation: self.store.generation()?, boot: self.boot.clone() })
    }

    fn run_dir(&self) -> &Path {
        &self.run_dir
    }
}
