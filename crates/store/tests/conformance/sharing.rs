//! Against other connections and other processes on the same file.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, SystemTime};

use model::{Hold, Pool};
use rusqlite::Connection;
use store::{Store, StoreError};

use crate::{Ledger, endpoint, id, network, quick_folder};

const LEDGER: &str = "CONFORMANCE_LEDGER";
const ROLE: &str = "CONFORMANCE_ROLE";
const NAME: &str = "CONFORMANCE_NAME";

/// Starts this very program as another process that does nothing but [`other_process`].
fn start(role: &str, name: &str, ledger: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sharing::other_process", "--nocapture"])
        .envs([(ROLE, role), (NAME, name)])
        .env(LEDGER, ledger)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What the other processes run; in the ordinary run of the tests it has no part and passes.
#[test]
fn other_process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let name = std::env::var(NAME).unwrap();
    let store = Store::open(Path::new(&std::env::var_os(LEDGER).unwrap())).unwrap();
    match role.as_str() {
        "claim and end" => match claim(&store, &name) {
            Ok(()) => {}
            Err(StoreError::AddressHeld { .. }) => std::process::exit(3),
            Err(error) => panic!("{error:?}"),
        },
        "claim and be killed" => {
            claim(&store, &name).unwrap();
            std::process::abort();
        }
        "be dealt an address and end" => std::process::exit(last_octet(store.deal(&pool(), None, &[]).unwrap())),
        "be dealt an address and be killed" => {
            store.deal(&pool(), Some(&id(&name)), &[]).unwrap();
            std::process::abort();
        }
        "make a network and end" => store.add_network(&network(&name, "eth0")).unwrap(),
        other => panic!("`{other}` is no role"),
    }
}

fn claim(store: &Store, name: &str) -> Result<(), StoreError> {
    store.claim(&endpoint(name, Some("192.168.1.2/24"), Some("2001:db8::2/64")))
}

/// Of 32 addresses, 192.168.1.32 to 192.168.1.63.
fn pool() -> Pool {
    id("v1/default/192.168.1.0/24/192.168.1.32/27")
}

fn last_octet(address: IpAddr) -> i32 {
    let IpAddr::V4(address) = address else { panic!("{address} is of another family") };
    address.octets()[3].into()
}

/// How many of the answers to claims of one address are success; the others must name the holder.
fn winners(store: &Store, answers: &[Result<(), StoreError>]) -> usize {
    let [holder] = store.endpoints().unwrap().try_into().expect("one endpoint holds the address");
    for answer in answers {
        match answer {
            Ok(()) => {}
            Err(StoreError::AddressHeld { holder: named, .. }) => assert_eq!(*named, holder.id),
            Err(error) => panic!("{error:?}"),
        }
    }
    answers.iter().filter(|answer| answer.is_ok()).count()
}

#[test]
fn one_of_many_threads_gets_the_address() {
    let ledger = Ledger::with_network();
    let barrier = Barrier::new(8);
    let race = |n: usize| {
        // Half of them share one connection, the others have one each.
        let own = Store::open(&ledger.path()).unwrap();
        let store = if n.is_multiple_of(2) { &ledger.store } else { &own };
        barrier.wait();
        claim(store, &format!("e{n}"))
    };
    let race = &race;
    let answers: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..8).map(|n| scope.spawn(move || race(n))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(winners(&ledger.store, &answers), 1);
}

#[test]
fn one_of_many_processes_gets_the_address() {
    let ledger = Ledger::with_network();
    let started: Vec<Child> = (0..6).map(|n| start("claim and end", &format!("e{n}"), &ledger.path())).collect();
    let mut codes: Vec<_> = started.into_iter().map(|child| child.wait_with_output().unwrap().status.code()).collect();
    codes.sort();
    assert_eq!(codes, [Some(0), Some(3), Some(3), Some(3), Some(3), Some(3)]);
    assert_eq!(ledger.store.endpoints().unwrap().len(), 1);
}

#[test]
fn many_processes_may_find_the_file_missing_at_once() {
    for _ in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/ledger.db");
        let started: Vec<Child> = (0..8).map(|n| start("make a network and end", &format!("n{n}"), &path)).collect();
        for child in started {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(Store::open(&path).unwrap().networks().unwrap().len(), 8);
    }
}

