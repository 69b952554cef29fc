//! What came of it.

use std::fmt;

use benches::Spread;

use crate::ledger::{Kind, OPERATIONS, Times};

/// The times of every ledger of every kind.
pub(crate) struct Table<'a> {
    pub(crate) leases: &'a [usize],
    pub(crate) rounds: usize,
    pub(crate) rows: Vec<(Kind, Vec<Vec<Times>>)>,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fewest, most) = (self.leases[0], self.leases[self.leases.len() - 1]);
        writeln!(f, "microseconds: the median of {} rounds, and between what half of them are\n", self.rounds)?;
        write!(f, "{:<16} {:<28}", "pool", "operation")?;
        self.leases.iter().try_for_each(|leases| write!(f, " {:<26}", format!("{leases} leases")))?;
        writeln!(f, " {most}/{fewest}")?;
        let mut worst: f64 = 0.0;
        for (kind, ledgers) in &self.rows {
            for (n, operation) in OPERATIONS.iter().enumerate() {
                let spreads: Vec<Spread> =
                    ledgers.iter().map(|times| Spread::of(times.iter().map(|times| times[n]).collect())).collect();
                write!(f, "{kind:<16} {operation:<28}")?;
                spreads.iter().try_for_each(|spread| write!(f, " {spread:<26}"))?;
                let ratio = spreads[spreads.len() - 1].ratio(spreads[0]);
                writeln!(f, " {ratio:.2}")?;
                worst = worst.max(ratio);
            }
        }
        writeln!(f, "\nipam: {most}/{fewest} ratio {worst:.2}")
    }
}
