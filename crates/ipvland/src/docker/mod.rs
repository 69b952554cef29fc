//! The Docker frontend: a network plugin, as `pkg/plugins` and `libnetwork/drivers/remote` in moby speak to it.
//!
//! `POST /Method` with a JSON body, and an answer that is always a JSON object. `wire` has the shapes of both and turns
//! requests into values of the model at once, `options` reads what users and engines put into option maps, `driver`
//! has one function per call, `routes` puts them behind HTTP.

mod driver;
mod options;
mod refusal;
mod routes;
mod wire;

pub(crate) use routes::routes;
