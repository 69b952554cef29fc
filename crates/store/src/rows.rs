//! Rows, parsed: what stands in the file is believed only as far as it can be read.

use std::str::FromStr;

use model::{
    Addresses, Endpoint, EndpointState, Generation, Moment, Mtu, Network, NetworkState, Parent, PortSettings, Subnet,
    VlanId,
};
use rusqlite::{Connection, Row};

use crate::StoreError;

pub(crate) const NETWORK: &str =
    "SELECT id, parent_kind, parent, vlan_on, vlan_id, mode, flag, mtu, state FROM network";
pub(crate) const ENDPOINT: &str =
    "SELECT endpoint.id, network, v4, v6, sandbox, generation, boot, endpoint.state FROM endpoint";

fn corrupt(table: &'static str, column: &'static str, value: &impl ToString) -> StoreError {
    StoreError::Corrupt { table, column, value: value.to_string() }
}

fn text<T: FromStr>(row: &Row<'_>, table: &'static str, column: &'static str) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| corrupt(table, column, &text))
}

fn optional<T: FromStr>(row: &Row<'_>, table: &'static str, column: &'static str) -> Result<Option<T>, StoreError> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|_| corrupt(table, column, &text))).transpose()
}

pub(crate) fn generation(number: i64) -> Result<Generation, StoreError> {
    u64::try_from(number).map(Generation).map_err(|_| corrupt("engine", "generation", &number))
}

/// A network with its subnets.
pub(crate) fn network(connection: &Connection, row: &Row<'_>) -> Result<Network, StoreError> {
    const TABLE: &str = "network";
    let kind: String = row.get("parent_kind")?;
    let parent = match kind.as_str() {
        "link" => Parent::Link(text(row, TABLE, "parent")?),
        "dummy" => Parent::Dummy(text(row, TABLE, "parent")?),
        "vlan" => {
            let id: u16 = row.get("vlan_id")?;
            Parent::Vlan {
                name: text(row, TABLE, "parent")?,
                on: text(row, TABLE, "vlan_on")?,
                id: VlanId::try_from(id).map_err(|_| corrupt(TABLE, "vlan_id", &id))?,
            }
        }
        _ => return Err(corrupt(TABLE, "parent_kind", &kind)),
    };
    let mtu: Option<u32> = row.get("mtu")?;
    let state: String = row.get("state")?;
    Ok(Network {
        id: text(row, TABLE, "id")?,
        parent,
        settings: PortSettings { mode: text(row, TABLE, "mode")?, flag: text(row, TABLE, "flag")? },
        mtu: mtu.map(|mtu| Mtu::try_from(mtu).map_err(|_| corrupt(TABLE, "mtu", &mtu))).transpose()?,
        subnets: subnets(connection, &row.get::<_, String>("id")?)?,
        state: match state.as_str() {
            "creating" => NetworkState::Creating,
            "ready" => NetworkState::Ready,
            "deleting" => NetworkState::Deleting,
            _ => return Err(corrupt(TABLE, "state", &state)),
        },
    })
}

fn subnets(connection: &Connection, network: &str) -> Result<Vec<Subnet>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT pool, gateway FROM subnet WHERE network = ? ORDER BY position")?;
    let mut rows = statement.query([network])?;
    let mut subnets = Vec::new();
    while let Some(row) = rows.next()? {
        let subnet = Subnet::new(text(row, "subnet", "pool")?, optional(row, "subnet", "gateway")?);
        subnets.push(subnet.map_err(|error| corrupt("subnet", "gateway", &error))?);
    }
    Ok(subnets)
}

pub(crate) fn endpoint(row: &Row<'_>) -> Result<Endpoint, StoreError> {
    const TABLE: &str = "endpoint";
    let state: String = row.get("state")?;
    Ok(Endpoint {
        id: text(row, TABLE, "id")?,
        network: text(row, TABLE, "network")?,
        addresses: Addresses { v4: optional(row, TABLE, "v4")?, v6: optional(row, TABLE, "v6")? },
        sandbox: optional(row, TABLE, "sandbox")?,
        born: Moment { generation: generation(row.get("generation")?)?, boot: text(row, TABLE, "boot")? },
        state: match state.as_str() {
            "created" => EndpointState::Created,
            "attaching" => EndpointState::Attaching,
            "attached" => EndpointState::Attached,
            "detaching" => EndpointState::Detaching,
            _ => return Err(corrupt(TABLE, "state", &state)),
        },
    })
}
