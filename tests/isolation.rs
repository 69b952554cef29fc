//! Two networks on one parent: what their containers see of each other and of the host, in each mode and with each flag.
//! `docs/isolation.md` tells the same to people.

use std::net::UdpSocket;
use std::time::Duration;

use crate::world::{Container, NEIGHBOUR, Scene, Standpoint};

/// One container on each of two networks.
struct Two {
    scene: Scene,
    one: Container,
    other: Container,
}

impl Two {
    fn begin(mode: &str, flag: &str) -> Self {
        let scene = Scene::begin();
        let (subnets, gateway) = match mode {
            "l2" => (["192.168.1", "192.168.2"], "--gateway=192.168.1.1"),
            _ => (["192.168.213", "192.168.214"], ""),
        };
        let options = format!("-o parent=eth0 -o ipvlan_mode={mode} -o ipvlan_flag={flag}");
        scene.network(&format!("--subnet={}.0/24 {gateway} {options} here", subnets[0]));
        scene.network(&format!("--subnet={}.0/24 {options} there", subnets[1]));
        let one = scene.container("one", &format!("--net=here --ip={}.66 alpine sleep 1d", subnets[0]));
        let other = scene.container("other", &format!("--net=there --ip={}.66 alpine sleep 1d", subnets[1]));
        one.interface("eth0").is_slave_on("eth0", &format!("{mode}/{flag}"));
        other.interface("eth0").is_slave_on("eth0", &format!("{mode}/{flag}"));
        if mode == "l2" {
            // Whoever knows that the other is on the same wire needs no router.
            one.run("ip route add 192.168.2.0/24 dev eth0");
            other.run("ip route add 192.168.1.0/24 dev eth0");
        }
        one.reaches("192.168.1.200");
        NEIGHBOUR.reaches(&one.address("here"));
        Self { scene, one, other }
    }

    #[track_caller]
    fn meet(&self) {
        self.one.reaches(&self.other.address("there"));
        self.other.reaches(&self.one.address("here"));
    }

    #[track_caller]
    fn do_not_meet(&self) {
        self.one.does_not_reach(&self.other.address("there"));
    }

    /// Asserts that nothing of what a container sends to the parent's own address arrives there.
    #[track_caller]
    fn host_hears_nothing(&self) {
        self.one.does_not_reach("192.168.1.250");
        assert!(!self.host_hears());
    }

    /// Asserts that the host is spoken to, and answers only by way of a router that knows the subnet.
    #[track_caller]
    fn host_hears_and_needs_a_router_to_answer(&self) {
        self.one.reaches("192.168.1.250");
        let route = "192.168.213.0/24 via 192.168.1.250";
        self.scene.by_hand(&format!("ip -n router route delete {route}"), &format!("ip -n router route add {route}"));
        self.one.does_not_reach("192.168.1.250");
        assert!(self.host_hears());
    }

    /// Whether a packet to the parent's own address arrives at the host.
    fn host_hears(&self) -> bool {
        let listener = UdpSocket::bind("192.168.1.250:0").expect("the host can listen");
        listener.set_read_timeout(Some(Duration::from_secs(2))).expect("a limit is set");
        let port = listener.local_addr().expect("it is bound").port();
        self.one.run(&format!("bash -c echo>/dev/udp/192.168.1.250/{port}"));
        let heard = listener.recv_from(&mut [0; 8]);
        heard.is_ok_and(|(_, from)| from.ip().to_string() == self.one.address("here"))
    }
}

#[test]
fn l2_bridge_meets_on_the_wire_and_the_host_hears_nothing() {
    let two = Two::begin("l2", "bridge");
    two.meet();
    two.host_hears_nothing();
}

#[test]
fn l2_private_does_not_meet_and_the_host_hears_nothing() {
    let two = Two::begin("l2", "private");
    two.do_not_meet();
    two.host_hears_nothing();
}

#[test]
fn l2_vepa_meets_through_a_switch_that_reflects_and_the_host_hears_nothing() {
    let two = Two::begin("l2", "vepa");
    two.do_not_meet();
    two.host_hears_nothing();
    two.scene.by_hand("lan reflect on", "lan reflect off");
    two.meet();
}

#[test]
fn l3_bridge_meets_and_the_host_hears() {
    let two = Two::begin("l3", "bridge");
    two.meet();
    two.host_hears_and_needs_a_router_to_answer();
}

#[test]
fn l3_private_does_not_meet_and_the_host_hears() {
    let two = Two::begin("l3", "private");
    two.do_not_meet();
    two.host_hears_and_needs_a_router_to_answer();
}

#[test]
fn l3_vepa_meets_through_a_router_and_the_host_hears() {
    let two = Two::begin("l3", "vepa");
    two.meet();
    two.host_hears_and_needs_a_router_to_answer();
}

#[test]
fn l3s_bridge_meets_and_the_host_hears() {
    let two = Two::begin("l3s", "bridge");
    two.meet();
    two.host_hears_and_needs_a_router_to_answer();
}

#[test]
fn l3s_private_does_not_meet_and_the_host_hears() {
    let two = Two::begin("l3s", "private");
    two.do_not_meet();
    two.host_hears_and_needs_a_router_to_answer();
}

#[test]
fn l3s_vepa_meets_through_a_router_and_the_host_hears() {
    let two = Two::begin("l3s", "vepa");
    two.meet();
    two.host_hears_and_needs_a_router_to_answer();
}
