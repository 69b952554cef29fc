//! The option maps of networks and endpoints: the user's words among the engine's.

use engine::Carrier;
use model::{DriverOptions, InterfaceName, Mode, SandboxLink, SandboxRoutes, Sysctls};
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
/// A wish for an exact interface name. Engines fulfil it for built-in drivers only.
pub(super) const INTERFACE_NAME: &str = "com.docker.network.endpoint.ifname";
/// Kernel settings of the interface. Engines make them, but not for a link that they did not move themselves.
const SYSCTLS: &str = "com.docker.network.endpoint.sysctls";
/// Keys under it are the engine's, which sees to them itself.
const ENGINES: &str = "com.docker.";

/// The options of a network.
#[derive(Debug)]
pub(super) struct NetworkOptions {
    pub(super) driver: DriverOptions,
    pub(super) carrier: Carrier,
    enabled: Families,
}

impl NetworkOptions {
    pub(super) fn read(options: &Options) -> Result<Self, Refusal> {
        Ok(Self {
            driver: driver_options(options)?,
            carrier: if flag(options, INTERNAL)? { Carrier::Isolated } else { Carrier::Parent },
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
        self.carrier == Carrier::Parent && self.driver.parent.is_some() && self.driver.settings.mode == Mode::L2
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

/// The options of an endpoint.
#[derive(Debug)]
pub(super) struct EndpointOptions {
    /// How its slave is to be set up by us: with an exact name the engine leaves all of it to the driver.
    pub(super) set_up: Option<SandboxLink>,
    /// Whether the user published ports.
    pub(super) publishes: bool,
}

impl EndpointOptions {
    /// Refuses wishes that would otherwise be dropped without a word.
    pub(super) fn read(options: &Options) -> Result<Self, Refusal> {
        if let Some(key) = options.keys().find(|key| !key.starts_with(ENGINES)) {
            let key: String = key.chars().take(80).collect();
            return Err(Refusal::bad(format!("an endpoint has no option `{key}`; leave `--driver-opt {key}` out")));
        }
        let ports = options.get(PORT_MAP).and_then(Value::as_array);
        let set_up = match text(options, INTERFACE_NAME)? {
            None => None,
            Some(name) => Some(SandboxLink {
                name: interface_name(name)?,
                sysctls: sysctls(options)?,
                // The engine makes them.
                routes: SandboxRoutes::default(),
            }),
        };
        Ok(Self { set_up, publishes: ports.is_some_and(|ports| !ports.is_empty()) })
    }
}

/// An exact name may be none that the engine deals itself, because it does so without looking.
fn interface_name(name: &str) -> Result<InterfaceName, Refusal> {
    let number = name.strip_prefix("eth").filter(|rest| !rest.is_empty());
    if number.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(Refusal::bad(format!(
            "option `{INTERFACE_NAME}`: `{name}` was given, and the engine deals names of `eth` and a number itself; pass \
             another, such as lan0"
        )));
    }
    name.parse()
        .map_err(|error| Refusal::bad(format!("option `{INTERFACE_NAME}`: {error}; pass another, such as lan0")))
}

fn sysctls(options: &Options) -> Result<Sysctls, Refusal> {
    let text = text(options, SYSCTLS)?.unwrap_or_default();
    text.parse().map_err(|error| Refusal::bad(format!("option `{SYSCTLS}`: {error}; correct it or leave it out")))
}

fn text<'o>(options: &'o Options, key: &str) -> Result<Option<&'o str>, Refusal> {
    match options.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(key, other, "a text")),
    }
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

    fn endpoint(options: &Value) -> Result<EndpointOptions, String> {
        EndpointOptions::read(&object(options)).map_err(|refusal| refusal.sentence)
    }

    #[test]
    fn an_exact_name_comes_with_the_settings_that_the_engine_would_make() {
        let sysctls = "net.ipv4.conf.IFNAME.log_martians=1";
        let named = endpoint(&json!({ INTERFACE_NAME: "lan0", SYSCTLS: sysctls })).unwrap().set_up.unwrap();
        assert_eq!((named.name.as_str(), named.sysctls.to_string()), ("lan0", sysctls.to_owned()));
        assert_eq!(endpoint(&json!({ SYSCTLS: "the engine's to judge" })).unwrap().set_up, None);
    }

    #[test]
    fn what_an_endpoint_cannot_have_is_refused() {
        for (options, sentence) in [
            (json!({ "ip": "1.2.3.4" }), "an endpoint has no option `ip`; leave `--driver-opt ip` out"),
            (
                json!({ INTERFACE_NAME: "eth7" }),
                "option `com.docker.network.endpoint.ifname`: `eth7` was given, and the engine deals names of `eth` and a \
                 number itself; pass another, such as lan0",
            ),
            (
                json!({ INTERFACE_NAME: "a/b" }),
                "option `com.docker.network.endpoint.ifname`: `a/b` is no interface name: it is empty, a dot path, or has a \
                 slash, a colon or white space in it; pass another, such as lan0",
            ),
            (
                json!({ INTERFACE_NAME: 7 }),
                "option `com.docker.network.endpoint.ifname`: `7` was given and a text was expected",
            ),
            (
                json!({ INTERFACE_NAME: "lan0", SYSCTLS: "net.ipv4.ip_forward=1" }),
                "option `com.docker.network.endpoint.sysctls`: `net.ipv4.ip_forward=1` was given and \
                 net.ipv4.conf.IFNAME.NAME=VALUE (or ipv6, mpls, neigh) was expected; correct it or leave it out",
            ),
        ] {
            assert_eq!(endpoint(&options).unwrap_err(), sentence);
        }
        assert!(endpoint(&json!({ INTERFACE_NAME: "ethernet" })).is_ok());
    }

    #[test]
    fn ports_are_published_or_not() {
        assert!(endpoint(&json!({ PORT_MAP: [{ "Proto": 6, "Port": 80 }] })).unwrap().publishes);
        for none in [json!({ PORT_MAP: [] }), json!({ PORT_MAP: null }), json!({})] {
            assert!(!endpoint(&none).unwrap().publishes);
        }
    }
}
