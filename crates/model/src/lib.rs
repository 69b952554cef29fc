//! What ipvland reasons about, without ever touching it.
//!
//! Everything here is a value or a pure function: no file, no socket, no clock, no kernel. A value that exists is
//! valid, because the only way to make one is to parse it. The crate answers four questions:
//!
//! * what did the user ask for ([`options`], [`parent`], [`network`]),
//! * what is there ([`observed`]) and who holds which port in which mode ([`port`]),
//! * which endpoints are alive ([`liveness`]),
//! * which steps lead from what is to what should be ([`desired()`], [`converge()`]).
//!
//! No type here is serialisable: each outer protocol has wire types of its own and turns them into these at once.

#![deny(missing_docs)]

pub mod adopted;
pub mod announcements;
pub mod converge;
pub mod desired;
pub mod endpoint;
pub mod family;
pub mod frontend;
pub mod holding;
pub mod ipam_options;
pub mod kernel_version;
pub mod liveness;
pub mod mac;
pub mod mark;
pub mod moment;
pub mod name;
pub mod network;
pub mod observed;
pub mod options;
pub mod parent;
pub mod pool;
pub mod port;
pub mod range;
pub mod sandbox_link;
pub mod settings;

pub use adopted::Adopted;
pub use announcements::Announcements;
pub use converge::{Step, converge, extend};
pub use desired::{LinkIntent, Presence, Shape, desired};
pub use endpoint::{Addresses, Endpoint, EndpointState};
pub use family::Family;
pub use frontend::Frontend;
pub use holding::{Fill, Hold, Holding};
pub use ipam_options::IpamOptions;
pub use kernel_version::{KernelVersion, TooOld};
pub use liveness::{Verdict, judge};
pub use mac::{MacAddress, NotAMacAddress};
pub use mark::{Mark, NotAMark, is_birth_name};
pub use moment::{BootId, Generation, Moment, NotABootId};
pub use name::{EndpointId, EndpointName, InterfaceName, NameError, NetworkId, SandboxKey, SegmentName};
pub use network::{Ipam, Network, NetworkState, Route, Routes, Segment, Subnet};
pub use observed::{Kind, Layer, Link, Observed, Place};
pub use options::{DriverOptions, OptionError};
pub use parent::{Parent, ParentFault};
pub use pool::{Dealing, Pool, PoolError};
pub use port::{Holder, foreign_slaves, port_settings};
pub use range::AddressRange;
pub use sandbox_link::{SandboxLink, SandboxRoute, SandboxRoutes, Sysctl, Sysctls};
pub use settings::{Flag, Mode, Mtu, PortSettings, SettingError, VlanId};
