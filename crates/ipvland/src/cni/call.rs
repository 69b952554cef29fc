//! The call: what the runtime says in the environment.
//!
//! CNI specification 1.1.0, section 2, "Parameters" and "CNI operations".

use std::ffi::OsString;
use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use model::{EndpointName, InterfaceName, SandboxKey};

use super::failure::{Code, Failure};
use super::text::{asked_address, cut, word};

/// The variable whose presence makes the binary a CNI plugin.
pub(crate) const COMMAND: &str = "CNI_COMMAND";
const CONTAINER: &str = "CNI_CONTAINERID";
const SANDBOX: &str = "CNI_NETNS";
const INTERFACE: &str = "CNI_IFNAME";
const ARGUMENTS: &str = "CNI_ARGS";
const PATH: &str = "CNI_PATH";

/// What the runtime asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Put a container on the network.
    Add(Attachment, SandboxKey, Arguments),
    /// Take it off. Its namespace may be gone, and is asked of nobody.
    Del(Attachment),
    /// See whether it is there as it was put.
    Check(Attachment, SandboxKey),
    /// Take off all but those that are named in the configuration.
    Gc,
    /// Tell whether a container could be put there.
    Status,
    /// Tell which versions are spoken.
    Version,
}

/// One interface of one container: the runtime's key for what it asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) container: ContainerId,
    pub(crate) interface: InterfaceName,
}

/// What the runtime calls a container: a letter or a digit, and behind it these, `_`, `.` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContainerId(String);

/// What the user wants of this container in particular: the pairs of `CNI_ARGS` that mean something here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// `K8S_POD_NAMESPACE` and `K8S_POD_NAME`.
    pub(crate) pod: Option<EndpointName>,
    /// `IP`.
    pub(crate) addresses: Vec<IpAddr>,
}

impl Call {
    /// Reads the variables that the verb has a use for, each as `variable` tells it.
    ///
    /// # Errors
    /// Code 4, with the names of the variables that are missing or wrong.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Failure> {
        let environment = Environment { variable };
        let verb = environment.text(COMMAND)?.unwrap_or_default();
        match verb.as_str() {
            "ADD" => environment.needs("ADD", &[CONTAINER, SANDBOX, INTERFACE])?,
            "CHECK" => environment.needs("CHECK", &[CONTAINER, SANDBOX, INTERFACE])?,
            "DEL" => environment.needs("DEL", &[CONTAINER, INTERFACE])?,
            _ => {}
        }
        match verb.as_str() {
            "ADD" => {
                Ok(Call::Add(environment.attachment()?, environment.value(SANDBOX)?, environment.value(ARGUMENTS)?))
            }
            "CHECK" => Ok(Call::Check(environment.attachment()?, environment.value(SANDBOX)?)),
            "DEL" => Ok(Call::Del(environment.attachment()?)),
            "GC" => Ok(Call::Gc),
            "STATUS" => Ok(Call::Status),
            "VERSION" => Ok(Call::Version),
            other => Err(wrong(COMMAND, format!("`{}` is no verb of CNI", cut(other)))),
        }
    }
}

