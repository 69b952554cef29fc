//! Sequences nobody thought of, with deaths at steps nobody chose.

use crate::engine::{Endpoint, Network};
use crate::stage::{Attached, Stage};

const NETWORKS: [Network; 4] = [
    Network { id: "one", parent: "eth1", subnet: "192.168.91" },
    Network { id: "two", parent: "eth1", subnet: "192.168.92" },
    Network { id: "three", parent: "eth1.31", subnet: "192.168.93" },
    Network { id: "four", parent: "", subnet: "192.168.94" },
];

/// Numbers that look like chance and are the same each time (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(usize::try_from(self.below(all.len() as u64)).ok()?) }
    }
}

/// Does one thing that an engine could do now.
fn act(stage: &mut Stage, chance: &mut Chance, next: &mut u8) {
    let networks: Vec<Network> = stage.known.networks.iter().copied().collect();
    let idle: Vec<Endpoint> = with(stage, |attached| *attached == Attached::No);
    let attached: Vec<Endpoint> = with(stage, |attached| *attached != Attached::No);
    match chance.below(8) {
        0 | 1 => {
            let network = NETWORKS[usize::try_from(chance.below(4)).expect("a small number")];
            if !networks.contains(&network) {
                stage.create_network(network);
            }
        }
        2 | 3 if attached.len() + idle.len() < 5 => {
            if let Some(network) = chance.of(&networks) {
                *next += 1;
                let exact = chance.below(3) == 0;
                stage.create_endpoint(&Endpoint { id: format!("end{next}"), network: *network, host: *next, exact });
            }
        }
        4 | 5 => {
            if let Some(endpoint) = chance.of(&idle) {
                stage.join(endpoint);
            }
        }
        6 => {
            if let Some(endpoint) = chance.of(&attached) {
                stage.leave(endpoint);
                stage.delete_endpoint(endpoint);
            }
        }
        _ => {
            let used = |network: &Network| stage.known.endpoints.keys().any(|endpoint| endpoint.network == *network);
            let unused: Vec<Network> = networks.into_iter().filter(|network| !used(network)).collect();
            if let Some(network) = chance.of(&unused) {
                stage.delete_network(*network);
            }
        }
    }
}

fn with(stage: &Stage, wanted: impl Fn(&Attached) -> bool) -> Vec<Endpoint> {
    let endpoints = stage.known.endpoints.iter().filter(|(_, attached)| wanted(attached));
    endpoints.map(|(endpoint, _)| endpoint.clone()).collect()
}

#[test]
fn nothing_leaks_and_nothing_is_lost() {
    let sequences: u64 = std::env::var("CRASH_SEQUENCES").map_or(100, |text| text.parse().expect("a number"));
    let mut deaths = 0;
    for seed in 0..sequences {
        println!("sequence {seed}");
        let (mut stage, mut chance, mut next) = (Stage::open(None), Chance(seed), 1);
        for _ in 0..3 {
            stage.arm(1 + chance.below(25));
            for _ in 0..6 {
                act(&mut stage, &mut chance, &mut next);
            }
            stage.is_as_known();
        }
        for endpoint in with(&stage, |_| true) {
            stage.leave(&endpoint);
            stage.delete_endpoint(&endpoint);
        }
        for network in stage.known.networks.clone() {
            stage.delete_network(network);
        }
        stage.is_as_known();
        deaths += stage.deaths;
    }
    println!("{sequences} sequences, {deaths} deaths");
    assert!(u64::from(deaths) > sequences, "more than one death a sequence");
}
