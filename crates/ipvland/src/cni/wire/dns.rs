//! Name servers and search domains. They are passed on, and nothing is done with them here.

use serde::{Deserialize, Serialize};

use super::Configuration;
use crate::cni::failure::Failure;

/// The `dns` of a configuration or a result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Dns {
    #[serde(deserialize_with = "super::nullable", skip_serializing_if = "Vec::is_empty")]
    nameservers: Vec<String>,
    #[serde(deserialize_with = "super::nullable", skip_serializing_if = "String::is_empty")]
    domain: String,
    #[serde(deserialize_with = "super::nullable", skip_serializing_if = "Vec::is_empty")]
    search: Vec<String>,
    #[serde(deserialize_with = "super::nullable", skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
}

impl Dns {
    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// This, or the other where nothing is said.
    pub(crate) fn or(self, other: Self) -> Self {
        if self.is_empty() { other } else { self }
    }

    /// Reads a file in the format of resolv.conf(5). Lines that are none of it are passed over.
    pub(crate) fn of_resolv_conf(content: &str) -> Self {
        let mut dns = Self::default();
        for line in content.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
            let mut words = line.split_whitespace().map(ToOwned::to_owned);
            match words.next().as_deref() {
                Some("nameserver") => dns.nameservers.extend(words.next()),
                Some("domain") => dns.domain = words.next().unwrap_or_default(),
                Some("search") => dns.search.extend(words),
                Some("options") => dns.options.extend(words),
                _ => {}
            }
        }
        dns
    }
}

impl Configuration<'_> {
    /// The `dns` that the user gave.
    ///
    /// # Errors
    /// Code 6 for what is of another type.
    pub(crate) fn dns(&self) -> Result<Dns, Failure> {
        #[derive(Deserialize)]
        struct Wire {
            dns: Option<Dns>,
        }
        Ok(self.part::<Wire>()?.dns.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolv_conf_is_read_as_host_local_does() {
        let content = "# by hand\nnameserver 192.0.2.3\n nameserver\t192.0.2.4 \n;x\ndomain lan.example\nsearch a.example b.example\n\
                       options ndots:2 rotate\nsortlist 10.0.0.0\nnameserver\n";
        let dns = Dns::of_resolv_conf(content);
        assert_eq!(dns.nameservers, ["192.0.2.3", "192.0.2.4"]);
        assert_eq!((dns.domain.as_str(), dns.search.join(" ").as_str()), ("lan.example", "a.example b.example"));
        assert_eq!(dns.options, ["ndots:2", "rotate"]);
        assert!(Dns::of_resolv_conf("# nothing\n").is_empty());
    }
}
