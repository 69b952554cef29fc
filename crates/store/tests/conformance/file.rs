//! Against the file: where it is made, and what it may hold.

use std::error::Error;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use model::{Adopted, Holding, Ipam, Network, Parent, Segment};
use rusqlite::Connection;
use store::{Store, StoreError};

use crate::{Ledger, endpoint, id};

/// The message with all of its causes.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[test]
fn the_folder_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let path = state.join("deep/ledger.db");
    Store::open(&path).unwrap();
    assert!(path.is_file());
    assert_eq!(state.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn what_is_no_ledger_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    std::fs::write(&path, "this is a text, and a long one, so that it is no empty database".repeat(20)).unwrap();
    for path in [path.clone(), folder.path().to_owned(), path.join("below/ledger.db")] {
        let Err(error) = Store::open(&path) else { panic!("{path:?} was opened") };
        assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("the ledger {} cannot be opened", path.display()));
        assert!(chain(&error).len() > error.to_string().len() && !error.hint().is_empty());
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let ledger = Ledger::with_network();
    let raw = Connection::open(ledger.path()).unwrap();
    raw.pragma_update(None, "user_version", 1000).unwrap();
    let Err(error) = Store::open(&ledger.path()) else { panic!("it was opened") };
    assert!(matches!(error, StoreError::NewerSchema { found: 1000, .. }), "{error:?}");
    assert!(error.to_string().starts_with("the ledger has schema 1000 and this version knows up to "));
    let version: i64 = raw.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 1000);
}

