//! The option maps of networks and endpoints: the user's words among the engine's.

use model::{DriverOptions, Mode};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::wire::{Families, Options};

/// What the user gave with `-o`.
const GENERIC: &str = "com.docker.network.generic";
const INTERNAL: &str = "com.docker.network.internal";
/// Sent from Docker 28 on; before, IPv4 is always enabled and nobody says so.
const ENABLE_V4: &str = "com.docker.network.enable_ipv4";
const ENABLE_V6: &str = "com.docker.network.enable_ipv6";
/// What the user gave with `-p`.
const PORT_MAP: &str = "com.docker.network.portmap";
/// A wish for an exact interface name, from Docker 28 on; only built-in drivers get to fulfil it.
const INTERFACE_NAME: &str = "com.docker.network.endpoint.ifname";
/// Keys under it are the engine's, which sees to them itself.
const ENGINES: &str = "com.docker.";

/// The options of a network.
#[derive(Debug)]
pub(super) struct NetworkOptions {
    pub(super) driver: DriverOptions,
    pub(super) internal: bool,
    enabled: Families,
}

impl NetworkOptions {
    pub(super) fn read(options: &Options) -> Result<Self, Refusal> {
        Ok(Self {
            driver: driver_options(options)?,
            internal: flag(options, INTERNAL)?,
            enabled: Families { v4: flag(options, ENABLE_V4)?, v6: flag(options, ENABLE_V6)? },
        })
    }

    /// A family that is enabled needs a pool. The built-in driver refuses it likewise.
    pub(super) fn require_pools(&self, there: Families) -> Result<(), Refusal> {
        for (family, enabled, there) in [("IPv4", self.enabled.v4, there.v4), ("IPv6", self.enabled.v6, there.v6)] {
            if enabled && !there {
                return Err(Refusal::bad(format!(
                    "{family} is enabled and there is no {family} subnet; pass one with --subnet, or disable {family}"
                )));
            }
        }
        Ok(())
    }

    /// Whether endpoints will have a router on the wire. Elsewhere an address for one would be wasted.
    pub(super) fn wants_gateway(&self) -> bool {
        !self.internal && self.driver.parent.is_some() && self.driver.settings.mode == Mode::L2
    }
}

fn driver_options(options: &Options) -> Result<DriverOptions, Refusal> {
    let none = Map::new();
    let given = match options.get(GENERIC) {
        None | Some(Value::Null) => &none,
        Some(Value::Object(given)) => given,
        Some(other) => return Err(wrong(GENERIC, other, "an object of options")),
    };
    let text = |(key, value): (&'_ String, &'_ Value)| match value {
        Value::String(_) => Ok(()),
        other => Err(wrong(key, other, "a text")),
    };
    given.iter().try_for_each(text)?;
    let pairs = given.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
    DriverOptions::parse(pairs).map_err(|error| Refusal::bad(format!("{error}; {}", error.hint())))
}

fn flag(options: &Options, key: &str) -> Result<bool, Refusal> {
    match options.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(other) => Err(wrong(key, other, "true or false")),
    }
}

fn wrong(key: &str, value: &Value, expected: &str) -> Refusal {
    let key: String = key.chars().take(80).collect();
    let value: String = value.to_string().chars().take(80).collect();
    Refusal::bad(format!("option `{key}`: `{value}` was given and {expected} was expected"))
}

/// Refuses what an endpoint cannot have: wishes that would otherwise be dropped without a word.
pub(super) fn check_endpoint(options: &Options) -> Result<(), Refusal> {
    if options.contains_key(INTERFACE_NAME) {
        return Err(Refusal::bad(format!(
            "option `{INTERFACE_NAME}`: an exact interface name was asked for, and here the engine names interfaces \
             eth0, eth1 and so on; leave it out"
        )));
    }
    match options.keys().find(|key| !key.starts_with(ENGINES)) {
        Some(key) => {
            let key: String = key.chars().take(80).collect();
            Err(Refusal::bad(format!("an endpoint has no option `{key}`; leave `--driver-opt {key}` out")))
        }
        None => Ok(()),
    }
}

