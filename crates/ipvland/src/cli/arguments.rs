//! What may be typed. The texts here are what `--help` says.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use engine::Paths;
use model::SegmentName;

use super::addresses::AddressCommand;
use super::attachments::AttachmentCommand;
use super::doctor::DoctorArguments;
use super::names::EngineSockets;
use super::network::NetworkCommand;
use crate::netavark;

/// An IPvlan network driver for Docker, Podman and CNI
///
/// Puts containers straight on the network of a host's link, in the modes l2, l3 and l3s, without bridge, NAT or port
/// mapping. `ipvland serve` is the daemon that Docker speaks to; Podman and CNI runtimes start the program by themselves, and a
/// person at a shell puts network namespaces on networks. All of them share parents and addresses: what one has, the others
/// do not get. The other commands look at what there is and mend it, whether or not the daemon is running.
#[derive(Parser)]
#[command(
    version = env!("IPVLAND_VERSION"),
    after_help = "`ipvland help COMMAND` shows examples and exit statuses.",
    after_long_help = "\
Examples:
  # Whether this host will do, and what is on its network
  ipvland doctor
  ipvland status

  # With Docker: a network on the wire of eth0, and a container on it
  docker network create -d ipvland --subnet=192.168.1.0/24 --gateway=192.168.1.1 -o parent=eth0 lan
  docker run --rm -it --net=lan alpine /bin/sh

  # On VLAN 10, whose link is made for it; and one that reaches nothing but itself
  docker network create -d ipvland --subnet=192.168.10.0/24 -o parent=eth0.10 lan10
  docker network create -d ipvland --subnet=10.9.0.0/24 --internal apart

  # Without any engine: a network, and a namespace of `ip netns` on it
  ipvland network create lan -o parent=eth0
  ip netns add web
  ipvland attach lan --netns web

Files:
  /run/docker/plugins/ipvland.sock   where Docker finds the driver
  /usr/lib/netavark/ipvland          where Podman finds it, and /usr/local/lib/netavark/ipvland
  /opt/cni/bin/ipvland               where CNI runtimes find it
  /var/lib/ipvland/ledger.db         the ledger: networks, endpoints and who holds which address
  /run/ipvland                       locks, one for each parent that is being worked on

Exit status:
  0  done
  1  failed; a sentence on stderr says why, and what to do
  2  wrong usage
  3  `status` or `doctor` found something wrong; `who-has` found nobody"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the options are called that every command has.
const EVERYWHERE: &str = "Options of every command";

/// What every command needs to know.
#[derive(Args)]
pub(crate) struct Settings {
    /// Where the ledger is; on a disk that survives a reboot
    #[arg(long, global = true, help_heading = EVERYWHERE, default_value = "/var/lib/ipvland", value_name = "FOLDER")]
    state_dir: PathBuf,
    /// Where the locks are; all commands and the daemon must agree on it
    #[arg(long, global = true, help_heading = EVERYWHERE, default_value = "/run/ipvland", value_name = "FOLDER")]
    run_dir: PathBuf,
    /// How much to log: error, warn, info, debug or trace; `info` for the daemon and `warn` elsewhere by default
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "IPVLAND_LOG", hide_env_values = true, value_name = "LEVEL")]
    log_level: Option<LogLevel>,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "lower")]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Settings {
    /// Where the engine keeps what it must remember.
    pub(crate) fn paths(&self) -> Paths {
        Paths { state_dir: self.state_dir.clone(), run_dir: self.run_dir.clone() }
    }

    /// Which lines are logged: ours at the level that is asked for, those of libraries from warnings on. `RUST_LOG`
    /// counts where no level is given, for those who know its finer grain.
    pub(crate) fn log_filter(&self, command: &Command) -> String {
        let level = match self.log_level {
            None => match std::env::var("RUST_LOG") {
                Ok(filter) if !filter.is_empty() => match netavark::log_level(&filter) {
                    Some(level) => level,
                    None => return filter,
                },
                _ if matches!(command, Command::Serve { .. }) => "info",
                _ => "warn",
            },
            Some(LogLevel::Error) => return "error".into(),
            Some(LogLevel::Warn) => "warn",
            Some(LogLevel::Info) => "info",
            Some(LogLevel::Debug) => "debug",
            Some(LogLevel::Trace) => "trace",
        };
        format!("warn,ipvland={level},engine={level},store={level},kernel={level},model={level}")
    }
}

/// What is to be done.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the daemon that Docker speaks to
    ///
    /// Answers on a Unix socket in the folder where Docker looks for plugins, or on the one that systemd passes on. The
    /// name of the socket is the name of the driver: `.../ipvland.sock` is `docker network create -d ipvland`.
    ///
    /// Ends at SIGTERM or SIGINT, once the calls on the way are answered. Containers do not need it while they run.
    #[command(after_long_help = "\
Examples:
  # As a service: systemd holds the socket and starts the daemon at the first call
  systemctl enable --now ipvland.socket
  journalctl --unit ipvland

  # By hand, with more to read
  ipvland serve --log-level debug")]
    Serve {
        /// Where to listen, unless systemd passes on a socket
        #[arg(long, default_value = "/run/docker/plugins/ipvland.sock", value_name = "SOCKET")]
        socket: PathBuf,
        /// Where the container engine answers, to be asked which networks it remembers
        #[arg(long, default_value = "/run/docker.sock", value_name = "SOCKET")]
        engine_socket: PathBuf,
    },
    #[command(flatten)]
    Netavark(netavark::Verb),
    /// Examine this host: what is wrong with it, what may go wrong, and what to do about each
    ///
    /// Looks at the kernel and its module, at each link that may be a parent (what it is, who else is on it, its MTU), at the
    /// settings of IP that matter, at the ledger and its disk, at what is left over, at the clock, at the versions of Docker
    /// and Podman and what is known of them, and at the socket where Docker finds the driver. Nothing is changed, but that an
    /// engine starts which systemd starts when it is asked; and nothing need be there yet: it is the first thing to run on a
    /// new host.
    ///
    /// A fault is what does not work, a warning what may not work, a note what is good to know.
    #[command(after_long_help = "\
