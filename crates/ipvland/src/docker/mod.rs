//! The Docker frontend: a legacy network plugin (`pkg/plugins` and `libnetwork/drivers/remote` in moby).
//!
//! [`wire`] has its JSON and turns it into the model's types at once, `driver` does what each call asks, `routes`
//! carries calls to it over HTTP.

mod driver;
mod routes;
mod wire;

pub(crate) use driver::Driver;
pub(crate) use routes::routes;
