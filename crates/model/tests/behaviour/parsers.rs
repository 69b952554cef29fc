//! No text makes a parser panic, and what one takes it prints again.

use std::fmt::{Debug, Display};
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use model::{
    AddressRange, BootId, DriverOptions, EndpointId, EndpointName, Flag, InterfaceName, IpamOptions, KernelVersion,
    MacAddress, Mode, Mtu, NetworkId, Pool, SandboxKey, Segment, SegmentName, Subnet, VlanId,
};
use proptest::prelude::*;

/// Texts of every sort, and those that are nearly right, which random ones never are.
fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,20}",
        "[a-z0-9._/:-]{0,18}",
        "(eth|bond|lo|\\.)?[0-9]{0,3}(\\.[0-9]{0,6}){0,3}",
        "[+-]?[0-9]{0,12}",
        "l[0-9]s?|L2|bridge|private|vepa|[a-z]{1,8}",
        "[0-9]{1,3}(\\.[0-9]{0,12}){0,3}[-+~a-z0-9.]{0,12}",
        "/[ -~]{0,40}",
        "[0-9a-f-]{30,70}",
        "[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}",
        "[0-9a-f+g]{1,3}([:-][0-9a-f]{1,2}){4,6}",
        "[a-zA-Z0-9_.-]{60,70}",
    ]
}

fn any_net() -> impl Strategy<Value = IpNet> {
    (any::<[u8; 4]>(), any::<[u8; 16]>(), 0..=128_u8).prop_map(|(v4, v6, length)| {
        let address = if length > 32 { IpAddr::from(v6) } else { IpAddr::from(v4) };
        IpNet::new(address, length).unwrap()
    })
}