/// Where plugins are, as `CNI_PATH` says it.
pub(crate) fn search_path(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    variable(PATH).map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

struct Environment<V> {
    variable: V,
}

impl<V: Fn(&str) -> Option<OsString>> Environment<V> {
    /// `None` where it is not there, or empty: `ctr` sends an empty CNI_NETNS with DEL.
    fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match (self.variable)(name).map(OsString::into_string) {
            Some(Ok(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(Err(_)) => Err(wrong(name, "it is no UTF-8")),
            None => Ok(None),
        }
    }

    fn needs(&self, verb: &str, names: &[&'static str]) -> Result<(), Failure> {
        let mut missing = Vec::new();
        for name in names {
            if self.text(name)?.is_none() {
                missing.push(*name);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            Code::ENVIRONMENT,
            format!("{verb} needs {}, which the runtime did not set", missing.join(", ")),
        ))
    }

    fn value<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, Failure> {
        let text = self.text(name)?.unwrap_or_default();
        text.parse().map_err(|error| wrong(name, error))
    }

    fn attachment(&self) -> Result<Attachment, Failure> {
        Ok(Attachment { container: self.value(CONTAINER)?, interface: self.value(INTERFACE)? })
    }
}

fn wrong(name: &str, why: impl Display) -> Failure {
    Failure::new(Code::ENVIRONMENT, format!("{name}: {why}"))
}

impl ContainerId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContainerId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        word(text, "container's id").map(Self)
    }
}

impl FromStr for Arguments {
    type Err = String;

    /// Pairs of other names are somebody else's.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut arguments = Self::default();
        let (mut namespace, mut pod) = (None, None);
        for pair in text.split(';').filter(|pair| !pair.is_empty()) {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| format!("`{}` was given and KEY=VALUE was expected", cut(pair)))?;
            match key {
                "K8S_POD_NAMESPACE" => namespace = Some(value),
                "K8S_POD_NAME" => pod = Some(value),
                "IP" => {
                    for address in value.split(',') {
                        arguments.addresses.push(asked_address(address).map_err(|error| format!("IP: {error}"))?);
                    }
                }
                _ => {}
            }
        }
        // A name that is none makes its bearer nameless, and is no reason to keep a pod from starting.
        let named = namespace.zip(pod).filter(|(namespace, pod)| !namespace.is_empty() && !pod.is_empty());
        arguments.pod = named.and_then(|(namespace, pod)| format!("{namespace}/{pod}").parse().ok());
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Call, String> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        Call::read(variable).map_err(|failure| {
            assert_eq!(failure.code, Code::ENVIRONMENT);
            failure.sentence
        })
    }

    fn attachment() -> Attachment {
        Attachment { container: "c1".parse().unwrap(), interface: "eth0".parse().unwrap() }
    }

    const ALL: [(&str, &str); 3] = [(CONTAINER, "c1"), (INTERFACE, "eth0"), (SANDBOX, "/run/netns/a")];

    #[test]
    fn each_verb_takes_the_variables_it_needs() {
        let with = |verb, more: &[(&'static str, &'static str)]| read(&[&[(COMMAND, verb)], more].concat());
        let sandbox = || "/run/netns/a".parse().unwrap();
        assert_eq!(with("ADD", &ALL), Ok(Call::Add(attachment(), sandbox(), Arguments::default())));
        assert_eq!(with("CHECK", &ALL), Ok(Call::Check(attachment(), sandbox())));
        assert_eq!(with("DEL", &ALL[..2]), Ok(Call::Del(attachment())));
        let from_ctr = [ALL[0], ALL[1], (SANDBOX, ""), (ARGUMENTS, "IP")];
        assert_eq!(with("DEL", &from_ctr), Ok(Call::Del(attachment())), "what is not needed cannot be wrong");
        assert_eq!(with("GC", &[]), Ok(Call::Gc));
        assert_eq!(with("STATUS", &[]), Ok(Call::Status));
        assert_eq!(with("VERSION", &[]), Ok(Call::Version));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (variables, sentence) in [
            (&[][..], "CNI_COMMAND: `` is no verb of CNI"),
            (&[(COMMAND, "add")], "CNI_COMMAND: `add` is no verb of CNI"),
            (&[(COMMAND, "ADD")], "ADD needs CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, which the runtime did not set"),
            (&[(COMMAND, "CHECK"), ALL[0], ALL[1]], "CHECK needs CNI_NETNS, which the runtime did not set"),
            (&[(COMMAND, "DEL"), ALL[1]], "DEL needs CNI_CONTAINERID, which the runtime did not set"),
            (
                &[(COMMAND, "DEL"), (CONTAINER, "../c1"), ALL[1]],
                "CNI_CONTAINERID: `../c1` is no container's id: a letter or a digit was expected, and behind it these, \
                 `_`, `.` and `-`",
            ),
            (
                &[(COMMAND, "DEL"), ALL[0], (INTERFACE, "a/b")],
                "CNI_IFNAME: `a/b` is no interface name: it is empty, a dot path, or has a slash, a colon or white space \
                 in it",
            ),
            (
                &[(COMMAND, "ADD"), ALL[0], ALL[1], (SANDBOX, "netns")],
                "CNI_NETNS: `netns` is no sandbox: the absolute path of a network namespace was expected",
            ),
            (
                &[(COMMAND, "ADD"), ALL[0], ALL[1], ALL[2], (ARGUMENTS, "IP")],
                "CNI_ARGS: `IP` was given and KEY=VALUE was expected",
            ),
            (
                &[(COMMAND, "ADD"), ALL[0], ALL[1], ALL[2], (ARGUMENTS, "IP=10.0.0")],
                "CNI_ARGS: IP: `10.0.0` was given and ADDRESS or ADDRESS/LENGTH was expected",
            ),
        ] {
            assert_eq!(read(variables).unwrap_err(), sentence);
        }
    }

    #[test]
    fn arguments_name_the_pod_and_its_addresses() {
        let arguments: Arguments =
            "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=db-0;K8S_POD_INFRA_CONTAINER_ID=x;IP=10.0.0.7,fd00::7/64;"
                .parse()
                .unwrap();
        assert_eq!(arguments.pod.unwrap().as_str(), "shop/db-0");
        assert_eq!(arguments.addresses, ["10.0.0.7".parse::<IpAddr>().unwrap(), "fd00::7".parse().unwrap()]);
        for nameless in
            ["", "K8S_POD_NAME=db-0", "K8S_POD_NAMESPACE=;K8S_POD_NAME=db-0", "K8S_POD_NAMESPACE=a\t;K8S_POD_NAME=b"]
        {
            assert_eq!(nameless.parse(), Ok(Arguments::default()), "{nameless}");
        }
    }

    #[test]
    fn plugins_are_looked_for_in_every_folder_that_is_named() {
        let path = search_path(|name| (name == PATH).then(|| "/opt/cni/bin:/usr/lib/cni".into()));
        assert_eq!(path, [PathBuf::from("/opt/cni/bin"), "/usr/lib/cni".into()]);
        assert!(search_path(|_| None).is_empty());
    }
}
