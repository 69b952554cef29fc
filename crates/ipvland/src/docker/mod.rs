//! The Docker frontend: a network plugin, as `pkg/plugins` and `libnetwork/drivers/remote` in moby speak to it.
//!
//! `POST /Method` with a JSON body, and an answer that is always a JSON object. `wire` has the shapes of both and turns
//! requests into values of the model at once, `options` reads what users and engines put into option maps, `calls` lists
//! what can be called, `driver` and `ipam` have one function per call, `routes` puts them behind HTTP. `inquiry` goes the other way: it asks the engine.

mod calls;
mod driver;
mod inquiry;
mod ipam;
mod options;
mod refusal;
mod routes;
mod wire;

pub(crate) use inquiry::{containers, networks};
pub(crate) use routes::routes;

/// Reads what a handler would of a call: its name, a line break, and its body.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_call(input: &[u8]) {
    use options::{EndpointOptions, NetworkOptions};
    use wire::{
        CreateEndpoint, CreateNetwork, Discovery, GwAllocCheck, Join, OfEndpoint, OfNetwork, OfPool, ReleaseAddress,
        RequestAddress, RequestPool, read,
    };

    let line = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let body = input.get(line + 1..).unwrap_or_default();
    match &input[..line] {
        b"CreateNetwork" => {
            let Ok(call) = read::<CreateNetwork>(body) else { return };
            let _ = (call.network(), call.subnets(), call.auxiliary(), call.ipam());
            let _ = NetworkOptions::read(&call.options).map(|options| options.require_pools(call.families()));
        }
        b"CreateEndpoint" => {
            let Ok(call) = read::<CreateEndpoint>(body) else { return };
            let _ = (call.ids.network(), call.ids.endpoint(), call.addresses(), call.mac());
            let _ = EndpointOptions::read(&call.options);
        }
        b"Join" => drop(read::<Join>(body).map(|call| (call.ids.network().is_ok(), call.sandbox().is_ok()))),
        b"GwAllocCheck" => {
            let _ = read::<GwAllocCheck>(body).and_then(|call| NetworkOptions::read(&call.options));
        }
        b"DeleteNetwork" => drop(read::<OfNetwork>(body).map(|call| call.network().is_ok())),
        b"RequestPool" => drop(read::<RequestPool>(body).map(|call| call.pool().is_ok())),
        b"ReleasePool" => drop(read::<OfPool>(body).map(|call| call.pool().is_ok())),
        b"RequestAddress" => {
            let _ =
                read::<RequestAddress>(body).map(|call| (call.pool().is_ok(), call.address().is_ok(), call.asked()));
        }
        b"ReleaseAddress" => {
            drop(read::<ReleaseAddress>(body).map(|call| (call.pool().is_ok(), call.address().is_ok())));
        }
        b"DiscoverNew" => drop(read::<Discovery>(body)),
        _ => drop(read::<OfEndpoint>(body).map(|call| (call.network().is_ok(), call.endpoint().is_ok()))),
    }
}
