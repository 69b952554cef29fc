//! What the user gave with `--opt`.

use std::collections::BTreeMap;

use model::{Dealing, DriverOptions, IpamOptions, OptionError, SettingError};

use super::refusal::Refusal;

/// The options of a network.
#[derive(Debug)]
pub(super) struct NetworkOptions {
    pub(super) driver: DriverOptions,
    pub(super) dealing: Dealing,
    /// Of its default routes.
    pub(super) metric: Option<u32>,
    /// Whether containers have default routes.
    pub(super) default_routes: bool,
}

const METRIC: &str = "metric";
const NO_DEFAULT_ROUTE: &str = "no_default_route";
const DEALING: [&str; 3] = ["exclude", "probe", "quarantine"];
/// As netavark calls them, and as Docker does.
const ALIASES: [(&str, &str); 3] =
    [("mode", "ipvlan_mode"), ("flag", "ipvlan_flag"), ("mtu", "com.docker.network.driver.mtu")];
/// All there are, by the names that are suggested.
const KEYS: [&str; 10] =
    ["parent", "mode", "flag", "mtu", "segment", METRIC, NO_DEFAULT_ROUTE, DEALING[0], DEALING[1], DEALING[2]];

impl NetworkOptions {
    pub(super) fn read(given: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        let (mut driver, mut ipam) = (Vec::new(), Vec::new());
        let (mut metric, mut default_routes) = (None, true);
        for (key, value) in given.iter().map(|(key, value)| (key.as_str(), value.as_str())) {
            match key {
                METRIC => metric = Some(number(value)?),
                NO_DEFAULT_ROUTE => default_routes = !truth(value)?,
                key if DEALING.contains(&key) => ipam.push((key, value)),
                "parent" | "segment" => driver.push((key, value)),
                key => match ALIASES.iter().find(|(ours, dockers)| [*ours, *dockers].contains(&key)) {
                    Some((ours, dockers)) if key == *ours && given.contains_key(*dockers) => {
                        return Err(Refusal(format!(
                            "options `{ours}` and `{dockers}` are the same; leave one of them out"
                        )));
                    }
                    Some((_, dockers)) => driver.push((*dockers, value)),
                    None if key.starts_with("com.docker.") => driver.push((key, value)),
                    None => return Err(OptionError::unknown(key, &KEYS).into()),
                },
            }
        }
        let driver = DriverOptions::parse(driver).map_err(|error| as_given(error, given))?;
        Ok(Self { driver, dealing: IpamOptions::parse(ipam)?.dealing, metric, default_routes })
    }
}

/// An error about an option, under the name that the user gave it.
fn as_given(error: OptionError, given: &BTreeMap<String, String>) -> OptionError {
    match error {
        OptionError::Value { key, wrong } => {
            let alias = ALIASES.iter().find(|(ours, dockers)| key == *dockers && given.contains_key(*ours));
            OptionError::Value { key: alias.map_or(key, |(ours, _)| ours), wrong }
        }
        other => other,
    }
}

fn number(value: &str) -> Result<u32, OptionError> {
    value.parse().map_err(|_| wrong(METRIC, value, "a number from 0 to 4294967295"))
}

/// As Podman reads it for its own drivers.
fn truth(value: &str) -> Result<bool, OptionError> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        other => Err(wrong(NO_DEFAULT_ROUTE, other, "true or false")),
    }
}

fn wrong(key: &'static str, value: &str, expected: &'static str) -> OptionError {
    OptionError::Value { key, wrong: SettingError { value: value.chars().take(80).collect(), expected } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Flag, Mode};

    fn read(pairs: &[(&str, &str)]) -> Result<NetworkOptions, String> {
        let given = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        NetworkOptions::read(&given).map_err(|refusal| refusal.0)
    }

    #[test]
    fn every_option_is_read() {
        let options = read(&[
            ("parent", "eth0.10"),
            ("mode", "l3s"),
            ("flag", "private"),
            ("mtu", "1400"),
            ("segment", "cellar"),
            ("metric", "300"),
            ("no_default_route", "true"),
            ("exclude", "10.0.0.1-10.0.0.9"),
            ("probe", "200ms"),
            ("quarantine", "1h"),
            ("com.docker.network.advertise_addr_nmsgs", "0"),
        ])
        .unwrap();
        let driver = &options.driver;
        assert_eq!((driver.settings.mode, driver.settings.flag), (Mode::L3s, Flag::Private));
        assert_eq!(driver.parent.as_ref().map(ToString::to_string).as_deref(), Some("eth0.10"));
        assert_eq!(driver.mtu.map(model::Mtu::get), Some(1400));
        assert_eq!(driver.segment.as_ref().map(ToString::to_string).as_deref(), Some("cellar"));
        assert_eq!(driver.announcements.count(), 0);
        assert_eq!((options.metric, options.default_routes), (Some(300), false));
        assert_eq!(options.dealing.exclude.len(), 1);
        assert!(options.dealing.probe.is_some() && !options.dealing.quarantine.is_zero());
    }

    #[test]
    fn without_options_it_is_l2_with_a_default_route() {
        let options = read(&[]).unwrap();
        assert_eq!(options.driver, DriverOptions::default());
        assert_eq!((options.metric, options.default_routes, options.dealing), (None, true, Dealing::default()));
        assert!(read(&[("no_default_route", "false")]).unwrap().default_routes);
    }

    #[test]
    fn the_names_that_docker_has_mean_the_same() {
        let (ours, dockers) = (
            read(&[("mode", "l3"), ("flag", "vepa"), ("mtu", "1300")]).unwrap(),
            read(&[("ipvlan_mode", "l3"), ("ipvlan_flag", "vepa"), ("com.docker.network.driver.mtu", "1300")]).unwrap(),
        );
        assert_eq!(ours.driver, dockers.driver);
        assert!(read(&[("com.docker.network.bridge.name", "br0")]).is_ok(), "an engine's own");
    }

    #[test]
    fn each_wrong_option_gets_one_sentence_and_a_remedy() {
        for (pairs, sentence) in [
            (&[("mod", "l2")][..], "there is no option `mod`; did you mean `mode`?"),
            (&[("master", "eth0")], "there is no option `master`; did you mean `parent`?"),
            (
                &[("no-default-route", "true")],
                "there is no option `no-default-route`; did you mean `no_default_route`?",
            ),
            (
                &[("bclim", "1")],
                "there is no option `bclim`; valid are parent, mode, flag, mtu, segment, metric, no_default_route, exclude, \
                 probe, quarantine",
            ),
            (
                &[("mode", "l4")],
                "option `mode`: `l4` was given and l2, l3 or l3s was expected; pass a value that `mode` takes, or leave it out",
            ),
            (
                &[("ipvlan_flag", "x")],
                "option `ipvlan_flag`: `x` was given and bridge, private or vepa was expected; pass a value that \
                 `ipvlan_flag` takes, or leave it out",
            ),
            (
                &[("metric", "-1")],
                "option `metric`: `-1` was given and a number from 0 to 4294967295 was expected; pass a value that `metric` \
                 takes, or leave it out",
            ),
            (
                &[("no_default_route", "yes")],
                "option `no_default_route`: `yes` was given and true or false was expected; pass a value that \
                 `no_default_route` takes, or leave it out",
            ),
            (
                &[("mode", "l2"), ("ipvlan_mode", "l3")],
                "options `mode` and `ipvlan_mode` are the same; leave one of them out",
            ),
        ] {
            assert_eq!(read(pairs).unwrap_err(), sentence);
        }
    }
}
