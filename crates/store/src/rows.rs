//! Rows turned into the model's types.

use model::{
    Announcements, Endpoint, EndpointState, Generation, Ipam, Moment, Mtu, Network, NetworkId, NetworkState, Parent,
    Pool, PortSettings, SandboxLink, Subnet, VlanId,
};
use rusqlite::{Connection, Row};

use crate::StoreError;
use crate::record::Record;
use crate::reservations;

pub(crate) const NETWORK: &str = "SELECT id, parent_kind, parent, vlan_on, vlan_id, mode, flag, mtu, state, \
    announce_count, announce_interval_ms, segment, complete, ipam, frontend FROM network";
pub(crate) const ENDPOINT: &str = "SELECT endpoint.id, network, (SELECT frontend FROM network WHERE id = endpoint.network) AS frontend, \
    addresses, link_name, link_sysctls, link_routes, sandbox, generation, boot, endpoint.state FROM endpoint";

/// The generation the ledger is at.
pub(crate) fn generation(connection: &Connection) -> Result<Generation, StoreError> {
    let mut statement = connection.prepare_cached("SELECT generation FROM engine")?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => born_in(&Record::new("engine", row)),
        None => Err(StoreError::Corrupt { table: "engine", column: "generation", value: "nothing".into() }),
    }
}

/// The generation in the column of that name. SQLite's numbers have a sign; no engine lives long enough to need it.
fn born_in(record: &Record<'_>) -> Result<Generation, StoreError> {
    let number: i64 = record.plain("generation")?;
    u64::try_from(number).map(Generation).map_err(|_| record.corrupt("generation"))
}

/// A network with its subnets and pools.
pub(crate) fn network(connection: &Connection, row: &Row<'_>) -> Result<Network, StoreError> {
    let record = Record::new("network", row);
    let id: NetworkId = record.text("id")?;
    let states =
        [("creating", NetworkState::Creating), ("ready", NetworkState::Ready), ("deleting", NetworkState::Deleting)];
    let mtu: Option<u32> = record.plain("mtu")?;
    Ok(Network {
        frontend: record.text("frontend")?,
        parent: parent(&record)?,
        settings: PortSettings { mode: record.text("mode")?, flag: record.text("flag")? },
        mtu: mtu.map(|bytes| Mtu::try_from(bytes).map_err(|_| record.corrupt("mtu"))).transpose()?,
        announcements: announcements(&record)?,
        subnets: subnets(connection, &id)?,
        auxiliary: reservations::auxiliary(connection, &id)?,
        ipam: record.word("ipam", &[("engine", Ipam::Engine), ("ledger", Ipam::Ledger)])?,
        pools: pools(connection, &id)?,
        segment_name: record.text("segment")?,
        complete: record.plain("complete")?,
        state: record.word("state", &states)?,
        id,
    })
}

fn announcements(record: &Record<'_>) -> Result<Announcements, StoreError> {
    let (count, interval) = (record.plain("announce_count")?, record.plain("announce_interval_ms")?);
    Announcements::new(count, interval).map_err(|_| record.corrupt("announce_count"))
}

fn parent(record: &Record<'_>) -> Result<Parent, StoreError> {
    let name = record.text("parent")?;
    match record.plain::<String>("parent_kind")?.as_str() {
        "link" => Ok(Parent::Link(name)),
        "dummy" => Ok(Parent::Dummy(name)),
        "elsewhere" => Ok(Parent::Elsewhere(name)),
        "vlan" => {
            let id = VlanId::try_from(record.plain::<u16>("vlan_id")?).map_err(|_| record.corrupt("vlan_id"))?;
            Ok(Parent::Vlan { name, on: record.text("vlan_on")?, id })
        }
        _ => Err(record.corrupt("parent_kind")),
    }
}

fn subnets(connection: &Connection, network: &NetworkId) -> Result<Vec<Subnet>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT pool, gateway FROM subnet WHERE network = ? ORDER BY position")?;
    let mut rows = statement.query([network.as_str()])?;
    let mut subnets = Vec::new();
    while let Some(row) = rows.next()? {
        let record = Record::new("subnet", row);
        let subnet = Subnet::new(record.text("pool")?, record.optional("gateway")?);
        subnets.push(subnet.map_err(|_| record.corrupt("gateway"))?);
    }
    Ok(subnets)
}

fn pools(connection: &Connection, network: &NetworkId) -> Result<Vec<Pool>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT pool FROM network_pool WHERE network = ? ORDER BY position")?;
    let mut rows = statement.query([network.as_str()])?;
    let mut pools = Vec::new();
    while let Some(row) = rows.next()? {
        pools.push(Record::new("network_pool", row).text("pool")?);
    }
    Ok(pools)
}

/// An endpoint.
pub(crate) fn endpoint(row: &Row<'_>) -> Result<Endpoint, StoreError> {
    let record = Record::new("endpoint", row);
    let states = [
        ("created", EndpointState::Created),
        ("attaching", EndpointState::Attaching),
        ("attached", EndpointState::Attached),
        ("detaching", EndpointState::Detaching),
    ];
    Ok(Endpoint {
        id: record.text("id")?,
        network: record.text("network")?,
        frontend: record.text("frontend")?,
        addresses: record.text("addresses")?,
        set_up: set_up(&record)?,
        sandbox: record.optional("sandbox")?,
        born: Moment { generation: born_in(&record)?, boot: record.text("boot")? },
        state: record.word("state", &states)?,
    })
}

fn set_up(record: &Record<'_>) -> Result<Option<SandboxLink>, StoreError> {
    let Some(name) = record.optional("link_name")? else { return Ok(None) };
    Ok(Some(SandboxLink {
        name,
        sysctls: record.optional("link_sysctls")?.unwrap_or_default(),
        routes: record.optional("link_routes")?.unwrap_or_default(),
    }))
}
