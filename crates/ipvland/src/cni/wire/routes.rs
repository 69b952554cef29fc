//! Routes as configurations and results have them.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{parse_net, wrong};
use crate::cni::failure::{Code, Failure};
use crate::cni::text::cut;
use crate::cni::version::SpecVersion;

/// A route that is wished for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RouteWish {
    /// Where it leads.
    pub(crate) to: IpNet,
    /// The router; the network's own where none is named.
    pub(crate) via: Option<IpAddr>,
    /// Which of several comes first.
    pub(crate) metric: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Wire {
    dst: Option<String>,
    gw: Option<String>,
    priority: Option<u32>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// What version 1.1 has beside these, and no interface here gets.
const NOT_HERE: [&str; 4] = ["mtu", "advmss", "table", "scope"];

impl Wire {
    pub(super) fn read(&self) -> Result<RouteWish, Failure> {
        let nothing = |value: &Value| value.is_null() || *value == json!(0);
        for key in NOT_HERE {
            if let Some(value) = self.others.get(key).filter(|value| !nothing(value)) {
                let value = cut(&value.to_string());
                let sentence =
                    format!("key `routes[].{key}`: `{value}` was given, and a route has dst, gw and priority only");
                return Err(Failure::new(Code::FIELD, sentence));
            }
        }
        let to: IpNet = parse_net("routes[].dst", self.dst.as_deref().unwrap_or_default(), "ADDRESS/LENGTH")?;
        let via = self.gw.as_deref().filter(|text| !text.is_empty());
        let via = via.map(|text| parse_net::<IpAddr>("routes[].gw", text, "an address")).transpose()?;
        match via.filter(|via| via.is_ipv4() != to.addr().is_ipv4()) {
            Some(via) => {
                Err(wrong("routes[].gw", format!("`{via}` was given, and the route to {to} is of the other family")))
            }
            None => Ok(RouteWish { to: to.trunc(), via, metric: self.priority.filter(|metric| *metric > 0) }),
        }
    }
}

impl RouteWish {
    /// As a result of a version has it.
    pub(super) fn render(&self, version: SpecVersion) -> Value {
        let mut rendered = json!({ "dst": self.to.to_string() });
        if let Some(via) = self.via {
            rendered["gw"] = json!(via.to_string());
        }
        if let Some(metric) = self.metric.filter(|_| version >= SpecVersion::V1_1_0) {
            rendered["priority"] = json!(metric);
        }
        rendered
    }
}