Examples:
  ipvland doctor
  ipvland doctor --output json | jq '.findings[] | select(.severity == \"fault\")'

Exit status:
  0  no fault
  1  the host could not be looked at
  3  there are faults")]
    Doctor(DoctorArguments),
    #[command(flatten)]
    Report(Report),
    /// Print the completions for a shell
    #[command(after_long_help = "\
Examples:
  # For this shell only
  source <(ipvland completions bash)

  # For all users; a package and `make install` have done that
  ipvland completions bash > /usr/share/bash-completion/completions/ipvland
  ipvland completions zsh > /usr/share/zsh/vendor-completions/_ipvland
  ipvland completions fish > /usr/share/fish/vendor_completions.d/ipvland.fish")]
    Completions {
        /// The shell that will read them
        shell: Shell,
    },
    /// Write the manual pages into a folder; for those who make packages
    #[command(hide = true)]
    Man {
        /// A folder that is there
        folder: PathBuf,
    },
}

/// Commands that do one thing and end.
#[derive(Subcommand)]
pub(crate) enum Report {
    /// Tell what is on the network: ports with their mode and flag, networks, endpoints, and what is wrong
    ///
    /// A port is ipvlan on a parent: one mode and one flag for all its containers. WANTED is what its networks need,
    /// SHOWN is what the kernel has. FRONTEND is who made a network and its endpoints: docker, cni, netavark (Podman), or shell.
    /// The sentences under `Wrong` say what is not as it should be, and what to do.
    #[command(after_long_help = "\
Examples:
  ipvland status
  ipvland status --output json | jq .faults

Exit status:
  0  all is well
  1  it could not be found out
  3  something is wrong")]
    Status {
        #[command(flatten)]
        engines: EngineSockets,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Make, list, show and remove networks
    #[command(subcommand)]
    Network(NetworkCommand),
    #[command(flatten)]
    Attachment(AttachmentCommand),
    #[command(flatten)]
    Addresses(AddressCommand),
    /// Compare the ledger with the kernel and mend the differences
    ///
    /// What was begun and not finished is undone or finished, what died with its engine is removed, links that are
    /// missing are made. The daemon does the same at its start and whenever Docker starts. No link that is not
    /// ipvland's is touched.
    #[command(after_long_help = "\
Examples:
  ipvland repair --dry-run
  ipvland repair

Exit status:
  0  done, or nothing to do
  1  something could not be mended")]
    Repair {
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Enter the addresses that others on this host have given out, so that they are not given out again
    ///
    /// Asks Docker and Podman for the containers, gateways and auxiliary addresses of their networks on the wire, reads what
    /// CNI's host-local keeps, and looks for ipvlan and macvlan links in the namespaces in reach. Whoever is not there has
    /// nothing to tell; where one is there and cannot be asked or understood, nothing is changed. What ipvland holds itself
    /// in the segment is left out.
    ///
    /// What is found takes the place of all that was adopted in the segment before. ENTRY tells what is new, what was known
    /// already, and what is gone and free again.
    #[command(after_long_help = "\
Examples:
  # What would be entered, and enter it; again whenever others have changed what they give out
  ipvland adopt --dry-run
  ipvland adopt

  # Of an engine with a socket of its own, on a VLAN that reuses a subnet
  ipvland adopt --engine-socket /run/cellar/docker.sock --segment cellar

Exit status:
  0  done, or nothing to do
  1  somebody could not be asked or understood; nothing was changed
  2  wrong usage")]
    Adopt {
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
        /// The broadcast domain that the addresses are in, as in `-o segment=`
        #[arg(long, default_value_t, value_name = "NAME")]
        segment: SegmentName,
        /// Where container engines answer, once for each; those that are not there are passed over
        #[arg(long, default_values = ["/run/docker.sock", "/run/podman/podman.sock"], value_name = "SOCKET")]
        engine_socket: Vec<PathBuf>,
        /// Where CNI's host-local keeps its networks
        #[arg(long, default_value = "/var/lib/cni/networks", value_name = "FOLDER")]
        cni_dir: PathBuf,
        #[command(flatten)]
        output: OutputArgument,
    },
    /// Tell whether ipvland can be taken off this host
    ///
    /// It can when no network is on record. A network that outlives its driver is one that Docker can neither use nor
    /// remove properly, and that costs each start of Docker a quarter of a minute. The removal of a package asks this
    /// first, and so does `make uninstall`.
    #[command(after_long_help = "\
Examples:
  ipvland removable && systemctl disable --now ipvland.socket

Exit status:
  0  no network is on record
  1  there are some, which are named, or it could not be found out")]
    Removable,
}

/// For whom the result is.
#[derive(Args, Clone, Copy)]
pub(crate) struct OutputArgument {
    /// A table for people, or JSON for machines
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub(super) output: Output,
}

/// How a result is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    Table,
    Json,
}
