//! What a container engine asks of the ledger, where that deals the addresses.

use serde_json::{Value, json};

use crate::daemon::{Daemon, Died};
use crate::engine::{Endpoint, Network};

/// How many addresses a network's pool has. They begin at 64 and are all for containers.
pub(crate) const ROOM: u8 = 64;

impl Network {
    /// The part of its subnet that is dealt from.
    fn range(&self) -> String {
        format!("{}.64/26", self.subnet)
    }

    /// What its pool is called. Networks on one subnet share it.
    pub(crate) fn pool_id(&self) -> String {
        format!("v1/default/{}/{}", self.pool(), self.range())
    }

    /// The router's address: the first of the subnet.
    pub(crate) fn gateway(&self) -> String {
        format!("{}.1", self.subnet)
    }

    pub(crate) fn request_pool(&self, daemon: &Daemon) -> Result<(), Died> {
        let body = json!({ "AddressSpace": "ipvland", "Pool": self.pool(), "SubPool": self.range(), "Options": {}, "V6": false });
        let answer = daemon.deal("RequestPool", &body)?;
        assert_eq!(answer["PoolID"], self.pool_id(), "{answer}");
        Ok(())
    }

    pub(crate) fn release_pool(&self, daemon: &Daemon) -> Result<(), Died> {
        daemon.deal("ReleasePool", &json!({ "PoolID": self.pool_id() })).map(drop)
    }

    pub(crate) fn request_gateway(&self, daemon: &Daemon) -> Result<(), Died> {
        let options = json!({ "RequestAddressType": "com.docker.network.gateway" });
        let answer =
            daemon.deal("RequestAddress", &json!({ "PoolID": self.pool_id(), "Address": "", "Options": options }))?;
        assert_eq!(answer["Address"], format!("{}/24", self.gateway()), "{answer}");
        Ok(())
    }

    pub(crate) fn release_gateway(&self, daemon: &Daemon) -> Result<(), Died> {
        self.release(daemon, &self.gateway())
    }

    /// Asks for an address for an endpoint: the last number of it.
    pub(crate) fn request_address(&self, daemon: &Daemon) -> Result<u8, Died> {
        let answer = daemon.deal("RequestAddress", &self.any_address())?;
        let host = answer["Address"].as_str().and_then(|address| {
            address.strip_prefix(self.subnet)?.strip_prefix('.')?.strip_suffix("/24")?.parse().ok()
        });
        Ok(host.unwrap_or_else(|| panic!("an address in {} was expected: {answer}", self.range())))
    }

    /// The same where there must be none left: the sentence.
    #[track_caller]
    pub(crate) fn no_address_is_left(&self, daemon: &Daemon) -> String {
        let answer = daemon.try_deal("RequestAddress", &self.any_address()).expect("nobody told it to die");
        answer["Err"].as_str().unwrap_or_else(|| panic!("it was not refused: {answer}")).to_owned()
    }

    fn any_address(&self) -> Value {
        json!({ "PoolID": self.pool_id(), "Address": "", "Options": null })
    }

    fn release(&self, daemon: &Daemon, address: &str) -> Result<(), Died> {
        daemon.deal("ReleaseAddress", &json!({ "PoolID": self.pool_id(), "Address": address })).map(drop)
    }
}

impl Endpoint {
    pub(crate) fn release_address(&self, daemon: &Daemon) -> Result<(), Died> {
        self.network.release(daemon, &self.address())
    }

    /// Asks for its address for somebody else: whether that was refused.
    pub(crate) fn rob_pool(&self, daemon: &Daemon) -> Result<bool, Died> {
        let body = json!({ "PoolID": self.network.pool_id(), "Address": self.address(), "Options": null });
        let answer = daemon.try_deal("RequestAddress", &body)?;
        Ok(answer["Err"].as_str().is_some_and(|sentence| sentence.contains("is held by")))
    }
}
