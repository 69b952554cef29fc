//! What a fuzzer throws at the parsers of this crate; `fuzz/` has the targets and their corpora.

use rusqlite::Connection;

use crate::{Store, schema};

/// The columns that hold what is read as one of the model's values, in this order, a line each.
const COLUMNS: [(&str, &str); 29] = [
    ("network", "id"),
    ("network", "parent_kind"),
    ("network", "parent"),
    ("network", "vlan_on"),
    ("network", "mode"),
    ("network", "flag"),
    ("network", "state"),
    ("subnet", "pool"),
    ("subnet", "gateway"),
    ("endpoint", "addresses"),
    ("endpoint", "link_routes"),
    ("endpoint", "sandbox"),
    ("endpoint", "boot"),
    ("endpoint", "link_name"),
    ("endpoint", "link_sysctls"),
    ("network", "segment"),
    ("network", "ipam"),
    ("lease", "segment"),
    ("lease", "address"),
    ("lease", "name"),
    ("pool", "id"),
    ("pool", "frontier"),
    ("rest", "address"),
    ("rest", "name"),
    ("reservation", "segment"),
    ("reservation", "address"),
    ("reservation", "kind"),
    ("reservation", "holder"),
    ("network", "frontend"),
];

/// What the ledger under test is asked for.
const POOL: &str = "v1/default/12.0.0.0/29/12.0.0.0/29";

/// A ledger that lies: each line of the text is what stands in one column of its records.
pub fn records(text: &[u8]) {
    let mut connection = Connection::open_in_memory().expect("memory is there");
    schema::migrate(&mut connection).expect("the scripts are sound");
    connection
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON;
             PRAGMA foreign_keys = OFF;
             INSERT INTO network VALUES
                 ('n', 'link', 'eth0', NULL, 10, 'l2', 'bridge', 1400, 'ready', 3, 1000, 'default', 1, 'engine', 'docker');
             INSERT INTO subnet VALUES ('n', 0, '10.0.0.0/8', NULL);
             INSERT INTO endpoint (id, network, generation, boot, state) VALUES ('e', 'n', 1, 'b', 'created');
             INSERT INTO pool VALUES ('v1/default/12.0.0.0/29/12.0.0.0/29', 'default', '12.0.0.0/29',
                 x'040c000001', x'040c000006', x'040c000003');
             INSERT INTO lease VALUES ('default', x'040c000001', 'e', NULL, 1, NULL, 0);
             INSERT INTO rest VALUES (1, 'v1/default/12.0.0.0/29/12.0.0.0/29', x'040c000002', 0, 'web');
             INSERT INTO reservation VALUES ('default', x'040c000004', 'foreign', NULL, '02:00:00:00:00:01', 0, 1);",
        )
        .expect("the tables are there");
    for ((table, column), value) in COLUMNS.iter().zip(text.split(|byte| *byte == b'\n')) {
        let lie = format!("UPDATE {table} SET {column} = ?");
        let told = match *column {
            "address" | "frontier" => connection.execute(&lie, [value]),
            _ => connection.execute(&lie, [String::from_utf8_lossy(value)]),
        };
        told.expect("anything may stand there");
    }
    let store = Store { connection: connection.into(), clock: Box::new(std::time::SystemTime::now) };
    let _ = (store.networks().is_ok(), store.endpoints().is_ok(), store.holdings().is_ok(), store.pools().is_ok());
    let (pool, name) = (POOL.parse().expect("a pool"), "web".parse().expect("a name"));
    let _ = (store.gateway(&pool, None, &[]).is_ok(), store.deal(&pool, Some(&name), &[]).is_ok());
    while store.deal(&pool, None, &[]).is_ok() {}
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_read_without_a_panic() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/records");
        let inputs: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
        assert!(inputs.len() > 1, "there is a corpus");
        inputs.iter().for_each(|input| super::records(input));
    }
}
