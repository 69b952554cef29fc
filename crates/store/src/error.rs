//! Why the ledger says no.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use model::{AddressRange, EndpointId, Hold, InterfaceName, NetworkId, Pool, PortSettings};
use rusqlite::ErrorCode;

/// Why a verb was not carried out. The ledger is as before then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be used.
    #[error("the ledger {path} cannot be opened", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file can be read, and that is all.
    #[error("the ledger can be read and not written")]
    ReadOnly,
    /// The file was written by a later version.
    #[error("the ledger has schema {found} and this version knows up to {known}")]
    NewerSchema {
        /// The file's.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A row does not say what it should.
    #[error("the ledger is corrupt: {column} of {table} says `{value}`")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What it says.
        value: String,
    },
    /// The networks on the same parent have other settings.
    #[error("parent `{parent}` carries {holders} as {settings}, and a parent has one mode and one flag", holders = listed(holders))]
    PortHeld {
        /// The parent.
        parent: InterfaceName,
        /// The networks, by id. All of them are in the way.
        holders: Vec<NetworkId>,
        /// Their settings.
        settings: PortSettings,
    },
    /// The network is there already.
    #[error("network {id} exists", id = .0.short())]
    NetworkExists(NetworkId),
    /// The network is not there.
    #[error("there is no network {id}", id = .0.short())]
    NoNetwork(NetworkId),
    /// The address is held.
    #[error("address {address} is held by endpoint {holder} of network {network}", holder = holder.short(), network = network.short())]
    AddressHeld {
        /// The address.
        address: IpAddr,
        /// Who holds it.
        holder: EndpointId,
        /// The holder's network.
        network: NetworkId,
    },
    /// The address is not free, and no endpoint has it.
    #[error("address {address} is {hold}")]
    AddressTaken {
        /// The address.
        address: IpAddr,
        /// What it is.
        hold: Hold,
    },
    /// The address is one of those that the user has excluded.
    #[error("address {address} is excluded: exclude={range}")]
    Excluded {
        /// The address.
        address: IpAddr,
        /// The range it is in.
        range: AddressRange,
    },
    /// The address is not one that a container on the pool may have.
    #[error("address {address} is none for a container in {subnet}", subnet = pool.subnet())]
    NotInPool {
        /// The address.
        address: IpAddr,
        /// The pool.
        pool: Box<Pool>,
    },
    /// Every address of a pool is held or set aside.
    #[error("no address is left in {range}", range = .0.range())]
    PoolExhausted(Box<Pool>),
    /// Every address of a pool is held, set aside, or came back too short a time ago.
    #[error("no address is left in {range} that has rested long enough", range = pool.range())]
    PoolResting {
        /// The pool.
        pool: Box<Pool>,
        /// When the first will have rested.
        wait: Duration,
    },
    /// The endpoint is there already.
    #[error("endpoint {id} exists", id = .0.short())]
    EndpointExists(EndpointId),
    /// The endpoint is not there, or on its way out.
    #[error("there is no endpoint {id}", id = .0.short())]
    NoEndpoint(EndpointId),
    /// SQLite.
    #[error("the ledger cannot be used")]
    Sql(#[source] rusqlite::Error),
}

impl StoreError {
    /// Whether the file itself is damaged, so that nothing in it can be relied on.
    pub fn is_damage(&self) -> bool {
        match self {
            StoreError::Corrupt { .. } => true,
            StoreError::Sql(error) => damaged(error),
            StoreError::Open { source, .. } => source.downcast_ref().is_some_and(damaged),
            _ => false,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            StoreError::Sql(error) if busy(error) => "find the program that keeps it locked, and stop it".into(),
            StoreError::Sql(error) if damaged(error) => MOVE_AWAY.into(),
            StoreError::Open { source, .. } if source.downcast_ref().is_some_and(damaged) => MOVE_AWAY.into(),
            StoreError::Open { .. } | StoreError::ReadOnly | StoreError::Sql(_) => {
                "check the disk and the rights of its folder".into()
            }
            StoreError::NewerSchema { .. } => "run the version of ipvland that wrote it, or a later one".into(),
            StoreError::Corrupt { .. } => MOVE_AWAY.into(),
            StoreError::PortHeld { holders, settings, .. } => format!(
                "ask for ipvlan_mode={} and ipvlan_flag={}, use a VLAN link (LINK.VLAN), or remove {}; \
                 what Docker no longer knows goes by `ipvland network forget ID`",
                settings.mode,
                settings.flag,
                if holders.len() == 1 { "that network" } else { "those networks" },
            ),
            StoreError::AddressHeld { .. } => {
                "choose another address, or remove that container; VLANs that reuse a subnet need a segment each \
                 (option `segment`)"
                    .into()
            }
            StoreError::AddressTaken { hold: Hold::Claim, .. } => "try again in a minute, or choose another".into(),
            StoreError::AddressTaken { hold: Hold::Adopted(_), .. } => {
                "choose another, or run `ipvland adopt` again if it is free by now".into()
            }
            StoreError::AddressTaken { .. } | StoreError::NotInPool { .. } => "choose another".into(),
            StoreError::Excluded { .. } => "choose another, or leave it out of the option `exclude`".into(),
            StoreError::PoolExhausted(_) => {
                "`ipvland addresses` lists who has them; remove containers, or make a network with a larger range"
                    .into()
            }
            StoreError::PoolResting { wait, .. } => format!(
                "try again in {} s; the option `quarantine` said how long they rest",
                wait.as_millis().div_ceil(1000)
            ),
            StoreError::NetworkExists(_) | StoreError::EndpointExists(_) => "remove it first".into(),
            StoreError::NoNetwork(_) | StoreError::NoEndpoint(_) => "`ipvland status` lists those there are".into(),
        }
    }
}

const MOVE_AWAY: &str = "start the daemon anew: it puts a damaged ledger aside, and finds again what lives";

/// `network 0123456789ab`, or `networks 0123456789ab, 123456789abc`.
fn listed(networks: &[NetworkId]) -> String {
    let ids: Vec<&str> = networks.iter().map(NetworkId::short).collect();
    format!("network{} {}", if ids.len() == 1 { "" } else { "s" }, ids.join(", "))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ReadOnly) => StoreError::ReadOnly,
            _ => StoreError::Sql(error),
        }
    }
}

fn busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
