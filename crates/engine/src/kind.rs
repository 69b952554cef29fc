//! What kind of thing went wrong, for frontends whose protocol has numbers for it.

use kernel::KernelError;
use model::{Hold, ParentFault, Pool};
use store::StoreError;

use crate::EngineError;

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was asked for cannot be: ask for something else.
    Wrong,
    /// Somebody else has what was asked for: an address, a name, the port in another mode.
    Taken,
    /// It passes by itself: try again later.
    Passing,
    /// There is no network namespace where one was named.
    NoSandbox,
    /// What was named is not on record.
    Unknown,
    /// The ledger or a file cannot be read or written.
    InputOutput,
    /// The kernel, or the host as it is set up, does not do it.
    Host,
}

impl EngineError {
    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        match self {
            EngineError::Store(error) => of_store(error),
            EngineError::Kernel(error) => of_kernel(error),
            EngineError::Parent(fault) => of_parent(fault),
            EngineError::TooOld(_) => ErrorKind::Host,
            EngineError::MtuTooLarge { .. }
            | EngineError::MtuTooSmall(_)
            | EngineError::SegmentOfIsolated(_)
            | EngineError::SegmentDiffers { .. }
            | EngineError::Pool(_)
            | EngineError::NoSubnet(_)
            | EngineError::NoWayOut
            | EngineError::RangeWithoutSubnet
            | EngineError::NoSubnetOn { .. }
            | EngineError::NotReserved(_)
            | EngineError::NetworkDiffers(_)
            | EngineError::EndpointDiffers(_)
            | EngineError::Ambiguous(_)
            | EngineError::NetworkInUse { .. } => ErrorKind::Wrong,
            EngineError::PortHeld { .. }
            | EngineError::PortFlipped { .. }
            | EngineError::OnTheWire { .. }
            | EngineError::HostAddress { .. } => ErrorKind::Taken,
            EngineError::ParentGone { .. } | EngineError::CrowdedWire { .. } | EngineError::Vanished(_) => {
                ErrorKind::Passing
            }
            EngineError::NoNetwork(_) | EngineError::NoEndpoint(_) => ErrorKind::Unknown,
            EngineError::NoSandbox(_) | EngineError::SandboxGone(_) => ErrorKind::NoSandbox,
        }
    }

    /// The pool that has no address to deal now, where that is what went wrong.
    pub fn exhausted(&self) -> Option<&Pool> {
        match self {
            EngineError::Store(StoreError::PoolExhausted(pool) | StoreError::PoolResting { pool, .. })
            | EngineError::CrowdedWire { pool, .. } => Some(pool),
            _ => None,
        }
    }
}

fn of_store(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::Open { .. } | StoreError::ReadOnly | StoreError::Sql(_) => ErrorKind::InputOutput,
        StoreError::NewerSchema { .. } | StoreError::Corrupt { .. } => ErrorKind::Host,
        StoreError::AddressTaken { hold: Hold::Claim, .. }
        | StoreError::PoolExhausted(_)
        | StoreError::PoolResting { .. } => ErrorKind::Passing,
        StoreError::PortHeld { .. } | StoreError::AddressHeld { .. } | StoreError::AddressTaken { .. } => {
            ErrorKind::Taken
        }
        StoreError::Excluded { .. }
        | StoreError::NotInPool { .. }
        | StoreError::NetworkExists(_)
        | StoreError::EndpointExists(_) => ErrorKind::Wrong,
        StoreError::NoNetwork(_) | StoreError::NoEndpoint(_) => ErrorKind::Unknown,
    }
}

fn of_kernel(error: &KernelError) -> ErrorKind {
    match error {
        KernelError::NotSuitable { .. } | KernelError::NoSysctl { .. } | KernelError::RouterOutOfReach { .. } => {
            ErrorKind::Wrong
        }
        KernelError::Busy { .. }
        | KernelError::NameTaken { .. }
        | KernelError::NameTakenInSandbox { .. }
        | KernelError::VlanTaken { .. }
        | KernelError::AddressInUse { .. } => ErrorKind::Taken,
        KernelError::Gone { .. } | KernelError::Replaced { .. } | KernelError::LockTimeout { .. } => ErrorKind::Passing,
        KernelError::Io { .. } | KernelError::Unreadable { .. } => ErrorKind::InputOutput,
        KernelError::NoModule { .. }
        | KernelError::NoL3s
        | KernelError::BelowIsDown { .. }
        | KernelError::NotPermitted { .. }
        | KernelError::Refused { .. } => ErrorKind::Host,
    }
}

fn of_parent(fault: &ParentFault) -> ErrorKind {
    match fault {
        ParentFault::MacvlanPort { .. } | ParentFault::Member { .. } => ErrorKind::Taken,
        ParentFault::Missing(_)
        | ParentFault::MissingBelowVlan { .. }
        | ParentFault::BadVlanId { .. }
        | ParentFault::StackedVlan(_)
        | ParentFault::Loopback(_)
        | ParentFault::NotEthernet(_)
        | ParentFault::IsSlave { .. } => ErrorKind::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().unwrap()
    }

    fn pool() -> Box<Pool> {
        Box::new("v1/default/10.1.2.0/24/10.1.2.0/24".parse().unwrap())
    }

    #[test]
    fn what_went_wrong_is_of_a_kind() {
        let address = [10, 1, 2, 3].into();
        let held = StoreError::AddressHeld { address, holder: id("e"), network: id("n") };
        for (error, kind) in [
            (EngineError::from(ParentFault::Missing(id("eth0"))), ErrorKind::Wrong),
            (EngineError::NoWayOut, ErrorKind::Wrong),
            (held.into(), ErrorKind::Taken),
            (ParentFault::MacvlanPort { name: id("eth0"), holder: id("mv0") }.into(), ErrorKind::Taken),
            (StoreError::AddressTaken { address, hold: Hold::Claim }.into(), ErrorKind::Passing),
            (StoreError::PoolResting { pool: pool(), wait: Duration::from_secs(1) }.into(), ErrorKind::Passing),
            (EngineError::ParentGone { parent: id("eth0"), network: id("n") }, ErrorKind::Passing),
            (EngineError::SandboxGone(id("/run/netns/a")), ErrorKind::NoSandbox),
            (EngineError::NoEndpoint(id("e")), ErrorKind::Unknown),
            (StoreError::ReadOnly.into(), ErrorKind::InputOutput),
            (KernelError::NoModule { kind: "ipvlan" }.into(), ErrorKind::Host),
        ] {
            assert_eq!(error.kind(), kind, "{error}");
        }
    }

    #[test]
    fn a_pool_that_is_exhausted_is_told() {
        let exhausted = |error: StoreError| EngineError::from(error).exhausted().cloned();
        assert_eq!(exhausted(StoreError::PoolExhausted(pool())), Some(*pool()));
        assert_eq!(exhausted(StoreError::PoolResting { pool: pool(), wait: Duration::ZERO }), Some(*pool()));
        assert_eq!(exhausted(StoreError::ReadOnly), None);
    }
}
