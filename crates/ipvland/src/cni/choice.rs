//! Which ranges a container's addresses are dealt from.

use std::net::IpAddr;

use model::Pool;

use super::failure::{Code, Failure};
use super::wire::Range;

/// A range out of each set: the first, or the one that has an address that is asked for, or the next where there is none left.
#[derive(Debug, Clone)]
pub(super) struct Choice<'r>(Vec<Chosen<'r>>);

#[derive(Debug, Clone)]
struct Chosen<'r> {
    set: &'r [Range],
    at: usize,
    asked: Option<IpAddr>,
}

impl<'r> Choice<'r> {
    /// What is chosen first.
    ///
    /// # Errors
    /// Code 7 when an address is asked for that none of the sets has, or more of one set than it gives.
    pub(super) fn first(sets: &'r [Vec<Range>], asked: &[IpAddr]) -> Result<Self, Failure> {
        let mut left: Vec<IpAddr> = Vec::new();
        for address in asked {
            if !left.contains(address) {
                left.push(*address);
            }
        }
        let mut chosen = Vec::new();
        for set in sets {
            let offered = |address: &IpAddr| set.iter().position(|range| range.offers(*address));
            let asked = left.iter().enumerate().find_map(|(index, address)| Some((index, offered(address)?)));
            let asked = asked.map(|(index, at)| (left.remove(index), at));
            chosen.push(Chosen { set, at: asked.map_or(0, |(_, at)| at), asked: asked.map(|(address, _)| address) });
        }
        match left.first() {
            Some(address) => Err(Failure::new(Code::CONFIGURATION, why_not(*address, sets))),
            None => Ok(Self(chosen)),
        }
    }

    /// The ranges, each with the address that is asked for.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (&'r Range, Option<IpAddr>)> {
        self.0.iter().map(|chosen| (&chosen.set[chosen.at], chosen.asked))
    }

    /// Goes on to the next range of a set whose present one has no address left. `false`: there is none.
    pub(super) fn go_on(&mut self, exhausted: &Pool) -> bool {
        let has_next = |chosen: &&mut Chosen<'_>| {
            chosen.asked.is_none() && chosen.at + 1 < chosen.set.len() && chosen.set[chosen.at].pool == *exhausted
        };
        match self.0.iter_mut().find(has_next) {
            Some(chosen) => chosen.at += 1,
            None => return false,
        }
        true
    }
}

/// Why an address that is asked for is not dealt.
fn why_not(address: IpAddr, sets: &[Vec<Range>]) -> String {
    let around = sets.iter().flatten().find(|range| range.pool.subnet().contains(&address));
    match around {
        Some(range) if !range.pool.admits(address) => {
            format!("address {address} is none for a container in {}", range.pool.subnet())
        }
        _ => format!("address {address} is asked for, and no range is left that it could be dealt from"),
    }
}

#[cfg(test)]
mod tests {
    use model::{Pool, SegmentName};

    use super::*;

    fn set(subnets: &[&str]) -> Vec<Range> {
        let pool = |subnet: &&str| Pool::new(SegmentName::default(), subnet.parse().unwrap(), None).unwrap();
        subnets.iter().map(|subnet| Range::all_of(pool(subnet), None)).collect()
    }

    fn shown(choice: &Choice<'_>) -> Vec<String> {
        let asked = |asked: Option<IpAddr>| asked.map(|address| format!(" {address}")).unwrap_or_default();
        choice.ranges().map(|(range, address)| format!("{}{}", range.pool.range(), asked(address))).collect()
    }

    fn addresses(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn each_set_gives_one_address_of_the_first_range_that_has_one() {
        let sets = [set(&["10.1.0.0/24", "10.2.0.0/24"]), set(&["fd00::/64"])];
        let mut choice = Choice::first(&sets, &[]).unwrap();
        assert_eq!(shown(&choice), ["10.1.0.0/24", "fd00::/64"]);
        assert!(choice.go_on(&sets[0][0].pool));
        assert_eq!(shown(&choice), ["10.2.0.0/24", "fd00::/64"]);
        assert!(!choice.go_on(&sets[0][0].pool), "it is no longer dealt from");
        assert!(!choice.go_on(&sets[0][1].pool) && !choice.go_on(&sets[1][0].pool), "these are the last ones");
    }

    #[test]
    fn what_is_asked_for_decides() {
        let sets = [set(&["10.1.0.0/24", "10.2.0.0/24"]), set(&["10.2.0.0/24"]), set(&["fd00::/64"])];
        let asked = addresses(&["fd00::7", "10.2.0.7", "10.2.0.8", "10.2.0.7"]);
        let mut choice = Choice::first(&sets, &asked).unwrap();
        assert_eq!(shown(&choice), ["10.2.0.0/24 10.2.0.7", "10.2.0.0/24 10.2.0.8", "fd00::/64 fd00::7"]);
        assert!(!choice.go_on(&sets[1][0].pool), "no other will do");
        for (asked, sentence) in [
            (&["10.9.0.1"][..], "address 10.9.0.1 is asked for, and no range is left that it could be dealt from"),
            (&["fd00::7", "fd00::8"], "address fd00::8 is asked for, and no range is left that it could be dealt from"),
            (&["10.2.0.255"], "address 10.2.0.255 is none for a container in 10.2.0.0/24"),
        ] {
            let failure = Choice::first(&sets, &addresses(asked)).unwrap_err();
            assert_eq!((failure.code, failure.sentence.as_str()), (Code::CONFIGURATION, sentence));
        }
    }
}