/// Whether the user published ports.
pub(super) fn publishes(options: &Options) -> bool {
    let ports = options.get(PORT_MAP).and_then(Value::as_array);
    ports.is_some_and(|ports| !ports.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> Options {
        value.as_object().cloned().unwrap_or_default()
    }

    fn read(options: &Value) -> Result<NetworkOptions, String> {
        NetworkOptions::read(&object(options)).map_err(|refusal| refusal.sentence)
    }

    #[test]
    fn a_gateway_is_wanted_in_l2_on_a_parent_only() {
        for (given, internal, wanted) in [
            (json!({ "parent": "eth0" }), false, true),
            (json!({ "parent": "eth0", "ipvlan_mode": "l2" }), false, true),
            (json!({ "parent": "eth0", "ipvlan_mode": "l3" }), false, false),
            (json!({ "parent": "eth0", "ipvlan_mode": "l3s" }), false, false),
            (json!({ "parent": "eth0" }), true, false),
            (json!({ "parent": "" }), false, false),
            (json!({}), false, false),
            (Value::Null, false, false),
        ] {
            let options = read(&json!({ GENERIC: given, INTERNAL: internal })).unwrap();
            assert_eq!(options.wants_gateway(), wanted, "{given} internal={internal}");
        }
    }

    #[test]
    fn what_is_of_another_type_is_named() {
        for (options, sentence) in [
            (
                json!({ GENERIC: "parent=eth0" }),
                "option `com.docker.network.generic`: `\"parent=eth0\"` was given and an object of options was expected",
            ),
            (json!({ GENERIC: { "parent": 7 } }), "option `parent`: `7` was given and a text was expected"),
            (
                json!({ INTERNAL: "true" }),
                "option `com.docker.network.internal`: `\"true\"` was given and true or false was expected",
            ),
            (
                json!({ ENABLE_V6: 1 }),
                "option `com.docker.network.enable_ipv6`: `1` was given and true or false was expected",
            ),
            (
                json!({ GENERIC: { "ipvlan_mod": "l2" } }),
                "there is no option `ipvlan_mod`; did you mean `ipvlan_mode`?",
            ),
        ] {
            assert_eq!(read(&options).unwrap_err(), sentence);
        }
    }

    #[test]
    fn an_enabled_family_needs_a_pool() {
        let check = |enabled: &Value, v4, v6| {
            read(enabled).unwrap().require_pools(Families { v4, v6 }).map_err(|refusal| refusal.sentence)
        };
        assert_eq!(check(&json!({}), false, false), Ok(()));
        assert_eq!(check(&json!({ ENABLE_V4: false, ENABLE_V6: true }), false, true), Ok(()));
        let both = json!({ ENABLE_V4: true, ENABLE_V6: true });
        assert!(check(&both, false, true).unwrap_err().starts_with("IPv4 is enabled and there is no IPv4"));
        assert!(check(&both, true, false).unwrap_err().starts_with("IPv6 is enabled and there is no IPv6"));
    }

    #[test]
    fn an_endpoint_takes_the_engines_options_only() {
        let check = |options: &Value| check_endpoint(&object(options)).map_err(|refusal| refusal.sentence);
        assert_eq!(check(&json!({ PORT_MAP: [], "com.docker.network.endpoint.sysctls": "x" })), Ok(()));
        assert_eq!(
            check(&json!({ "ip": "1.2.3.4" })).unwrap_err(),
            "an endpoint has no option `ip`; leave `--driver-opt ip` out"
        );
        assert!(check(&json!({ INTERFACE_NAME: "lan0" })).unwrap_err().contains("exact interface name"));
    }

    #[test]
    fn ports_are_published_or_not() {
        assert!(publishes(&object(&json!({ PORT_MAP: [{ "Proto": 6, "Port": 80 }] }))));
        for none in [json!({ PORT_MAP: [] }), json!({ PORT_MAP: null }), json!({})] {
            assert!(!publishes(&object(&none)));
        }
    }
}