/// What takes a ledger from its version back to the one before.
const BACKWARDS: [&str; 6] = [
    "ALTER TABLE network DROP COLUMN announce_count; ALTER TABLE network DROP COLUMN announce_interval_ms",
    "ALTER TABLE engine DROP COLUMN takes_whole_links;
     ALTER TABLE endpoint DROP COLUMN link_name; ALTER TABLE endpoint DROP COLUMN link_sysctls",
    "ALTER TABLE network DROP COLUMN segment; ALTER TABLE network DROP COLUMN complete",
    "DROP TABLE lease; DROP TABLE reservation; DROP TABLE rest; DROP TABLE pool; ALTER TABLE network DROP COLUMN ipam;
     CREATE TABLE lease (
         segment TEXT NOT NULL, address TEXT NOT NULL,
         endpoint TEXT NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
         PRIMARY KEY (segment, address)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX lease_endpoint ON lease (endpoint);
     INSERT INTO lease VALUES
         ('default', '192.168.1.2', 'a'), ('default', '2001:db8::2', 'a'), ('isolated:apart', '192.168.1.2', 'b')",
    "ALTER TABLE network DROP COLUMN frontend; ALTER TABLE endpoint DROP COLUMN link_routes;
     ALTER TABLE endpoint ADD COLUMN v4 TEXT; ALTER TABLE endpoint ADD COLUMN v6 TEXT;
     UPDATE endpoint SET v4 = '192.168.1.2/24', v6 = iif(id = 'a', '2001:db8::2/64', NULL);
     ALTER TABLE endpoint DROP COLUMN addresses",
    "DROP TABLE network_pool",
];

#[test]
fn an_older_schema_is_brought_up_to_date_with_all_it_holds() {
    for version in 1..=BACKWARDS.len() {
        let ledger = Ledger::with_network();
        ledger.store.claim(&endpoint("a", Some("192.168.1.2/24"), Some("2001:db8::2/64"))).unwrap();
        let isolated = Network { parent: Parent::dummy_for(&id("apart")), ..crate::network("apart", "-") };
        ledger.store.add_network(&isolated).unwrap();
        ledger.store.confirm_network(&id("apart")).unwrap();
        ledger.store.claim(&endpoint("apart/b", Some("192.168.1.2/24"), None)).unwrap();
        ledger.store.begin_generation().unwrap();
        let held = |store: &Store| (store.networks().unwrap(), store.endpoints().unwrap(), store.generation().unwrap());
        // Since when was not on record.
        let holdings = |store: &Store| {
            let timeless = store.holdings().unwrap().into_iter().map(|one| Holding { since: None, ..one });
            timeless.collect::<Vec<_>>()
        };
        let before = (held(&ledger.store), holdings(&ledger.store));
        let raw = Connection::open(ledger.path()).unwrap();
        BACKWARDS[version - 1..].iter().rev().for_each(|script| raw.execute_batch(script).unwrap());
        raw.execute_batch(&format!("PRAGMA user_version = {version}")).unwrap();

        let store = Store::open(&ledger.path()).unwrap();
        assert_eq!((held(&store), holdings(&store)), before, "from version {version}");
        let thief = store.claim(&endpoint("c", Some("192.168.1.2/24"), None)).unwrap_err();
        assert!(matches!(thief, StoreError::AddressHeld { .. }), "{thief}");
        assert_eq!(store.deal(&id(POOL), None, &[]).unwrap().to_string(), "192.168.1.3", "what is held is passed over");
        assert_eq!(store.gateway(&id(POOL), None, &[]).unwrap().to_string(), "192.168.1.1");
    }
}

/// A ledger with something in every table: a network with an auxiliary address and a pool, an endpoint, claims, an address that rests,
/// and one of each reservation.
fn full() -> Ledger {
    let ledger = Ledger::new();
    let auxiliary = vec!["192.168.1.9".parse().unwrap()];
    let (ipam, pools) = (Ipam::Ledger, vec![id(POOL)]);
    ledger.store.add_network(&Network { auxiliary, ipam, pools, ..crate::network("net", "eth0") }).unwrap();
    ledger.store.confirm_network(&id("net")).unwrap();
    let deal = |name| ledger.store.deal(&id(POOL), Some(&id(name)), &[]).unwrap();
    let (_, resting, foreign) = (deal("a"), deal("b"), deal("c"));
    ledger.store.claim(&endpoint("a", Some("192.168.1.2/24"), None)).unwrap();
    ledger.store.take_back(&id(POOL), resting).unwrap();
    let (mac, hour) = (id("02:00:00:00:00:01"), Duration::from_secs(3600));
    ledger.store.yield_to(&id(POOL), foreign, mac, hour).unwrap();
    ledger.store.pin(&Segment::default(), &id("web"), "192.168.1.77".parse().unwrap()).unwrap();
    let adopted = Adopted::new("192.168.1.78".parse().unwrap(), "a bridge");
    ledger.store.adopt(&Segment::default(), &[adopted]).unwrap();
    ledger
}

const POOL: &str = "v1/default/192.168.1.0/24/192.168.1.0/24";

/// What every reading verb says of a full ledger after somebody has run `damage`.
fn after(damage: &str) -> Vec<String> {
    let ledger = full();
    let raw = Connection::open(ledger.path()).unwrap();
    raw.execute_batch(&format!("PRAGMA ignore_check_constraints = TRUE; PRAGMA foreign_keys = FALSE; {damage}"))
        .unwrap();
    let store = Store::open(&ledger.path()).unwrap();
    let answers = [
        store.networks().err(),
        store.network(&id("net")).err(),
        store.endpoints().err(),
        store.endpoint(&id("a")).err(),
        store.on_parent(&id("eth0")).err(),
        store.generation().err(),
        store.claim(&endpoint("b", Some("192.168.1.2/24"), None)).err(),
        store.claim(&endpoint("a", Some("192.168.1.3/24"), None)).err(),
        store.add_network(&crate::network("net", "eth0")).err(),
        store.add_network(&crate::network("new", "eth0")).err(),
        store.holdings().err(),
        store.who_has(None, "192.168.1.2".parse().unwrap()).err(),
        store.pools().err(),
        store.holder_by_name(&id(POOL), &id("a")).err(),
        store.segments_with("192.168.1.0/24".parse().unwrap()).err(),
        store.gateway(&id(POOL), None, &[]).err(),
        store.deal_this(&id(POOL), None, "192.168.1.4".parse().unwrap()).err(),
        store.deal(&id(POOL), Some(&id("web")), &[]).err(),
        store.deal(&id(POOL), Some(&id("b")), &[]).err(),
        store.deal(&id(POOL), None, &[]).err(),
        store.begin_generation().err(),
    ];
    let corrupt = |error: StoreError| match &error {
        StoreError::Corrupt { table, column, .. } => {
            assert!(error.to_string().contains(&format!("{column} of {table}")), "{error}");
            Some(format!("{table}.{column}"))
        }
        StoreError::Sql(source) => panic!("{damage}: {source} is no answer to a damaged row"),
        _ => None,
    };
    let mut said: Vec<String> = answers.into_iter().flatten().filter_map(corrupt).collect();
    said.sort();
    said.dedup();
    said
}

#[test]
fn every_damaged_column_is_named_and_nothing_is_guessed() {
    for (damage, named) in [
        ("UPDATE network SET id = 'a b'", "endpoint.frontend lease.frontend network.id"),
        ("UPDATE network SET parent_kind = 'bridge'", "network.parent_kind"),
        ("UPDATE network SET parent = 'a/b'", "network.parent"),
        ("UPDATE network SET parent = 'sixteen-bytes-xx'", "network.parent"),
        ("UPDATE network SET parent_kind = 'vlan', vlan_on = 'eth0', vlan_id = 0", "network.vlan_id"),
        ("UPDATE network SET parent_kind = 'vlan', vlan_on = 'eth0', vlan_id = 70000", "network.vlan_id"),
        ("UPDATE network SET parent_kind = 'vlan', vlan_on = 'eth0'", "network.vlan_id"),
        ("UPDATE network SET parent_kind = 'vlan', vlan_id = 10", "network.vlan_on"),
        ("UPDATE network SET mode = 'l4'", "network.mode"),
        ("UPDATE network SET flag = ''", "network.flag"),
        ("UPDATE network SET mtu = 0", "network.mtu"),
        ("UPDATE network SET mtu = -1", "network.mtu"),
        ("UPDATE network SET state = 'READY'", "network.state"),
        ("UPDATE network SET segment = 'a:b'", "network.segment"),
        ("UPDATE network SET mode = CAST(x'ff' AS TEXT)", "network.mode"),
        ("UPDATE subnet SET pool = '192.168.1.0'", "subnet.pool"),
        ("UPDATE subnet SET gateway = 'fe80::1' WHERE position = 0", "subnet.gateway"),
        ("UPDATE subnet SET gateway = 'router' WHERE position = 0", "subnet.gateway"),
        ("UPDATE network_pool SET pool = 'LocalDefault'", "network_pool.pool"),
        ("UPDATE endpoint SET id = ''", "endpoint.id lease.endpoint"),
        ("UPDATE endpoint SET network = ''", "endpoint.network"),
        ("UPDATE network SET frontend = 'nobody'", "endpoint.frontend lease.frontend network.frontend"),
        ("UPDATE endpoint SET addresses = '192.168.1.2/33'", "endpoint.addresses"),
        ("UPDATE endpoint SET addresses = '192.168.1.2/24 2001:db8::1/129'", "endpoint.addresses"),
        ("UPDATE endpoint SET link_name = 'lan0', link_routes = 'everywhere'", "endpoint.link_routes"),
        ("UPDATE endpoint SET sandbox = 'relative'", "endpoint.sandbox"),
        ("UPDATE endpoint SET generation = -1", "endpoint.generation"),
        ("UPDATE endpoint SET boot = ''", "endpoint.boot"),
        ("UPDATE endpoint SET state = 'attached '", "endpoint.state"),
        ("UPDATE lease SET endpoint = 'nobody'", "lease.endpoint"),
        ("UPDATE lease SET segment = 'a b'", "lease.segment"),
        ("UPDATE lease SET address = x'0400'", "lease.address"),
        ("UPDATE lease SET name = ''", "lease.name"),
        ("UPDATE pool SET id = 'v1/default/192.168.1.0/24'", "pool.id"),
        ("UPDATE pool SET segment = ''", "pool.segment"),
        ("UPDATE pool SET frontier = x'05'", "pool.frontier"),
        ("UPDATE pool SET frontier = x'0400000001'", "pool.frontier"),
        ("UPDATE rest SET address = x'0401020304' WHERE name = 'b'", "rest.address"),
        ("UPDATE rest SET address = x'' WHERE name = 'b'", "rest.address"),
        ("UPDATE reservation SET segment = 'a/b'", "reservation.segment"),
        ("UPDATE reservation SET address = x'0601' WHERE kind = 'gateway'", "reservation.address"),
        ("UPDATE reservation SET address = x'ff' WHERE kind = 'auxiliary'", "reservation.address"),
        ("UPDATE reservation SET address = x'ff' WHERE kind = 'pinned'", "reservation.address"),
        ("UPDATE reservation SET kind = 'lent'", "reservation.kind"),
        ("UPDATE reservation SET network = NULL WHERE kind = 'auxiliary'", "reservation.kind"),
        ("UPDATE reservation SET network = '' WHERE kind = 'gateway'", "reservation.network"),
        ("UPDATE reservation SET holder = '' WHERE kind = 'pinned'", "reservation.holder"),
        ("UPDATE reservation SET holder = NULL WHERE kind = 'adopted'", "reservation.holder"),
        ("UPDATE reservation SET holder = 'somebody' WHERE kind = 'foreign'", "reservation.holder"),
        ("UPDATE reservation SET until = NULL WHERE kind = 'foreign'", "reservation.until"),
        ("UPDATE network SET ipam = 'nobody'", "network.ipam"),
        ("UPDATE engine SET generation = -7", "engine.generation"),
        ("DELETE FROM engine", "engine.generation"),
    ] {
        assert_eq!(after(damage).join(" "), named, "{damage}");
    }
}

#[test]
fn a_file_with_holes_is_an_error_and_never_a_panic() {
    let ledger = full();
    Connection::open(ledger.path()).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let whole = std::fs::read(ledger.path()).unwrap();
    assert!(whole.len() > 8192, "the checkpoint has brought the rows here");
    let folder = tempfile::tempdir().unwrap();
    for page in 0..whole.len() / 4096 {
        let mut holed = whole.clone();
        let hole = page * 4096 + if page == 0 { 100 } else { 0 };
        holed[hole..(page + 1) * 4096].fill(0xa5);
        let path = folder.path().join(format!("holed-{page}.db"));
        std::fs::write(&path, holed).unwrap();
        read_everything(&path);
    }
}

/// What it says does not matter, as long as it says it.
fn read_everything(path: &Path) {
    let Ok(store) = Store::open(path) else { return };
    let _ = (store.networks(), store.endpoints(), store.on_parent(&id("eth0")), store.generation());
    let _ = store.claim(&endpoint("b", Some("192.168.1.2/24"), None));
    let _ = (store.holdings(), store.pools(), store.gateway(&id(POOL), None, &[]));
    let _ = (store.deal(&id(POOL), Some(&id("b")), &[]), store.take_back(&id(POOL), "192.168.1.4".parse().unwrap()));
    let _ = store.begin_generation();
}
