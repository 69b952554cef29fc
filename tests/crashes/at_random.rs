//! Sequences nobody thought of, with deaths at steps nobody chose.

use std::fmt;
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use crate::audit::Fault;
use crate::engine::{DRAWN, Endpoint, Network};
use crate::remark;
use crate::stage::{Attached, Stage};

const NETWORKS: [Network; 7] = [
    Network::of("one", "eth1", "192.168.91"),
    Network::of("two", "eth1", "192.168.92"),
    Network::of("three", "eth1.31", "192.168.93"),
    Network::of(DRAWN[0], "", "192.168.94"),
    // These share a pool.
    Network::dealt("five", "eth1", "192.168.95"),
    Network::dealt("six", "eth1.32", "192.168.95"),
    Network::dealt(DRAWN[1], "", "192.168.96"),
];

/// How often a soak tells how far it is.
const PROGRESS: Duration = Duration::from_secs(10);

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
    match chance.below(10) {
        0 | 1 => {
            let absent: Vec<Network> = NETWORKS.into_iter().filter(|network| !networks.contains(network)).collect();
            if let Some(network) = chance.of(&absent) {
                stage.create_network(*network);
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
        7 => {
            if let Some(endpoint) = chance.of(&attached) {
                stage.rob(endpoint);
            }
        }
        8 => stage.live_anew(),
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

/// What became of sequences that were played.
#[derive(Debug, Default)]
struct Outcome {
    sequences: u64,
    deaths: u64,
    operations: u64,
    faults: Vec<Fault>,
}

impl Outcome {
    fn count(&self, kind: impl Fn(&Fault) -> bool) -> usize {
        self.faults.iter().filter(|fault| kind(fault)).count()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills, {} operations, {} leftovers, {} duplicates, {} losses",
            self.deaths,
            self.operations,
            self.count(|fault| matches!(fault, Fault::Leftover(_))),
            self.count(|fault| matches!(fault, Fault::Duplicate(_))),
            self.count(|fault| matches!(fault, Fault::Loss(_))),
        )
    }
}

/// Three deaths or fewer, and a few actions before each; then everything is removed.
fn play(seed: u64, outcome: &mut Outcome) {
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
    stage.live_anew();
    outcome.sequences += 1;
    outcome.deaths += stage.deaths;
    outcome.operations += stage.operations;
    outcome.faults.append(&mut stage.faults);
}

/// The sequences `CRASH_SEQUENCES`, `0..100` for example, which are the same each time; or for `CRASH_SECONDS`, as `make
/// soak` does, others each time.
#[test]
fn nothing_leaks_and_nothing_is_lost() {
    let mut outcome = Outcome::default();
    match std::env::var("CRASH_SECONDS") {
        Ok(seconds) => soak(Duration::from_secs(seconds.parse().expect("a number")), &mut outcome),
        Err(_) => sequences().for_each(|seed| play(seed, &mut outcome)),
    }
    remark(&format!("soak: {outcome}"));
    assert_eq!(outcome.faults, []);
    assert!(outcome.deaths > outcome.sequences, "it dies more than once in a sequence");
}

fn sequences() -> Range<u64> {
    let asked = std::env::var("CRASH_SEQUENCES").unwrap_or_else(|_| "0..100".into());
    let (first, end) = asked.split_once("..").expect("two numbers");
    first.parse().expect("a number")..end.parse().expect("a number")
}

fn soak(time: Duration, outcome: &mut Outcome) {
    let end = Instant::now() + time;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
    let mut told = Instant::now();
    for seed in now.as_secs() << 20.. {
        play(seed, outcome);
        let left = end.saturating_duration_since(Instant::now()).as_secs();
        if left == 0 {
            break;
        }
        if told.elapsed() > PROGRESS {
            told = Instant::now();
            remark(&format!("{left} s left: {outcome}"));
        }
    }
}
