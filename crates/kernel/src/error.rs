//! How the kernel says no, and what that means.

use std::io;
use std::time::Duration;

use model::InterfaceName;

/// Why the kernel could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The link kind is unknown, and no module brings it (EOPNOTSUPP on a new link).
    #[error("this kernel has no `{kind}` links and no module that brings them")]
    NoModule {
        /// The kind that was asked for.
        kind: &'static str,
    },
    /// Something else has the parent's receive path (EBUSY from `netdev_rx_handler_register()`).
    #[error("parent `{parent}` is in use by a bridge, a bond or macvlan")]
    Busy {
        /// The parent.
        parent: InterfaceName,
    },
    /// The kernel will not put the link on this parent (EINVAL); ipvlan gives no reason of its own.
    #[error("the kernel will not take `{parent}` as the link below")]
    NotSuitable {
        /// The parent.
        parent: InterfaceName,
        /// What the kernel said.
        text: String,
    },
    /// The name is taken (EEXIST).
    #[error("there is a link `{name}` already, and it is not ours")]
    NameTaken {
        /// The name.
        name: InterfaceName,
    },
    /// The link is not there (any more).
    #[error("link `{name}` is not there")]
    Gone {
        /// Its name.
        name: InterfaceName,
    },
    /// Not allowed (EPERM).
    #[error("not permitted: {doing}")]
    NotPermitted {
        /// What was being done.
        doing: String,
    },
    /// Any other refusal.
    #[error("the kernel refused {doing}{text}")]
    Refused {
        /// What was being done.
        doing: String,
        /// What the kernel said, with a leading colon; empty when it said nothing.
        text: String,
        /// The error number.
        source: io::Error,
    },
    /// Another operation held the port for too long.
    #[error("another operation has held the port of {port} for {limit:?}")]
    LockTimeout {
        /// The port.
        port: String,
        /// How long was waited.
        limit: Duration,
    },
    /// An answer that does not parse.
    #[error("{what} is unreadable: {text}")]
    Unreadable {
        /// What was read.
        what: &'static str,
        /// What it said.
        text: String,
    },
    /// A file or a socket.
    #[error("{doing} failed")]
    Io {
        /// What was being done.
        doing: String,
        /// Why.
        source: io::Error,
    },
}

impl KernelError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            KernelError::NoModule { kind } => {
                format!("`modprobe {kind}` must work; some distributions keep it in a package of extra kernel modules")
            }
            KernelError::Busy { .. } => "use the bridge or bond itself as the parent, or another link".into(),
            KernelError::NotSuitable { .. } => "use another link as the parent".into(),
            KernelError::NameTaken { name } => format!("remove it: `ip link del {name}`"),
            KernelError::Gone { .. } => "try again; `ipvland status` tells what is there".into(),
            KernelError::NotPermitted { .. } => "run as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN".into(),
            KernelError::Refused { .. } | KernelError::Unreadable { .. } | KernelError::Io { .. } => {
                "the log has the details; `ipvland status` tells what is there".into()
            }
            KernelError::LockTimeout { .. } => "try again; `fuser -v /run/ipvland/*` names who holds it".into(),
        }
    }
}
