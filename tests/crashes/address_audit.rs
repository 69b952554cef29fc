//! Who has which address: the ledger compared with what the engine knows.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::audit::{Fault, compared, list, text};
use crate::daemon::addresses;
use crate::engine::{Endpoint, Ipam, Network};
use crate::stage::Known;

/// What is held and nobody knows of, or known of and not held. What is in flight may have been done or not.
#[track_caller]
pub(crate) fn audit(known: &Known, in_flight: Option<&str>) -> Vec<Fault> {
    let ledger = addresses();
    let of_kind = |kind: &'static str| list(&ledger["addresses"]).into_iter().filter(move |held| held["kind"] == kind);
    let settled = |id: &str| Some(id) != in_flight;
    let dealt_for = || known.networks.iter().filter(|network| network.ipam == Ipam::Ledger);

    let held = |kind, whom: &'static str| -> BTreeSet<String> {
        let of_known = of_kind(kind).filter(|held| settled(&text(&held[whom])));
        of_known.map(|held| on_record(&held, &text(&held[whom]))).collect()
    };
    let endpoints = known.endpoints.keys().filter(|endpoint| settled(&endpoint.id));
    let mut faults = compared("lease", &held("endpoint", "endpoint"), &endpoints.map(expected_lease).collect());

    // What a network was dealt before it was made is nobody's yet.
    let of_nobody = |held: &String| held.ends_with(" of ");
    let unsure = known.unheard > 0 || in_flight.is_some();
    let mut gateways = held("gateway", "network");
    gateways.retain(|gateway| !(unsure && of_nobody(gateway)));
    let networks = dealt_for().filter(|network| settled(network.id));
    faults.extend(compared("gateway", &gateways, &networks.map(expected_gateway).collect()));

    let claims: BTreeSet<String> = of_kind("claim").map(|held| text(&held["address"])).collect();
    let leased: BTreeSet<String> = of_kind("endpoint").map(|held| text(&held["address"])).collect();
    let unknown: Vec<&String> = claims.difference(&known.owed).collect();
    if unknown.len() > known.unheard {
        faults.push(Fault::Leftover(format!("claims {unknown:?}, and {} calls were not answered", known.unheard)));
    }
    let lost = known.owed.iter().filter(|address| !claims.contains(*address) && !leased.contains(*address));
    faults.extend(lost.map(|address| Fault::Loss(format!("claim: {address}"))));

    let owned: BTreeSet<String> = dealt_for().filter(|network| settled(network.id)).map(Network::pool_id).collect();
    let mut pools: BTreeSet<String> = list(&ledger["pools"]).iter().map(|pool| text(&pool["id"])).collect();
    pools.retain(|pool| !unsure || owned.contains(pool));
    faults.extend(compared("pool", &pools, &owned));
    faults
}

fn on_record(held: &Value, whom: &str) -> String {
    format!("{} on {} of {whom}", text(&held["address"]), text(&held["segment"]))
}

fn expected_lease(endpoint: &Endpoint) -> String {
    format!("{} on {} of {}", endpoint.address(), endpoint.network.segment(), endpoint.id)
}

fn expected_gateway(network: &Network) -> String {
    format!("{} on {} of {}", network.gateway(), network.segment(), network.id)
}
