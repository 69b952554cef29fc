//! The automation behind `make`.

mod cargo;
mod demo;
mod lab;
mod tally;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "The automation behind `make`")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Formatting, lints, documentation, tests on the host, then everything that needs a real kernel in the lab.
    Test,
    /// The walk-through, in the lab.
    Demo,
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().task {
        Task::Test => test::run(),
        Task::Demo => demo::run(),
    }
}
