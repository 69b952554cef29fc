//! What a container is given on a network: addresses, the routers they have, and routes.

use std::net::IpAddr;

use engine::Wanted;
use ipnet::IpNet;
use model::{Addresses, SandboxRoute, SandboxRoutes};

use super::choice::Choice;
use super::failure::Failure;
use super::wire::{Ip, Report, ReportedRoute, RouteWish};

/// What a container is given, whoever deals it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) wanted: Vec<Wanted>,
    /// By the addresses that they are the routers of, the most wanted first.
    routers: Vec<(IpNet, IpAddr)>,
    wishes: Vec<RouteWish>,
    /// Whether routes may lead by a router. In l3 and l3s all leave by the interface itself, and the host routes.
    has_router: bool,
}

impl Share {
    /// Addresses from these ranges, on a network whose containers have a router on the wire or not.
    pub(super) fn of_ranges(choice: &Choice<'_>, wishes: &[RouteWish], has_router: bool) -> Self {
        let ranges = || choice.ranges();
        let wanted = ranges().map(|(range, asked)| Wanted::Dealt { pool: range.pool.clone(), asked });
        let routers = ranges().filter_map(|(range, _)| Some((range.pool.subnet(), range.gateway(has_router)?)));
        Self { wanted: wanted.collect(), routers: routers.collect(), wishes: wishes.to_vec(), has_router }
    }

    /// Addresses that another plugin has dealt.
    ///
    /// # Errors
    /// Code 2, 6 or 7 for routes that cannot be made.
    pub(super) fn of_report(ips: &[Ip], routes: &[ReportedRoute], has_router: bool) -> Result<Self, Failure> {
        Ok(Self {
            wanted: ips.iter().map(|ip| Wanted::Given(ip.address)).collect(),
            routers: ips.iter().filter_map(|ip| Some((ip.address.addr().into(), ip.gateway?))).collect(),
            wishes: routes.iter().map(ReportedRoute::wish).collect::<Result<_, _>>()?,
            has_router,
        })
    }

    /// The addresses that another plugin has dealt.
    pub(super) fn given(&self) -> Addresses {
        let given = |wanted: &Wanted| match wanted {
            Wanted::Given(address) => Some(*address),
            Wanted::Dealt { .. } => None,
        };
        self.wanted.iter().filter_map(given).collect()
    }

    /// The routes that are wished for, as they are made. One without a router goes by the first one of its family, as with the
    /// reference plugins.
    pub(super) fn made(&self) -> Vec<RouteWish> {
        let of_family = |to: IpNet| {
            let mut routers = self.routers.iter().map(|(_, router)| *router);
            routers.find(|router| router.is_ipv4() == to.addr().is_ipv4())
        };
        let made = |wish: &RouteWish| RouteWish {
            via: if self.has_router { wish.via.or_else(|| of_family(wish.to)) } else { None },
            ..wish.clone()
        };
        self.wishes.iter().map(made).collect()
    }

    /// The same for the engine.
    pub(super) fn routes(&self) -> SandboxRoutes {
        let route = |made: RouteWish| SandboxRoute { to: made.to, via: made.via, metric: made.metric };
        self.made().into_iter().map(route).collect()
    }

    /// The addresses that the container has got, in the order in which they were wanted: the first one is a pod's own.
    pub(super) fn ips(&self, addresses: &Addresses, interface: Option<usize>) -> Vec<Ip> {
        let mut left: Vec<IpNet> = addresses.iter().collect();
        let mut ips = Vec::new();
        for wanted in &self.wanted {
            let fits = |address: &IpNet| match wanted {
                Wanted::Given(given) => address == given,
                Wanted::Dealt { asked: Some(asked), .. } => address.addr() == *asked,
                Wanted::Dealt { pool, asked: None } => pool.subnet().contains(&address.addr()),
            };
            if let Some(at) = left.iter().position(fits) {
                let address = left.remove(at);
                let router = self.routers.iter().find(|(of, _)| of.contains(&address.addr()));
                ips.push(Ip { address, gateway: router.map(|(_, router)| *router), interface });
            }
        }
        ips
    }
}

