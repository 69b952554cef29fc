//! What a container engine does, on bare namespaces: its calls, and its part of moving links.

use serde_json::{Value, json};

use crate::command::run;
use crate::daemon::{Daemon, Died};

/// A network as the engine makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Network {
    pub(crate) id: &'static str,
    /// Empty for an isolated network.
    pub(crate) parent: &'static str,
    /// The first three numbers of its subnet.
    pub(crate) subnet: &'static str,
    pub(crate) ipam: Ipam,
}

/// Who deals a network's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ipam {
    /// The engine: the test chooses them.
    Engine,
    /// The ledger.
    Ledger,
}

/// An endpoint as the engine makes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Endpoint {
    pub(crate) id: String,
    pub(crate) network: Network,
    /// The last number of its address; of one that is dealt, it is known once that is done.
    pub(crate) host: u8,
    /// Whether the driver sets the link up, under the name `lan0`.
    pub(crate) exact: bool,
}

/// Ids as engines draw them: of these, the dummy of an isolated network has the beginning in its name.
pub(crate) const DRAWN: [&str; 2] = [
    "4444444444444444444444444444444444444444444444444444444444444444",
    "7777777777777777777777777777777777777777777777777777777777777777",
];

impl Network {
    /// One whose addresses the test chooses.
    pub(crate) const fn of(id: &'static str, parent: &'static str, subnet: &'static str) -> Self {
        Self { id, parent, subnet, ipam: Ipam::Engine }
    }

    /// One whose addresses the ledger deals.
    pub(crate) const fn dealt(id: &'static str, parent: &'static str, subnet: &'static str) -> Self {
        Self { id, parent, subnet, ipam: Ipam::Ledger }
    }

    fn id(&self) -> Value {
        json!({ "NetworkID": self.id })
    }

    /// Its subnet, as CIDR.
    pub(crate) fn pool(&self) -> String {
        format!("{}.0/24", self.subnet)
    }

    /// The broadcast domain that an address of it is held in once.
    pub(crate) fn segment(&self) -> String {
        match self.ipam {
            Ipam::Engine if self.parent.is_empty() => format!("isolated:{}", self.id),
            Ipam::Engine | Ipam::Ledger => "default".into(),
        }
    }

    pub(crate) fn create(&self, daemon: &Daemon) -> Result<(), Died> {
        let generic = if self.parent.is_empty() { json!({}) } else { json!({ "parent": self.parent }) };
        let data = match self.ipam {
            Ipam::Engine => json!({ "AddressSpace": "LocalDefault", "Pool": self.pool() }),
            Ipam::Ledger => {
                let gateway = format!("{}/24", self.gateway());
                json!({ "AddressSpace": "ipvland", "Pool": self.pool(), "Gateway": gateway })
            }
        };
        let body = json!({
            "NetworkID": self.id,
            "Options": { "com.docker.network.generic": generic },
            "IPv4Data": [data],
            "IPv6Data": null,
        });
        daemon.call("CreateNetwork", &body).map(drop)
    }

    pub(crate) fn delete(&self, daemon: &Daemon) -> Result<(), Died> {
        daemon.call("DeleteNetwork", &self.id()).map(drop)
    }
}

impl Endpoint {
    pub(crate) fn address(&self) -> String {
        format!("{}.{}", self.network.subnet, self.host)
    }

    /// With its length of prefix.
    pub(crate) fn interface_address(&self) -> String {
        format!("{}/24", self.address())
    }

    /// The namespace it is attached to, which has its name.
    pub(crate) fn sandbox(&self) -> &str {
        &self.id
    }

    /// What the link is called in its sandbox.
    pub(crate) fn interface(&self) -> &'static str {
        if self.exact { "lan0" } else { "eth0" }
    }

    fn ids(&self) -> Value {
        json!({ "NetworkID": self.network.id, "EndpointID": self.id })
    }

    pub(crate) fn create(&self, daemon: &Daemon) -> Result<(), Died> {
        if self.exact {
            daemon.call("GwAllocCheck", &json!({ "Options": {} }))?;
        }
        daemon.call("CreateEndpoint", &self.request()).map(drop)
    }

    /// Asks for the same address under another id, and where the ledger deals also for the address: whether that was refused.
    pub(crate) fn rob(&self, daemon: &Daemon) -> Result<bool, Died> {
        if self.network.ipam == Ipam::Ledger && !self.rob_pool(daemon)? {
            return Ok(false);
        }
        let mut body = self.request();
        body["EndpointID"] = json!("thief");
        let answer = daemon.ask("CreateEndpoint", &body)?;
        Ok(answer["Err"].as_str().is_some_and(|sentence| sentence.contains("is held by")))
    }

    fn request(&self) -> Value {
        let options = if self.exact { json!({ "com.docker.network.endpoint.ifname": "lan0" }) } else { json!({}) };
        let mut body = self.ids();
        body["Interface"] = json!({ "Address": self.interface_address(), "AddressIPv6": "", "MacAddress": "" });
        body["Options"] = options;
        body
    }

    /// Joins, then moves the link and sets it up, unless the driver has.
    ///
    /// The name the link had on the host, where it is the engine's to move back.
    pub(crate) fn join(&self, daemon: &Daemon) -> Result<Option<String>, Died> {
        let answer = daemon.call("Join", &self.join_request())?;
        let link = answer["InterfaceName"]["SrcName"].as_str().map(str::to_owned);
        if let Some(link) = &link {
            let sandbox = self.sandbox();
            run(&format!("ip link set {link} netns {sandbox} name eth0"));
            run(&format!("ip -n {sandbox} address add {} dev eth0", self.interface_address()));
            run(&format!("ip -n {sandbox} link set eth0 up"));
        }
        Ok(link)
    }

    /// Asks to join, which must be refused: the sentence.
    #[track_caller]
    pub(crate) fn join_is_refused(&self, daemon: &Daemon) -> String {
        let answer = daemon.ask("Join", &self.join_request()).expect("nobody told it to die");
        answer["Err"].as_str().unwrap_or_else(|| panic!("it was not refused: {answer}")).to_owned()
    }

    fn join_request(&self) -> Value {
        let mut body = self.ids();
        body["SandboxKey"] = json!(format!("/run/netns/{}", self.sandbox()));
        body
    }

    /// Leaves, then moves the link back under the name it had, unless the driver has taken it.
    pub(crate) fn leave(&self, daemon: &Daemon, link: Option<&str>) -> Result<(), Died> {
        daemon.call("Leave", &self.ids())?;
        if let Some(name) = link {
            let sandbox = self.sandbox();
            run(&format!("ip -n {sandbox} link set eth0 down"));
            run(&format!("ip -n {sandbox} link set eth0 netns 1 name {name}"));
        }
        Ok(())
    }

    pub(crate) fn delete(&self, daemon: &Daemon) -> Result<(), Died> {
        daemon.call("DeleteEndpoint", &self.ids()).map(drop)
    }
}
