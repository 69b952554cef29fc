//! The router that a link leads to.

use kernel::{Scope, observe, router, way_out};
use model::Family;

use crate::host::{host_link, ip, on_a_host};

fn check(on: &str, family: Family, expected: Option<&str>) {
    let seen = observe(Scope::Host).unwrap();
    let expected = expected.map(|address| address.parse().unwrap());
    assert_eq!(router(host_link(&seen, on), family).unwrap(), expected, "{on}, {family}");
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn the_default_route_with_the_lowest_metric_tells_the_router() {
    on_a_host("kt-router", || {
        for (link, third) in [("p0", 2), ("p1", 3)] {
            ip(&format!("link add {link} type veth peer name {link}-far"));
            ip(&format!("link set {link}-far up"));
            ip(&format!("link set {link} up"));
            ip(&format!("address add 192.0.{third}.250/24 dev {link}"));
            ip(&format!("address add 2001:db8:{third}::250/64 dev {link} nodad"));
        }
        let ways = [(Family::V4, "-4", "192.0.2.", "192.0.3."), (Family::V6, "-6", "2001:db8:2::", "2001:db8:3::")];
        for (family, option, on_p0, on_p1) in ways {
            let route = |what: &str| ip(&format!("{option} route {what}"));
            let is = |last: u8| check("p0", family, Some(&format!("{on_p0}{last}")));

            check("p0", family, None);
            // Other tables, other destinations, other links, and routes that end at the link.
            route(&format!("add default via {on_p0}9 dev p0 table 100"));
            route(&format!("add default via {on_p0}9 dev p0 table 1000"));
            let all_but_default = if family == Family::V4 { "0.0.0.0/1" } else { "::/1" };
            route(&format!("add {all_but_default} via {on_p0}9 dev p0"));
            route("add default dev p0 metric 5");
            route(&format!("add default via {on_p1}9 dev p1 metric 10"));
            route("add blackhole default metric 15");
            check("p0", family, None);
            check("p1", family, Some(&format!("{on_p1}9")));

            route(&format!("add default via {on_p0}3 dev p0 metric 300"));
            is(3);
            route(&format!("add default via {on_p0}2 dev p0 metric 200"));
            is(2);
            route(&format!("add default metric 100 nexthop via {on_p1}1 dev p1 nexthop via {on_p0}1 dev p0"));
            is(1);
            check("p1", family, Some(&format!("{on_p1}9")));
            route("delete default metric 100");
            route("delete default metric 200");
            is(3);
        }
        check("lo", Family::V4, None);
    });
}

#[test]
#[ignore = "needs root and a kernel with ipvlan: run in the lab"]
fn the_way_out_is_the_default_routes_of_ipv4_before_ipv6() {
    on_a_host("kt-way-out", || {
        assert_eq!(way_out().unwrap(), None);
        for link in ["p0", "p1"] {
            ip(&format!("link add {link} type veth peer name {link}-far"));
            ip(&format!("link set {link}-far up"));
            ip(&format!("link set {link} up"));
        }
        let out = |link: &str| {
            assert_eq!(way_out().unwrap(), Some(host_link(&observe(Scope::Host).unwrap(), link).index), "{link}");
        };
        ip("-6 route add default dev p0 metric 5");
        out("p0");
        ip("-4 route add default dev p0 metric 20");
        ip("-4 route add default dev p1 metric 10");
        out("p1");
        ip("-4 route delete default metric 10");
        out("p0");
    });
}
