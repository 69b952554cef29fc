//! What may be typed about networks.

use clap::Subcommand;

use crate::cli::arguments::OutputArgument;
use crate::cli::names::EngineSockets;

/// What is to be done with networks.
#[derive(Subcommand)]
pub(crate) enum NetworkCommand {
    /// List networks
    ///
    /// Those that ipvland knows, whoever made them: FRONTEND is docker, cni, netavark (Podman) or shell. Docker and Podman do
    /// not tell ipvland what they call a network; NAME is what they answer when they are asked now.
    #[command(
        visible_alias = "list",
        after_long_help = "\
Examples:
  ipvland network ls
  ipvland network ls --output json | jq '.[] | select(.frontend == \"shell\") | .id'"
    )]
    Ls {
        #[command(flatten)]
        engines: EngineSockets,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Show one network and its endpoints
    #[command(after_long_help = "\
Examples:
  ipvland network inspect lan
  ipvland network inspect \"$(docker network inspect --format '{{.Id}}' lan)\"")]
    Inspect {
        /// The network's id, or the beginning of it
        id: String,
        #[command(flatten)]
        engines: EngineSockets,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Forget a network that Docker no longer knows
    ///
    /// Removes its record, its dead endpoints and the link that was made for it. Docker does not tell the driver of a
    /// `docker network rm` while the daemon is down; this is the way to catch up. Refused while endpoints on it live.
    #[command(after_long_help = "\
Examples:
  docker network ls --no-trunc --filter driver=ipvland    # what Docker knows
  ipvland network ls                                      # what is on record here
  ipvland network forget 3f2a")]
    Forget {
        /// The network's id, or the beginning of it
        id: String,
        #[command(flatten)]
        output: OutputArgument,
    },
}