/// Takes the addresses out of a chain's report that no container's interface has: they are meant for ours.
pub(super) fn take_unplaced(before: &mut Report) -> Vec<Ip> {
    let interfaces = &before.interfaces;
    let placed = |ip: &Ip| ip.interface.is_some_and(|index| interfaces[index].sandbox.is_some());
    let (kept, taken) = std::mem::take(&mut before.ips).into_iter().partition(placed);
    before.ips = kept;
    taken
}

#[cfg(test)]
mod tests {
    use model::{Pool, SegmentName};
    use serde_json::json;

    use super::*;
    use crate::cni::wire::Range;

    fn range(subnet: &str) -> Range {
        let pool = Pool::new(SegmentName::default(), subnet.parse().unwrap(), None).unwrap();
        Range::all_of(pool, None)
    }

    fn wish(to: &str, via: Option<&str>) -> RouteWish {
        RouteWish { to: to.parse().unwrap(), via: via.map(|via| via.parse().unwrap()), metric: None }
    }

    fn dual_stack(has_router: bool) -> Share {
        let sets = [vec![range("fd00::/64")], vec![range("10.1.0.0/24")]];
        let wishes = [wish("0.0.0.0/0", None), wish("::/0", None), wish("10.9.0.0/16", Some("10.1.0.9"))];
        Share::of_ranges(&Choice::first(&sets, &[]).unwrap(), &wishes, has_router)
    }

    #[test]
    fn routes_go_by_the_routers_of_the_addresses() {
        let expected =
            [wish("0.0.0.0/0", Some("10.1.0.1")), wish("::/0", Some("fd00::1")), wish("10.9.0.0/16", Some("10.1.0.9"))];
        assert_eq!(dual_stack(true).made(), expected);
        let on_link = [wish("0.0.0.0/0", None), wish("::/0", None), wish("10.9.0.0/16", None)];
        assert_eq!(dual_stack(false).made(), on_link, "the host routes");
        let report = Report::of_answer(br#"{"ips": [{"address": "10.1.0.7/24"}], "routes": [{"dst": "0.0.0.0/0"}]}"#);
        let report = report.unwrap();
        let share = Share::of_report(&report.ips, &report.routes, true).unwrap();
        assert_eq!(share.made(), [wish("0.0.0.0/0", None)], "nobody has named a router");
    }

    #[test]
    fn addresses_are_told_in_the_order_in_which_they_were_wanted() {
        let got: Addresses = ["10.1.0.7/24", "fd00::7/64"].iter().map(|it| it.parse::<IpNet>().unwrap()).collect();
        let ips = dual_stack(true).ips(&got, Some(2));
        let told: Vec<(String, String)> =
            ips.iter().map(|ip| (ip.address.to_string(), ip.gateway.unwrap().to_string())).collect();
        let told: Vec<(&str, &str)> =
            told.iter().map(|(address, router)| (address.as_str(), router.as_str())).collect();
        assert_eq!(told, [("fd00::7/64", "fd00::1"), ("10.1.0.7/24", "10.1.0.1")]);
        assert!(ips.iter().all(|ip| ip.interface == Some(2)));
    }

    #[test]
    fn what_no_container_has_of_a_chain_is_ours() {
        let chain = json!({
            "interfaces": [{ "name": "eth0" }, { "name": "net0", "sandbox": "/run/netns/a" }],
            "ips": [
                { "address": "10.0.0.7/24", "interface": 1 },
                { "address": "10.1.0.7/24", "interface": 0 },
                { "address": "fd00::7/64" }
            ]
        });
        let mut before = Report::of_answer(chain.to_string().as_bytes()).unwrap();
        let shown = |ips: &[Ip]| ips.iter().map(|ip| ip.address.to_string()).collect::<Vec<_>>();
        assert_eq!(shown(&take_unplaced(&mut before)), ["10.1.0.7/24", "fd00::7/64"]);
        assert_eq!(shown(&before.ips), ["10.0.0.7/24"]);
    }
}