#[test]
fn as_many_processes_as_there_are_addresses_get_one_each() {
    let ledger = Ledger::new();
    let started: Vec<Child> =
        (0..32).map(|n| start("be dealt an address and end", &format!("e{n}"), &ledger.path())).collect();
    let dealt = started.into_iter().map(|child| child.wait_with_output().unwrap().status.code().unwrap());
    assert_eq!(dealt.collect::<BTreeSet<_>>(), (32..64).collect());
    let one_more = ledger.store.deal(&pool(), None, &[]).unwrap_err();
    assert!(matches!(one_more, StoreError::PoolExhausted(_)), "{one_more}");
}

#[test]
fn an_address_whose_answer_nobody_heard_comes_back() {
    let ledger = Ledger::new();
    let output = start("be dealt an address and be killed", "web", &ledger.path()).wait_with_output().unwrap();
    assert!(!output.status.success());
    let [holding] = ledger.store.holdings().unwrap().try_into().unwrap();
    assert_eq!((last_octet(holding.address), holding.hold), (32, Hold::Claim));
    let again = ledger.store.deal(&pool(), None, &[]).unwrap();
    assert_eq!(last_octet(again), 33, "it may be on its way");
    let store = ledger.store.with_clock(|| SystemTime::now() + Duration::from_secs(61));
    assert_eq!(last_octet(store.deal(&pool(), Some(&id("web")), &[]).unwrap()), 32);
}

#[test]
fn what_many_deal_and_take_back_at_once_is_never_twice_and_never_lost() {
    const EACH: usize = 6;
    let folder = quick_folder();
    let path = folder.path().join("ledger.db");
    let held = Mutex::new(BTreeSet::new());
    let work = || {
        let store = Store::open(&path).unwrap();
        for round in 0..40 {
            let dealt: Vec<IpAddr> = (0..EACH).map(|_| store.deal(&pool(), None, &[]).unwrap()).collect();
            for address in &dealt {
                assert!(held.lock().unwrap().insert(*address), "{address} is held twice, in round {round}");
            }
            for address in dealt {
                assert!(held.lock().unwrap().remove(&address));
                store.take_back(&pool(), address).unwrap();
            }
        }
    };
    std::thread::scope(|scope| (0..32 / EACH).for_each(|_| drop(scope.spawn(work))));
    let store = Store::open(&path).unwrap();
    let all: BTreeSet<i32> = (0..32).map(|_| last_octet(store.deal(&pool(), None, &[]).unwrap())).collect();
    assert_eq!(all, (32..64).collect());
}

#[test]
fn what_a_killed_process_was_told_is_done_stays_done() {
    let ledger = Ledger::with_network();
    let output = start("claim and be killed", "a", &ledger.path()).wait_with_output().unwrap();
    assert!(!output.status.success());
    assert!(ledger.store.endpoint(&id("a")).unwrap().is_some());
    assert!(matches!(claim(&ledger.store, "b"), Err(StoreError::AddressHeld { .. })));
}

#[test]
fn the_last_to_close_leaves_the_log_to_the_next_writer() {
    let ledger = Ledger::with_network();
    let (path, log) = (ledger.path(), ledger.folder.path().join("ledger.db-wal"));
    drop(ledger.store);
    assert!(log.metadata().unwrap().len() > 0, "no checkpoint on close");
    assert_eq!(Store::open(&path).unwrap().networks().unwrap().len(), 1);
}

#[test]
fn opening_waits_for_whoever_is_making_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let first = Connection::open(&path).unwrap();
    first.execute_batch("BEGIN IMMEDIATE; CREATE TABLE anything (x)").unwrap();
    let (say, hear) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| say.send(Store::open(&path).map(|_| ())).unwrap());
        let early = hear.recv_timeout(Duration::from_millis(200));
        assert!(early.is_err(), "{early:?} while another holds the file");
        first.execute_batch("ROLLBACK").unwrap();
        hear.recv().unwrap().unwrap();
    });
}
