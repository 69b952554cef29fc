//! What a fuzzer throws at the parsers of this crate; `fuzz/` has the targets and their corpora.

use rusqlite::Connection;

use crate::{Store, schema};

/// The columns of the tables of networks, subnets and endpoints that hold text, in this order, a line each.
const COLUMNS: [(&str, &str); 15] = [
    ("network", "id"),
    ("network", "parent_kind"),
    ("network", "parent"),
    ("network", "vlan_on"),
    ("network", "mode"),
    ("network", "flag"),
    ("network", "state"),
    ("subnet", "pool"),
    ("subnet", "gateway"),
    ("endpoint", "v4"),
    ("endpoint", "v6"),
    ("endpoint", "sandbox"),
    ("endpoint", "boot"),
    ("endpoint", "link_name"),
    ("endpoint", "link_sysctls"),
];

/// A ledger that lies: each line of the text is what stands in one column of its records.
pub fn records(text: &[u8]) {
    let mut connection = Connection::open_in_memory().expect("memory is there");
    schema::migrate(&mut connection).expect("the scripts are sound");
    connection
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON;
             PRAGMA foreign_keys = OFF;
             INSERT INTO network (id, parent_kind, parent, vlan_id, mode, flag, mtu, state)
                 VALUES ('n', 'link', 'eth0', 10, 'l2', 'bridge', 1400, 'ready');
             INSERT INTO subnet VALUES ('n', 0, '10.0.0.0/8', NULL);
             INSERT INTO endpoint (id, network, generation, boot, state) VALUES ('e', 'n', 1, 'b', 'created');",
        )
        .expect("the tables are there");
    for ((table, column), value) in COLUMNS.iter().zip(text.split(|byte| *byte == b'\n')) {
        let value = String::from_utf8_lossy(value);
        connection.execute(&format!("UPDATE {table} SET {column} = ?"), [value]).expect("any text may stand there");
    }
    let store = Store { connection: connection.into(), clock: Box::new(std::time::SystemTime::now) };
    let _ = (store.networks().is_ok(), store.endpoints().is_ok());
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
