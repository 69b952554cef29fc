//! The automation behind `make`.

mod bench;
mod cargo;
mod copyright;
mod crashes;
mod demo;
mod engines;
mod fuzz;
mod installation;
mod lab;
mod package;
mod reboot;
mod record;
mod tally;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::test::{Extent, Part};

#[derive(Parser)]
#[command(about = "The automation behind `make`")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Formatting, lints, documentation, tests on the host, then everything that needs a real kernel in the lab, on one
    /// engine.
    Test,
    /// The same, with every release of the lab in full; compares what each engine does with `docs/engines.md`.
    ///
    /// It takes hours. Its parts can be run one by one: what the releases have shown of one commit is kept in
    /// target/test-full, and compared once all of them have.
    TestFull {
        /// The parts to run; all, where none is named.
        parts: Vec<Part>,
    },
    /// Installing, upgrading, removing and what the unit allows, in the lab, on a machine with systemd.
    TestInstallation,
    /// Power losses, in the lab, on a disk that outlives the machine.
    TestReboot,
    /// Deaths of the driver after every step, and in sequences of random operations, in the lab.
    TestCrashes {
        /// How many sequences.
        #[arg(long, default_value_t = 100)]
        sequences: u32,
    },
    /// Random operations and deaths of the driver, in the lab.
    Soak {
        /// For how long.
        #[arg(long, default_value_t = 600)]
        seconds: u32,
    },
    /// The walk-through, in the lab.
    Demo,
    /// 60 containers of Docker, Podman and containerd on one subnet, in the lab.
    DemoMixed,
    /// What an address costs to allocate and to release, with few and with many leases.
    BenchIpam,
    /// What a container costs by CNI, with this plugin and with the reference plugins, in the lab.
    BenchCni,
    /// Broken bytes for the parsers.
    Fuzz {
        /// A file of `fuzz/fuzz_targets`, without its ending; all, where none is named.
        target: Option<String>,
        /// Seconds for each target.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// A Debian package, in target/debian.
    Package {
        /// The Debian revision; one more for a package of the same version that is to replace another.
        #[arg(long, default_value_t = 1)]
        revision: u32,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().task {
        Task::Test => test::run(&Extent::Short),
        Task::TestFull { parts } => test::run(&Extent::of(parts)),
        Task::TestInstallation => installation::run(),
        Task::TestReboot => reboot::run(),
        Task::TestCrashes { sequences } => crashes::run(sequences),
        Task::Soak { seconds } => crashes::soak(seconds),
        Task::Demo => demo::run(),
        Task::DemoMixed => demo::mixed(),
        Task::BenchIpam => bench::ipam(),
        Task::BenchCni => bench::cni(),
        Task::Fuzz { target, seconds } => fuzz::run(target, seconds),
        Task::Package { revision } => package::run(revision),
    }
}
