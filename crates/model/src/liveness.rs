//! Who is alive.
//!
//! An endpoint lives if its slave is found in its sandbox. Everything else is a question of age: what an engine was
//! still busy with when it died, dies with it.

use crate::endpoint::{Endpoint, EndpointState};
use crate::moment::Moment;
use crate::observed::Place;

/// What is to be thought of an endpoint's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its slave is in its sandbox.
    Lives,
    /// The engine that made it is still about to use it, or to remove it.
    Pending,
    /// It was attached, its engine lives, and its slave is gone: the parent vanished, or somebody deleted it. The
    /// record stays until the engine removes it or somebody needs the address.
    Missing,
    /// It died with its engine or with the machine; or its slave is gone, and there is no engine that would come for it.
    Dead,
}

/// Judges an endpoint by where its slave was found and by the present moment.
pub fn judge(endpoint: &Endpoint, slave: Option<&Place>, now: &Moment) -> Verdict {
    if endpoint.born.boot != now.boot {
        return Verdict::Dead;
    }
    match slave {
        Some(Place::Sandbox(_)) => Verdict::Lives,
        _ if !endpoint.frontend.has_engine() || endpoint.born.generation != now.generation => Verdict::Dead,
        Some(Place::Host) => Verdict::Pending,
        None if endpoint.state == EndpointState::Attached => Verdict::Missing,
        None => Verdict::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Addresses;
    use crate::frontend::Frontend;
    use crate::moment::Generation;

    fn moment(generation: u64, boot: &str) -> Moment {
        Moment { generation: Generation(generation), boot: boot.parse().unwrap() }
    }

    fn check(frontend: Frontend, state: EndpointState, slave: Option<&Place>, generation: u64, boot: &str) -> Verdict {
        let endpoint = Endpoint {
            id: "e".parse().unwrap(),
            network: "n".parse().unwrap(),
            frontend,
            addresses: Addresses::default(),
            set_up: None,
            sandbox: None,
            born: moment(1, "b"),
            state,
        };
        judge(&endpoint, slave, &moment(generation, boot))
    }

    #[test]
    fn the_slave_decides_first_then_age() {
        let sandbox = Place::Sandbox("/var/run/docker/netns/a".parse().unwrap());
        for (state, slave, generation, boot, verdict) in [
            (EndpointState::Attached, Some(&sandbox), 1, "b", Verdict::Lives),
            (EndpointState::Attached, Some(&sandbox), 2, "b", Verdict::Lives),
            (EndpointState::Attached, Some(&sandbox), 1, "c", Verdict::Dead),
            (EndpointState::Attached, Some(&Place::Host), 1, "b", Verdict::Pending),
            (EndpointState::Attached, Some(&Place::Host), 2, "b", Verdict::Dead),
            (EndpointState::Attached, None, 1, "b", Verdict::Missing),
            (EndpointState::Attached, None, 2, "b", Verdict::Dead),
            (EndpointState::Created, None, 1, "b", Verdict::Pending),
            (EndpointState::Created, None, 2, "b", Verdict::Dead),
        ] {
            let judged = check(Frontend::Docker, state, slave, generation, boot);
            assert_eq!(judged, verdict, "{state:?} {slave:?} {generation} {boot}");
        }
    }

    #[test]
    fn without_an_engine_an_endpoint_lives_as_its_slave_does() {
        let sandbox = Place::Sandbox("/run/netns/a".parse().unwrap());
        for frontend in [Frontend::Cni, Frontend::Netavark, Frontend::Shell] {
            for state in [EndpointState::Created, EndpointState::Attaching, EndpointState::Attached] {
                for generation in [1, 2] {
                    let judged = |slave, boot| check(frontend, state, slave, generation, boot);
                    assert_eq!(judged(Some(&sandbox), "b"), Verdict::Lives);
                    assert_eq!(judged(Some(&sandbox), "c"), Verdict::Dead);
                    assert_eq!(judged(Some(&Place::Host), "b"), Verdict::Dead);
                    assert_eq!(judged(None, "b"), Verdict::Dead);
                }
            }
        }
    }
}
