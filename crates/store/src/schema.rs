//! The tables, and how older ones become today's.

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// One script per version. What has been released is never changed; a new version is one more script.
const MIGRATIONS: [&str; 4] = [
    "
    CREATE TABLE engine (
        one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
        generation INTEGER NOT NULL
    ) STRICT;
    INSERT INTO engine VALUES (1, 0);

    CREATE TABLE network (
        id TEXT NOT NULL PRIMARY KEY,
        parent_kind TEXT NOT NULL CHECK (parent_kind IN ('link', 'vlan', 'dummy')),
        parent TEXT NOT NULL,
        vlan_on TEXT,
        vlan_id INTEGER,
        mode TEXT NOT NULL,
        flag TEXT NOT NULL,
        mtu INTEGER,
        state TEXT NOT NULL CHECK (state IN ('creating', 'ready', 'deleting'))
    ) STRICT;
    CREATE INDEX network_parent ON network (parent);

    CREATE TABLE subnet (
        network TEXT NOT NULL REFERENCES network (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        pool TEXT NOT NULL,
        gateway TEXT,
        PRIMARY KEY (network, position)
    ) STRICT;

    CREATE TABLE endpoint (
        id TEXT NOT NULL PRIMARY KEY,
        network TEXT NOT NULL REFERENCES network (id) ON DELETE CASCADE,
        v4 TEXT,
        v6 TEXT,
        sandbox TEXT,
        generation INTEGER NOT NULL,
        boot TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('created', 'attaching', 'attached', 'detaching'))
    ) STRICT;
    CREATE INDEX endpoint_network ON endpoint (network);

    CREATE TABLE lease (
        segment TEXT NOT NULL,
        address TEXT NOT NULL,
        endpoint TEXT NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
        PRIMARY KEY (segment, address)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX lease_endpoint ON lease (endpoint);
    ",
    "
    ALTER TABLE network ADD COLUMN announce_count INTEGER NOT NULL DEFAULT 3;
    ALTER TABLE network ADD COLUMN announce_interval_ms INTEGER NOT NULL DEFAULT 1000;
    ",
    "
    ALTER TABLE engine ADD COLUMN takes_whole_links INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE endpoint ADD COLUMN link_name TEXT;
    ALTER TABLE endpoint ADD COLUMN link_sysctls TEXT;
    ",
    "
    ALTER TABLE network ADD COLUMN segment TEXT NOT NULL DEFAULT 'default';
    ALTER TABLE network ADD COLUMN complete INTEGER NOT NULL DEFAULT 1 CHECK (complete IN (0, 1));
    ",
];

/// Brings the ledger up to date, in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).expect("a handful");
    if version(connection)? == known {
        return Ok(()); // and nobody had to wait
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it in the meantime.
    let found = version(&transaction)?;
    let Ok(done) = usize::try_from(found) else {
        return Err(StoreError::Corrupt { table: "the file", column: "user_version", value: found.to_string() });
    };
    let Some(missing) = MIGRATIONS.get(done..) else { return Err(StoreError::NewerSchema { found, known }) };
    for script in missing {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
