//! What the next address costs, and giving it back, with few and with many leases.
//!
//! Each round asks every ledger once, so that whatever else the machine does falls upon all of them alike.

mod ledger;
mod table;

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::ledger::{Kind, Ledger};
use crate::table::Table;

const LEASES: [usize; 3] = [10, 1_000, 60_000];
/// Two addresses a round, and the largest of the new pools has 5,533 that were never dealt.
const ROUNDS: usize = 2_500;

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("the folder for the ledgers is missing: bench-ipam FOLDER")?;
    let folder = Path::new(&folder);
    let file_system = rustix::fs::statfs(folder).with_context(|| format!("{} cannot be used", folder.display()))?;
    ensure!(
        ![TMPFS_MAGIC, RAMFS_MAGIC].contains(&file_system.f_type),
        "{} is in memory, where a ledger costs nothing like on a disk: name a folder on one",
        folder.display()
    );
    let folder = tempfile::tempdir_in(folder)?;
    let mut rows = Vec::new();
    for kind in [Kind::New, Kind::GoneRound, Kind::Endless] {
        let mut ledgers = Vec::new();
        for leases in LEASES {
            println!("{kind}: a ledger with {leases} leases");
            ledgers.push(Ledger::fill(folder.path(), kind, leases)?);
        }
        println!("{kind}: {ROUNDS} rounds");
        rows.push((kind, measure(&mut ledgers)?));
    }
    print!("{}", Table { leases: &LEASES, rounds: ROUNDS, rows });
    Ok(())
}

/// Linux' `include/uapi/linux/magic.h`.
const TMPFS_MAGIC: i64 = 0x0102_1994;
const RAMFS_MAGIC: i64 = 0x8584_58f6;

/// What each of the operations took, for each ledger.
fn measure(ledgers: &mut [Ledger]) -> Result<Vec<Vec<ledger::Times>>> {
    let count = ledgers.len();
    let mut times = vec![Vec::with_capacity(ROUNDS); count];
    for round in 0..ROUNDS {
        // Nobody is always first.
        for n in (0..count).map(|n| (n + round) % count) {
            times[n].push(ledgers[n].round()?);
        }
    }
    Ok(times)
}
