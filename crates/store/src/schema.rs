//! The tables, and how older ones become today's.

use std::net::IpAddr;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;
use crate::keys::key;

/// One script per version. What has been released is never changed; a new version is one more script.
const MIGRATIONS: [&str; 7] = [
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
    "
    ALTER TABLE network ADD COLUMN ipam TEXT NOT NULL DEFAULT 'engine' CHECK (ipam IN ('engine', 'ledger'));

    CREATE TABLE pool (
        id TEXT NOT NULL PRIMARY KEY,
        segment TEXT NOT NULL,
        subnet TEXT NOT NULL,
        first BLOB NOT NULL,
        last BLOB NOT NULL,
        frontier BLOB
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX pool_segment ON pool (segment);

    CREATE TABLE rest (
        turn INTEGER NOT NULL PRIMARY KEY,
        pool TEXT NOT NULL REFERENCES pool (id) ON DELETE CASCADE,
        address BLOB NOT NULL,
        since INTEGER NOT NULL,
        name TEXT,
        UNIQUE (pool, address)
    ) STRICT;
    CREATE INDEX rest_order ON rest (pool, since, turn);
    CREATE INDEX rest_name ON rest (pool, name) WHERE name IS NOT NULL;

    CREATE TABLE reservation (
        segment TEXT NOT NULL,
        address BLOB NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('gateway', 'auxiliary', 'pinned', 'adopted', 'foreign')),
        network TEXT REFERENCES network (id) ON DELETE CASCADE,
        holder TEXT,
        since INTEGER,
        until INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX reservation_once ON reservation (segment, address, kind, ifnull(network, ''));
    CREATE INDEX reservation_network ON reservation (network) WHERE network IS NOT NULL;
    CREATE INDEX reservation_pinned ON reservation (segment, holder) WHERE kind = 'pinned';
    INSERT INTO reservation
        SELECT iif(parent_kind = 'dummy', 'isolated:' || id, segment), address_key(gateway), 'gateway', id, NULL, NULL, NULL
        FROM subnet JOIN network ON network.id = subnet.network WHERE gateway IS NOT NULL
        ON CONFLICT DO NOTHING;

    CREATE TABLE held (
        segment TEXT NOT NULL,
        address BLOB NOT NULL,
        endpoint TEXT REFERENCES endpoint (id) ON DELETE CASCADE,
        pool TEXT,
        owed INTEGER NOT NULL CHECK (owed IN (0, 1)),
        name TEXT,
        since INTEGER NOT NULL,
        CHECK (endpoint IS NOT NULL OR owed = 1),
        PRIMARY KEY (segment, address)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO held SELECT segment, address_key(address), endpoint, NULL, 0, NULL, unixepoch() * 1000 FROM lease;
    DROP TABLE lease;
    ALTER TABLE held RENAME TO lease;
    CREATE INDEX lease_endpoint ON lease (endpoint) WHERE endpoint IS NOT NULL;
    CREATE INDEX lease_unbound ON lease (since) WHERE endpoint IS NULL;
    CREATE INDEX lease_name ON lease (pool, name) WHERE name IS NOT NULL;
    ",
    "
    CREATE TABLE renewed (
        id TEXT NOT NULL PRIMARY KEY,
        parent_kind TEXT NOT NULL CHECK (parent_kind IN ('link', 'vlan', 'dummy', 'elsewhere')),
        parent TEXT NOT NULL,
        vlan_on TEXT,
        vlan_id INTEGER,
        mode TEXT NOT NULL,
        flag TEXT NOT NULL,
        mtu INTEGER,
        state TEXT NOT NULL CHECK (state IN ('creating', 'ready', 'deleting')),
        announce_count INTEGER NOT NULL,
        announce_interval_ms INTEGER NOT NULL,
        segment TEXT NOT NULL,
        complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
        ipam TEXT NOT NULL CHECK (ipam IN ('engine', 'ledger')),
        frontend TEXT NOT NULL CHECK (frontend IN ('docker', 'cni', 'netavark', 'shell'))
    ) STRICT;
    INSERT INTO renewed
        SELECT id, parent_kind, parent, vlan_on, vlan_id, mode, flag, mtu, state, announce_count, announce_interval_ms,
            segment, complete, ipam, 'docker'
        FROM network;
    DROP TABLE network;
    ALTER TABLE renewed RENAME TO network;
    CREATE INDEX network_parent ON network (parent);

    ALTER TABLE endpoint ADD COLUMN addresses TEXT NOT NULL DEFAULT '';
    UPDATE endpoint SET addresses = trim(ifnull(v4, '') || ' ' || ifnull(v6, ''));
    ALTER TABLE endpoint DROP COLUMN v4;
    ALTER TABLE endpoint DROP COLUMN v6;
    ALTER TABLE endpoint ADD COLUMN link_routes TEXT;
    ",
    "
    CREATE TABLE network_pool (
        network TEXT NOT NULL REFERENCES network (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        pool TEXT NOT NULL,
        PRIMARY KEY (network, position)
    ) STRICT;
    ",
];

/// Brings the ledger up to date, in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).expect("a handful");
    if version(connection)? == known {
        return Ok(()); // and nobody had to wait
    }
    // A table that makes room for its successor would take along what refers to it. Inside a transaction this is ignored.
    connection.pragma_update(None, "foreign_keys", false)?;
    renew(connection, known)?;
    Ok(connection.pragma_update(None, "foreign_keys", true)?)
}

fn renew(connection: &mut Connection, known: i64) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it in the meantime.
    let found = version(&transaction)?;
    let Ok(done) = usize::try_from(found) else {
        return Err(StoreError::Corrupt { table: "the file", column: "user_version", value: found.to_string() });
    };
    let Some(missing) = MIGRATIONS.get(done..) else { return Err(StoreError::NewerSchema { found, known }) };
    transaction.create_scalar_function("address_key", 1, FunctionFlags::SQLITE_DETERMINISTIC, |call| {
        let address: IpAddr =
            call.get::<String>(0)?.parse().map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))?;
        Ok(key(address))
    })?;
    for script in missing {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
