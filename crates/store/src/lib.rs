//! The ledger: which networks and endpoints there are, and who holds which address.
//!
//! One SQLite file, shared by every process of ipvland on the host, behind a closed set of atomic verbs. A verb is one
//! transaction and never spans a request to the kernel. UNIQUE(segment, address) is a primary key, so no caller can
//! give an address twice.

#![deny(missing_docs)]

mod addresses;
mod deck;
#[cfg(test)]
mod effort;
mod endpoints;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod holdings;
mod keys;
mod networks;
mod record;
mod reservations;
mod rows;
mod schema;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use model::Generation;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, Transaction, TransactionBehavior};

pub use error::StoreError;
pub use networks::PortRecords;

/// How long a verb waits for another process's transaction, which is short.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// How many statements are kept prepared.
const STATEMENTS: usize = 128;

/// How long the log grows before it is written back, in pages.
const LOG_PAGES: u32 = 100;

/// The open ledger.
pub struct Store {
    connection: Mutex<Connection>,
    clock: Box<Clock>,
}

/// What tells the time.
type Clock = dyn Fn() -> SystemTime + Send + Sync;

/// How much of a verb must be on the disk when it returns.
#[derive(Clone, Copy)]
enum Durability {
    /// All: networks outlive a power loss.
    Full,
    /// What survives the process: endpoints do not outlive a power loss, as it takes their links too.
    Normal,
}

impl Store {
    /// Opens the ledger at `path`, making folder and file where there are none, and brings an older one up to date.
    ///
    /// # Errors
    /// When the file cannot be opened or is of a newer version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed =
            |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open { path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed(error.into()))?;
        let mut connection = Connection::open(path).map_err(|error| failed(error.into()))?;
        configure(&connection).map_err(|error| failed(error.into()))?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection: Mutex::new(connection), clock: Box::new(SystemTime::now) })
    }

    /// The same, by another clock: time is what tests cannot wait for.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// Makes sure that the ledger can be written, reads everything that is on record, and has SQLite look for damage that
    /// reading does not meet.
    ///
    /// # Errors
    /// Of damage, [`StoreError::is_damage`] says so.
    pub fn check(&self) -> Result<(), StoreError> {
        // SQLite makes do with reading, and goes on so when it could write again: whoever keeps the ledger must open it anew.
        if self.lock().is_readonly(MAIN_DB)? {
            return Err(StoreError::ReadOnly);
        }
        let (_, _, _) = (self.generation()?, self.networks()?, self.endpoints()?);
        let verdict: String =
            self.read(|transaction| Ok(transaction.query_one("PRAGMA quick_check(1)", [], |row| row.get(0))?))?;
        match verdict.as_str() {
            "ok" => Ok(()),
            _ => Err(StoreError::Corrupt { table: "the file", column: "a page", value: verdict }),
        }
    }

    /// Puts a damaged ledger aside, so that a new one can be made at its path; tells where it is now.
    ///
    /// Whoever has it open goes on with the old one, and finds the new one at its next start.
    ///
    /// # Errors
    /// When the file cannot be renamed.
    pub fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
        let with = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
        let free = (1..).map(|number| format!(".damaged-{number}")).find(|suffix| !with(suffix).exists());
        let suffix = free.expect("there are more numbers than files");
        // The log first: beside a file that is not its own it would be played into it.
        for part in ["-wal", "-shm", ""] {
            match std::fs::rename(with(part), with(&format!("{suffix}{part}"))) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::Open { path: with(part), source: error.into() });
                }
                _ => {}
            }
        }
        Ok(with(&suffix))
    }

    /// The present life of the container engine; 0 before the first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn generation(&self) -> Result<Generation, StoreError> {
        self.read(|transaction| rows::generation(transaction))
    }

    /// Begins the next life of the container engine.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn begin_generation(&self) -> Result<Generation, StoreError> {
        self.write(Durability::Full, |transaction| {
            transaction.execute("UPDATE engine SET generation = generation + 1", [])?;
            // Dealt to the life before, and no endpoint or network has it.
            addresses::free(transaction, self.now(), "endpoint IS NULL", [])?;
            transaction.execute("DELETE FROM reservation WHERE kind = 'gateway' AND network IS NULL", [])?;
            reservations::close_pools(transaction)?;
            rows::generation(transaction)
        })
    }

    /// Whether the container engine takes links that are set up in their sandbox, as far as it has shown.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn takes_whole_links(&self) -> Result<bool, StoreError> {
        self.read(
            |transaction| Ok(transaction.query_one("SELECT takes_whole_links FROM engine", [], |row| row.get(0))?),
        )
    }

    /// Notes that the container engine takes links that are set up in their sandbox.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn note_whole_links(&self) -> Result<(), StoreError> {
        self.write(Durability::Full, |transaction| {
            transaction.execute("UPDATE engine SET takes_whole_links = 1", [])?;
            Ok(())
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic in another thread left no transaction behind: dropping one rolls it back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One reading transaction: a consistent view.
    fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        work(&transaction)
    }

    /// One writing transaction, immediate: one that reads first and writes later could find the ledger changed.
    fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let level = match durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        };
        // Inside a transaction SQLite ignores it.
        connection.pragma_update(None, "synchronous", level)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        killpoint::step_taken();
        Ok(result)
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_LIMIT)?;
    // Else every short-lived process would do a checkpoint as it ends.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Who opens it when nobody else has it open reads and sums up all of the log, which a plugin does for each container.
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // More than there are: by default sixteen are kept, and a verb or two would drive the others out.
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    use_write_ahead_log(connection)
}

/// While another process writes to a file that is still new, SQLite refuses the switch at once, whatever the busy
/// time-out: wait for that writer as any other would, and switch then.
fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY_LIMIT;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < deadline => {
                connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
            }
            switched => return switched,
        }
    }
}
