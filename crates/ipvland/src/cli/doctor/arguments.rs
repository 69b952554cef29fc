//! What may be typed for `ipvland doctor`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::arguments::OutputArgument;

/// Where to look, and for whom.
#[derive(Args)]
pub(crate) struct DoctorArguments {
    /// Where container engines answer, once for each; those that are not there are passed over
    #[arg(long, default_values = ["/run/docker.sock", "/run/podman/podman.sock"], value_name = "SOCKET")]
    pub(super) engine_socket: Vec<PathBuf>,
    /// Where Docker looks for the driver
    #[arg(long, default_value = "/run/docker/plugins/ipvland.sock", value_name = "SOCKET")]
    pub(super) socket: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgument,
}