/// Parses without a panic; what is taken reads the same again after it was printed.
fn check<T>(text: &str) -> Result<Option<T>, TestCaseError>
where
    T: FromStr<Err: Debug + Display> + Display + PartialEq + Debug,
{
    match text.parse::<T>() {
        Ok(value) => {
            let printed = value.to_string();
            prop_assert_eq!(printed.parse::<T>().map_err(|error| error.to_string()), Ok(text.parse::<T>().unwrap()));
            Ok(Some(value))
        }
        Err(error) => {
            let sentence = error.to_string();
            prop_assert!(!sentence.is_empty());
            Ok(None)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn names_print_as_they_were_written(text in anything()) {
        if let Some(name) = check::<InterfaceName>(&text)? {
            prop_assert_eq!(name.as_str(), &text);
            prop_assert!((1..=InterfaceName::MAX_LEN).contains(&name.as_str().len()));
            if let Some((on, id)) = name.as_vlan() {
                // Leading zeros and a sign are digits to a parser and other names to the kernel.
                prop_assert_eq!(format!("{}.{}", on, id), text.clone());
            }
        }
        for id in [check::<NetworkId>(&text)?.map(|id| id.short().to_owned()), check::<EndpointId>(&text)?.map(|id| id.short().to_owned())].into_iter().flatten() {
            prop_assert!(text.starts_with(&id) && (id.len() == 12 || id == text));
        }
        if let Some(key) = check::<SandboxKey>(&text)? {
            prop_assert_eq!(key.as_str(), &text);
        }
        if let Some(mac) = check::<MacAddress>(&text)? {
            prop_assert_eq!(mac.to_string(), text.to_ascii_lowercase());
        }
        if let Some(name) = check::<EndpointName>(&text)? {
            prop_assert_eq!(name.as_str(), &text);
        }
        check::<Segment>(&text)?;
        if let Some(boot) = check::<BootId>(&text)? {
            prop_assert_eq!(boot.to_string(), text.trim());
        }
    }

    #[test]
    fn settings_print_as_they_were_written(text in anything()) {
        if let Some(mode) = check::<Mode>(&text)? {
            prop_assert_eq!(mode.as_str(), &text);
        }
        if let Some(flag) = check::<Flag>(&text)? {
            prop_assert_eq!(flag.as_str(), &text);
        }
        if let Some(mtu) = check::<Mtu>(&text)? {
            prop_assert!((68..=65535).contains(&mtu.get()));
        }
        if let Some(id) = check::<VlanId>(&text)? {
            prop_assert!((1..=4094).contains(&id.get()));
        }
    }

    #[test]
    fn kernel_versions_survive_whatever_a_distribution_appends(
        text in anything(), major in 0..100_u32, minor in 0..1000_u32, rest in "([.+~-][ -~]{0,20})?"
    ) {
        let _ = KernelVersion::from_str(&text);
        let version = KernelVersion::from_str(&format!("{major}.{minor}{rest}"));
        prop_assert_eq!(version.ok(), Some(KernelVersion { major, minor }));
    }

    #[test]
    fn options_are_taken_or_refused_with_a_remedy(
        pairs in prop::collection::vec((prop_oneof![
            Just("parent".to_owned()), Just("ipvlan_mode".to_owned()), Just("ipvlan_flag".to_owned()),
            Just("com.docker.network.driver.mtu".to_owned()), anything()
        ], anything()), 0..4)
    ) {
        match DriverOptions::parse(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))) {
            Ok(options) => {
                let last = |key: &str| pairs.iter().rev().find(|(k, v)| k == key && !v.is_empty()).map(|(_, v)| v.as_str());
                prop_assert_eq!(options.parent.as_ref().map(InterfaceName::as_str), last("parent"));
                prop_assert_eq!(options.settings.mode.as_str(), last("ipvlan_mode").unwrap_or("l2"));
                prop_assert_eq!(options.settings.flag.as_str(), last("ipvlan_flag").unwrap_or("bridge"));
            }
            Err(error) => {
                prop_assert!(!error.to_string().is_empty() && !error.hint().is_empty());
                let named = pairs.iter().any(|(key, _)| error.to_string().contains(&key.chars().take(80).collect::<String>()));
                prop_assert!(named, "{} names none of its options", error);
            }
        }
    }

    #[test]
    fn a_pool_reads_as_it_is_written_and_deals_what_is_in_it(
        subnet in any_net(), longer in 0..=12_u8, options in "(/exclude=[0-9a-f.:,/-]{0,20})?(/probe=[0-9]{0,4}ms)?(/quarantine=[0-9]{0,6}[smh])?",
        text in anything()
    ) {
        check::<Pool>(&text)?;
        check::<AddressRange>(&text)?;
        let length = (subnet.prefix_len() + longer).min(subnet.max_prefix_len());
        let range = IpNet::new(subnet.addr(), length).unwrap();
        let Ok(pool) = Pool::new(SegmentName::default(), subnet, Some(range)) else {
            prop_assert_eq!(range.prefix_len(), range.max_prefix_len());
            return Ok(());
        };
        check::<Pool>(&format!("{pool}{options}"))?;
        prop_assert_eq!(pool.to_string().parse::<Pool>().ok(), Some(pool.clone()));
        prop_assert!(pool.first() <= pool.last() && pool.range().contains(&pool.first()) && pool.range().contains(&pool.last()));
        prop_assert!(pool.whole().contains(pool.first()) && pool.whole().contains(pool.last()));
        prop_assert!(pool.size() >= 1);
    }

    #[test]
    fn options_of_pools_are_taken_or_refused_with_a_remedy(
        pairs in prop::collection::vec((prop_oneof![
            Just("parent".to_owned()), Just("exclude".to_owned()), Just("probe".to_owned()), Just("quarantine".to_owned()), anything()
        ], prop_oneof![anything(), "[0-9]{1,4}(ms|s|m)", "10\\.[0-9]\\.0\\.[0-9]{1,3}(-10\\.9\\.9\\.9)?"]), 0..4)
    ) {
        match IpamOptions::parse(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))) {
            Ok(options) => {
                let pool = Pool::new(SegmentName::default(), "10.0.0.0/8".parse().unwrap(), None).unwrap().dealt(options.dealing);
                prop_assert_eq!(pool.to_string().parse::<Pool>().ok(), Some(pool));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty() && !error.hint().is_empty()),
        }
    }

    #[test]
    fn subnets_are_whole_and_of_one_family(v4 in any::<[u8; 4]>(), v6 in any::<[u8; 16]>(), length in 0..=128_u8, mixed in any::<bool>()) {
        let pool = IpNet::new(if length > 32 { IpAddr::from(v6) } else { IpAddr::from(v4) }, length).unwrap();
        let gateway = if (length > 32) != mixed { IpAddr::from(v6) } else { IpAddr::from(v4) };
        match Subnet::new(pool, Some(gateway)) {
            Ok(subnet) => prop_assert!(!mixed && subnet.pool() == pool.trunc() && subnet.gateway() == Some(gateway)),
            Err(error) => prop_assert!(mixed && error.to_string().contains(&gateway.to_string())),
        }
    }
}

#[test]
fn the_fuzzers_corpus_is_read_without_a_panic() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/options");
    let inputs: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() > 2, "there is a corpus");
    inputs.iter().for_each(|input| crate::texts::options(input));
}
